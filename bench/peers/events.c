/*
 * Dumps an event by its schema: what the C peers answer to "check".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "peer.h"

static void
dump_string(const char *text)
{
	putchar('s');
	for (; *text != '\0'; text++)
		printf("%02x", (unsigned char)*text);
	putchar('\n');
}

static void
dump_double(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	printf("d%016" PRIx64 "\n", bits);
}

/* The metadata of the documents is sorted. */
static void
dump_map(const struct herald_map *map)
{
	printf("n%zu\n", map->count);
	for (size_t i = 0; i < map->count; i++) {
		dump_string(map->pairs[i].key);
		dump_string(map->pairs[i].value);
	}
}

static size_t
dump_value(enum herald_kind kind, const void *at)
{
	const struct herald_time *time = at;

	switch (kind) {
	case HERALD_KIND_STRING:
	case HERALD_KIND_KEY:
		dump_string(*(const char *const *)at);
		return sizeof(const char *);
	case HERALD_KIND_BOOL:
		printf("b%d\n", *(const bool *)at);
		return sizeof(bool);
	case HERALD_KIND_INT32:
		printf("i%" PRId32 "\n", *(const int32_t *)at);
		return sizeof(int32_t);
	case HERALD_KIND_INT64:
		printf("i%" PRId64 "\n", *(const int64_t *)at);
		return sizeof(int64_t);
	case HERALD_KIND_UINT64:
		printf("i%" PRIu64 "\n", *(const uint64_t *)at);
		return sizeof(uint64_t);
	case HERALD_KIND_DOUBLE:
		dump_double(*(const double *)at);
		return sizeof(double);
	case HERALD_KIND_TIME:
		printf("t%" PRId64 " %" PRId32 " %d\n", time->seconds, time->nanoseconds,
		       time->offset_minutes);
		return sizeof(*time);
	default:
		peer_fail("no event has a member of kind %d", (int)kind);
	}
}

static void
dump_list(const struct herald_field *field, const char *in)
{
	const char *element = *(const char *const *)(in + field->offset);
	size_t count = *(const size_t *)(in + field->count_offset);

	printf("n%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		if (field->kind == HERALD_KIND_VALUES) {
			element += dump_value(field->element, element);
		} else {
			events_dump(field->schema, element);
			element += field->schema->bytes;
		}
	}
}

/* The name of an enum's value, which is valid. */
static const char *
name_of(const struct herald_field *field, const char *at)
{
	size_t i = 0;

	while (field->names[i].value != *(const int *)(const void *)at)
		i++;
	return field->names[i].name;
}

/* Whether a line is used for this value of its tag, which is an enum and the first member. */
static bool
is_used(const struct herald_schema *schema, const struct herald_field *field, const char *in)
{
	return !field->tag || strcmp(field->when, name_of(&schema->fields[0], in)) == 0;
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

/* Maps are dumped sorted by key, as not every peer keeps the order. The key is the
 * first member. */
static void
dump_struct_map(const struct herald_field *field, const char *in)
{
	const char *entries = *(const char *const *)(in + field->offset);
	size_t count = *(const size_t *)(in + field->count_offset);
	const void **sorted = calloc(count + 1, sizeof(*sorted));

	if (!sorted)
		peer_fail("out of memory");
	for (size_t i = 0; i < count; i++)
		sorted[i] = entries + i * field->schema->bytes;
	qsort(sorted, count, sizeof(*sorted), compare_keys);
	printf("n%zu\n", count);
	for (size_t i = 0; i < count; i++)
		events_dump(field->schema, sorted[i]);
	free(sorted);
}

void
events_dump(const struct herald_schema *schema, const void *in)
{
	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];
		const char *at = (const char *)in + field->offset;

		if (!is_used(schema, field, in))
			continue;
		if (field->kind == HERALD_KIND_STRUCT)
			events_dump(field->schema, at);
		else if (field->kind == HERALD_KIND_MAP)
			dump_map((const struct herald_map *)(const void *)at);
		else if (field->kind == HERALD_KIND_STRUCT_MAP)
			dump_struct_map(field, in);
		else if (field->kind == HERALD_KIND_ENUM)
			dump_string(name_of(field, at));
		else if (field->kind == HERALD_KIND_LIST || field->kind == HERALD_KIND_VALUES)
			dump_list(field, in);
		else
			dump_value(field->kind, at);
	}
}
