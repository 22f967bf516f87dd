/*
 * herald_codec_decode() at its limits: depth, counts, keys and strings; 100,000 levels, strings of
 * 10 MiB and other long documents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/decode_errors.h"
#include "support/decoding.h"

#define LEVELS 100000

/* A value of 100,000 levels, whole or never closed, in every place. */
static void
test_100000_levels(void **state)
{
	static const struct {
		const char *open, *close;
		const char *path; /* its end: of the level that is one too many */
	} shapes[] = {
		{"[", "]", "/0/0/0"},        {"{\"a\":", "}", "/a/a/a"},
		{"[{\"json\":", "}]", "/0"}, {"{\"inner\":[", "]}", "/inner"},
		{"[ ", " ]", "/0/0/0"},
	};
	static const struct {
		const char *before, *after;
		size_t depth; /* before the value */
	} spots[] = {
		{"{\"x\":", "}", 1},
		{"{\"json\":", "}", 1},
		{"{\"jsons\":[", "]}", 2},
		{"{\"inner\":{\"list\":[{\"u\":", "}]}}", 4},
		{"", "", 0},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);
	char *text = malloc(20 * LEVELS);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(shapes); i++)
		for (size_t j = 0; j < COUNT(spots); j++)
			for (int closed = 0; closed < 2; closed++) {
				size_t bytes = (size_t)sprintf(text, "%s", spots[j].before);
				size_t offset = 0, depth = spots[j].depth;
				const char *open = shapes[i].open;
				struct thing out;
				struct herald_error error;

				/* The 65th bracket that is open is one too many. */
				for (size_t level = 0; level < LEVELS; level++) {
					for (const char *at = open; *at != '\0'; at++) {
						if ((*at == '[' || *at == '{') && ++depth == 65)
							offset = bytes;
						text[bytes++] = *at;
					}
				}
				for (size_t level = 0; closed && level < LEVELS; level++)
					bytes += (size_t)sprintf(text + bytes, "%s",
								 shapes[i].close);
				if (closed)
					bytes +=
						(size_t)sprintf(text + bytes, "%s", spots[j].after);
				assert_int_equal(decode_bytes(spots[j].depth > 0 ? codec : any,
							      text, bytes, &out,
							      spots[j].depth > 0
								      ? sizeof(out)
								      : sizeof(struct herald_json),
							      &error),
						 HERALD_LIMIT);
				assert_int_equal(error.offset, offset);
				if (depth % 2 == 0 || i < 2)
					assert_non_null(strstr(error.path, shapes[i].path));
				/* Where an object is expected, nesting is not a matter of types. */
				if (spots[j].depth == 0 && !closed) {
					enum herald_status status = decode_bytes(
						codec, text, bytes, &out, sizeof(out), &error);

					assert_int_equal(status, HERALD_LIMIT);
					assert_int_equal(error.offset, offset);
				}
			}
	free(text);
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

static void
test_max_depth(void **state)
{
	static const size_t depths[] = {1, 2, 3, 63, 64, 65, 127, 128, 129, 1023, 1024};
	static char text[5000];

	(void)state;
	for (size_t d = 0; d < COUNT(depths); d++) {
		struct herald_limits limits = {.max_depth = depths[d]};
		struct herald_codec *codec = decoding_codec(&thing_schema, &limits);
		struct herald_codec *any = decoding_codec(&herald_json_schema, &limits);
		struct herald_error error;
		struct herald_json json;
		struct thing out;

		for (size_t depth = depths[d]; depth <= depths[d] + 1; depth++) {
			enum herald_status expected = depth > depths[d] ? HERALD_LIMIT : HERALD_OK;
			size_t bytes = (size_t)sprintf(text, "{\"x\":");

			memset(text + bytes, '[', depth - 1);
			memset(text + bytes + depth - 1, ']', depth - 1);
			bytes += 2 * (depth - 1);
			if (depth == 1)
				bytes += (size_t)sprintf(text + bytes, "1");
			text[bytes++] = '}';
			assert_int_equal(
				decode_bytes(codec, text, bytes, &out, sizeof(out), &error),
				expected);
			if (expected != HERALD_OK)
				assert_int_equal(error.offset, 5 + depths[d] - 1);

			memset(text, '[', depth);
			memset(text + depth, ']', depth);
			assert_int_equal(
				decode_bytes(any, text, 2 * depth, &json, sizeof(json), &error),
				expected);
			if (expected != HERALD_OK)
				assert_int_equal(error.offset, depths[d]);
		}
		herald_codec_destroy(codec);
		herald_codec_destroy(any);
	}
}

