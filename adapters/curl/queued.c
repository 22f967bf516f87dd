/*
 * One delivery as it waits: a block whose size is known beforehand, so that filling it cannot fail, and
 * nobody's long error text is kept. Texts become one line of UTF-8 here, once and for all.
 */
#include <stddef.h>
#include <string.h>

#include "content.h"
#include "memory.h"
#include "queue.h"

struct herald__queued *
herald__queued_create(const struct herald_allocator *allocator, size_t max_url_bytes,
		      size_t content_room)
{
	size_t bytes = offsetof(struct herald__queued, content) + content_room + max_url_bytes + 1;

	/* What padding makes of a struct with a flexible member. */
	if (bytes < sizeof(struct herald__queued))
		bytes = sizeof(struct herald__queued);

	struct herald__queued *item = herald__allocate(allocator, bytes);
	if (!item)
		return NULL;
	memset(item, 0, offsetof(struct herald__queued, host));
	item->block_bytes = bytes;
	item->content_room = content_room;
	return item;
}

void
herald__queued_destroy(const struct herald_allocator *allocator, struct herald__queued *item)
{
	if (!item)
		return;
	curl_url_cleanup(item->parsed_url);
	herald__release(allocator, item, item->block_bytes);
}

/* Whether it may be copied as it is. */
static bool
is_plain(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

/* Cut to `size`, not within a character, and marked by "...". Returns the copy, or NULL for NULL and "". */
static const char *
copy_text(char *out, size_t size, const char *text)
{
	struct herald_error line;

	out[0] = '\0';
	if (!text || *text == '\0')
		return NULL;

	size_t bytes = strnlen(text, size);
	if (!is_plain(text, bytes)) {
		/* An error's message is one line of UTF-8, whatever is put into it. */
		herald_error_set(&line, HERALD_OK, HERALD_NO_OFFSET, "%s", text);
		text = line.message;
		bytes = strlen(text);
	}
	bool is_cut = bytes >= size;
	if (is_cut)
		for (bytes = size - sizeof("..."); bytes > 0 && (text[bytes] & 0xc0) == 0x80;)
			bytes--;
	memcpy(out, text, bytes);
	memcpy(out + bytes, is_cut ? "..." : "", is_cut ? sizeof("...") : 1);
	return out;
}

void
herald__queued_fill(struct herald__queued *item, const struct herald_delivery *delivery)
{
	char *url = item->content + item->content_room;

	memcpy(url, delivery->url, strlen(delivery->url) + 1);
	if (delivery->id)
		memcpy(item->id, delivery->id, strlen(delivery->id) + 1);
	item->delivery = (struct herald_delivery){
		.url = url,
		.id = item->id,
		.event_type =
			copy_text(item->event_type, sizeof(item->event_type), delivery->event_type),
		.event_id = copy_text(item->event_id, sizeof(item->event_id), delivery->event_id),
		.result = copy_text(item->result, sizeof(item->result), delivery->result),
		.error = copy_text(item->error, sizeof(item->error), delivery->error),
	};
	herald__content_copy(delivery, item->content, &item->delivery);
}
