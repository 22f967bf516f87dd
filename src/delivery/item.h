/*
 * An accepted delivery that waits. Private.
 */
#ifndef HERALD_SRC_DELIVERY_ITEM_H
#define HERALD_SRC_DELIVERY_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/queue.h>
#include <herald/allocator.h>

#include "base/timer_heap.h"
#include "delivery/url.h"

#define HERALD__EVENT_TYPE_BYTES 256
#define HERALD__EVENT_ID_BYTES 128
#define HERALD__RESULT_BYTES 32
#define HERALD__ERROR_BYTES 256
#define HERALD__DELIVERY_ID_BYTES 64
#define HERALD__SIGNER_BYTES 64

/* An accepted delivery. The deliverer creates and frees it. All times are monotonic, except in the
 * record. */
struct herald__queued {
	struct herald_delivery_record record; /* the first member; its strings are those below */
	uint64_t since_ms;                    /* when it was accepted, or claimed from a store */
	uint64_t age_ms;                      /* its age at that time */
	uint64_t retry_until_ms;              /* no retry after this */
	uint64_t give_up_ms;                  /* end of the last attempt; later if it was stored */
	struct herald__timer timer;           /* for the memory queue */
	struct herald__queued *next;          /* of its owner: the memory queue, or the deliverer */
	bool is_resumed;                      /* created for a store */
	bool is_counted;                      /* counted as pending */
	bool is_cut_off;                      /* by a stop, during an attempt */
	const char *refusal;                  /* why it is refused; NULL: it is allowed */
	size_t block_bytes;
	size_t content_room; /* bytes of `content` before the URL */
	char id[HERALD__DELIVERY_ID_BYTES];
	char signer[HERALD__SIGNER_BYTES]; /* "": it names none */
	char origin[HERALD__ORIGIN_BYTES]; /* of the URL */
	char event_type[HERALD__EVENT_TYPE_BYTES];
	char event_id[HERALD__EVENT_ID_BYTES];
	char result[HERALD__RESULT_BYTES];
	char error[HERALD__ERROR_BYTES];
	_Alignas(void *) char content[]; /* as in content.h, followed by the URL */
};

/* Create an item with room for a URL and content. NULL when out of memory. */
struct herald__queued *herald__queued_create(const struct herald_allocator *allocator,
					     size_t max_url_bytes, size_t content_room);
void herald__queued_destroy(const struct herald_allocator *allocator, struct herald__queued *item);

/* Copy a text of a delivery, such as its event type, as one line of UTF-8 that is cut at `size`
 * bytes. Returns `out`, or NULL for NULL and "". */
const char *herald__queued_text(char *out, size_t size, const char *text);

/* Copy a delivery into an item that has room for it. Does not set an id that is NULL or "", or the
 * text of the origin. */
void herald__queued_fill(struct herald__queued *item, const struct herald_delivery *delivery);

#endif