static void
test_max_depth_of_wanted_members(void **state)
{
	struct herald_limits limits = {.max_depth = 3};
	struct herald_codec *codec = decoding_codec(&thing_schema, &limits);
	struct thing out;

	(void)state;
	decode_good(codec, "{\"inner\":{\"inner\":{}},\"list\":[{}],\"map\":{},\"json\":[[]]}",
		    &out, sizeof(out));
	decode_good(codec, "{\"list\":[{},{},{}],\"inner\":{\"map\":{}}}", &out, sizeof(out));
	decode_bad(codec, "{\"inner\":{\"inner\":{\"inner\":@{}}}}", sizeof(out), HERALD_LIMIT,
		   "/inner/inner/inner");
	decode_bad(codec, "{\"list\":[{\"map\":@{}}]}", sizeof(out), HERALD_LIMIT, "/list/0/map");
	decode_bad(codec, "{\"list\":[{\"strings\":@[]}]}", sizeof(out), HERALD_LIMIT,
		   "/list/0/strings");
	decode_bad(codec, "{\"inner\":{\"jsons\":[@[]]}}", sizeof(out), HERALD_LIMIT,
		   "/inner/jsons/0");
	decode_bad(codec, "{\"inner\":{\"list\":[@{}]}}", sizeof(out), HERALD_LIMIT,
		   "/inner/list/0");
	decode_bad(codec, "{\"json\":[[@[]]]}", sizeof(out), HERALD_LIMIT, "/json/0/0");
	decode_bad(codec, "{\"inner\":{\"x\":{\"y\":@{}}}}", sizeof(out), HERALD_LIMIT,
		   "/inner/x/y");
	herald_codec_destroy(codec);
}

static void
test_max_list_count(void **state)
{
	struct herald_limits limits = {.max_list_count = 3};
	struct herald_codec *codec = decoding_codec(&thing_schema, &limits);
	struct thing out;

	(void)state;
	decode_good(
		codec,
		"{\"list\":[{},{},{}],\"strings\":[\"\",\"\",\"\"],\"jsons\":[1,2,3],"
		"\"map\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"},\"json\":[1,2,3,4],\"x\":[1,2,3,4]}",
		&out, sizeof(out));
	decode_bad(codec, "{\"list\":[{},{},{},@{}]}", sizeof(out), HERALD_LIMIT, "/list");
	decode_bad(codec, "{\"strings\":[\"\",\"\",\"\",@\"\"]}", sizeof(out), HERALD_LIMIT,
		   "/strings");
	decode_bad(codec, "{\"jsons\":[1,2,3,@4]}", sizeof(out), HERALD_LIMIT, "/jsons");
	decode_bad(codec, "{\"map\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",@\"d\":\"\"}}", sizeof(out),
		   HERALD_LIMIT, "/map");
	decode_bad(codec, "{\"inner\":{\"jsons\":[1,2,3,@4]}}", sizeof(out), HERALD_LIMIT,
		   "/inner/jsons");
	herald_codec_destroy(codec);
}

/* 65,536 elements by default. */
static void
test_default_list_count(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	size_t count = 65536, bytes = (size_t)strlen("{\"jsons\":[");
	char *text = malloc(bytes + 2 * count + 10);
	struct herald_error error;
	struct thing out;

	(void)state;
	assert_non_null(text);
	strcpy(text, "{\"jsons\":[");
	for (size_t i = 0; i < count; i++)
		memcpy(text + bytes + 2 * i, "1,", 2);
	memcpy(text + bytes + 2 * count - 1, "]}", 2);
	assert_int_equal(
		decode_bytes(codec, text, bytes + 2 * count + 1, &out, sizeof(out), &error),
		HERALD_OK);
	assert_int_equal(out.jsons_count, count);
	memcpy(text + bytes + 2 * count - 1, ",1]}", 4);
	decode_bad_bytes(codec, text, bytes + 2 * count + 3, sizeof(out), HERALD_LIMIT, "/jsons",
			 bytes + 2 * count, "65,537 elements");
	free(text);
	herald_codec_destroy(codec);
}

/* The schema's max_count does not raise the service's limit. */
struct roomy {
	const int32_t *v;
	size_t v_count;
	struct herald_map map;
};
HERALD_SCHEMA(roomy,
	HERALD_VALUES(roomy, v, .max_count = 100),
	HERALD_FIELD(roomy, map, .max_count = 100));

static void
test_max_list_count_and_max_count(void **state)
{
	struct herald_limits limits = {.max_list_count = 2};
	struct herald_codec *codec = decoding_codec(&roomy_schema, &limits);

	(void)state;
	decode_bad(codec, "{\"v\":[1,2,@3]}", sizeof(struct roomy), HERALD_LIMIT, "/v");
	decode_bad(codec, "{\"map\":{\"a\":\"\",\"b\":\"\",@\"c\":\"\"}}", sizeof(struct roomy),
		   HERALD_LIMIT, "/map");
	herald_codec_destroy(codec);
}

