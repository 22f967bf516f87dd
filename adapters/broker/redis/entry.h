/*
 * Entries of a stream as messages, and lists of them.
 */
#ifndef HERALD_REDIS_ENTRY_H
#define HERALD_REDIS_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include <herald/adapter/subscriber.h>

/* The id of an entry: "1764438000123-0". */
struct redis_id {
	char text[44];
};

struct redis_entry {
	struct herald_received base;
	struct redis_entry *previous, *next; /* in a list */
	struct redis_id id;
	uint64_t kept_ms; /* others could claim it the visibility after this time */
	size_t bytes;     /* of this struct */
};

struct redis_entry_list {
	struct redis_entry *first, *last;
	size_t count;
};

void herald__redis_list_add(struct redis_entry_list *list, struct redis_entry *entry);
void herald__redis_list_remove(struct redis_entry_list *list, struct redis_entry *entry);
/* Linear; NULL: it is not there. */
struct redis_entry *herald__redis_list_find(const struct redis_entry_list *list, const char *id);

/* Whether an answer is an entry: [id, [name, value, ...]]. */
bool herald__redis_is_entry(const redisReply *reply);

/* NULL: out of memory. */
struct redis_entry *herald__redis_entry_create(const struct herald_allocator *allocator,
					       const redisReply *reply, uint64_t kept_ms);
void
herald__redis_entry_destroy(const struct herald_allocator *allocator, struct redis_entry *entry);

#endif
