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
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual_values),
		cmocka_unit_test(test_other_values),
	};

	return cmocka_run_group_tests_name("skip", tests, NULL, decoding_finish);
}
