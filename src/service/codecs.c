/*
 * The codecs of a service, one for each schema. Codecs of payloads are created and looked up when
 * the service is created. Codecs of answers, and of raw JSON that a function decodes, are created
 * when a function first uses the schema, on any thread, and added to a list that only grows, so
 * that reading it needs no lock.
 */
#include "service/codecs.h"

#include <stdio.h>
#include <stdlib.h>

#include <herald/adapter/memory.h>

#include "base/options.h"
#include "service/service.h"

/* The maximum number of codecs of answers that are retained. Programs have few schemas, but could
 * create them at run time. */
#define MAX_RETAINED 64

/* A codec and its schema. */
struct herald__codec_entry {
	const struct herald_schema *schema;
	struct herald_codec *codec;
};

/* An entry of a list. */
struct herald__answer_codec {
	struct herald__codec_entry entry;
	struct herald__answer_codec *next;
	unsigned count; /* of the list from this entry on */
};

enum herald_status
herald__codec_create(const struct herald_service *service, const struct herald_schema *schema,
		     struct herald_codec **out, struct herald_error *error)
{
	enum herald_status status =
		herald_codec_create(schema, &service->limits, &service->allocator, out, error);

	if (status == HERALD_BAD_OPTION && error)
		snprintf(error->path, sizeof(error->path), "limits");
	return status;
}

/* Payloads. */

static int
compare_schemas(const void *a, const void *b)
{
	const struct herald__codec_entry *left = a, *right = b;
	uintptr_t first = (uintptr_t)left->schema, second = (uintptr_t)right->schema;

	return first < second ? -1 : first > second;
}

/* Collect all schemas of payloads, each once, sorted. */
static enum herald_status
collect_schemas(struct herald_service *service, struct herald_error *error)
{
	const struct herald__route_table *table = &service->table;
	size_t most = table->routes_count + 2 * table->upcasts_count, count = 0, added = 0;
	struct herald__codec_entry *entries =
		herald__arena_array(service->arena, most, sizeof(*entries));

	if (!entries)
		return herald_out_of_memory(error);
	for (size_t i = 0; i < table->routes_count; i++)
		entries[count++].schema = table->routes[i].declared.schema;
	for (size_t i = 0; i < table->upcasts_count; i++) {
		entries[count++].schema = table->upcasts[i].declared.from_schema;
		entries[count++].schema = table->upcasts[i].declared.to_schema;
	}
	qsort(entries, count, sizeof(*entries), compare_schemas);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || entries[i].schema != entries[added - 1].schema)
			entries[added++] = entries[i];
	service->codecs.payloads = entries;
	service->codecs.payloads_count = added;
	return HERALD_OK;
}

/* Returns NULL if the schema is not used for payloads. */
static const struct herald_codec *
find_payload(const struct herald__codecs *codecs, const struct herald_schema *schema)
{
	const struct herald__codec_entry key = {.schema = schema};
	const struct herald__codec_entry *entry = bsearch(
		&key, codecs->payloads, codecs->payloads_count, sizeof(key), compare_schemas);

	return entry ? entry->codec : NULL;
}

enum herald_status
herald__codecs_create(struct herald_service *service, struct herald_error *error)
{
	struct herald__route_table *table = &service->table;
	struct herald__codecs *codecs = &service->codecs;
	enum herald_status status = collect_schemas(service, error);

	for (size_t i = 0; status == HERALD_OK && i < codecs->payloads_count; i++)
		if (codecs->payloads[i].schema != &herald_data_schema)
			status = herald__codec_create(service, codecs->payloads[i].schema,
						      &codecs->payloads[i].codec, error);
	if (status != HERALD_OK)
		return status;

	for (size_t i = 0; i < table->routes_count; i++)
		table->routes[i].codec = find_payload(codecs, table->routes[i].declared.schema);
	for (size_t i = 0; i < table->upcasts_count; i++)
		table->upcasts[i].codec =
			find_payload(codecs, table->upcasts[i].declared.from_schema);
	return HERALD_OK;
}

/* Answers. */

static struct herald__answer_codec *
find_answer(struct herald__answer_codec *first, const struct herald_schema *schema)
{
	while (first && first->entry.schema != schema)
		first = first->next;
	return first;
}

/* Try to give a codec to the list. Returns false if the list is full, when out of memory, or if
 * another thread was faster. */
static bool
retain_answer(struct herald_service *service, const struct herald__codec_entry *entry)
{
	struct herald__answer_codec *first = atomic_load(&service->codecs.answers);
	struct herald__answer_codec *added =
		herald_memory_allocate(&service->allocator, sizeof(*added));

	if (!added)
		return false;
	added->entry = *entry;
	do {
		added->next = first;
		added->count = first ? first->count + 1 : 1;
		if (added->count > MAX_RETAINED || find_answer(first, entry->schema)) {
			herald_memory_release(&service->allocator, added, sizeof(*added));
			return false;
		}
	} while (!atomic_compare_exchange_weak(&service->codecs.answers, &first, added));
	return true;
}

enum herald_status
herald__codec_borrow(struct herald_service *service, const struct herald_schema *schema,
		     struct herald__borrowed_codec *out, struct herald_error *error)
{
	*out = (struct herald__borrowed_codec){find_payload(&service->codecs, schema), NULL};
	if (out->codec)
		return HERALD_OK;

	struct herald__answer_codec *added =
		find_answer(atomic_load(&service->codecs.answers), schema);
	if (added) {
		out->codec = added->entry.codec;
		return HERALD_OK;
	}
	struct herald__codec_entry entry = {.schema = schema};
	enum herald_status status = herald__codec_create(service, schema, &entry.codec, error);
	if (status != HERALD_OK)
		return status;
	out->codec = entry.codec;
	out->own = retain_answer(service, &entry) ? NULL : entry.codec;
	return HERALD_OK;
}

void
herald__codec_give_back(struct herald__borrowed_codec *borrowed)
{
	herald_codec_destroy(borrowed->own);
}

void
herald__codecs_destroy(struct herald_service *service)
{
	struct herald__answer_codec *answer = atomic_load(&service->codecs.answers);

	for (size_t i = 0; i < service->codecs.payloads_count; i++)
		herald_codec_destroy(service->codecs.payloads[i].codec);
	while (answer) {
		struct herald__answer_codec *next = answer->next;

		herald_codec_destroy(answer->entry.codec);
		herald_memory_release(&service->allocator, answer, sizeof(*answer));
		answer = next;
	}
}
