/*
 * What the tests of encoding share: a struct, and the comparison of what is written. Include
 * cmocka.h before this header.
 */
#ifndef HERALD_TESTS_CODEC_ENCODE_THING_H
#define HERALD_TESTS_CODEC_ENCODE_THING_H

#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/every_kind.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define BEFORE "before, "

static inline void
expect_text(const struct herald_codec *codec, const void *in, const char *expected)
{
	struct herald_buffer buffer;
	struct herald_error error;

	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_buffer_append(&buffer, BEFORE, strlen(BEFORE)), HERALD_OK);
	if (herald_codec_encode(codec, in, &buffer, &error) != HERALD_OK)
		fail_msg("%s: %s: %s", expected, error.path, error.message);
	if (buffer.bytes != strlen(BEFORE) + strlen(expected) ||
	    memcmp(buffer.data + strlen(BEFORE), expected, strlen(expected)) != 0)
		fail_msg("expected %s, found %.*s", expected, (int)(buffer.bytes - strlen(BEFORE)),
			 buffer.data + strlen(BEFORE));
	assert_memory_equal(buffer.data, BEFORE, strlen(BEFORE));
	herald_buffer_finish(&buffer);
}

static inline void
expect_error(const struct herald_codec *codec, const void *in, enum herald_status status,
	     const char *path)
{
	struct herald_buffer buffer;
	struct herald_error error;
	enum herald_status found;

	memset(&error, 0x5A, sizeof(error));
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_buffer_append(&buffer, BEFORE, strlen(BEFORE)), HERALD_OK);
	found = herald_codec_encode(codec, in, &buffer, &error);
	if (found != status)
		fail_msg("%s: expected %s, found %s: %.*s", path, herald_status_name(status),
			 herald_status_name(found), (int)buffer.bytes, buffer.data);
	assert_int_equal(error.status, status);
	assert_string_equal(error.path, path);
	assert_int_equal(error.offset, HERALD_NO_OFFSET);
	assert_true(memchr(error.message, '\0', sizeof(error.message)) != error.message);
	assert_int_equal(buffer.bytes, strlen(BEFORE));
	assert_memory_equal(buffer.data, BEFORE, strlen(BEFORE));
	/* Without an error struct it is the same. */
	assert_int_equal(herald_codec_encode(codec, in, &buffer, NULL), status);
	assert_int_equal(buffer.bytes, strlen(BEFORE));
	herald_buffer_finish(&buffer);
}

static const struct herald_name colors[] = {{"red", EVERY_RED},
					    {"gr\"een\n", EVERY_GREEN},
					    {"blue", EVERY_BLUE},
					    {"azure", EVERY_BLUE}};
static const struct herald_name sizes[] = {{"small", EVERY_SMALL}, {"large", EVERY_LARGE}};

HERALD_SCHEMA(every_leaf,
	HERALD_FIELD(every_leaf, number, HERALD_MAX(1000)),
	HERALD_FIELD(every_leaf, name, .required = true),
	HERALD_ENUM(every_leaf, size, sizes));

/* What is left out when it is absent. */
struct thing {
	const char *string;
	struct herald_text text;
	struct herald_json json;
	struct herald_map map;
	enum every_color color;
	const struct every_leaf *pointer;
	const struct every_leaf *list;
	size_t list_count;
	const char *const *strings;
	size_t strings_count;
	const struct herald_text *texts;
	size_t texts_count;
	const struct herald_json *jsons;
	size_t jsons_count;
	const struct herald_time *times;
	size_t times_count;
	bool has_maybe;
	int32_t maybe;
	bool has_chars;
	char chars[4];
	bool has_time;
	struct herald_time time;
	bool has_truth;
	bool truth;
};

HERALD_SCHEMA(thing,
	HERALD_FIELD(thing, string),
	HERALD_FIELD(thing, text),
	HERALD_FIELD(thing, json),
	HERALD_FIELD(thing, map, .key = "the map"),
	HERALD_ENUM(thing, color, colors),
	HERALD_POINTER(thing, pointer, every_leaf),
	HERALD_LIST(thing, list, every_leaf),
	HERALD_VALUES(thing, strings),
	HERALD_VALUES(thing, texts),
	HERALD_VALUES(thing, jsons),
	HERALD_VALUES(thing, times),
	HERALD_OPTIONAL(thing, maybe, HERALD_RANGE(-5, 5)),
	HERALD_OPTIONAL(thing, chars),
	HERALD_OPTIONAL(thing, time),
	HERALD_OPTIONAL(thing, truth));

#define TEXT(TEXT)                                                                                 \
	{                                                                                          \
		TEXT, sizeof(TEXT) - 1                                                             \
	}
#define LIST(TYPE, ...)                                                                            \
	(const TYPE[])                                                                             \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#endif
