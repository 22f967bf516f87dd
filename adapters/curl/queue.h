/*
 * Where a deliverer keeps what it has accepted: the interface, and the queue in memory.
 *
 * A delivery's way: put; take; begin before each attempt; after it settle, or retry and take again.
 * What was handed out is the deliverer's until it is given back.
 */
#ifndef HERALD_CURL_QUEUE_H
#define HERALD_CURL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/delivery.h>
#include <herald/status.h>

#include "timer_heap.h"
#include "url.h"

#define HERALD__EVENT_TYPE_BYTES 256
#define HERALD__EVENT_ID_BYTES 128
#define HERALD__RESULT_BYTES 32
#define HERALD__ERROR_BYTES 256
#define HERALD__DELIVERY_ID_BYTES 64

/* One delivery that was accepted. The deliverer makes and frees it. */
struct herald__queued {
	struct herald_delivery delivery; /* its strings are those below */
	uint64_t accepted_ms;
	struct herald__timer timer;  /* the queue's; due_ms: not to be taken before */
	unsigned attempts;           /* begun */
	struct herald__queued *next; /* whoever holds it: the queue, or the deliverer */
	bool opens_connection;       /* the next attempt: none that was kept */
	size_t block_bytes;
	size_t content_room; /* bytes of `content` before the URL */
	CURLU *parsed_url;   /* owned; NULL: not yet */
	char id[HERALD__DELIVERY_ID_BYTES];
	char host[HERALD__HOST_BYTES];
	char event_type[HERALD__EVENT_TYPE_BYTES];
	char event_id[HERALD__EVENT_ID_BYTES];
	char result[HERALD__RESULT_BYTES];
	char error[HERALD__ERROR_BYTES];
	_Alignas(void *) char content[]; /* content.h's, then the URL */
};

struct herald__queue;

/* All but `put` run on the deliverer's thread, which nothing may hold up: they must not block. */
struct herald__queue_ops {
	/*
	 * Keep it until it is settled; it is ready at once. Any thread; may block as a write to disk
	 * does. Anything but HERALD_OK: it is still the caller's.
	 */
	enum herald_status (*put)(struct herald__queue *queue, struct herald__queued *item);

	/*
	 * Hand out one that is due at now_ms, or NULL and, in *next_due_ms, when the next one will
	 * be; UINT64_MAX: not before a put. Those that wait longest come first.
	 */
	struct herald__queued *(*take)(struct herald__queue *queue, uint64_t now_ms,
				       uint64_t *next_due_ms);

	/* An attempt begins; item->attempts counts it already. May be NULL. */
	void (*begin)(struct herald__queue *queue, struct herald__queued *item);

	/* Take it back until item->timer.due_ms. */
	void (*retry)(struct herald__queue *queue, struct herald__queued *item);

	/* It is delivered, failed, or left at a stop. The item stays the caller's. */
	void (*settle)(struct herald__queue *queue, struct herald__queued *item,
		       enum herald_delivery_outcome outcome);

	/*
	 * The deliverer stops: hand out one, due or not, that would be lost, to be reported. NULL:
	 * there is none left; a queue that outlives the process returns NULL at once.
	 */
	struct herald__queued *(*take_left)(struct herald__queue *queue);

	/* Free the queue; nothing is in it that would be lost. */
	void (*destroy)(struct herald__queue *queue);
};

/* The first member of every queue. */
struct herald__queue {
	const struct herald__queue_ops *ops;
};

/* A queue in memory for up to `capacity` items. NULL when memory or mutexes are out. */
struct herald__queue *
herald__memory_queue_create(const struct herald_allocator *allocator, size_t capacity);

/* An item with room for a URL and content. NULL when out of memory. */
struct herald__queued *herald__queued_create(const struct herald_allocator *allocator,
					     size_t max_url_bytes, size_t content_room);
void herald__queued_destroy(const struct herald_allocator *allocator, struct herald__queued *item);

/* Copy a delivery into an item that has room for it; the host is not set, nor an id that is NULL or "". */
void herald__queued_fill(struct herald__queued *item, const struct herald_delivery *delivery);

#endif
