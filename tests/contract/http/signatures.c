/*
 * The contract, part 12: signed events. Whatever the framework does with headers, a signature is
 * verified over the bytes that came, and a header that comes twice is refused; nothing of an event
 * without a right signature reaches the store.
 */
#include "probe.h"

#include <stdio.h>
#include <string.h>

#include "support/fake_inbox.h"

#ifdef HAVE_SIGNATURE
#include <herald/signature.h>

#define NOW 1700000000
#define ACCEPTED "{\"status\":\"accepted\"}"
#define DUPLICATE "{\"status\":\"duplicate\"}"
#define UNAUTHORIZED "{\"error\":\"Unauthorized\"}"

/* Not as an encoder would write it. */
#define BODY                                                                                       \
	"{ \"event_type\":\"order\",\"timestamp\":\"2024-08-20T05:21:19Z\",\n"                     \
	"\"payload\":{\"order_id\":\"\\u0061\"} }"

struct signed_order {
	const char *order_id;
};
HERALD_SCHEMA(signed_order, HERALD_FIELD(signed_order, order_id, .required = true));

static enum herald_verdict
on_signed_order(struct herald_context *ctx, const struct signed_order *order, struct probe *probe)
{
	(void)ctx;
	assert_string_equal(order->order_id, "a");
	atomic_fetch_add(&probe->function_count, 1);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_signed_order, signed_order, probe);

static int64_t
fixed_now_ms(void *state)
{
	(void)state;
	return (int64_t)NOW * 1000;
}

/* An adapter that serves a service for signed events, with a store or without one. */
struct fixture {
	struct fake_inbox inbox;
	struct probe probe;
	struct herald_signature *signature;
};

static void
start(struct fixture *fixture, void **state, bool has_store)
{
	static const char *const ids[] = {"webhook-id", NULL};
	static const char *const keys[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
	struct probe *probe = &fixture->probe;
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", signed_order, on_signed_order, probe),
	};
	struct herald_handler *handlers[1];
	struct herald_error error = {.message = ""};

	memset(fixture, 0, sizeof(*fixture));
	fake_inbox_init(&fixture->inbox);
	fixture->inbox.answers_at_once = true;
	pthread_mutex_init(&probe->lock, NULL);
	pthread_cond_init(&probe->changed, NULL);
	if (herald_signature_create(
		    &HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
					      HERALD_SIGNATURE_KEYS(keys)),
		    &fixture->signature, &error) != HERALD_OK ||
	    herald_signature_handler_create(
		    fixture->signature, &HERALD_SIGNATURE_HANDLER_OPTIONS(.now_ms = fixed_now_ms),
		    &handlers[0], &error) != HERALD_OK ||
	    herald_service_create(
		    &HERALD_SERVICE_OPTIONS(
			    HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .id_attributes = ids,
			    .store = has_store ? fake_inbox_store(&fixture->inbox) : NULL),
		    &probe->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	probe_create_endpoint(probe,
			      &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = PROBE_MAX_BODY_BYTES));
	probe->adapter = *state;
	probe->server = probe->adapter->start(probe->endpoint, 1, &probe->port);
	assert_non_null(probe->server);
}

static void
stop(struct fixture *fixture)
{
	probe_stop(&fixture->probe);
	fake_inbox_finish(&fixture->inbox);
	herald_signature_destroy(fixture->signature);
}

/* The herald_signature_sink: "name: value\r\n". */
static void
append_header(const char *name, const char *value, void *state)
{
	char *text = state;

	sprintf(text + strlen(text), "%s: %s\r\n", name, value);
}

static void
post(struct fixture *fixture, const char *headers, const char *body, unsigned status,
     const char *answer)
{
	struct http_client client;
	struct http_response response;
	char request[4096];

	snprintf(request, sizeof(request),
		 "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
		 "%sContent-Length: %zu\r\n\r\n%s",
		 headers, strlen(body), body);
	probe_connect(&fixture->probe, &client);
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, true, &response));
	probe_assert_answer(&response, status, answer);
	http_close(&client);
}

