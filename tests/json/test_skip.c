/*
 * Unknown members: usual values are skipped on the fast path, all others are read again by
 * herald__skip_value(), whose calls are counted here (it is linked with --wrap). What is skipped is
 * checked in test_json_suite.c and test_decode_errors.c too.
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

#include "support/decoding.h"
#include "support/draw.h"
#include "support/every_kind.h"
#include "json/reader/scan.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct known {
	int32_t known;
};
HERALD_SCHEMA(known, HERALD_FIELD(known, known));

char *real_skip_value(struct herald__reader *reader, char *at) __asm__("__real_herald__skip_value");
char *
counting_skip_value(struct herald__reader *reader, char *at) __asm__("__wrap_herald__skip_value");

static size_t calls;

char *
counting_skip_value(struct herald__reader *reader, char *at)
{
	calls++;
	return real_skip_value(reader, at);
}

static void
check(const char *value, size_t expected_calls, enum herald_status expected)
{
	static const struct herald_limits limits = {
		.max_depth = 4, .max_key_bytes = 8, .max_string_bytes = 16};
	struct herald_codec *codec = decoding_codec(&known_schema, &limits);
	struct herald_arena *arena = decoding_arena();
	struct known known;
	struct herald_error error = {0};
	char text[256];
	int bytes = snprintf(text, sizeof(text), "{\"other\":%s,\"known\":7}", value);

	calls = 0;
	enum herald_status status =
		herald_codec_decode(codec, text, (size_t)bytes, arena, &known, &error);
	if (status != expected)
		fail_msg("%s: %s: %s", value, herald_status_name(status), error.message);
	if (calls != expected_calls)
		fail_msg("%s: %zu calls", value, calls);
	if (status == HERALD_OK)
		assert_int_equal(known.known, 7);
	herald_codec_destroy(codec);
}

static void
test_usual_values(void **state)
{
	static const char *const values[] = {
		"0",
		"-0",
		"7",
		"-12",
		"1234567890123456789012",
		"0.5",
		"-1.25",
		"10.0",
		"1e5",
		"0e0",
		"1E5",
		"1e+5",
		"1E-05",
		"-1.5e10",
		"9.09e-99",
		"true",
		"false",
		"null",
		"\"\"",
		"\"a\"",
		"\"sixteen bytes is\"",
		"\"\\\"\\\\\\n\"",
		"\"\\u00e4\"",
		"\"\xC3\xA4\"",
		"[]",
		"[ ]",
		"{}",
		"{ }",
		"[1]",
		"[1,2]",
		"[ 1 , \"a\" , null ]",
		"{\"a\":1}",
		"{ \"a\" : 1 , \"b\" : [ true ] }",
		"{\"\":{}}",
		"{\"a\":{\"b\":[]}}",
		"[[[]]]",
		"{\"a\":{\"b\":{}}}",
		"[{},[],{\"a\":[]}]",
		"{\"eight by\":0}",
		"[\r\n\t 1 ]",
		"[-1,0.5,1e1]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		check(values[i], 0, HERALD_OK);
}

static void
test_other_values(void **state)
{
	static const struct {
		const char *value;
		enum herald_status status;
	} rows[] = {
		{"01", HERALD_BAD_JSON},
		{"-", HERALD_BAD_JSON},
		{"-01", HERALD_BAD_JSON},
		{"1.", HERALD_BAD_JSON},
		{".5", HERALD_BAD_JSON},
		{"1.e5", HERALD_BAD_JSON},
		{"1e", HERALD_BAD_JSON},
		{"1e+", HERALD_BAD_JSON},
		{"1e+-1", HERALD_BAD_JSON},
		{"+1", HERALD_BAD_JSON},
		{"tru", HERALD_BAD_JSON},
		{"fals", HERALD_BAD_JSON},
		{"nul", HERALD_BAD_JSON},
		{"True", HERALD_BAD_JSON},
		{"'a'", HERALD_BAD_JSON},
		{"\"\\x\"", HERALD_BAD_JSON},
		{"[1 2]", HERALD_BAD_JSON},
		{"[1,]", HERALD_BAD_JSON},
		{"[,]", HERALD_BAD_JSON},
		{"[1}", HERALD_BAD_JSON},
		{"{\"a\":1]", HERALD_BAD_JSON},
		{"{\"a\"}", HERALD_BAD_JSON},
		{"{\"a\" 1}", HERALD_BAD_JSON},
		{"{\"a\":}", HERALD_BAD_JSON},
		{"{a:1}", HERALD_BAD_JSON},
		{"{1:2}", HERALD_BAD_JSON},
		{"{\"a\":1,}", HERALD_BAD_JSON},
		{"{,}", HERALD_BAD_JSON},
		{"[[[[]]]]", HERALD_LIMIT},
		{"{\"a\":{\"b\":{\"c\":{}}}}", HERALD_LIMIT},
		{"{\"nine byte\":0}", HERALD_LIMIT},
		{"\"seventeen bytes !\"", HERALD_LIMIT},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].value, 1, rows[i].status);
}

/* Values that are deeper and longer than the words and windows that the fast path works with. */
struct kept {
	struct herald_json json;
	int32_t known;
};
HERALD_SCHEMA(kept, HERALD_FIELD(kept, json), HERALD_FIELD(kept, known));