static void
test_max_key_bytes(void **state)
{
	struct herald_limits limits = {.max_key_bytes = 8};
	struct herald_codec *codec = decoding_codec(&thing_schema, &limits);
	struct thing out;

	(void)state;
	decode_good(codec,
		    "{\"12345678\":1,\"x\":{\"12345678\":1},\"json\":[{\"12345678\":1}],"
		    "\"map\":{\"12345678\":\"\"}}",
		    &out, sizeof(out));
	decode_bad(codec, "{@\"123456789\":1}", sizeof(out), HERALD_LIMIT, "");
	decode_bad(codec, "{@\"\\u0031234\":1}", sizeof(out), HERALD_LIMIT, "");
	decode_bad(codec, "{\"x\":{@\"123456789\":1}}", sizeof(out), HERALD_LIMIT, "/x");
	decode_bad(codec, "{\"json\":[{\"a\":1,@\"123456789\":1}]}", sizeof(out), HERALD_LIMIT,
		   "/json/0");
	decode_bad(codec, "{\"map\":{@\"123456789\":\"\"}}", sizeof(out), HERALD_LIMIT, "/map");
	decode_bad(codec, "{\"inner\":{@\"123456789\":1}}", sizeof(out), HERALD_LIMIT, "/inner");
	herald_codec_destroy(codec);
}

static void
test_default_key_bytes(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	char text[1200];
	struct thing out;

	(void)state;
	memset(text, 'k', sizeof(text));
	memcpy(text, "{\"", 2);
	memcpy(text + 2 + 1024, "\":1}", 5);
	decode_good(codec, text, &out, sizeof(out));
	memset(text + 2 + 1024, 'k', 1);
	memcpy(text + 2 + 1025, "\":1}", 5);
	decode_bad_bytes(codec, text, strlen(text), sizeof(out), HERALD_LIMIT, "", 1,
			 "1,025 bytes");
	herald_codec_destroy(codec);
}

/* A schema whose own keys are too long could not be decoded: it is refused. */
static void
test_max_key_bytes_of_known_keys(void **state)
{
	struct herald_limits limits = {.max_key_bytes = 6};
	struct herald_codec *codec = NULL;
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_codec_create(&thing_schema, &limits, NULL, &codec, &error),
			 HERALD_BAD_SCHEMA);
	assert_string_equal(error.path, "thing.integer");
	limits.max_key_bytes = 7;
	herald_codec_destroy(decoding_codec(&thing_schema, &limits));
}

static void
test_max_string_bytes(void **state)
{
	struct herald_limits limits = {.max_string_bytes = 10};
	struct herald_codec *codec = decoding_codec(&thing_schema, &limits);
	struct thing out;

	(void)state;
	decode_good(codec,
		    "{\"string\":\"1234567890\",\"text\":\"\\u0031\\n\\n\",\"x\":[\"1234567890\"],"
		    "\"json\":\"1234567890\",\"map\":{\"k\":\"1234567890\"}}",
		    &out, sizeof(out));
	decode_bad(codec, "{\"string\":@\"12345678901\"}", sizeof(out), HERALD_LIMIT, "/string");
	decode_bad(codec, "{\"string\":@\"\\u0031\\n\\n1\"}", sizeof(out), HERALD_LIMIT, "/string");
	decode_bad(codec, "{\"text\":@\"\\\\\\\\\\\\\\\\\\\\.\"}", sizeof(out), HERALD_LIMIT,
		   "/text");
	decode_bad(codec, "{\"x\":[\"\",@\"12345678901\"]}", sizeof(out), HERALD_LIMIT, "/x/1");
	decode_bad(codec, "{\"json\":{\"a\":@\"12345678901\"}}", sizeof(out), HERALD_LIMIT,
		   "/json/a");
	decode_bad(codec, "{\"map\":{\"k\":@\"12345678901\"}}", sizeof(out), HERALD_LIMIT,
		   "/map/k");
	decode_bad(codec, "{\"strings\":[@\"12345678901\"]}", sizeof(out), HERALD_LIMIT,
		   "/strings/0");
	/* A name has its own limit, and no other: known, unknown, of a map, skipped; plain or with
	 * an escape. */
	static const char *const names[] = {
		"{\"12345678901\":1,\"strings\":[]}",
		"{\"12345678901\" : 1, \"strings\" : []}",
		"{\"1234567890\\n\":1,\"strings\":[]}",
		"{\"map\":{\"12345678901\":\"\",\"1234567890\\n\":\"\"}}",
		"{\"json\":{\"12345678901\":[{\"1234567890\\n\":{}}]},\"strings\":[]}",
		"{\"x\":{\"12345678901\":[{\"1234567890\\n\":{}}]},\"strings\":[]}",
	};
	for (size_t i = 0; i < COUNT(names); i++)
		decode_good(codec, names[i], &out, sizeof(out));
	herald_codec_destroy(codec);
}

