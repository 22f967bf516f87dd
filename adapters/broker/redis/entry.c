/*
 * Makes messages of entries. Owns their memory, one block each, and the lists that they are in.
 */
#include "entry.h"

#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>

void
herald__redis_list_add(struct redis_entry_list *list, struct redis_entry *entry)
{
	entry->previous = list->last;
	entry->next = NULL;
	if (list->last)
		list->last->next = entry;
	else
		list->first = entry;
	list->last = entry;
	list->count++;
}

void
herald__redis_list_remove(struct redis_entry_list *list, struct redis_entry *entry)
{
	if (entry->previous)
		entry->previous->next = entry->next;
	else
		list->first = entry->next;
	if (entry->next)
		entry->next->previous = entry->previous;
	else
		list->last = entry->previous;
	list->count--;
}

struct redis_entry *
herald__redis_list_find(const struct redis_entry_list *list, const char *id)
{
	for (struct redis_entry *entry = list->first; entry; entry = entry->next)
		if (strcmp(entry->id.text, id) == 0)
			return entry;
	return NULL;
}

bool
herald__redis_is_entry(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return false;
	const redisReply *id = reply->element[0], *fields = reply->element[1];
	if (id->type != REDIS_REPLY_STRING || id->len >= sizeof(struct redis_id) ||
	    fields->type != REDIS_REPLY_ARRAY || fields->elements % 2 != 0)
		return false;
	for (size_t i = 0; i < fields->elements; i++)
		if (fields->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

static bool
is_data(const redisReply *name)
{
	return name->len == 4 && memcmp(name->str, "data", 4) == 0;
}

/* Attributes are terminated by NULs. */
static bool
is_attribute(const redisReply *name, const redisReply *value)
{
	return !is_data(name) && !memchr(name->str, '\0', name->len) &&
	       !memchr(value->str, '\0', value->len);
}

static char *
copy(char *at, const redisReply *text)
{
	memcpy(at, text->str, text->len);
	at[text->len] = '\0';
	return at + text->len + 1;
}

/* The attributes, then the data. */
static void
copy_fields(struct redis_entry *entry, const redisReply *fields, const redisReply *data)
{
	char *const texts = (char *)(entry + 1), *at = texts;

	for (size_t i = 0; i < fields->elements; i += 2) {
		const redisReply *name = fields->element[i], *value = fields->element[i + 1];

		if (!is_attribute(name, value))
			continue;
		at = copy(copy(at, name), value);
		if (!entry->base.content_type && herald_ascii_same(name->str, "content-type"))
			entry->base.content_type = at - value->len - 1;
	}
	entry->base.attributes = (struct herald_text){texts, (size_t)(at - texts)};
	entry->base.data = (struct herald_text){at, data ? data->len : 0};
	if (data)
		copy(at, data);
	else
		*at = '\0';
}

/* The two halves of the id are its milliseconds, and a number that is small. */
static void
read_id(struct redis_entry *entry, const redisReply *id)
{
	uint64_t halves[2] = {0, 0}, *half = halves;

	copy(entry->id.text, id);
	for (const char *at = id->str; *at != '\0'; at++) {
		if (herald_ascii_is_digit(*at))
			*half = *half * 10 + (uint64_t)(*at - '0');
		else
			half = &halves[1];
	}
	entry->base.created_ms = (int64_t)halves[0];
	entry->base.identity = (halves[0] << 22 ^ halves[1]) + 1;
}

struct redis_entry *
herald__redis_entry_create(const struct herald_allocator *allocator, const redisReply *reply,
			   uint64_t kept_ms)
{
	const redisReply *fields = reply->element[1], *data = NULL;
	size_t bytes = sizeof(struct redis_entry) + 1;

	for (size_t i = 0; i < fields->elements; i += 2) {
		const redisReply *name = fields->element[i], *value = fields->element[i + 1];

		if (!data && is_data(name)) {
			data = value;
			bytes += value->len;
		} else if (is_attribute(name, value)) {
			bytes += name->len + value->len + 2;
		}
	}
	struct redis_entry *entry = herald_memory_allocate(allocator, bytes);
	if (!entry)
		return NULL;
	*entry = (struct redis_entry){.kept_ms = kept_ms, .bytes = bytes};
	copy_fields(entry, fields, data);
	read_id(entry, reply->element[0]);
	entry->base.deliveries = 1;
	entry->base.attempts = herald_attributes_attempts(entry->base.attributes);
	return entry;
}

void
herald__redis_entry_destroy(const struct herald_allocator *allocator, struct redis_entry *entry)
{
	if (entry)
		herald_memory_release(allocator, entry, entry->bytes);
}
