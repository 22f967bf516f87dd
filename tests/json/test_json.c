/*
 * herald/json.h: types, walks, look-ups and scalars of raw JSON, valid and not. Random documents
 * are compared with jansson; HERALD_TEST_SEED repeats a run. Decoding raw JSON in a service is
 * tested in test_raw_json.c.
 */
#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <herald/json.h>

#include "support/draw.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static struct herald_arena *arena;

static int
setup(void **state)
{
	(void)state;
	return herald_arena_create(NULL, 0, &arena) == HERALD_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	herald_arena_destroy(arena);
	return 0;
}

static struct herald_json
raw(const char *text)
{
	return (struct herald_json){text, strlen(text)};
}

static void
assert_text(const struct herald_json *json, const char *expected)
{
	if (!json->data || json->bytes != strlen(expected) ||
	    memcmp(json->data, expected, json->bytes) != 0)
		fail_msg("expected %s, found %.*s", expected, (int)json->bytes,
			 json->data ? json->data : "");
}

static void
test_types(void **state)
{
	static const struct {
		const char *json;
		enum herald_json_type type;
	} rows[] = {
		{"null", HERALD_JSON_NULL},   {"true", HERALD_JSON_BOOL},
		{"false", HERALD_JSON_BOOL},  {"0", HERALD_JSON_NUMBER},
		{"-1", HERALD_JSON_NUMBER},   {"9", HERALD_JSON_NUMBER},
		{"\"\"", HERALD_JSON_STRING}, {"[]", HERALD_JSON_ARRAY},
		{"{}", HERALD_JSON_OBJECT},   {"", HERALD_JSON_NONE},
		{"NaN", HERALD_JSON_NONE},    {"+1", HERALD_JSON_NONE},
		{" 1", HERALD_JSON_NONE},     {"/", HERALD_JSON_NONE},
		{":", HERALD_JSON_NONE},
	};
	const struct herald_json none = {NULL, 0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_json json = raw(rows[i].json);

		assert_int_equal(herald_json_type_of(&json), rows[i].type);
	}
	assert_int_equal(herald_json_type_of(&none), HERALD_JSON_NONE);
}

static void
test_check(void **state)
{
	static const struct {
		const char *text, *value;
		enum herald_status status;
		const char *path;
		size_t offset;
	} rows[] = {
		{"1", "1", HERALD_OK, "", 0},
		{" \r\n\t{\"a\": [1, null]} ", "{\"a\": [1, null]}", HERALD_OK, "", 0},
		{"\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\"", HERALD_OK, "", 0},
		{"", NULL, HERALD_BAD_JSON, "", 0},
		{"  ", NULL, HERALD_BAD_JSON, "", 2},
		{"1 2", NULL, HERALD_BAD_JSON, "", 2},
		{"01", NULL, HERALD_BAD_JSON, "", 0},
		{"[1,]", NULL, HERALD_BAD_JSON, "/1", 3},
		{"{\"a\":{\"b\":[0,tru]}}", NULL, HERALD_BAD_JSON, "/a/b/1", 13},
		{"[\"\xFF\"]", NULL, HERALD_BAD_UTF8, "/0", 2},
		{"[[[[1]]]]", NULL, HERALD_LIMIT, "/0/0/0", 3},
		{"{\"abcde\":1}", NULL, HERALD_LIMIT, "", 1},
		{"\"abcdef\"", NULL, HERALD_LIMIT, "", 0},
	};
	const struct herald_limits limits = {
		.max_depth = 3, .max_key_bytes = 4, .max_string_bytes = 12};
	const struct herald_limits small = {.max_string_bytes = 5};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_json json = raw("untouched");
		struct herald_error error;
		bool is_last = i == COUNT(rows) - 1;
		enum herald_status status =
			herald_json_check(rows[i].text, strlen(rows[i].text),
					  is_last ? &small : &limits, &json, &error);

		if (status != rows[i].status)
			fail_msg("%s: %s", rows[i].text, herald_status_name(status));
		assert_text(&json, rows[i].value ? rows[i].value : "untouched");
		if (status == HERALD_OK)
			continue;
		assert_string_equal(error.path, rows[i].path);
		assert_int_equal(error.offset, rows[i].offset);
		assert_int_equal(herald_json_check(rows[i].text, strlen(rows[i].text),
						   is_last ? &small : &limits, &json, NULL),
				 status);
	}
}