/* 10 MiB of one string: wanted, raw, unknown, a name; plain, of escapes, and without an end. */
static void
test_10_mib_of_one_string(void **state)
{
	static const char *const before[] = {"{\"string\":\"", "{\"json\":\"", "{\"x\":\"",
					     "{\"strings\":[\"", "{\"map\":{\"k\":\""};
	static const char *const after[] = {"\"}", "\"}", "\"}", "\"]}", "\"}}"};
	static const char *const fills[] = {"x", "\\n", "\xE2\x82\xAC", "\\u20ac"};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_limits limits = {.max_string_bytes = 10 * MIB - 1};
	struct herald_codec *limited = decoding_codec(&thing_schema, &limits);
	char *text = malloc(11 * MIB);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(before); i++)
		for (size_t j = 0; j < COUNT(fills); j++) {
			size_t begin = strlen(before[i]), length = strlen(fills[j]);
			size_t count = 10 * MIB / length, bytes = begin + count * length;
			struct herald_error error;
			struct thing out;

			/* One case is enough for each path through the code. */
			if (i > 2 && j > 0)
				continue;
			strcpy(text, before[i]);
			fill(text + begin, fills[j], length, count);
			assert_int_equal(
				decode_bytes(codec, text, bytes, &out, sizeof(out), &error),
				HERALD_BAD_JSON);
			assert_int_equal(error.offset, bytes);
			strcpy(text + bytes, after[i]);
			assert_int_equal(decode_bytes(codec, text, bytes + strlen(after[i]), &out,
						      sizeof(out), &error),
					 HERALD_OK);
			if (i == 0)
				assert_int_equal(strlen(out.string),
						 count * (j == 0 || j == 1 ? 1 : 3));
			if (count * length < 10 * MIB)
				continue;
			assert_int_equal(decode_bytes(limited, text, bytes + strlen(after[i]), &out,
						      sizeof(out), &error),
					 HERALD_LIMIT);
			assert_int_equal(error.offset, begin - 1);
		}
	/* A name. */
	memset(text, 'k', 10 * MIB);
	memcpy(text, "{\"", 2);
	strcpy(text + 10 * MIB, "\":1}");
	decode_bad_bytes(codec, text, 10 * MIB + 4, sizeof(struct thing), HERALD_LIMIT, "", 1,
			 "10 MiB of a name");
	free(text);
	herald_codec_destroy(codec);
	herald_codec_destroy(limited);
}

/* Many small values of all other kinds must not take long, or much stack. */
static void
test_long_documents(void **state)
{
	static const char *const pieces[] = {
		"[],", "{},", "1,", "\"\",", "null,", "[[]] ,", "{\"a\":1,\"b\":[]},"};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	char *text = malloc(3 * MIB);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(pieces); i++) {
		size_t bytes = (size_t)sprintf(text, "{\"x\":["), length = strlen(pieces[i]);
		struct herald_error error;
		struct thing out;

		while (bytes < 2 * MIB) {
			memcpy(text + bytes, pieces[i], length);
			bytes += length;
		}
		/* The last comma is one too many. */
		strcpy(text + bytes, "]}");
		assert_int_equal(decode_bytes(codec, text, bytes + 2, &out, sizeof(out), &error),
				 HERALD_BAD_JSON);
		assert_int_equal(error.offset, bytes);
		strcpy(text + bytes - 1, "]}");
		assert_int_equal(decode_bytes(codec, text, bytes + 1, &out, sizeof(out), &error),
				 HERALD_OK);
	}
	free(text);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_100000_levels),
		cmocka_unit_test(test_max_depth),
		cmocka_unit_test(test_max_depth_of_wanted_members),
		cmocka_unit_test(test_max_list_count),
		cmocka_unit_test(test_default_list_count),
		cmocka_unit_test(test_max_list_count_and_max_count),
		cmocka_unit_test(test_max_key_bytes),
		cmocka_unit_test(test_default_key_bytes),
		cmocka_unit_test(test_max_key_bytes_of_known_keys),
		cmocka_unit_test(test_max_string_bytes),
		cmocka_unit_test(test_10_mib_of_one_string),
		cmocka_unit_test(test_long_documents),
	};

	return cmocka_run_group_tests_name("decode_limits", tests, NULL, decoding_finish);
}
