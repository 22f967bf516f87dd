/*
 * How many deliveries of each origin are claimed, so that silent receivers leave room for others.
 * All functions are called with the queue's mutex held.
 */
#ifndef HERALD_SRC_STORE_OUTBOX_ORIGIN_H
#define HERALD_SRC_STORE_OUTBOX_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>

#define HERALD__OUTBOX_ORIGIN_BUCKETS 256

struct herald__outbox_entry;
struct herald__outbox_queue;

/* An origin with claimed deliveries. */
struct herald__outbox_origin {
	struct herald__outbox_origin *next; /* in its bucket */
	size_t held;                        /* claimed deliveries */
	uint32_t delay_ms;                  /* of those that are put off next */
	uint64_t claim;                     /* the last one that has put off any */
	size_t bytes;                       /* of this block */
	char name[];
};

struct herald__outbox_origins {
	struct herald__outbox_origin *buckets[HERALD__OUTBOX_ORIGIN_BUCKETS];
};

/*
 * Count a delivery that is being claimed, if its origin may have another one.
 *
 * delay_ms  set if not: so much later it is due again.
 * Returns   the origin; NULL: it may not, or out of memory (then *delay_ms is 0).
 */
struct herald__outbox_origin *herald__outbox_origin_take(struct herald__outbox_queue *queue,
							 const char *name, uint32_t *delay_ms);

/* A delivery is not claimed any more. NULL is allowed. */
void herald__outbox_origin_release(struct herald__outbox_queue *queue,
				   struct herald__outbox_origin *origin);

#endif
