/*
 * An attempt in the engine: the part for the transport, and its delivery.
 */
#ifndef HERALD_SRC_DELIVERY_ATTEMPT_H
#define HERALD_SRC_DELIVERY_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/adapter/transport.h>
#include <herald/trace.h>

#include "base/timer_heap.h"
#include "delivery/host_slots.h"
#include "delivery/item.h"
#include "delivery/request.h"

/* Created once and reused for one delivery after the other. */
struct herald__attempt {
	struct herald_attempt base; /* the first member */
	struct herald__request request;
	struct herald__queued *item;
	struct herald__host *host;
	uint64_t begun_ms;
	struct herald__timer timeout;
	bool has_span; /* then these are set: see attempt_span.h */
	struct herald_trace trace;
	int64_t span_begin_ns;        /* since 1970 */
	struct herald__attempt *next; /* in the list of idle or active ones */
	struct herald__attempt *previous;
};

/* Returns NULL when out of memory. */
struct herald__attempt *herald__attempt_create(const struct herald_allocator *allocator);
void
herald__attempt_destroy(const struct herald_allocator *allocator, struct herald__attempt *attempt);

/* The meaning of an attempt's result, by the status of its answer if it has one. */
bool herald__attempt_is_delivered(const struct herald_attempt_result *result);
bool herald__attempt_may_retry(const struct herald_attempt_result *result);

#endif
