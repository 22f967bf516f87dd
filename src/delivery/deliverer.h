/*
 * The deliverer: the state that deliverer.c, for other threads, shares with engine.c, for its own
 * thread.
 */
#ifndef HERALD_SRC_DELIVERY_DELIVERER_H
#define HERALD_SRC_DELIVERY_DELIVERER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/queue.h>
#include <herald/arena.h>
#include <herald/codec.h>
#include <herald/delivery.h>

#include "base/clock.h"
#include "base/trace.h"
#include "delivery/address_policy.h"
#include "delivery/content.h"
#include "delivery/counts.h"
#include "delivery/engine.h"
#include "delivery/headers.h"
#include "delivery/recent_hosts.h"
#include "delivery/signing.h"
#include "delivery/tally.h"
#include "delivery/url.h"

struct herald_attempt_result;

struct herald_deliverer {
	struct herald_deliverer_options options; /* with defaults; strings in the arena */
	struct herald_allocator allocator;
	struct herald_arena *arena;
	struct herald__address_rules address_rules;
	struct herald__url_rules url_rules;
	struct herald__destinations destinations;
	struct herald__signers signers;
	struct herald_codec *codec; /* for Herald's body; NULL: not sent */
	struct herald__delivery_clock clock;
	uint64_t random_state; /* for the system's clock */
	uint64_t id_prefix;
	/* Whether another attempt may follow a failed one. Set before the first delivery. */
	bool (*may_retry)(const struct herald_attempt_result *result);
	struct herald__trace_source trace_source; /* if there is a span hook */
	atomic_uint_fast64_t last_id;
	struct herald__bounds duration_bounds; /* of the tallies */
	struct herald__tally tallies[HERALD__HOST_CLASSES];
	struct herald_transport *transport;  /* owned */
	struct herald_delivery_queue *queue; /* owned; NULL: none yet */
	struct herald__engine engine;
	atomic_uint signals; /* counts calls of herald__engine_wake() */
	atomic_bool asleep;  /* the thread waits or is about to wait */
	pthread_t thread;
	bool is_joined;

	pthread_mutex_t mutex; /* protects the members below */
	pthread_cond_t pushed; /* no thread is in push(), and is_closed */
	struct herald__counts counts;
	struct herald__recent_hosts recent_hosts;
	bool is_stopping; /* no new reservations */
	bool is_closed;   /* no pushes either */
	uint64_t drain_until_ms;
};

/* herald_deliverer_create() with a clock of the caller, whose state is borrowed. `clock` NULL: the
 * system's. */
HERALD_MUST_CHECK enum herald_status
herald__deliverer_create(const struct herald_deliverer_options *options,
			 const struct herald__delivery_clock *clock, struct herald_deliverer **out,
			 struct herald_error *error);

/* Destroy a transport that was not taken, unless it belongs to a deliverer. NULL is allowed. */
void herald__transport_drop(struct herald_transport *transport);

/* The limits of a delivery's content. */
struct herald__content_limits
herald__deliverer_content_limits(const struct herald_deliverer *deliverer);

/* Give a delivery a new id if it has none. Any thread. */
void herald__deliverer_give_id(struct herald_deliverer *deliverer, struct herald__queued *item);

#endif
