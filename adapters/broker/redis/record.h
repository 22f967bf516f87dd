/*
 * Commands of the settler, and records of what they are for.
 */
#ifndef HERALD_REDIS_RECORD_H
#define HERALD_REDIS_RECORD_H

#include "subscriber.h"

/* The visibility, divided by `part`. */
static inline uint32_t
redis_part(const struct redis_subscriber *subscriber, uint32_t part)
{
	return subscriber->options.visibility_ms / part;
}

/* Settlements without an answer. */
static inline size_t
redis_unsettled(const struct redis_subscriber *subscriber)
{
	return subscriber->done.count + subscriber->unsettled;
}

/* Say what the command is for that was added last. False: out of memory; the connection fails. */
bool herald__redis_record(struct redis_subscriber *subscriber, struct herald__redis_record record);

/* Make an entry claimable in delay_ms, at most the visibility, with this count of deliveries. */
void herald__redis_put_off(struct redis_subscriber *subscriber, const struct redis_entry *entry,
			   uint64_t delay_ms, unsigned deliveries, bool is_end);
/* It has not run: anyone may have it, and this delivery does not count. */
void herald__redis_give_back(struct redis_subscriber *subscriber, const struct redis_entry *entry,
			     bool is_end);

/* Begin and end a command that keeps `count` entries, which are added in between. */
void herald__redis_keep_begin(struct redis_subscriber *subscriber, size_t count);
void herald__redis_keep_add(struct redis_subscriber *subscriber, struct redis_entry *entry,
			    uint64_t now_ms);
void herald__redis_keep_end(struct redis_subscriber *subscriber);
/* Whether another process may have the entry by now. */
bool herald__redis_is_stale(const struct redis_subscriber *subscriber,
			    const struct redis_entry *entry, uint64_t now_ms);

#endif
