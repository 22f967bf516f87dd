/*
 * A struct for documents that fail, and what writes such documents. Include cmocka.h before this
 * header.
 */
#ifndef HERALD_TESTS_CODEC_DECODE_ERRORS_H
#define HERALD_TESTS_CODEC_DECODE_ERRORS_H

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define MIB ((size_t)1 << 20)

struct thing {
	bool truth;
	int32_t integer;
	double real;
	const char *string;
	struct herald_text text;
	struct herald_json json;
	struct herald_map map;
	struct herald_json_map any;
	const struct thing *inner;
	const struct thing *list;
	size_t list_count;
	const char *const *strings;
	size_t strings_count;
	const struct herald_json *jsons;
	size_t jsons_count;
};

HERALD_SCHEMA(thing,
	HERALD_FIELD(thing, truth),
	HERALD_FIELD(thing, integer),
	HERALD_FIELD(thing, real),
	HERALD_FIELD(thing, string),
	HERALD_FIELD(thing, text),
	HERALD_FIELD(thing, json),
	HERALD_FIELD(thing, map),
	HERALD_FIELD(thing, any),
	HERALD_POINTER(thing, inner, thing),
	HERALD_LIST(thing, list, thing),
	HERALD_VALUES(thing, strings),
	HERALD_VALUES(thing, jsons));

/* The text with the '@' moved to where it is in the document. */
static inline void
decode_bad_at(const struct herald_codec *codec, const char *before, const char *value,
	      const char *after, size_t out_bytes, enum herald_status status, const char *path,
	      const char *subpath)
{
	char text[1000], whole_path[300];

	snprintf(text, sizeof(text), "%s%s%s", before, value, after);
	snprintf(whole_path, sizeof(whole_path), "%s%s", path, subpath);
	decode_bad(codec, text, out_bytes, status, whole_path);
}

/* The same bytes, `count` times. */
static inline void
fill(char *out, const char *bytes, size_t length, size_t count)
{
	memcpy(out, bytes, length);
	for (size_t done = 1; done < count; done *= 2)
		memcpy(out + done * length, out,
		       (done * 2 <= count ? done : count - done) * length);
}

#endif
