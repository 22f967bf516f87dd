/*
 * The keys of a lane whose oldest message waits for a retry: it stays with the lane, and other
 * messages of its key wait behind it. A lane has all messages of its keys, so it needs no lock.
 */
#ifndef HERALD_SRC_CONSUMER_PARKING_H
#define HERALD_SRC_CONSUMER_PARKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timer_heap.h"
#include "consumer/held.h"

struct herald__parking {
	struct herald__timer_heap retries; /* of the oldest of each key, unless it runs */
	struct herald__held **buckets;     /* the oldest of each key, by its hash */
	size_t buckets_count;
	size_t count; /* messages, with those behind others */
};

/* For at most `max_messages`; usually a lane has `usual_keys`. Returns false when out of memory. */
bool herald__parking_init(struct herald__parking *parking, const struct herald_allocator *allocator,
			  size_t max_messages, size_t usual_keys);
void herald__parking_finish(struct herald__parking *parking);

/* A message has run, and is to run again at due_ms. It has a key, of which it is the oldest. */
void
herald__parking_park(struct herald__parking *parking, struct herald__held *held, uint64_t due_ms);

/* If its key is parked, let a message wait behind the others of it. Returns false if it is not. */
bool herald__parking_wait(struct herald__parking *parking, struct herald__held *held);

/* When the next message is due; UINT64_MAX: none waits. */
uint64_t herald__parking_next_ms(const struct herald__parking *parking);

/* A message that is due; NULL: there is none. Its key stays parked until it is parked again, or
 * ends. */
struct herald__held *herald__parking_take(struct herald__parking *parking, uint64_t now_ms);

/* A message has ended. If it was parked, the next one of its key is due at once. */
void herald__parking_end(struct herald__parking *parking, struct herald__held *held);

/* What is lost is due at once: it waits for nothing, and takes room. */
void herald__parking_hurry_lost(struct herald__parking *parking);

/* Take all that wait, messages of a key in their order. A retry was due at held->retry.due_ms. */
void herald__parking_take_all(struct herald__parking *parking, struct herald__held_list *out);

#endif