static void
test_check_limits(void **state)
{
	const struct herald_limits deep = {.max_depth = 1025};
	struct herald_json json;
	struct herald_error error;
	char text[200];

	(void)state;
	assert_int_equal(herald_json_check(NULL, 0, NULL, &json, &error), HERALD_BAD_JSON);
	assert_int_equal(herald_json_check("1", 1, &deep, &json, &error), HERALD_BAD_OPTION);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(herald_json_check(text + 1, 128, NULL, &json, &error), HERALD_OK);
	assert_int_equal(herald_json_check(text, 130, NULL, &json, &error), HERALD_LIMIT);
	assert_int_equal(error.offset, 64);
}

/* "name:value " of each item; an element has no name. */
static void
walk_to(const struct herald_json *json, char *out, size_t size)
{
	struct herald_json_walk walk;
	size_t index = 0, bytes = 0;

	herald_json_walk_init(&walk, json);
	while (herald_json_walk_next(&walk)) {
		assert_int_equal(walk.index, index++);
		bytes +=
			(size_t)snprintf(out + bytes, size - bytes, "%.*s=%.*s ",
					 (int)walk.name.bytes, walk.name.data ? walk.name.data : "",
					 (int)walk.value.bytes, walk.value.data);
	}
	assert_false(herald_json_walk_next(&walk));
	assert_int_equal(herald_json_count(json), index);
	out[bytes] = '\0';
}

