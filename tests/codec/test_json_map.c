/*
 * HERALD_KIND_JSON_MAP, an object of any values: how each is decoded, which are refused and where,
 * and that decoded values are encoded unchanged. Other tests cover it as a map:
 * test_decode_errors.c its syntax, every_kind.c random values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/random.h>
#include <herald/codec.h>

#include "support/decoding.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct holder {
	struct herald_json_map any;
};
HERALD_SCHEMA(holder, HERALD_FIELD(holder, any));

struct limited {
	struct herald_json_map any;
};
HERALD_SCHEMA(limited,
	HERALD_FIELD(limited, any, .required = true, .min_count = 1, .max_count = 2));

/* A value, its text and its raw JSON; what it is encoded as is the raw JSON, or the string. */
static const struct {
	const char *json, *text, *raw, *encoded;
} values[] = {
	{"\"plain\"", "plain", NULL, "\"plain\""},
	{"\"\"", "", NULL, "\"\""},
	{"\"\\u0032\\n\\\"\"", "2\n\"", NULL, "\"2\\n\\\"\""},
	{"2", "2", "2", "2"},
	{"2.10", "2.10", "2.10", "2.10"},
	{"-0", "-0", "-0", "-0"},
	{"1E+400", "1E+400", "1E+400", "1E+400"},
	{"123456789012345678901234567890", "123456789012345678901234567890",
	 "123456789012345678901234567890", "123456789012345678901234567890"},
	{" true ", "true", "true", "true"},
	{"false", "false", "false", "false"},
	{"null", "", "null", "null"},
	{"{}", NULL, "{}", "{}"},
	{"[]", NULL, "[]", "[]"},
	{" { \"a\" : [1 , \"\\u0000\\\"}\"] } ", NULL, "{ \"a\" : [1 , \"\\u0000\\\"}\"] }",
	 "{ \"a\" : [1 , \"\\u0000\\\"}\"] }"},
	{"{\"a\":1,\"a\":2}", NULL, "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}"},
};

static void
check_value(const struct herald_json_pair *pair, size_t row)
{
	if (values[row].text)
		assert_string_equal(pair->text, values[row].text);
	else
		assert_null(pair->text);
	if (!values[row].raw) {
		assert_null(pair->json.data);
		return;
	}
	assert_int_equal(pair->json.bytes, strlen(values[row].raw));
	assert_memory_equal(pair->json.data, values[row].raw, pair->json.bytes);
}

static void
check_encoded(const struct herald_codec *codec, const struct holder *in, const char *expected)
{
	struct herald_buffer out;

	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, in, &out, NULL), HERALD_OK);
	if (out.bytes != strlen(expected) || memcmp(out.data, expected, out.bytes) != 0)
		fail_msg("expected %s, got %.*s", expected, (int)out.bytes, out.data);
	herald_buffer_finish(&out);
}

