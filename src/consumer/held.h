/*
 * A message that the consumer has, from its arrival until its end is settled. It is in one list at
 * a time: of what waits for a lane, of a lane, of a key that is parked, or of what has ended.
 */
#ifndef HERALD_SRC_CONSUMER_HELD_H
#define HERALD_SRC_CONSUMER_HELD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/subscriber.h>
#include <herald/allocator.h>
#include <herald/service.h>

#include "base/list.h"
#include "base/timer_heap.h"

struct herald_context;

/* What a run has led to, if it is not HERALD_DONE. */
struct herald__reason {
	struct herald_error error;
	char event_id[128]; /* cut at its end; "" if unknown */
};

struct herald__held {
	struct herald__held *next;          /* in a list */
	struct herald__held *newer, *older; /* all of them; the consumer's thread */
	struct herald_received *message;
	uint64_t identity;    /* of the message, for when it is settled */
	size_t bytes;         /* likewise */
	uint64_t key_hash;    /* 0: it has no key */
	unsigned before;      /* runs of earlier deliveries */
	unsigned unknown;     /* of these: deliveries that may not have been runs */
	unsigned count;       /* of earlier deliveries, by the broker */
	unsigned runs;        /* of this one */
	unsigned interrupted; /* so often has a process died while it ran */
	uint64_t extend_ms;   /* when it is extended next; the consumer's thread */
	uint32_t place;       /* in the in-flight file, from 1; 0: none */

	/* The oldest of a key that is parked; see parking.h. */
	bool is_parked;
	struct herald__timer retry;
	struct herald__held *bucket_next;
	struct herald__held *behind_first, *behind_last; /* the others of its key */

	/* How it has ended. */
	enum herald_settlement_kind kind;
	bool was_lost;
	uint64_t delay_ms; /* RETRY */
	unsigned http_status;
	int64_t failed_ms;
	struct herald__reason *reason; /* NULL: none, or out of memory */

	/* On its way into the service's store. */
	struct herald_consumer *consumer;
	struct herald_context *ctx; /* NULL: it is not */
	atomic_uint busy;           /* the store, and the lane that has given it to the store */
};

struct herald__held_list {
	struct herald__held *first, *last;
	size_t count;
};
HERALD__LIST(herald__held_list, herald__held)

/* The memory of all of them, used again. The consumer's thread. */
struct herald__held_memory {
	struct herald_allocator allocator;
	struct herald__held *free;
	struct herald__held *newest; /* of all that are in use */
	struct herald__held *oldest;
	size_t count;
	size_t bytes;
};

void herald__held_memory_init(struct herald__held_memory *memory,
			      const struct herald_allocator *allocator);
/* None is in use. */
void herald__held_memory_finish(struct herald__held_memory *memory);

/* NULL: out of memory. */
struct herald__held *
herald__held_create(struct herald__held_memory *memory, struct herald_received *message);

/* Not the message. */
void herald__held_free(struct herald__held_memory *memory, struct herald__held *held);

/* The number of its next run, or of the current one: 1, 2, ... */
static inline unsigned
herald__held_attempt(const struct herald__held *held)
{
	return held->before + held->runs + 1;
}

/* It may kill the process: it runs alone. Either it has done so, or it was delivered more often
 * than it may run, and the broker does not say how that ended. */
static inline bool
herald__held_is_suspect(const struct herald__held *held, unsigned max_attempts)
{
	return held->interrupted > 0 || (held->unknown > 0 && held->before >= max_attempts);
}

/* The broker gives it to another consumer, or has done so: its end comes too late. */
static inline bool
herald__held_is_lost(const struct herald__held *held)
{
	return herald_received_is_lost(held->message);
}

/* Give it back as it is, before its next run. It is retried at the earliest after delay_ms if it
 * has run. */
void herald__held_give_back(struct herald__held *held, uint64_t delay_ms);

/* Keep why a run ended as it did. If there is no memory for it, there is no reason. */
void herald__held_set_reason(struct herald__held *held, const struct herald_allocator *allocator,
			     const struct herald_error *error, const char *event_id);

#endif
