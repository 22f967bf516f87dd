/*
 * Tallies of deliveries and attempts for metrics. Takes no lock. The counts that are consistent
 * with each other are in counts.c.
 */
#include "delivery/tally.h"

#include <herald/adapter/transport.h>

#include "delivery/attempt.h"
#include "delivery/broker_url.h"
#include "delivery/deliverer.h"

#define MS_NS UINT64_C(1000000)

const char *herald__host_class_name(enum herald__host_class class)
{
	static const char *const names[] = {
		[HERALD__HOST_DESTINATION] = "destination",
		[HERALD__HOST_OTHER] = "other",
		[HERALD__HOST_PRODUCER] = "producer",
	};

	return names[class];
}

const char *
herald__tally_outcome_name(enum herald__tally_outcome outcome)
{
	static const char *const names[] = {
		[HERALD__TALLY_DELIVERED] = "delivered", [HERALD__TALLY_REFUSED] = "refused",
		[HERALD__TALLY_EXHAUSTED] = "exhausted", [HERALD__TALLY_EXPIRED] = "expired",
		[HERALD__TALLY_LEFT] = "left",
	};

	return names[outcome];
}

const char *
herald__tally_result_name(enum herald__tally_result result)
{
	static const char *const names[] = {
		[HERALD__TALLY_OK] = "ok",     [HERALD__TALLY_3XX] = "3xx",
		[HERALD__TALLY_4XX] = "4xx",   [HERALD__TALLY_5XX] = "5xx",
		[HERALD__TALLY_NONE] = "none",
	};

	return names[result];
}

static struct herald__tally *
tally_of(struct herald_deliverer *deliverer, const struct herald__queued *item)
{
	const struct herald__destinations *destinations = &deliverer->destinations;
	enum herald__host_class class = HERALD__HOST_DESTINATION;

	if (herald__is_broker_url(item->record.delivery.url))
		class = HERALD__HOST_PRODUCER;
	else if (herald__destinations_find(destinations, item->origin) == &destinations->others)
		class = HERALD__HOST_OTHER;
	return &deliverer->tallies[class];
}

static enum herald__tally_outcome
outcome_of(const struct herald_delivery_report *report)
{
	if (report->outcome == HERALD_DELIVERY_DELIVERED)
		return HERALD__TALLY_DELIVERED;
	if (report->outcome != HERALD_DELIVERY_FAILED)
		return HERALD__TALLY_LEFT;
	switch (report->failure) {
	case HERALD_DELIVERY_EXHAUSTED:
		return HERALD__TALLY_EXHAUSTED;
	case HERALD_DELIVERY_EXPIRED:
		return HERALD__TALLY_EXPIRED;
	case HERALD_DELIVERY_REFUSED:
	case HERALD_DELIVERY_NOT_FAILED:
		break;
	}
	return HERALD__TALLY_REFUSED;
}

static enum herald__tally_result
result_of(const struct herald_attempt_result *result)
{
	if (herald__attempt_is_delivered(result))
		return HERALD__TALLY_OK;
	switch (result->http_status / 100) {
	case 0:
		return HERALD__TALLY_NONE;
	case 4:
		return HERALD__TALLY_4XX;
	case 5:
		return HERALD__TALLY_5XX;
	default:
		return HERALD__TALLY_3XX;
	}
}

void
herald__tally_end(struct herald_deliverer *deliverer, const struct herald__queued *item,
		  const struct herald_delivery_report *report)
{
	atomic_fetch_add_explicit(&tally_of(deliverer, item)->outcomes[outcome_of(report)], 1,
				  memory_order_relaxed);
}

void
herald__tally_attempt(struct herald_deliverer *deliverer, const struct herald__queued *item,
		      const struct herald_attempt_result *result, uint64_t elapsed_ms)
{
	struct herald__tally *tally = tally_of(deliverer, item);

	atomic_fetch_add_explicit(&tally->results[result_of(result)], 1, memory_order_relaxed);
	herald__histogram_add(&tally->attempts, &deliverer->duration_bounds, elapsed_ms * MS_NS);
}
