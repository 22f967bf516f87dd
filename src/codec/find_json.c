/*
 * Finds where in a decoded struct a raw JSON text is, for the path of an error in it. The decoder
 * records no paths, and decoding in place overwrites the text around; but the struct still says
 * which member has which text.
 */
#include "codec/find_json.h"

#include <stdint.h>
#include <string.h>

#include <herald/value.h>

#include "codec/cases.h"
#include "json/reader/inside_path.h"
#include "json/reader/reader.h"

/* A search, and how deep it may still go: a struct that a user's code has made may contain
 * itself. */
struct search {
	struct herald__trace *trace;
	const char *at;
	size_t depth;
};

static bool
find_in_struct(struct search *search, const struct herald_schema *schema, const char *in);

static bool
find_in_json(struct search *search, const struct herald_json *json)
{
	uintptr_t begin = (uintptr_t)json->data, at = (uintptr_t)search->at;

	if (!json->data || at < begin || at - begin >= json->bytes)
		return false;
	herald__trace_inside(search->trace, json, search->at);
	return true;
}

static bool
find_in_map(struct search *search, const struct herald_json_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct herald_json_pair *pair = &map->pairs[i];

		if (!find_in_json(search, &pair->json))
			continue;
		herald__trace_key(search->trace, pair->key, strlen(pair->key));
		return true;
	}
	return false;
}

/* `items` are structs, or raw JSON if there is no schema. */
static bool
find_in_list(struct search *search, const struct herald_schema *schema, const char *items,
	     size_t count)
{
	size_t bytes = schema ? schema->bytes : sizeof(struct herald_json);

	for (size_t i = 0; i < count; i++) {
		const void *item = items + i * bytes;

		if (!(schema ? find_in_struct(search, schema, item) : find_in_json(search, item)))
			continue;
		herald__trace_index(search->trace, i);
		return true;
	}
	return false;
}

/* The members of a map: structs with a HERALD_KEY. */
static bool
find_in_struct_map(struct search *search, const struct herald_schema *schema, const char *items,
		   size_t count)
{
	size_t key_offset = 0;

	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].kind == HERALD_KIND_KEY)
			key_offset = schema->fields[i].offset;
	for (size_t i = 0; i < count; i++, items += schema->bytes) {
		const char *key = *(const char *const *)(const void *)(items + key_offset);

		if (!find_in_struct(search, schema, items))
			continue;
		herald__trace_key(search->trace, key, strlen(key));
		return true;
	}
	return false;
}

/* The elements of a fixed array. */
static bool
find_in_array(struct search *search, const struct herald_field *field, const char *items)
{
	size_t bytes = field->schema ? field->schema->bytes : sizeof(struct herald_json);

	return (field->schema || field->element == HERALD_KIND_JSON) &&
	       find_in_list(search, field->schema, items, field->bytes / bytes);
}

/* Find it in a member; `in` is the struct. */
static bool
find_in_member(struct search *search, const struct herald_field *field, const char *in)
{
	const void *member = in + field->offset;
	const void *const *pointer = member;
	const size_t *count = (const void *)(in + field->count_offset);

	switch (field->kind) {
	case HERALD_KIND_JSON:
		return find_in_json(search, member);
	case HERALD_KIND_JSON_MAP:
		return find_in_map(search, member);
	case HERALD_KIND_STRUCT:
		return find_in_struct(search, field->schema, member);
	case HERALD_KIND_POINTER:
		return *pointer && find_in_struct(search, field->schema, *pointer);
	case HERALD_KIND_LIST:
		return find_in_list(search, field->schema, *pointer, *count);
	case HERALD_KIND_STRUCT_MAP:
		return find_in_struct_map(search, field->schema, *pointer, *count);
	case HERALD_KIND_ARRAY:
		return find_in_array(search, field, member);
	case HERALD_KIND_VALUES:
		return field->element == HERALD_KIND_JSON &&
		       find_in_list(search, NULL, *pointer, *count);
	default:
		return false;
	}
}

static bool
find_in_struct(struct search *search, const struct herald_schema *schema, const char *in)
{
	bool found = false;

	if (search->depth == 0)
		return false;
	search->depth--;
	for (size_t i = 0; i < schema->fields_count && !found; i++) {
		const struct herald_field *field = &schema->fields[i];
		const char *key = field->key ? field->key : field->name;

		if (!herald__line_counts(schema, field, in))
			continue;
		if ((found = find_in_member(search, field, in)) && !schema->transparent &&
		    !field->flat)
			herald__trace_key(search->trace, key, strlen(key));
	}
	search->depth++;
	return found;
}

bool
herald__trace_json_map(struct herald__trace *trace, const struct herald_json_map *map,
		       const char *at)
{
	struct search search = {trace, at, HERALD__MAX_DEPTH};

	return find_in_map(&search, map);
}

bool
herald__trace_json(struct herald__trace *trace, const struct herald_schema *schema, const void *in,
		   const char *at)
{
	struct search search = {trace, at, HERALD__MAX_DEPTH};

	return schema == &herald_json_schema ? find_in_json(&search, in)
					     : find_in_struct(&search, schema, in);
}
