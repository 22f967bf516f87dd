/*
 * HERALD_KIND_JSON_MAP, an object of any values: what each becomes, which are refused and where, and that what
 * was decoded is encoded as it was. As a map it is tested with the others too: test_decode_errors.c has its
 * syntax, every_kind.c its random values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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
HERALD_SCHEMA(limited, HERALD_FIELD(limited, any, .required = true, .min_count = 1, .max_count = 2));

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),  cmocka_unit_test(test_without_entries),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_duplicates_among_many),
		cmocka_unit_test(test_limits),  cmocka_unit_test(test_what_is_not_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, decoding_finish);
}
