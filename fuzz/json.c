/*
 * Fuzzes the reader of raw JSON (herald/json.h). On any bytes it must not read outside them. If
 * they are valid JSON, walking over all of it finds what the checker found: every value is valid on
 * its own, and a look-up by the pointer to it leads to it, or says that there is a duplicate.
 *
 * The input: a JSON Pointer, a NUL, then the text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/json.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())
#define MAX_DEPTH 20

/* A value whose items are being walked over. */
struct level {
	struct herald_json json;
	struct herald_json_walk walk;
};

/* Append an item's name or index to a pointer; false if there is no room, or no such pointer. */
static bool
point_at(const struct herald_json_walk *walk, struct herald_arena *arena, char *out, size_t size)
{
	struct herald_text name;
	size_t bytes = 0;

	if (!walk->name.data)
		return snprintf(out, size, "/%zu", walk->index) < (int)size;
	CHECK(herald_json_read_string(&walk->name, arena, &name) == HERALD_OK);
	if (size < 2 * name.bytes + 2 || memchr(name.data, '\0', name.bytes))
		return false;
	CHECK(herald_json_string_equals(&walk->name, name.data));
	out[bytes++] = '/';
	for (size_t i = 0; i < name.bytes; i++) {
		bool escaped = name.data[i] == '~' || name.data[i] == '/';

		if (escaped)
			out[bytes++] = '~';
		out[bytes++] = !escaped ? name.data[i] : name.data[i] == '~' ? '0' : '1';
	}
	out[bytes] = '\0';
	return true;
}

/* What must hold for an item of a valid document. */
static void
check_item(const struct level *level, struct herald_arena *arena)
{
	const struct herald_limits limits = {.max_depth = 1024, .max_key_bytes = SIZE_MAX};
	const struct herald_json *value = &level->walk.value;
	struct herald_json found;
	char pointer[512];

	CHECK(herald_json_check(value->data, value->bytes, &limits, &found, NULL) == HERALD_OK);
	CHECK(found.data == value->data && found.bytes == value->bytes);
	if (!point_at(&level->walk, arena, pointer, sizeof(pointer)))
		return;
	enum herald_status status = herald_json_find(&level->json, pointer, &found, NULL);
	CHECK(status == HERALD_DUPLICATE ? level->walk.name.data != NULL : status == HERALD_OK);
	if (status == HERALD_OK)
		CHECK(found.data == value->data && found.bytes == value->bytes);
}

/* Read a value as each type. Exactly the one of its type may succeed. */
static void
read_scalar(const struct herald_json *json, struct herald_arena *arena, bool valid)
{
	enum herald_json_type type = herald_json_type_of(json);
	int64_t integer;
	uint64_t natural;
	double real;
	bool boolean;
	struct herald_text text;
	enum herald_status of_bool = herald_json_read_bool(json, &boolean);
	enum herald_status of_int64 = herald_json_read_int64(json, &integer);
	enum herald_status of_uint64 = herald_json_read_uint64(json, &natural);
	enum herald_status of_double = herald_json_read_double(json, &real);
	enum herald_status of_string = herald_json_read_string(json, arena, &text);

	CHECK(of_bool != HERALD_OK || type == HERALD_JSON_BOOL);
	CHECK(of_int64 != HERALD_OK || (type == HERALD_JSON_NUMBER && real == (double)integer));
	CHECK(of_uint64 != HERALD_OK || (type == HERALD_JSON_NUMBER && real == (double)natural));
	CHECK(of_string != HERALD_OK || type == HERALD_JSON_STRING);
	if (!valid)
		return;
	CHECK(of_bool == HERALD_OK || type != HERALD_JSON_BOOL);
	CHECK(of_string == HERALD_OK || type != HERALD_JSON_STRING);
	CHECK(of_double == HERALD_OK || type != HERALD_JSON_NUMBER ||
	      of_double == HERALD_OUT_OF_RANGE);
}

/* Walk over all of a document. */
static void
walk_all(const struct herald_json *json, struct herald_arena *arena, bool valid)
{
	static struct level levels[MAX_DEPTH];
	size_t depth = 1;

	levels[0].json = *json;
	herald_json_walk_init(&levels[0].walk, json);
	read_scalar(json, arena, valid);
	while (depth > 0) {
		struct level *level = &levels[depth - 1];

		herald_arena_reset(arena);
		if (!herald_json_walk_next(&level->walk)) {
			depth--;
			continue;
		}
		read_scalar(&level->walk.value, arena, valid);
		if (valid)
			check_item(level, arena);
		if (depth == MAX_DEPTH)
			continue;
		levels[depth].json = level->walk.value;
		herald_json_walk_init(&levels[depth++].walk, &level->walk.value);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	struct herald_arena *arena = NULL;
	struct herald_json json, found, within;

	if (!nul)
		return 0;
	size_t bytes = size - (size_t)(nul + 1 - data);
	char *text = malloc(bytes ? bytes : 1); /* of its own size, for ASan */
	CHECK(text && herald_arena_create(NULL, 0, &arena) == HERALD_OK);
	memcpy(text, nul + 1, bytes);
	json = (struct herald_json){text, bytes};
	bool valid = herald_json_check(text, bytes, NULL, &json, NULL) == HERALD_OK;
	enum herald_status status = herald_json_find(&json, (const char *)data, &found, NULL);
	if (status == HERALD_OK && valid)
		CHECK(herald_json_check(found.data, found.bytes, NULL, &within, NULL) == HERALD_OK);
	if (status == HERALD_OK)
		CHECK(found.data >= json.data &&
		      found.data + found.bytes <= json.data + json.bytes);
	walk_all(&json, arena, valid);
	herald_arena_destroy(arena);
	free(text);
	return 0;
}
