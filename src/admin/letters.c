/*
 * Dead letters: a page of them, and one with its attributes and its payload. It changes none: see
 * actions.c.
 */
#include "admin/letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/base64.h>

#include "admin/call.h"
#include "admin/filter.h"
#include "base/utf8.h"

#define PAGE_COUNT 50
#define MAX_PAGE_COUNT 500

/* A page, or the one that was asked for. */
struct page {
	struct herald__admin_call *call;
	uint64_t left; /* how many more are written */
	bool has_more;
	bool is_whole; /* with attributes and payload */
	bool is_found;
	char last_id[24];
};

/* What is not UTF-8 is in base64, and its name ends in _base64. */
static void
put_bytes(struct herald__admin_call *call, const char *key, const char *base64_key,
	  struct herald_text data)
{
	if (herald__is_utf8(data.data, data.bytes)) {
		herald__indented_key(&call->json, key);
		herald__indented_text_bytes(&call->json, data.data, data.bytes);
		return;
	}
	const size_t bytes = herald_base64_bytes(data.bytes);
	char *text = herald_arena_alloc(call->arena, bytes);
	if (!text) {
		call->json.status = HERALD_NO_MEMORY;
		return;
	}
	herald_base64_encode(data.data, data.bytes, text);
	herald__indented_key(&call->json, base64_key);
	herald__indented_text_bytes(&call->json, text, bytes);
}

static void
put_attributes(struct herald__admin_call *call, struct herald_text attributes)
{
	const char *at = attributes.data ? attributes.data : "", *end = at + attributes.bytes;

	herald__indented_key(&call->json, "attributes");
	herald__indented_begin(&call->json, '[');
	while (at < end) {
		const size_t name_bytes = strnlen(at, (size_t)(end - at));
		const char *value = at + name_bytes + (at + name_bytes < end);
		const size_t value_bytes = strnlen(value, (size_t)(end - value));

		herald__indented_begin(&call->json, '{');
		herald__indented_key(&call->json, "name");
		herald__indented_text_bytes(&call->json, at, name_bytes);
		put_bytes(call, "value", "value_base64", (struct herald_text){value, value_bytes});
		herald__indented_end(&call->json, '}');
		at = value + value_bytes + (value + value_bytes < end);
	}
	herald__indented_end(&call->json, ']');
}

/* The beginning of the payload that is given; not half a character. A character has at most three
 * bytes after its first one: more of them are not text. */
static struct herald_text
beginning_of(struct herald_text data, size_t max_bytes)
{
	size_t bytes = max_bytes;

	if (data.bytes <= max_bytes)
		return data;
	while (bytes > 0 && max_bytes - bytes < 4 &&
	       ((unsigned char)data.data[bytes] & 0xC0) == 0x80)
		bytes--;
	return (struct herald_text){data.data, max_bytes - bytes < 4 ? bytes : max_bytes};
}

static void
put_content(struct herald__admin_call *call, const struct herald_dead_letter *letter)
{
	const struct herald_text data =
		beginning_of(letter->data, call->admin->options.max_payload_bytes);

	herald__admin_put_text(call, "content_type", letter->content_type);
	put_attributes(call, letter->attributes);
	herald__admin_put(call, "data_bytes", letter->data.bytes);
	herald__admin_put_bool(call, "is_cut", data.bytes < letter->data.bytes);
	put_bytes(call, "data", "data_base64", data);
}

static void
put_summary(struct herald__admin_call *call, const struct herald_dead_letter *letter,
	    const char *id)
{
	herald__admin_put_text(call, "id", id);
	herald__admin_put_text(call, "kind",
			       letter->kind == HERALD_DEAD_DELIVERIES ? "delivery" : "event");
	herald__admin_put_text(call, "queue", letter->queue);
	herald__admin_put_text(call, "event_type", letter->event_type);
	herald__admin_put_text(call, "source", letter->source);
	herald__admin_put_text(call, "event_id", letter->event_id);
	herald__admin_put_text(call, "destination", letter->destination);
	herald__admin_put_text(call, "why", herald_dead_reason_name(letter->why));
	herald__admin_put_text(call, "reason", letter->reason);
	herald__admin_put_text(call, "path", letter->path);
	if (letter->offset >= 0)
		herald__admin_put(call, "offset", (uint64_t)letter->offset);
	herald__admin_put(call, "attempts", letter->attempts);
	herald__admin_put(call, "interrupted", letter->interrupted);
	herald__admin_put(call, "replays", letter->replays);
	herald__admin_put_bool(call, "held", letter->is_held);
	herald__admin_put_time(call, "created", letter->created_ms);
	herald__admin_put_time(call, "dead", letter->dead_ms);
}

static bool
put_letter(const struct herald_dead_letter *letter, void *state)
{
	struct page *page = state;
	struct herald__admin_call *call = page->call;

	page->is_found = true;
	if (page->left == 0) {
		page->has_more = true;
		return false;
	}
	page->left--;
	snprintf(page->last_id, sizeof(page->last_id), "%" PRIu64, letter->id);
	herald__indented_begin(&call->json, '{');
	put_summary(call, letter, page->last_id);
	if (page->is_whole)
		put_content(call, letter);
	herald__indented_end(&call->json, '}');
	return call->json.status == HERALD_OK;
}

/* Returns false after a refusal. */
static bool
visit(struct herald__admin_call *call, const struct herald_dead_filter *filter, struct page *page)
{
	struct herald_error error = {.message = ""};

	if (herald_store_dead_visit(call->admin->options.store, filter, put_letter, page, &error) ==
	    HERALD_OK)
		return true;
	herald__admin_refuse_error(call, &error);
	return false;
}

void
herald__admin_letters(struct herald__admin_call *call)
{
	struct herald__admin_filter given;
	struct herald_dead_filter filter;

	if (!herald__admin_filter_read(call, &given) ||
	    !herald__admin_filter_resolve(call, &given, &filter))
		return;
	if (given.limit > MAX_PAGE_COUNT) {
		herald__admin_refuse(call, 400, "limit: must be at most %d", MAX_PAGE_COUNT);
		return;
	}
	struct page page = {.call = call, .left = given.limit > 0 ? given.limit : PAGE_COUNT};
	filter.limit = page.left + 1;
	filter.without_content = true;
	herald__indented_begin(&call->json, '{');
	herald__indented_key(&call->json, "letters");
	herald__indented_begin(&call->json, '[');
	if (!visit(call, &filter, &page))
		return;
	herald__indented_end(&call->json, ']');
	herald__admin_put_text(call, "next", page.has_more ? page.last_id : NULL);
	herald__indented_end(&call->json, '}');
}

void
herald__admin_letter(struct herald__admin_call *call)
{
	struct herald_dead_filter filter = {.kind = HERALD_DEAD_BOTH, .limit = 1};
	struct page page = {.call = call, .left = 1, .is_whole = true};

	if (!herald__admin_id_read(call->rest, &filter.id))
		herald__admin_refuse(call, 404, "not the id of a dead letter");
	else if (visit(call, &filter, &page) && !page.is_found)
		herald__admin_refuse(call, 404, "there is no dead letter %s", call->rest);
}