static void
test_walks(void **state)
{
	static const struct {
		const char *json, *items;
	} rows[] = {
		{"[]", ""},
		{"{}", ""},
		{"[ ]", ""},
		{"{ }", ""},
		{"[1]", "=1 "},
		{"[ 1 , \"a,]\" , {\"x\":[1,2]} , null ]", "=1 =\"a,]\" ={\"x\":[1,2]} =null "},
		{"{\"a\":1}", "\"a\"=1 "},
		{"{ \"a\" : 1 , \"b\\\"\" : [ 2 ] }", "\"a\"=1 \"b\\\"\"=[ 2 ] "},
		{"{\"a\":1,\"a\":2,\"\":\"\"}", "\"a\"=1 \"a\"=2 \"\"=\"\" "},
		{"[[],{},[[]]]", "=[] ={} =[[]] "},
		/* Neither an object nor an array. */
		{"1", ""},
		{"\"[1]\"", ""},
		{"null", ""},
		{"", ""},
		/* Not valid: anything but a byte outside, and an end. */
		{"[", ""},
		{"[1", "=1 "},
		{"[1 2]", "=1 "},
		{"[,]", ""},
		{"[1,,2]", "=1 "},
		{"{\"a\"}", ""},
		{"{\"a\":}", ""},
		{"{\"a\":1,2}", "\"a\"=1 "},
		{"{a:1}", ""},
		{"{\"a\":[1}", "\"a\"=[1} "},
		{"[\"a]", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t bytes = strlen(rows[i].json);
		char *block = malloc(bytes ? bytes : 1), items[200];

		assert_non_null(block);
		memcpy(block, rows[i].json, bytes);
		walk_to(&(struct herald_json){block, bytes}, items, sizeof(items));
		assert_string_equal(items, rows[i].items);
		free(block);
	}
}

static void
test_find(void **state)
{
	/* The value; or the error, its path, and its offset, which '@' marks: it is not part of the
	 * document. */
	static const struct {
		const char *json, *pointer, *value;
		enum herald_status status;
		const char *path;
	} rows[] = {
		{"{\"a\":1}", "", "{\"a\":1}", HERALD_OK, NULL},
		{"7", "", "7", HERALD_OK, NULL},
		{"{\"a\":1}", "/a", "1", HERALD_OK, NULL},
		{"{\"a\":{\"b\":[0,{\"c\":\"x\"}]}}", "/a/b/1/c", "\"x\"", HERALD_OK, NULL},
		{"{\"a/b\":1,\"m~n\":2,\"~1\":3}", "/m~0n", "2", HERALD_OK, NULL},
		{"{\"a/b\":1,\"m~n\":2,\"~1\":3}", "/a~1b", "1", HERALD_OK, NULL},
		{"{\"a/b\":1,\"m~n\":2,\"~1\":3}", "/~01", "3", HERALD_OK, NULL},
		{"{\"\\u0061\\/b\":1}", "/a~1b", "1", HERALD_OK, NULL},
		{"{\"\\ud83d\\ude00\":1}", "/\xF0\x9F\x98\x80", "1", HERALD_OK, NULL},
		{"{\"\\ud83d\":1}", "/\xEF\xBF\xBD", "1", HERALD_OK, NULL},
		{"{\"\":{\"\":2}}", "//", "2", HERALD_OK, NULL},
		{"{\"0\":5}", "/0", "5", HERALD_OK, NULL},
		{"[1,2,3]", "/2", "3", HERALD_OK, NULL},
		{"{\"b\":1,\"b\":2,\"a\":3}", "/a", "3", HERALD_OK, NULL},
		{"@{\"a\":1}", "/b", NULL, HERALD_MISSING, "/b"},
		{"{\"a\":@{}}", "/a/b/c", NULL, HERALD_MISSING, "/a/b"},
		{"{\"a\":@1}", "/a/b", NULL, HERALD_MISSING, "/a/b"},
		{"{\"a\":@[1]}", "/a/1", NULL, HERALD_MISSING, "/a/1"},
		{"@[1]", "/-", NULL, HERALD_MISSING, "/-"},
		{"@[1]", "/00", NULL, HERALD_MISSING, "/00"},
		{"@{\"a\":1}", "/\n\"~1", NULL, HERALD_MISSING, "/\\n\\\"~1"},
		{"{\"a\":1,@\"a\":2}", "/a", NULL, HERALD_DUPLICATE, "/a"},
		{"{\"x\":{\"a\":{\"b\":1},\"c\":[],@\"\\u0061\":2}}", "/x/a/b", NULL,
		 HERALD_DUPLICATE, "/x/a"},
		{"{\"a\":1}", "a", NULL, HERALD_BAD_VALUE, ""},
		{"{\"a\":1}", "/~", NULL, HERALD_BAD_VALUE, ""},
		{"{\"a\":1}", "/~2", NULL, HERALD_BAD_VALUE, ""},
		{"{\"a\":1}", "/\xFF", NULL, HERALD_BAD_VALUE, ""},
		{"", "/a", NULL, HERALD_MISSING, ""},
		{"{\"a\":@[1,", "/a", NULL, HERALD_BAD_JSON, "/a"},
		{"{\"a\":@}", "/a", NULL, HERALD_BAD_JSON, "/a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *mark = strchr(rows[i].json, '@');
		size_t before = mark ? (size_t)(mark - rows[i].json) : strlen(rows[i].json);
		char json[100];
		struct herald_json found = raw("untouched");
		struct herald_error error;

		memcpy(json, rows[i].json, before);
		strcpy(json + before, mark ? mark + 1 : "");
		struct herald_json document = raw(json);
		enum herald_status status =
			herald_json_find(&document, rows[i].pointer, &found, &error);
		if (status != rows[i].status)
			fail_msg("%s at %s: %s", json, rows[i].pointer, herald_status_name(status));
		assert_text(&found, rows[i].value ? rows[i].value : "untouched");
		if (status == HERALD_OK)
			continue;
		assert_string_equal(error.path, rows[i].path);
		assert_int_equal(error.offset, mark ? before : HERALD_NO_OFFSET);
		assert_int_equal(herald_json_find(&document, rows[i].pointer, &found, NULL),
				 status);
	}
	/* The output may be the input. */
	struct herald_json json = raw("{\"a\":[5]}");
	assert_int_equal(herald_json_find(&json, "/a", &json, NULL), HERALD_OK);
	assert_int_equal(herald_json_find(&json, "/0", &json, NULL), HERALD_OK);
	assert_text(&json, "5");
}

static void
test_messages_of_find(void **state)
{
	struct herald_json json = raw("{\"a\":{\"b\":1,\"b\":2}}");
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_json_find(&json, "/a/c", &json, &error), HERALD_MISSING);
	assert_string_equal(error.message, "c is missing");
	assert_int_equal(herald_json_find(&json, "/a/b", &json, &error), HERALD_DUPLICATE);
	assert_string_equal(error.message, "b is a duplicate member");
}

/* In a block of its own, so that ASan sees every byte read too much. */
static struct herald_json
copy(const char *text, char **block)
{
	size_t bytes = strlen(text);

	*block = malloc(bytes ? bytes : 1);
	assert_non_null(*block);
	memcpy(*block, text, bytes);
	return (struct herald_json){*block, bytes};
}

static void
test_bools(void **state)
{
	static const struct {
		const char *json;
		enum herald_status status;
		bool value;
	} rows[] = {
		{"true", HERALD_OK, true},
		{"false", HERALD_OK, false},
		{"null", HERALD_BAD_TYPE, false},
		{"1", HERALD_BAD_TYPE, false},
		{"\"true\"", HERALD_BAD_TYPE, false},
		{"tru", HERALD_BAD_JSON, false},
		{"truex", HERALD_BAD_JSON, false},
		{"t", HERALD_BAD_JSON, false},
		{"x", HERALD_BAD_JSON, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool value = !rows[i].value;
		char *block;
		struct herald_json json = copy(rows[i].json, &block);

		assert_int_equal(herald_json_read_bool(&json, &value), rows[i].status);
		assert_int_equal(value,
				 rows[i].status == HERALD_OK ? rows[i].value : !rows[i].value);
		free(block);
	}
}

static void
test_integers(void **state)
{
	static const struct {
		const char *json;
		enum herald_status of_int64, of_uint64;
		uint64_t value; /* as a uint64_t */
	} rows[] = {
		{"0", HERALD_OK, HERALD_OK, 0},
		{"-0", HERALD_OK, HERALD_OK, 0},
		{"42", HERALD_OK, HERALD_OK, 42},
		{"-42", HERALD_OK, HERALD_OUT_OF_RANGE, (uint64_t)-42},
		{"9223372036854775807", HERALD_OK, HERALD_OK, INT64_MAX},
		{"9223372036854775808", HERALD_OUT_OF_RANGE, HERALD_OK, (uint64_t)INT64_MAX + 1},
		{"-9223372036854775808", HERALD_OK, HERALD_OUT_OF_RANGE, (uint64_t)INT64_MIN},
		{"-9223372036854775809", HERALD_OUT_OF_RANGE, HERALD_OUT_OF_RANGE, 0},
		{"18446744073709551615", HERALD_OUT_OF_RANGE, HERALD_OK, UINT64_MAX},
		{"18446744073709551616", HERALD_OUT_OF_RANGE, HERALD_OUT_OF_RANGE, 0},
		{"-99999999999999999999999999999", HERALD_OUT_OF_RANGE, HERALD_OUT_OF_RANGE, 0},
		{"1.0", HERALD_BAD_TYPE, HERALD_BAD_TYPE, 0},
		{"1e2", HERALD_BAD_TYPE, HERALD_BAD_TYPE, 0},
		{"1E2", HERALD_BAD_TYPE, HERALD_BAD_TYPE, 0},
		{"null", HERALD_BAD_TYPE, HERALD_BAD_TYPE, 0},
		{"\"1\"", HERALD_BAD_TYPE, HERALD_BAD_TYPE, 0},
		{"[1]", HERALD_BAD_TYPE, HERALD_BAD_TYPE, 0},
		{"01", HERALD_BAD_JSON, HERALD_BAD_JSON, 0},
		{"-", HERALD_BAD_JSON, HERALD_BAD_JSON, 0},
		{"1x", HERALD_BAD_JSON, HERALD_BAD_JSON, 0},
		{"1 ", HERALD_BAD_JSON, HERALD_BAD_JSON, 0},
		{"1.", HERALD_BAD_JSON, HERALD_BAD_JSON, 0},
		{"", HERALD_BAD_JSON, HERALD_BAD_JSON, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t integer = 7;
		uint64_t natural = 7;
		char *block;
		struct herald_json json = copy(rows[i].json, &block);
		enum herald_status of_int64 = herald_json_read_int64(&json, &integer);
		enum herald_status of_uint64 = herald_json_read_uint64(&json, &natural);

		if (of_int64 != rows[i].of_int64 || of_uint64 != rows[i].of_uint64)
			fail_msg("%s: %s, %s", rows[i].json, herald_status_name(of_int64),
				 herald_status_name(of_uint64));
		assert_true((uint64_t)integer == (of_int64 == HERALD_OK ? rows[i].value : 7));
		assert_true(natural == (of_uint64 == HERALD_OK ? rows[i].value : 7));
		free(block);
	}
}

/* As in the C locale and rounded to nearest, whatever the process has. */
static double
reference_double(const char *text)
{
	int rounding = fegetround();
	locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	assert_true(locale != (locale_t)0);
	fesetround(FE_TONEAREST);
	double value = strtod_l(text, NULL, locale);
	fesetround(rounding);
	freelocale(locale);
	return value;
}

static void
check_double(const char *text)
{
	double value = 7, expected = reference_double(text);
	char *block;
	struct herald_json json = copy(text, &block);
	enum herald_status status = herald_json_read_double(&json, &value);

	if (expected > 1.7976931348623157e308 || expected < -1.7976931348623157e308)
		assert_int_equal(status, HERALD_OUT_OF_RANGE);
	else if (status != HERALD_OK || value != expected || signbit(value) != signbit(expected))
		fail_msg("%s: %a, expected %a", text, value, expected);
	free(block);
}

static void
test_doubles(void **state)
{
	static const char *const texts[] = {
		"0",
		"-0",
		"-0.0",
		"1",
		"0.1",
		"1.5e3",
		"1E-5",
		"123456789012345678901234567890",
		"1e308",
		"1.7976931348623157e308",
		"1.7976931348623159e308",
		"1e309",
		"-1e400",
		"5e-324",
		"2e-324",
		"1e-400",
		"1e99999999999999999999",
		"0e99999999999999999999",
		"9007199254740993",
		"9007199254740992.9999999999999999999999999999999999999",
	};
	static const struct {
		const char *json;
		enum herald_status status;
	} wrong[] = {
		{"\"1\"", HERALD_BAD_TYPE}, {"null", HERALD_BAD_TYPE}, {"1.", HERALD_BAD_JSON},
		{"1e", HERALD_BAD_JSON},    {".5", HERALD_BAD_JSON},   {"01", HERALD_BAD_JSON},
		{"1e5 ", HERALD_BAD_JSON},  {"-", HERALD_BAD_JSON},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		check_double(texts[i]);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct herald_json json = raw(wrong[i].json);
		double value = 7;

		assert_int_equal(herald_json_read_double(&json, &value), wrong[i].status);
		assert_true(value == 7);
	}
}

/* Numbers longer than what is copied as it is: digits before, after, and far from the point. */
static void
test_long_doubles(void **state)
{
	uint64_t seed = draw_seed(), random = seed;
	static char text[5000];

	(void)state;
	fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 3000; round++) {
		size_t digits = 700 + draw_below(&random, 900), at = 0;
		size_t point = draw_below(&random, digits + 1);
		bool halfway = draw_one_in(&random, 2);

		if (draw_one_in(&random, 4))
			text[at++] = '-';
		/* 2^53 + 1 is halfway between two doubles; whether more follows decides. */
		const char *begin = halfway ? "9007199254740993" : "";
		if (point == 0)
			text[at++] = '0';
		for (size_t i = 0; i < digits; i++) {
			if (i == point)
				text[at++] = '.';
			text[at++] = i < strlen(begin)      ? begin[i]
				     : halfway              ? '0'
				     : i == 0 && i != point ? '1'
							    : (char)('0' + draw_below(&random, 10));
		}
		if (halfway && draw_one_in(&random, 2) && text[at - 1] == '0')
			text[at - 1] = '1';
		if (text[at - 1] == '.')
			text[at++] = '5';
		int exponent =
			(int)draw_below(&random, 800) - 400 - (halfway ? (int)point - 16 : 0);
		snprintf(text + at, sizeof(text) - at, draw_one_in(&random, 2) ? "e%d" : "E%+d",
			 exponent);
		check_double(text);
	}
}

static void
test_strings(void **state)
{
	static const struct {
		const char *json;
		enum herald_status status;
		const char *text;
		size_t bytes;
	} rows[] = {
		{"\"\"", HERALD_OK, "", 0},
		{"\"abc\"", HERALD_OK, "abc", 3},
		{"\"a\\u00e9\\n\\\"\\\\\\/\"", HERALD_OK, "a\xC3\xA9\n\"\\/", 7},
		{"\"\\ud83d\\ude00!\"", HERALD_OK, "\xF0\x9F\x98\x80!", 5},
		{"\"a\\u0000b\"", HERALD_OK, "a\0b", 3},
		{"\"\xE2\x82\xAC\"", HERALD_OK, "\xE2\x82\xAC", 3},
		{"1", HERALD_BAD_TYPE, NULL, 0},
		{"null", HERALD_BAD_TYPE, NULL, 0},
		{"\"", HERALD_BAD_JSON, NULL, 0},
		{"\"a", HERALD_BAD_JSON, NULL, 0},
		{"\"a\" ", HERALD_BAD_JSON, NULL, 0},
		{"\"a\"b\"", HERALD_BAD_JSON, NULL, 0},
		{"\"\\\"", HERALD_BAD_JSON, NULL, 0},
		{"\"\\x\"", HERALD_BAD_JSON, NULL, 0},
		{"\"\\u12\"", HERALD_BAD_JSON, NULL, 0},
		{"\"\\ud800\"", HERALD_OK, "\xEF\xBF\xBD", 3},
		{"\"\\ud800\\ud83d\\ude01a\"", HERALD_OK,
		 "\xEF\xBF\xBD\xF0\x9F\x98\x81"
		 "a",
		 8},
		{"\"\n\"", HERALD_BAD_JSON, NULL, 0},
		{"\"\xFF\"", HERALD_BAD_UTF8, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_text text = {"untouched", 9};
		char *block;
		struct herald_json json = copy(rows[i].json, &block);
		enum herald_status status = herald_json_read_string(&json, arena, &text);

		if (status != rows[i].status)
			fail_msg("%s: %s", rows[i].json, herald_status_name(status));
		assert_int_equal(text.bytes, status == HERALD_OK ? rows[i].bytes : 9);
		if (status == HERALD_OK)
			assert_memory_equal(text.data, rows[i].text, rows[i].bytes + 1);
		assert_memory_equal(json.data, rows[i].json, json.bytes);
		/* Equal to itself only. */
		if (rows[i].text && strlen(rows[i].text) == rows[i].bytes) {
			assert_true(herald_json_string_equals(&json, rows[i].text));
			for (size_t j = 0; j < COUNT(rows); j++)
				assert_int_equal(
					rows[j].text &&
						herald_json_string_equals(&json, rows[j].text),
					rows[j].text && strcmp(rows[i].text, rows[j].text) == 0);
		} else {
			assert_false(herald_json_string_equals(&json, "a"));
			assert_false(herald_json_string_equals(&json, ""));
		}
		free(block);
	}
}

static void
test_nothing(void **state)
{
	const struct herald_json none = {NULL, 0};
	struct herald_json found;
	struct herald_text text;
	int64_t integer;
	uint64_t natural;
	double real;
	bool boolean;

	(void)state;
	assert_int_equal(herald_json_read_bool(&none, &boolean), HERALD_MISSING);
	assert_int_equal(herald_json_read_int64(&none, &integer), HERALD_MISSING);
	assert_int_equal(herald_json_read_uint64(&none, &natural), HERALD_MISSING);
	assert_int_equal(herald_json_read_double(&none, &real), HERALD_MISSING);
	assert_int_equal(herald_json_read_string(&none, arena, &text), HERALD_MISSING);
	assert_int_equal(herald_json_find(&none, "", &found, NULL), HERALD_MISSING);
	assert_false(herald_json_string_equals(&none, ""));
	assert_int_equal(herald_json_count(&none), 0);
}

static void
test_memory_of_strings(void **state)
{
	struct failing_allocator memory;
	struct herald_json json = raw("\"abc\"");
	struct herald_text text = {NULL, 0};
	struct herald_arena *small;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_int_equal(herald_arena_create(&memory.allocator, 32, &small), HERALD_OK);
	memory.mode = FAIL_ONLY;
	memory.fail_at = memory.calls + 1;
	assert_int_equal(herald_json_read_string(&json, small, &text), HERALD_NO_MEMORY);
	assert_int_equal(herald_json_read_string(&json, small, &text), HERALD_OK);
	while (herald_arena_alloc(small, 1))
		continue;
	assert_int_equal(herald_json_read_string(&json, small, &text), HERALD_LIMIT);
	herald_arena_destroy(small);
	assert_all_released(&memory);
}

/* Random documents, compared with jansson. */

struct maker {
	uint64_t random;
	char json[65536];
	size_t bytes;
};

static void
put(struct maker *maker, const char *text)
{
	size_t bytes = strlen(text);

	assert_true(maker->bytes + bytes < sizeof(maker->json));
	memcpy(maker->json + maker->bytes, text, bytes + 1);
	maker->bytes += bytes;
}

static void
put_any(struct maker *maker, const char *const *texts, size_t count)
{
	put(maker, texts[draw_below(&maker->random, count)]);
}

static void
put_space(struct maker *maker)
{
	static const char *const spaces[] = {"", "", "", " ", "\n\t", "\r "};

	put_any(maker, spaces, COUNT(spaces));
}

static void
put_string(struct maker *maker, const char *suffix)
{
	static const char *const parts[] = {
		"a", "xyz", "\\n", "\\\"",    "\\\\",           "\\/",
		"/", "~",   "~1",  "\\u00e9", "\\ud83d\\ude00", "\xE2\x82\xAC",
		"{", "]",   ",",   ":",       "\\u0041",        "0123456789abcdef"};

	put(maker, "\"");
	for (size_t i = draw_below(&maker->random, 4); i > 0; i--)
		put_any(maker, parts, COUNT(parts));
	put(maker, suffix);
	put(maker, "\"");
}

static void
put_value(struct maker *maker, unsigned depth)
{
	static const char *const scalars[] = {"true",
					      "false",
					      "null",
					      "0",
					      "-1",
					      "17",
					      "9223372036854775807",
					      "-9223372036854775808",
					      "0.1",
					      "-2.5e-3",
					      "1E+2",
					      "123456789.123456789"};
	bool object = draw_one_in(&maker->random, 2);
	char suffix[24];

	if (depth == 0 || draw_one_in(&maker->random, 3)) {
		if (draw_one_in(&maker->random, 2))
			put_string(maker, "");
		else
			put_any(maker, scalars, COUNT(scalars));
		return;
	}
	put(maker, object ? "{" : "[");
	put_space(maker);
	for (size_t i = 0, count = draw_below(&maker->random, 5); i < count; i++) {
		put(maker, i > 0 ? "," : "");
		put_space(maker);
		if (object) {
			snprintf(suffix, sizeof(suffix), "%zu", i); /* no two are equal */
			put_string(maker, suffix);
			put_space(maker);
			put(maker, ":");
			put_space(maker);
		}
		put_value(maker, depth - 1);
		put_space(maker);
	}
	put(maker, object ? "}" : "]");
}

static void compare(const struct herald_json *ours, const json_t *theirs);

static void
compare_object(const struct herald_json *ours, const json_t *theirs)
{
	struct herald_json_walk walk;

	herald_json_walk_init(&walk, ours);
	while (herald_json_walk_next(&walk)) {
		struct herald_text name;
		char pointer[400] = "/", *at = pointer + 1;
		struct herald_json found;

		assert_int_equal(herald_json_read_string(&walk.name, arena, &name), HERALD_OK);
		assert_true(herald_json_string_equals(&walk.name, name.data));
		const json_t *theirs_value = json_object_get(theirs, name.data);
		assert_non_null(theirs_value);
		compare(&walk.value, theirs_value);
		for (size_t i = 0; i < name.bytes; i++) {
			if (name.data[i] == '~' || name.data[i] == '/')
				*at++ = '~';
			*at++ = name.data[i] == '~'   ? '0'
				: name.data[i] == '/' ? '1'
						      : name.data[i];
		}
		*at = '\0';
		assert_int_equal(herald_json_find(ours, pointer, &found, NULL), HERALD_OK);
		assert_ptr_equal(found.data, walk.value.data);
		assert_int_equal(found.bytes, walk.value.bytes);
	}
	assert_int_equal(herald_json_count(ours), json_object_size(theirs));
}

static void
compare_array(const struct herald_json *ours, const json_t *theirs)
{
	struct herald_json_walk walk;

	herald_json_walk_init(&walk, ours);
	while (herald_json_walk_next(&walk)) {
		char pointer[24];
		struct herald_json found;

		assert_null(walk.name.data);
		compare(&walk.value, json_array_get(theirs, walk.index));
		snprintf(pointer, sizeof(pointer), "/%zu", walk.index);
		assert_int_equal(herald_json_find(ours, pointer, &found, NULL), HERALD_OK);
		assert_ptr_equal(found.data, walk.value.data);
	}
	assert_int_equal(herald_json_count(ours), json_array_size(theirs));
}

/* A large integer is rounded when it is converted. */
static double
their_number(const json_t *theirs)
{
	int rounding = fegetround();

	fesetround(FE_TONEAREST);
	double value = json_number_value(theirs);
	fesetround(rounding);
	return value;
}

static void
compare(const struct herald_json *ours, const json_t *theirs)
{
	struct herald_text text;
	int64_t integer;
	double real;
	bool boolean;

	switch (herald_json_type_of(ours)) {
	case HERALD_JSON_OBJECT:
		assert_true(json_is_object(theirs));
		compare_object(ours, theirs);
		return;
	case HERALD_JSON_ARRAY:
		assert_true(json_is_array(theirs));
		compare_array(ours, theirs);
		return;
	case HERALD_JSON_STRING:
		assert_int_equal(herald_json_read_string(ours, arena, &text), HERALD_OK);
		assert_int_equal(text.bytes, json_string_length(theirs));
		assert_string_equal(text.data, json_string_value(theirs));
		return;
	case HERALD_JSON_NUMBER:
		assert_int_equal(herald_json_read_double(ours, &real), HERALD_OK);
		assert_true(real == their_number(theirs));
		if (json_is_integer(theirs)) {
			assert_int_equal(herald_json_read_int64(ours, &integer), HERALD_OK);
			assert_true(integer == json_integer_value(theirs));
		} else {
			assert_int_equal(herald_json_read_int64(ours, &integer), HERALD_BAD_TYPE);
		}
		return;
	case HERALD_JSON_BOOL:
		assert_int_equal(herald_json_read_bool(ours, &boolean), HERALD_OK);
		assert_true(json_is_boolean(theirs) && boolean == json_boolean_value(theirs));
		return;
	case HERALD_JSON_NULL:
		assert_true(json_is_null(theirs));
		return;
	default:
		fail_msg("no value: %.*s", (int)ours->bytes, ours->data);
	}
}

static void
test_random_documents(void **state)
{
	uint64_t seed = draw_seed();
	static struct maker maker;

	(void)state;
	fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	maker.random = seed;
	for (int round = 0; round < 3000; round++) {
		struct herald_json ours;
		json_error_t error;
		char *block;

		maker.bytes = 0;
		put_space(&maker);
		put_value(&maker, 5);
		put_space(&maker);
		int rounding = fegetround();
		fesetround(FE_TONEAREST); /* which jansson's numbers depend on */
		json_t *theirs = json_loads(maker.json, JSON_DECODE_ANY, &error);
		fesetround(rounding);
		assert_non_null(theirs);
		struct herald_json document = copy(maker.json, &block);
		assert_int_equal(
			herald_json_check(document.data, document.bytes, NULL, &ours, NULL),
			HERALD_OK);
		compare(&ours, theirs);
		json_decref(theirs);
		free(block);
		herald_arena_reset(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_limits),
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_messages_of_find),
		cmocka_unit_test(test_bools),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_long_doubles),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_memory_of_strings),
		cmocka_unit_test(test_random_documents),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
