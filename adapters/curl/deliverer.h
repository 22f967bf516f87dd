/*
 * A deliverer's inside: what its two halves share. deliverer.c is what other threads call, engine.c
 * what its own thread does.
 */
#ifndef HERALD_CURL_DELIVERER_H
#define HERALD_CURL_DELIVERER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/delivery.h>

#include "clock.h"
#include "hosts.h"
#include "poller.h"
#include "queue.h"
#include "timer_heap.h"
#include "transfer.h"
#include "url.h"

/* What the thread works with; nobody else looks at it while it runs. */
struct herald__engine {
	struct herald__hosts hosts;
	struct herald__timer_heap timeouts; /* of the transfers under way */
	struct herald__transfer *idle;      /* transfers, by `next` */
	struct herald__transfer *under_way; /* by `next` and `previous` */
	uint64_t next_due_ms;               /* of the queue */
};

struct herald_deliverer {
	struct herald_deliverer_options options; /* with defaults; strings in the arena */
	struct herald_allocator allocator;
	struct herald_arena *arena;
	struct herald__url_rules url_rules;
	struct herald__transfer_settings settings;
	struct herald__delivery_clock clock;
	uint64_t random_state; /* of the system's clock */
	uint64_t id_prefix;
	atomic_uint_fast64_t last_id;
	struct herald__queue *queue; /* owned */
	struct herald__poller poller;
	struct herald__engine engine;
	pthread_t thread;
	bool is_joined;

	pthread_mutex_t mutex; /* over the rest */
	struct herald_delivery_statistics counts;
	bool is_stopping; /* nothing new is taken */
	bool is_closed;   /* nor is what was reserved */
	uint64_t flush_until_ms;
};

/*
 * herald_deliverer_create() with a clock and a queue of the caller's; NULL means the usual ones. The
 * clock's state is borrowed; the queue is the deliverer's on HERALD_OK.
 */
HERALD_MUST_CHECK enum herald_status
herald__deliverer_create(const struct herald_deliverer_options *options,
			 const struct herald__delivery_clock *clock, struct herald__queue *queue,
			 struct herald_deliverer **out, struct herald_error *error);

/* Have the thread look at the clock again. Any thread. */
void herald__deliverer_wake(struct herald_deliverer *deliverer);

/*
 * The thread's half is set up and torn down by the creator.
 *
 * Errors  HERALD_NO_MEMORY; HERALD_BAD_OPTION: the user's setup said no.
 */
HERALD_MUST_CHECK enum herald_status herald__engine_init(struct herald_deliverer *deliverer);
void herald__engine_finish(struct herald_deliverer *deliverer);

/* The thread's function; returns when a stop is complete. */
void *herald__engine_run(void *deliverer);

#endif
