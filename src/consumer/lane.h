/*
 * A lane runs messages, one after the other. A step is a function without threads.
 */
#ifndef HERALD_SRC_CONSUMER_LANE_H
#define HERALD_SRC_CONSUMER_LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/buffer.h>

#include "consumer/held.h"
#include "consumer/parking.h"

struct herald_consumer;
struct herald_context;

/* Messages that a lane takes at once. */
#define HERALD__LANE_MOST 64

/* How long a suspect waits for the broker to know of all ends: it may not take a dead letter. */
#define HERALD__MAX_ALONE_WAIT_MS 1000

struct herald__lane {
	struct herald_consumer *consumer;
	unsigned index;

	/* Protected by the desk. */
	struct herald__held_list queue; /* of keys that are this lane's */
	pthread_cond_t wake;
	bool waits;
	bool is_active, was_active;

	struct herald__held_list taken; /* to run next */
	struct herald__held_list ended; /* to give back */
	/* How many it takes of what is for any lane: few, while its functions are slow. */
	size_t most;
	uint64_t taken_ms;
	size_t taken_count;
	uint64_t losses;         /* as last seen */
	uint64_t waits_alone_ms; /* when to look whether a suspect may run */
	uint64_t alone_ms;       /* it waits no longer than until then; 0: none waits */
	struct herald__parking parking;
	struct herald_context *ctx; /* NULL until the first run, or out of memory */
	struct herald_buffer copy;  /* of the body, as decoding changes it */
};

/* Returns false when out of memory. */
bool herald__lane_init(struct herald__lane *lane, struct herald_consumer *consumer, unsigned index);
void herald__lane_finish(struct herald__lane *lane);

/* Run the next message, after giving back what has ended if the consumer waits for it. Returns
 * false if there was none: then all that has ended was given back. */
bool herald__lane_step(struct herald__lane *lane);

/* Without a thread, between two steps: give back what has ended. */
void herald__lane_give_back(struct herald__lane *lane);

/* When the next step is due, after one that returned false. UINT64_MAX: when something comes. */
uint64_t herald__lane_next_ms(const struct herald__lane *lane);

#endif
