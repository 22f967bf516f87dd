/*
 * Slots: they limit the attempts in progress, in total and for each host, and decide which delivery
 * is next.
 */
#ifndef HERALD_SRC_DELIVERY_HOST_SLOTS_H
#define HERALD_SRC_DELIVERY_HOST_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>

#include "delivery/item.h"

/* A host with waiting deliveries or attempts in progress. */
struct herald__host {
	char origin[HERALD__ORIGIN_BYTES];
	uint64_t hash; /* of the origin */
	size_t in_flight;
	bool answers;                 /* so has its last attempt ended; set by the engine */
	struct herald__queued *first; /* waiting */
	struct herald__queued **end;
	struct herald__host *next_in_bucket;
	struct herald__host *previous_waiting, *next_waiting; /* hosts with waiting deliveries */
};

struct herald__hosts {
	struct herald__host **buckets;
	size_t buckets_count; /* a power of two */
	struct herald__host *first_waiting, *last_waiting;
	size_t slots;
	size_t slots_per_host;
	size_t in_flight;
	size_t busy_count; /* of hosts that have slots */
	struct herald_allocator allocator;
};

/* Returns false when out of memory. */
bool herald__hosts_init(struct herald__hosts *hosts, const struct herald_allocator *allocator,
			size_t slots, size_t slots_per_host);
void herald__hosts_finish(struct herald__hosts *hosts);

/* Let a delivery wait for a slot of its host. Returns false when out of memory. */
bool herald__hosts_wait(struct herald__hosts *hosts, struct herald__queued *item);

/* Take the next delivery that may have a slot, with the slot; NULL: none. Hosts take turns. */
struct herald__queued *herald__hosts_next(struct herald__hosts *hosts, struct herald__host **host);

/* Return a slot. The host may be freed. */
void herald__hosts_release(struct herald__hosts *hosts, struct herald__host *host);

/* Take any waiting delivery, with or without a slot; NULL: none. For a stop. */
struct herald__queued *herald__hosts_take_waiting(struct herald__hosts *hosts);

#endif
