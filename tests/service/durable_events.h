/*
 * Shared by the tests of services with a store: a payload, and a function that does what its event
 * says.
 */
#ifndef HERALD_TESTS_SERVICE_DURABLE_EVENTS_H
#define HERALD_TESTS_SERVICE_DURABLE_EVENTS_H

#include <herald/publish.h>
#include <herald/service.h>

#include "support/events.h"
#include "support/fake_inbox.h"

/* An event of type "order" with an id. */
#define ORDER(ID, PAYLOAD)                                                                         \
	"{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"order\",\"metadata\":"           \
	"{\"id\":\"" ID "\",\"source\":\"shop\"},\"payload\":" PAYLOAD "}"

struct order {
	const char *order_id;
	const char *action; /* see act() */
};
HERALD_SCHEMA(order, HERALD_FIELD(order, order_id, .required = true),
	      HERALD_FIELD(order, action));

/* "fail", "retry" and "later" (after 70 ms) end the event so; anything else is HERALD_DONE. */
static inline enum herald_verdict
act(struct herald_context *ctx, const char *action)
{
	if (action && strcmp(action, "fail") == 0)
		return herald_fail_status(ctx, 409, "it failed");
	if (action && strcmp(action, "retry") == 0)
		return herald_retry(ctx, "not yet");
	if (action && strcmp(action, "later") == 0)
		return herald_retry_after(ctx, 70, "in a while");
	return HERALD_DONE;
}

static inline enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order)
{
	note("f%u", herald_context_attempt(ctx));
	return act(ctx, order->action);
}
HERALD_FUNCTION(on_order, order);

static inline void
check_accepted(const struct herald_result *result, enum herald_acceptance acceptance)
{
	check_verdict(result, HERALD_DONE, "");
	assert_string_equal(herald_acceptance_name(result->acceptance),
			    herald_acceptance_name(acceptance));
	assert_int_equal(result->http_status, 202);
	assert_int_equal(result->retry_after_ms, 0);
}

#endif
