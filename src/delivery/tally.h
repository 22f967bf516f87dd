/*
 * The outcomes of deliveries and of their attempts, by the class of their destination. For metrics:
 * the destinations themselves come from events.
 */
#ifndef HERALD_SRC_DELIVERY_TALLY_H
#define HERALD_SRC_DELIVERY_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

#include <herald/delivery.h>

#include "base/histogram.h"
#include "delivery/item.h"

struct herald_attempt_result;

enum herald__host_class {
	HERALD__HOST_DESTINATION, /* the option `destinations` has it */
	HERALD__HOST_OTHER,       /* another URL */
	HERALD__HOST_PRODUCER,    /* a broker */
	HERALD__HOST_CLASSES,
};

/* How a delivery ended. */
enum herald__tally_outcome {
	HERALD__TALLY_DELIVERED,
	HERALD__TALLY_REFUSED,
	HERALD__TALLY_EXHAUSTED,
	HERALD__TALLY_EXPIRED,
	HERALD__TALLY_LEFT,
	HERALD__TALLY_OUTCOMES,
};

/* How an attempt ended. */
enum herald__tally_result {
	HERALD__TALLY_OK, /* 2xx, or the broker has confirmed it */
	HERALD__TALLY_3XX,
	HERALD__TALLY_4XX,
	HERALD__TALLY_5XX,
	HERALD__TALLY_NONE, /* no complete response */
	HERALD__TALLY_RESULTS,
};

/* Zeroed: empty. Read on any thread; all accesses are relaxed. */
struct herald__tally {
	_Atomic uint64_t outcomes[HERALD__TALLY_OUTCOMES];
	_Atomic uint64_t results[HERALD__TALLY_RESULTS];
	struct herald__histogram attempts; /* how long they took */
};

/* "destination", "delivered", "4xx" and so on. Static storage. */
const char *herald__host_class_name(enum herald__host_class class);
const char *herald__tally_outcome_name(enum herald__tally_outcome outcome);
const char *herald__tally_result_name(enum herald__tally_result result);

/* A delivery has ended. */
void herald__tally_end(struct herald_deliverer *deliverer, const struct herald__queued *item,
		       const struct herald_delivery_report *report);

/* An attempt has ended, after `elapsed_ms`. */
void herald__tally_attempt(struct herald_deliverer *deliverer, const struct herald__queued *item,
			   const struct herald_attempt_result *result, uint64_t elapsed_ms);

#endif
