/*
 * A struct with one member of each kind, for the tests of decoding. Include cmocka.h before it.
 */
#ifndef HERALD_TESTS_CODEC_DECODE_THING_H
#define HERALD_TESTS_CODEC_DECODE_THING_H

#include <string.h>

#include <herald/codec.h>

#include "support/every_kind.h"

/* The field of a schema with this name in C. */
static inline const struct herald_field *
find_field(const struct herald_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->fields_count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	fail_msg("no field %s", name);
	return NULL;
}

/* One member of each kind, none required. */
struct thing {
	bool truth;
	int32_t integer;
	uint16_t natural;
	float real32;
	double real64;
	const char *string;
	struct herald_text text;
	char chars[4];
	struct herald_time time;
	struct herald_json json;
	struct herald_map map;
	enum every_color color;
	struct every_leaf leaf;
	const struct every_leaf *pointer;
	const struct every_leaf *list;
	size_t list_count;
	const int32_t *integers;
	size_t integers_count;
	const char *const *strings;
	size_t strings_count;
};

static const struct herald_name colors[] = {
	{"red", EVERY_RED}, {"green", EVERY_GREEN}, {"blue", EVERY_BLUE}};
static const struct herald_name sizes[] = {{"small", EVERY_SMALL}, {"large", EVERY_LARGE}};

HERALD_SCHEMA(every_leaf,
	HERALD_FIELD(every_leaf, number),
	HERALD_FIELD(every_leaf, name, .required = true),
	HERALD_ENUM(every_leaf, size, sizes));

HERALD_SCHEMA(thing,
	HERALD_FIELD(thing, truth),
	HERALD_FIELD(thing, integer),
	HERALD_FIELD(thing, natural),
	HERALD_FIELD(thing, real32),
	HERALD_FIELD(thing, real64),
	HERALD_FIELD(thing, string),
	HERALD_FIELD(thing, text),
	HERALD_FIELD(thing, chars),
	HERALD_FIELD(thing, time),
	HERALD_FIELD(thing, json),
	HERALD_FIELD(thing, map),
	HERALD_ENUM(thing, color, colors),
	HERALD_STRUCT(thing, leaf, every_leaf),
	HERALD_POINTER(thing, pointer, every_leaf),
	HERALD_LIST(thing, list, every_leaf),
	HERALD_VALUES(thing, integers),
	HERALD_VALUES(thing, strings));

#endif