/* The headers of a message with a right signature. */
static void
sign(struct fixture *fixture, const char *id, const char *body, char *headers)
{
	const struct herald_signature_message message = {
		.id = id,
		.timestamp_s = NOW,
		.body = body,
		.body_bytes = strlen(body),
	};

	headers[0] = '\0';
	assert_int_equal(
		herald_signature_sign(fixture->signature, &message, append_header, headers, NULL),
		HERALD_OK);
}

/* Cut the header with this number out of a text of three, to *cut. */
static void
cut_header(const char *headers, int number, char *rest, char *cut)
{
	const char *begin = headers;

	for (int i = 0; i < number; i++)
		begin = strstr(begin, "\r\n") + 2;
	const char *end = strstr(begin, "\r\n") + 2;
	sprintf(cut, "%.*s", (int)(end - begin), begin);
	sprintf(rest, "%.*s%s", (int)(begin - headers), headers, end);
}

static void
only_signed_events_are_handled(void **state)
{
	struct fixture fixture;
	char headers[1024], changed[2048], rest[1024], cut[1024];

	start(&fixture, state, false);
	sign(&fixture, "msg_1", BODY, headers);
	post(&fixture, headers, BODY, 200, PROBE_SUCCESS);
	assert_int_equal(fixture.probe.function_count, 1);
	post(&fixture, headers, BODY " ", 401, UNAUTHORIZED);
	post(&fixture, "", BODY, 401, UNAUTHORIZED);
	post(&fixture, "", "not even JSON", 401, UNAUTHORIZED);
	for (int i = 0; i < 3; i++) {
		cut_header(headers, i, rest, cut);
		post(&fixture, rest, BODY, 401, UNAUTHORIZED);
		/* A header that comes twice, one after the other or not, with the same value or
		 * another one, is not as the sender has sent it. */
		sprintf(changed, "%s%s", headers, cut);
		post(&fixture, changed, BODY, 401, UNAUTHORIZED);
		sprintf(changed, "%s%s", cut, headers);
		post(&fixture, changed, BODY, 401, UNAUTHORIZED);
		sprintf(changed, "%s%.*s: v1,a\r\n", headers, (int)strcspn(cut, ":"), cut);
		post(&fixture, changed, BODY, 401, UNAUTHORIZED);
		sprintf(changed, "%.*s: v1,a\r\n%s", (int)strcspn(cut, ":"), cut, headers);
		post(&fixture, changed, BODY, 401, UNAUTHORIZED);
	}
	assert_int_equal(fixture.probe.function_count, 1);
	stop(&fixture);
}

/* An event with a wrong signature does not use up an id. */
static void
only_signed_events_are_stored(void **state)
{
	struct fixture fixture;
	char headers[1024], other[1024];

	start(&fixture, state, true);
	sign(&fixture, "msg_1", BODY, headers);
	sign(&fixture, "msg_1", BODY "\n", other);
	post(&fixture, other, BODY, 401, UNAUTHORIZED);
	assert_int_equal(fixture.inbox.accepts, 0);
	post(&fixture, headers, BODY, 202, ACCEPTED);
	assert_string_equal(fixture.inbox.stored[0].id, "msg_1");
	assert_string_equal(fixture.inbox.stored[0].data, BODY);
	post(&fixture, headers, BODY, 202, DUPLICATE);
	post(&fixture, other, BODY, 401, UNAUTHORIZED);
	assert_int_equal(fixture.inbox.accepts, 2);
	assert_int_equal(fixture.inbox.stored_count, 1);
	stop(&fixture);
}

const struct contract_http_case contract_http_signatures[] = {
	CONTRACT_CASE(only_signed_events_are_handled, 0),
	CONTRACT_CASE(only_signed_events_are_stored, 0),
};
const size_t contract_http_signatures_count = HERALD_COUNT(contract_http_signatures);
#else
const struct contract_http_case contract_http_signatures[1];
const size_t contract_http_signatures_count = 0;
#endif
