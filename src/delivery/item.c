/*
 * A waiting delivery: a block whose size is known when it is reserved, so that filling it cannot
 * fail. Converts texts to one line of UTF-8.
 */
#include "delivery/item.h"

#include <stddef.h>
#include <string.h>

#include <herald/adapter/memory.h>

#include "base/safe_text.h"
#include "delivery/content.h"

struct herald__queued *
herald__queued_create(const struct herald_allocator *allocator, size_t max_url_bytes,
		      size_t content_room)
{
	size_t bytes = offsetof(struct herald__queued, content) + content_room + max_url_bytes + 1;

	/* Padding can make the struct larger than its members. */
	if (bytes < sizeof(struct herald__queued))
		bytes = sizeof(struct herald__queued);

	struct herald__queued *item = herald_memory_allocate(allocator, bytes);
	if (!item)
		return NULL;
	memset(item, 0, offsetof(struct herald__queued, origin));
	item->origin[0] = '\0';
	item->record.origin = item->origin;
	item->block_bytes = bytes;
	item->content_room = content_room;
	return item;
}

void
herald__queued_destroy(const struct herald_allocator *allocator, struct herald__queued *item)
{
	if (item)
		herald_memory_release(allocator, item, item->block_bytes);
}

/* Whether a text is already one line of UTF-8; most texts are. */
static bool
is_plain(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

const char *
herald__queued_text(char *out, size_t size, const char *text)
{
	out[0] = '\0';
	if (!text || *text == '\0')
		return NULL;

	size_t bytes = strnlen(text, size);
	if (bytes < size && is_plain(text, bytes))
		memcpy(out, text, bytes + 1);
	else
		herald__text_line(out, size, text, bytes, bytes == size);
	return out;
}

void
herald__queued_fill(struct herald__queued *item, const struct herald_delivery *delivery)
{
	char *url = item->content + item->content_room;

	memcpy(url, delivery->url, strlen(delivery->url) + 1);
	if (delivery->id)
		memcpy(item->id, delivery->id, strlen(delivery->id) + 1);
	if (delivery->signer)
		memcpy(item->signer, delivery->signer, strlen(delivery->signer) + 1);
	item->record.delivery = (struct herald_delivery){
		.url = url,
		.id = item->id,
		.signer = item->signer[0] != '\0' ? item->signer : NULL,
		.event_type = herald__queued_text(item->event_type, sizeof(item->event_type),
						  delivery->event_type),
		.event_id = herald__queued_text(item->event_id, sizeof(item->event_id),
						delivery->event_id),
		.result = herald__queued_text(item->result, sizeof(item->result), delivery->result),
		.error = herald__queued_text(item->error, sizeof(item->error), delivery->error),
	};
	herald__content_copy(delivery, item->content, &item->record.delivery);
}
