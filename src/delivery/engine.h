/*
 * The thread of a deliverer and its state.
 */
#ifndef HERALD_SRC_DELIVERY_ENGINE_H
#define HERALD_SRC_DELIVERY_ENGINE_H

#include <stdint.h>

#include <herald/export.h>
#include <herald/status.h>

#include "base/timer_heap.h"
#include "delivery/host_slots.h"

struct herald_deliverer;
struct herald__attempt;

/* Used by the deliverer's thread only, while that runs. */
struct herald__engine {
	struct herald__hosts hosts;
	struct herald__timer_heap timeouts; /* of the attempts in progress */
	struct herald__attempt *idle;       /* linked by `next` */
	struct herald__attempt *under_way;  /* linked by `next` and `previous` */
	uint64_t next_due_ms;               /* when the queue has something due */
	uint64_t poll_ms;                   /* when to ask the queue at the latest */
	size_t stored_count;                /* records of a store that are claimed */
	size_t stored_bytes;                /* their content */
};

/* Called by the thread that creates or destroys the deliverer. Errors: HERALD_NO_MEMORY. */
HERALD_MUST_CHECK enum herald_status herald__engine_init(struct herald_deliverer *deliverer);

/* No attempt may be in progress. Does nothing if the engine is zeroed. */
void herald__engine_finish(struct herald_deliverer *deliverer);

/* End the thread's current wait, or else the next one. Any thread. Wakes the transport only if the
 * thread waits. */
void herald__engine_wake(struct herald_deliverer *deliverer);

/* The thread's main function. Returns when a stop is complete. */
void *herald__engine_run(void *deliverer);

#endif
