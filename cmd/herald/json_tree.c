/*
 * Builds trees of JSON documents, and finds members in them. Knows nothing of schemas.
 */
#include "json_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "tool_memory.h"

/* A document that is being read. */
struct reading {
	struct herald_arena *arena;
	const char *begin;
	struct herald_error *error;
};

static bool fill(const struct reading *reading, const struct herald_json *json, const char *path,
		 struct json_tree *out);

static int
compare_texts(struct herald_text a, struct herald_text b)
{
	int order = memcmp(a.data, b.data, a.bytes < b.bytes ? a.bytes : b.bytes);

	return order != 0 ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

static int
compare_members(const void *a, const void *b)
{
	const struct json_member *left = *(const struct json_member *const *)a;
	const struct json_member *right = *(const struct json_member *const *)b;

	return compare_texts(left->name, right->name);
}

/* By their names, and then in input order. */
static int
compare_members_and_places(const void *a, const void *b)
{
	const struct json_member *left = *(const struct json_member *const *)a;
	const struct json_member *right = *(const struct json_member *const *)b;
	int order = compare_texts(left->name, right->name);

	return order != 0 ? order : (left > right) - (left < right);
}

char *
json_pointer_add(struct herald_arena *arena, const char *pointer, struct herald_text name)
{
	size_t begin = strlen(pointer);
	char *out = memory_take(arena, begin + 1 + 2 * name.bytes + 1), *at = out + begin;

	memcpy(out, pointer, begin);
	*at++ = '/';
	for (size_t i = 0; i < name.bytes; i++) {
		if (name.data[i] == '~' || name.data[i] == '/')
			*at++ = '~';
		*at++ = name.data[i] == '~' ? '0' : name.data[i] == '/' ? '1' : name.data[i];
	}
	return out;
}

/* The first member of an object, in input order, whose name an earlier one has; NULL: none. */
static const struct json_member *
first_duplicate(const struct json_tree *tree)
{
	const struct json_member *first = NULL;

	for (size_t i = 1; i < tree->count; i++) {
		const struct json_member *earlier = tree->sorted[i - 1], *later = tree->sorted[i];

		if (compare_texts(earlier->name, later->name) == 0 && (!first || later < first))
			first = later;
	}
	return first;
}

/* Sort the members, and refuse duplicates: which of two is meant, no two programs agree. */
static bool
sort_members(const struct reading *reading, const char *path, struct json_tree *tree)
{
	tree->sorted = memory_take_array(reading->arena, tree->count, sizeof(*tree->sorted));
	for (size_t i = 0; i < tree->count; i++)
		tree->sorted[i] = &tree->members[i];
	qsort(tree->sorted, tree->count, sizeof(*tree->sorted), compare_members_and_places);
	const struct json_member *twice = first_duplicate(tree);
	if (!twice)
		return true;
	herald_error_set(reading->error, HERALD_DUPLICATE,
			 (size_t)(twice->value.json.data - reading->begin), "duplicate member");
	strncpy(reading->error->path, json_pointer_add(reading->arena, path, twice->name),
		sizeof(reading->error->path) - 1);
	return false;
}

static bool
fill_object(const struct reading *reading, const struct herald_json *json, const char *path,
	    struct json_tree *out)
{
	struct json_member *members =
		memory_take_array(reading->arena, out->count, sizeof(*members));
	struct herald_json_walk walk;

	herald_json_walk_init(&walk, json);
	while (herald_json_walk_next(&walk)) {
		struct json_member *member = &members[walk.index];

		if (herald_json_read_string(&walk.name, reading->arena, &member->name) !=
			    HERALD_OK ||
		    !fill(reading, &walk.value,
			  json_pointer_add(reading->arena, path, member->name), &member->value))
			return false;
	}
	out->members = members;
	out->place = memory_take(reading->arena, sizeof(struct schema_place *));
	return sort_members(reading, path, out);
}

static bool
fill_array(const struct reading *reading, const struct herald_json *json, const char *path,
	   struct json_tree *out)
{
	struct json_tree *items = memory_take_array(reading->arena, out->count, sizeof(*items));
	struct herald_json_walk walk;

	herald_json_walk_init(&walk, json);
	while (herald_json_walk_next(&walk)) {
		enum herald_json_type type = herald_json_type_of(&walk.value);
		bool has_inner = type == HERALD_JSON_OBJECT || type == HERALD_JSON_ARRAY;
		const char *inner =
			has_inner ? memory_print(reading->arena, "%s/%zu", path, (size_t)walk.index)
				  : path;

		if (!fill(reading, &walk.value, inner, &items[walk.index]))
			return false;
	}
	out->items = items;
	return true;
}

static bool
fill(const struct reading *reading, const struct herald_json *json, const char *path,
     struct json_tree *out)
{
	out->type = herald_json_type_of(json);
	out->json = *json;
	out->count = herald_json_count(json);
	if (out->type == HERALD_JSON_OBJECT)
		return fill_object(reading, json, path, out);
	if (out->type == HERALD_JSON_ARRAY)
		return fill_array(reading, json, path, out);
	if (out->type == HERALD_JSON_STRING &&
	    herald_json_read_string(json, reading->arena, &out->text) != HERALD_OK) {
		herald_error_set(reading->error, HERALD_NO_MEMORY, HERALD_NO_OFFSET,
				 "out of memory");
		return false;
	}
	return true;
}

bool
json_tree_read(struct herald_arena *arena, const char *data, size_t bytes,
	       const struct json_tree **out, struct herald_error *error)
{
	const struct herald_limits limits = {.max_depth = JSON_TREE_MAX_DEPTH};
	const struct reading reading = {arena, data, error};
	struct herald_json json;
	struct json_tree *tree = memory_take(arena, sizeof(*tree));

	herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	if (herald_json_check(data, bytes, &limits, &json, error) != HERALD_OK ||
	    !fill(&reading, &json, "", tree))
		return false;
	*out = tree;
	return true;
}

const struct json_tree *
json_tree_find(const struct json_tree *tree, struct herald_text name)
{
	const struct json_member key = {.name = name}, *at = &key;

	if (!tree || tree->type != HERALD_JSON_OBJECT || tree->count == 0)
		return NULL;
	const struct json_member *const *found =
		bsearch(&at, tree->sorted, tree->count, sizeof(*tree->sorted), compare_members);
	return found ? &(*found)->value : NULL;
}

const struct json_tree *
json_tree_get(const struct json_tree *tree, const char *name)
{
	return json_tree_find(tree, (struct herald_text){name, strlen(name)});
}

const char *
json_tree_string(const struct json_tree *tree, const char *name)
{
	const struct json_tree *value = json_tree_get(tree, name);

	return value && value->type == HERALD_JSON_STRING ? value->text.data : NULL;
}

size_t
json_tree_count(const struct json_tree *tree, const char *name, size_t missing)
{
	const struct json_tree *value = json_tree_get(tree, name);
	struct decimal_whole whole;

	if (!value || value->type != HERALD_JSON_NUMBER)
		return missing;
	if (!decimal_truncate(value->json, &whole) || (size_t)whole.magnitude != whole.magnitude)
		return value->json.data[0] == '-' ? 0 : SIZE_MAX;
	return whole.is_negative ? 0 : (size_t)whole.magnitude;
}

bool
json_tree_is_true(const struct json_tree *tree)
{
	return tree && tree->type == HERALD_JSON_BOOL && tree->json.data[0] == 't';
}

bool
json_tree_is_false(const struct json_tree *tree)
{
	return tree && tree->type == HERALD_JSON_BOOL && tree->json.data[0] == 'f';
}

static bool
equal_objects(const struct json_tree *a, const struct json_tree *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (compare_members(&a->sorted[i], &b->sorted[i]) != 0 ||
		    !json_tree_equal(&a->sorted[i]->value, &b->sorted[i]->value))
			return false;
	return true;
}

bool
json_tree_equal(const struct json_tree *a, const struct json_tree *b)
{
	if (a->type != b->type || a->count != b->count)
		return false;
	switch (a->type) {
	case HERALD_JSON_BOOL:
		return a->json.data[0] == b->json.data[0];
	case HERALD_JSON_STRING:
		return compare_texts(a->text, b->text) == 0;
	case HERALD_JSON_NUMBER:
		return decimal_compare(a->json, b->json) == 0;
	case HERALD_JSON_OBJECT:
		return equal_objects(a, b);
	case HERALD_JSON_ARRAY:
		for (size_t i = 0; i < a->count; i++)
			if (!json_tree_equal(&a->items[i], &b->items[i]))
				return false;
		return true;
	default:
		return true;
	}
}

bool
json_texts_equal(struct herald_text a, struct herald_text b)
{
	return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

bool
json_text_equal(struct herald_text text, const char *string)
{
	return text.bytes == strlen(string) && memcmp(text.data, string, text.bytes) == 0;
}