/* Each alone, and between others: what is next to a value does not touch its text. */
static void
test_values(void **state)
{
	struct herald_codec *codec = decoding_codec(&holder_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		for (size_t j = 0; j < COUNT(values); j++) {
			char json[512], encoded[512];
			struct holder out;

			snprintf(json, sizeof(json), "{\"any\":{\"a\":%s,\"\\u00e9\":%s,\"\":%s}}",
				 values[i].json, values[j].json, values[i].json);
			decode_good(codec, json, &out, sizeof(out));
			assert_int_equal(out.any.count, 3);
			assert_string_equal(out.any.pairs[1].key, "\xC3\xA9");
			check_value(&out.any.pairs[0], i);
			check_value(&out.any.pairs[1], j);
			check_value(&out.any.pairs[2], i);
			snprintf(encoded, sizeof(encoded),
				 "{\"any\":{\"a\":%s,\"\xC3\xA9\":%s,\"\":%s}}", values[i].encoded,
				 values[j].encoded, values[i].encoded);
			check_encoded(codec, &out, encoded);
		}
	herald_codec_destroy(codec);
}

static void
test_without_entries(void **state)
{
	struct herald_codec *codec = decoding_codec(&holder_schema, NULL);
	struct holder out;

	(void)state;
	decode_good(codec, "{}", &out, sizeof(out));
	assert_null(out.any.pairs);
	check_encoded(codec, &out, "{}");
	decode_good(codec, "{\"any\":null}", &out, sizeof(out));
	assert_null(out.any.pairs);
	decode_good(codec, "{\"any\":{ }}", &out, sizeof(out));
	assert_non_null(out.any.pairs);
	assert_int_equal(out.any.count, 0);
	check_encoded(codec, &out, "{\"any\":{}}");
	herald_codec_destroy(codec);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *json;
		enum herald_status status;
		const char *path;
	} rows[] = {
		{"{\"any\":@[]}", HERALD_BAD_TYPE, "/any"},
		{"{\"any\":@\"a\"}", HERALD_BAD_TYPE, "/any"},
		{"{\"any\":{\"a\":1,\"b\":[],@\"a\":{}}}", HERALD_DUPLICATE, "/any/a"},
		{"{\"any\":{\"a\":@01}}", HERALD_BAD_JSON, "/any/a"},
		{"{\"any\":{\"a\":@nonsense}}", HERALD_BAD_JSON, "/any/a"},
		{"{\"any\":{\"a\":{\"b\":[1,@]}}}", HERALD_BAD_JSON, "/any/a/b/1"},
		{"{\"any\":{\"a\":\"@\\u0000\"}}", HERALD_BAD_VALUE, "/any/a"},
		{"{\"any\":{\"@\\u0000\":1}}", HERALD_BAD_VALUE, "/any"},
		{"{\"any\":{\"a\":\"@\xFF\"}}", HERALD_BAD_UTF8, "/any/a"},
		{"{\"any\":{\"a\":[\"@\xFF\"]}}", HERALD_BAD_UTF8, "/any/a/0"},
	};
	struct herald_codec *codec = decoding_codec(&holder_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		decode_bad(codec, rows[i].json, sizeof(struct holder), rows[i].status,
			   rows[i].path);
	herald_codec_destroy(codec);
}

/* Duplicates are found among few entries and among many, the later one first. */
static void
test_duplicates_among_many(void **state)
{
	struct herald_codec *codec = decoding_codec(&holder_schema, NULL);

	(void)state;
	for (int count = 2; count < 60; count++) {
		char json[2000] = "{\"any\":{", expected[20];
		int again = count * 7 % 11 % (count - 1);
		struct holder out;

		for (int i = 0; i < count; i++)
			sprintf(json + strlen(json), "\"%d\":%d,", i * 31 % 61, i);
		char *end = json + strlen(json);
		strcpy(end - 1, "}}");
		decode_good(codec, json, &out, sizeof(out));
		assert_int_equal(out.any.count, count);
		sprintf(end - 1, ",@\"%d\":true}}", again * 31 % 61);
		sprintf(expected, "/any/%d", again * 31 % 61);
		decode_bad(codec, json, sizeof(struct holder), HERALD_DUPLICATE, expected);
	}
	herald_codec_destroy(codec);
}

static void
test_limits(void **state)
{
	const struct herald_limits limits = {
		.max_depth = 3, .max_key_bytes = 4, .max_string_bytes = 5, .max_list_count = 100};
	struct herald_codec *codec = decoding_codec(&holder_schema, &limits);
	struct herald_codec *counted = decoding_codec(&limited_schema, NULL);
	struct holder out;

	(void)state;
	decode_good(codec, "{\"any\":{\"abcd\":\"12345\",\"b\":[1]}}", &out, sizeof(out));
	decode_bad(codec, "{\"any\":{@\"abcde\":1}}", sizeof(out), HERALD_LIMIT, "/any");
	decode_bad(codec, "{\"any\":{\"a\":@\"123456\"}}", sizeof(out), HERALD_LIMIT, "/any/a");
	decode_bad(codec, "{\"any\":{\"a\":[@[]]}}", sizeof(out), HERALD_LIMIT, "/any/a/0");
	decode_good(counted, "{\"any\":{\"a\":1,\"b\":{}}}", &out, sizeof(out));
	decode_bad(counted, "{\"any\":@{}}", sizeof(out), HERALD_BAD_LENGTH, "/any");
	decode_bad(counted, "{\"any\":{\"a\":1,\"b\":2,@\"c\":3}}", sizeof(out), HERALD_BAD_LENGTH,
		   "/any");
	decode_bad(counted, "{\"any\":@null}", sizeof(out), HERALD_MISSING, "/any");
	herald_codec_destroy(codec);
	herald_codec_destroy(counted);
}

static void
test_what_is_not_encoded(void **state)
{
	static const struct herald_json_pair bad_pairs[][2] = {
		{{.key = "a", .text = "1"}, {.key = NULL, .text = "2"}},
		{{.key = "a", .text = "1"}, {.key = "b"}},
		{{.key = "a", .text = "1"}, {.key = "b", .json = {"nonsense", 8}}},
		{{.key = "a", .text = "1"}, {.key = "b", .json = {"", 0}}},
		{{.key = "a", .text = "1"}, {.key = "a", .json = {"1", 1}}},
		{{.key = "a", .text = "1"}, {.key = "b", .text = "\xFF"}},
	};
	static const struct {
		enum herald_status status;
		const char *path;
	} expected[COUNT(bad_pairs)] = {
		{HERALD_MISSING, "/any"},     {HERALD_MISSING, "/any/b"},
		{HERALD_BAD_JSON, "/any/b"},  {HERALD_BAD_JSON, "/any/b"},
		{HERALD_DUPLICATE, "/any/a"}, {HERALD_BAD_UTF8, "/any/b"},
	};
	struct herald_codec *codec = decoding_codec(&holder_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(bad_pairs); i++) {
		const struct holder in = {{bad_pairs[i], 2}};
		struct herald_buffer out;
		struct herald_error error;

		herald_buffer_init(&out, NULL, 0);
		assert_int_equal(herald_codec_encode(codec, &in, &out, &error), expected[i].status);
		assert_string_equal(error.path, expected[i].path);
		assert_int_equal(out.bytes, 0);
		herald_buffer_finish(&out);
	}
	check_encoded(codec, &(struct holder){{NULL, 0}}, "{}");
	herald_codec_destroy(codec);
}

/* Maps at random, whole and with bytes changed. HERALD_TEST_SEED=N repeats a run. */

struct raw_holder {
	struct herald_json any;
};
HERALD_SCHEMA(raw_holder, HERALD_FIELD(raw_holder, any));

static uint64_t random_state;

static size_t
draw(size_t below)
{
	random_state += HERALD_RANDOM_STEP;
	return (size_t)(herald_random_bits(random_state) % below);
}

static void
append_any_of(char *out, const char *const *texts, size_t count)
{
	strcat(out, texts[draw(count)]);
}

static void
append_blanks(char *out)
{
	static const char *const blanks[] = {"", "", "", " ", "\t\n", "                    "};

	append_any_of(out, blanks, COUNT(blanks));
}

/* Escaped NULs make some maps refused. */
static void
append_string(char *out)
{
	static const char *const parts[] = {
		"a",      "\\n", "\\u00e9",          "\xC3\xA9", "\\ud83d\\ude00", "\\\\", "\\\"",
		"{}[],:", "1",   "0123456789abcdef", "\\/",      "\\u0000",
	};

	strcat(out, "\"");
	for (size_t i = draw(5); i > 0; i--)
		append_any_of(out, parts, COUNT(parts) - (draw(20) > 0));
	strcat(out, "\"");
}

static void
append_value(char *out, size_t depth)
{
	static const char *const scalars[] = {
		"0", "-0", "2.50", "1e9", "-12345678901234567890.125E-300", "true", "false", "null",
	};
	size_t choice = draw(depth > 0 ? 4 : 2);

	append_blanks(out);
	if (choice == 0) {
		append_any_of(out, scalars, COUNT(scalars));
	} else if (choice == 1) {
		append_string(out);
	} else {
		strcat(out, choice == 2 ? "[" : "{");
		for (size_t i = 0, count = draw(4); i < count; i++) {
			strcat(out, i > 0 ? "," : "");
			if (choice == 3) {
				append_string(out);
				strcat(out, ":");
			}
			append_value(out, depth - 1);
		}
		strcat(out, choice == 2 ? "]" : "}");
	}
	append_blanks(out);
}

/* One byte is another one, too many or missing, or all behind it is missing. */
static void
damage(char *text)
{
	static const char bytes[] = "\"\\{}[]:,0159.eE+-tfnu \t\x01\x7F\xFF\xC3";
	size_t length = strlen(text), at = draw(length);
	char byte = bytes[draw(sizeof(bytes) - 1)];

	switch (draw(4)) {
	case 0:
		text[at] = byte;
		break;
	case 1:
		memmove(text + at + 1, text + at, length + 1 - at);
		text[at] = byte;
		break;
	case 2:
		memmove(text + at, text + at + 1, length - at);
		break;
	default:
		text[at] = '\0';
	}
}

static bool
is_same_pair(const struct herald_json_pair *a, const struct herald_json_pair *b)
{
	return strcmp(a->key, b->key) == 0 && !a->text == !b->text &&
	       (!a->text || strcmp(a->text, b->text) == 0) && a->json.bytes == b->json.bytes &&
	       (!a->json.data || memcmp(a->json.data, b->json.data, a->json.bytes) == 0);
}

/* What a map was decoded to is encoded to JSON that is decoded to the same. */
static void
check_round_trip(const struct herald_codec *codec, const struct holder *first, const char *json)
{
	struct herald_arena *arena;
	struct herald_buffer out;
	struct holder second;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	if (herald_codec_encode(codec, first, &out, &error) != HERALD_OK)
		fail_msg("%s: not encoded: %s, at %s", json, error.message, error.path);
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	if (herald_codec_decode(codec, out.data, out.bytes, arena, &second, &error) != HERALD_OK)
		fail_msg("%s: not decoded again: %s, at %s", json, error.message, error.path);
	assert_int_equal(second.any.count, first->any.count);
	for (size_t i = 0; i < first->any.count; i++)
		if (!is_same_pair(&first->any.pairs[i], &second.any.pairs[i]))
			fail_msg("%s: entry %zu is another one", json, i);
	herald_arena_destroy(arena);
	herald_buffer_finish(&out);
}

/* A text that is not JSON is not a map either. */
static void
check_random_map(const struct herald_codec *codec, const struct herald_codec *raw_codec,
		 const char *json, size_t *decoded, size_t *refused)
{
	struct holder map;
	struct raw_holder raw;
	struct herald_error error;

	bool is_json =
		decode_bytes(raw_codec, json, strlen(json), &raw, sizeof(raw), &error) == HERALD_OK;
	enum herald_status status =
		decode_bytes(codec, json, strlen(json), &map, sizeof(map), &error);
	if (status == HERALD_OK && !is_json)
		fail_msg("decoded, but is not JSON: %s", json);
	if (status != HERALD_OK && is_json && status != HERALD_BAD_TYPE &&
	    status != HERALD_DUPLICATE && status != HERALD_BAD_VALUE)
		fail_msg("%s: %s, at %s", json, error.message, error.path);
	++*(status == HERALD_OK ? decoded : refused);
	if (status == HERALD_OK)
		check_round_trip(codec, &map, json);
}

static void
test_at_random(void **state)
{
	enum { MAPS = 3000, ROOM = 65536 };
	static char json[ROOM];
	const char *given = getenv("HERALD_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	struct herald_codec *codec = decoding_codec(&holder_schema, NULL);
	struct herald_codec *raw_codec = decoding_codec(&raw_holder_schema, NULL);
	size_t decoded = 0, refused = 0;

	(void)state;
	fprintf(stderr, "HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	random_state = seed;
	for (size_t i = 0; i < MAPS; i++) {
		strcpy(json, "{\"any\":{");
		for (size_t j = 0, count = draw(20); j < count; j++) {
			strcat(json, j > 0 ? "," : "");
			append_string(json);
			strcat(json, ":");
			append_value(json, 3);
		}
		strcat(json, "}}");
		if (i % 2 == 1)
			damage(json);
		check_random_map(codec, raw_codec, json, &decoded, &refused);
	}
	assert_true(decoded > MAPS / 10);
	assert_true(refused > MAPS / 10);
	herald_codec_destroy(codec);
	herald_codec_destroy(raw_codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),    cmocka_unit_test(test_without_entries),
		cmocka_unit_test(test_refused),   cmocka_unit_test(test_duplicates_among_many),
		cmocka_unit_test(test_limits),    cmocka_unit_test(test_what_is_not_encoded),
		cmocka_unit_test(test_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, decoding_finish);
}
