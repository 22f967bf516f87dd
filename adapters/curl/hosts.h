/*
 * Slots: how many attempts may be under way, in all and to one host, and who is next.
 */
#ifndef HERALD_CURL_HOSTS_H
#define HERALD_CURL_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>

#include "queue.h"

/* A host with deliveries that wait, or attempts under way. */
struct herald__host {
	char name[HERALD__HOST_BYTES];
	uint64_t hash; /* of the name */
	size_t in_flight;
	struct herald__queued *first; /* waiting */
	struct herald__queued **end;
	struct herald__host *next_in_bucket;
	struct herald__host *previous_waiting, *next_waiting; /* those with deliveries that wait */
};

struct herald__hosts {
	struct herald__host **buckets;
	size_t buckets_count; /* a power of 2 */
	struct herald__host *first_waiting, *last_waiting;
	size_t slots;
	size_t slots_per_host;
	size_t in_flight;
	struct herald_allocator allocator;
};

/* Returns false when memory is out. */
bool herald__hosts_init(struct herald__hosts *hosts, const struct herald_allocator *allocator,
			size_t slots, size_t slots_per_host);
void herald__hosts_finish(struct herald__hosts *hosts);

/* Let it wait for a slot of its host. Returns false when memory is out. */
bool herald__hosts_wait(struct herald__hosts *hosts, struct herald__queued *item);

/* The next one that may have a slot, which is taken; NULL: none. Hosts take turns. */
struct herald__queued *herald__hosts_next(struct herald__hosts *hosts, struct herald__host **host);

/* Give its slot back; the host may be gone after it. */
void herald__hosts_release(struct herald__hosts *hosts, struct herald__host *host);

/* One that waits, slot or not; NULL: none. For a stop. */
struct herald__queued *herald__hosts_take_waiting(struct herald__hosts *hosts);

#endif