/* A random value, which is written to `out`, of at most `levels`. Returns the
 * length. */
static size_t
draw_value(struct every_random *random, char *out, size_t levels)
{
	static const char *const spaces[] = {"",
					     "",
					     "",
					     " ",
					     "\n",
					     "\n  ",
					     "\r\n\t",
					     "\n                "
					     "                                    "
					     "                        "};
	static const char *const scalars[] = {
		"0",
		"-1.5e3",
		"12345678901",
		"true",
		"false",
		"null",
		"[]",
		"{ }",
		"\"\"",
		"\"\\n\"",
		"\"a\"",
		"\"\xC3\xA4\"",
		"\"sixty-two bytes are one less than a window and its opening quote\"",
		"\"more than a window: sixty-four bytes are scanned at a time, one bit for each\""};
	const char *space = spaces[every_random_below(random, COUNT(spaces))];
	size_t count = 1 + every_random_below(random, 5), bytes = 0;
	bool object = every_random_below(random, 2) != 0;
	size_t deep = every_random_below(random, count); /* goes on to the bottom */

	if (levels == 0)
		return (size_t)sprintf(out, "%s",
				       scalars[every_random_below(random, COUNT(scalars))]);
	bytes += (size_t)sprintf(out, "%c", object ? '{' : '[');
	for (size_t i = 0; i < count; i++) {
		bytes += (size_t)sprintf(out + bytes, "%s%s", i > 0 ? "," : "", space);
		if (object)
			bytes += (size_t)sprintf(out + bytes, "\"%.*s\":%s",
						 (int)every_random_below(random, 80),
						 "a name, which may be longer than a window of "
						 "sixty-four bytes is, or may be empty",
						 every_random_below(random, 2) ? " " : "");
		bytes += draw_value(random, out + bytes, i == deep ? levels - 1 : 0);
	}
	return bytes + (size_t)sprintf(out + bytes, "%s%c", space, object ? '}' : ']');
}

/* Decode the value as an unknown member, and as raw JSON. */
static void
check_kept(const char *value, size_t bytes, size_t max_depth, enum herald_status expected)
{
	const struct herald_limits limits = {.max_depth = max_depth};
	struct herald_codec *codec = decoding_codec(&kept_schema, &limits);
	struct herald_error error = {0};

	for (int known = 0; known < 2; known++) {
		char *text = malloc(bytes + 64);
		struct kept kept;

		assert_non_null(text);
		size_t length = (size_t)sprintf(text, "{\"%s\":%s ,\"known\":7}",
						known ? "json" : "other", value);
		enum herald_status status =
			herald_codec_decode(codec, text, length, decoding_arena(), &kept, &error);
		if (status != expected)
			fail_msg("%s, byte %zu of %zu: %s", error.path, error.offset, length,
				 error.message);
		if (status == HERALD_OK)
			assert_int_equal(kept.known, 7);
		if (status == HERALD_OK && known)
			assert_int_equal(kept.json.bytes, bytes);
		herald_arena_reset(decoding_arena());
		free(text);
	}
	herald_codec_destroy(codec);
}

/* As deep as allowed, and one level deeper. */
static void
test_depths(void **state)
{
	(void)state;
	for (size_t depth = 60; depth <= 200; depth++) {
		char value[512] = "";

		memset(value, '[', depth);
		memset(value + depth, ']', depth);
		calls = 0;
		check_kept(value, 2 * depth, depth + 1, HERALD_OK);
		assert_int_equal(calls, 0);
		check_kept(value, 2 * depth, depth, HERALD_LIMIT);
	}
}

static void
test_drawn_values(void **state)
{
	struct every_random random = {draw_seed()};
	char *value = malloc(1 << 20);

	(void)state;
	assert_non_null(value);
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)random.state);
	for (size_t i = 0; i < 500; i++) {
		size_t bytes = draw_value(&random, value, every_random_below(&random, 200));

		calls = 0;
		check_kept(value, bytes, 1024, HERALD_OK);
		if (calls > 0)
			fail_msg("%zu calls for %s", calls, value);
		/* With the wrong bracket at its end. */
		if (value[0] != '{' && value[0] != '[')
			continue;
		value[bytes - 1] ^= '}' ^ ']';
		check_kept(value, bytes, 1024, HERALD_BAD_JSON);
		value[bytes - 1] ^= '}' ^ ']';
	}
	free(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual_values),
		cmocka_unit_test(test_other_values),
		cmocka_unit_test(test_depths),
		cmocka_unit_test(test_drawn_values),
	};

	return cmocka_run_group_tests_name("skip", tests, NULL, decoding_finish);
}
