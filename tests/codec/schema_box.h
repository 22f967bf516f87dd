/*
 * A schema written by hand, of a struct with a place for each kind, and what refuses a schema.
 * Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_CODEC_SCHEMA_BOX_H
#define HERALD_TESTS_CODEC_SCHEMA_BOX_H

#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/every_kind.h"
#include "support/option_error.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* `message` is the text after the path. */
static inline void
expect_bad(const struct herald_schema *schema, const char *path, const char *message,
	   const char *name)
{
	struct herald_codec *codec = NULL;
	struct herald_error error;
	enum herald_status status;

	memset(&error, 0x5A, sizeof(error));
	status = herald_codec_create(schema, NULL, NULL, &codec, &error);
	if (status == HERALD_OK)
		fail_msg("%s: accepted", name);
	assert_null(codec);
	if (status != HERALD_BAD_SCHEMA || error.status != status || strcmp(error.path, path) != 0)
		fail_msg("%s: expected HERALD_BAD_SCHEMA of %s, found %s of %s: %s", name, path,
			 herald_status_name(status), error.path, error.message);
	assert_int_equal(error.offset, HERALD_NO_OFFSET);
	assert_option_error(&error, path, message);
	assert_int_equal(herald_codec_create(schema, NULL, NULL, &codec, NULL), HERALD_BAD_SCHEMA);
}

static inline void
expect_good(const struct herald_schema *schema)
{
	herald_codec_destroy(decoding_codec(schema, NULL));
}

static const struct herald_name sizes[] = {{"small", 0}, {"large", 1}};

HERALD_SCHEMA(every_leaf,
	HERALD_FIELD(every_leaf, number),
	HERALD_FIELD(every_leaf, name),
	HERALD_ENUM(every_leaf, size, sizes));

/* A struct with a place for each kind; the cases describe one of its members wrongly. */
struct box {
	int64_t number;
	const char *string;
	char chars[8];
	const void *items;
	size_t items_count;
	struct herald_map map;
	int choice;
	bool has_maybe;
	bool maybe;
	double real;
	struct every_leaf leaf;
};

enum { NUMBER, STRING, CHARS, ITEMS, MAP, CHOICE, MAYBE, REAL, LEAF, FIELDS };

#define PLACE(MEMBER)                                                                              \
	.owner = "box", .name = #MEMBER, .offset = offsetof(struct box, MEMBER),                   \
	.bytes = sizeof(((struct box *)0)->MEMBER)
#define AT(MEMBER) offsetof(struct box, MEMBER)

static const struct herald_field box_fields[FIELDS] = {
	[NUMBER] = {PLACE(number), .kind = HERALD_KIND_INT64},
	[STRING] = {PLACE(string), .kind = HERALD_KIND_STRING},
	[CHARS] = {PLACE(chars), .kind = HERALD_KIND_CHARS},
	[ITEMS] = {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_INT32,
		   .count_offset = AT(items_count)},
	[MAP] = {PLACE(map), .kind = HERALD_KIND_MAP},
	[CHOICE] = {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes, .names_count = 2},
	[MAYBE] = {PLACE(maybe), .kind = HERALD_KIND_BOOL, .optional = true,
		   .has_offset = AT(has_maybe)},
	[REAL] = {PLACE(real), .kind = HERALD_KIND_DOUBLE},
	[LEAF] = {PLACE(leaf), .kind = HERALD_KIND_STRUCT, .schema = &every_leaf_schema},
};

static const struct herald_schema box_schema = {.name = "box",
						.bytes = sizeof(struct box),
						.alignment = _Alignof(struct box),
						.fields = box_fields,
						.fields_count = FIELDS};

#endif
