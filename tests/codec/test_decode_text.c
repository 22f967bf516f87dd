/*
 * herald_codec_decode(): strings, texts, arrays of char, times and enums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/decode_thing.h"
#include "support/decoding.h"
#include "support/every_kind.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* A string in JSON, and the bytes that it stands for. */
static const struct {
	const char *json, *bytes;
	size_t length;
} strings[] = {
#define STRING(JSON, BYTES)                                                                        \
	{                                                                                          \
		JSON, BYTES, sizeof(BYTES) - 1                                                     \
	}
	STRING("", ""),
	STRING("a", "a"),
	STRING("fifteen bytes..", "fifteen bytes.."),
	STRING("sixteen bytes...", "sixteen bytes..."),
	STRING("seventeen bytes..", "seventeen bytes.."),
	STRING("thirty-two bytes, not one byte le", "thirty-two bytes, not one byte le"),
	STRING("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"),
	STRING("\\u0041\\u00DF\\u6771\\ud800\\udf48", "A\xC3\x9F\xE6\x9D\xB1\xF0\x90\x8D\x88"),
	STRING("\\uD83D\\uDE00", "\xF0\x9F\x98\x80"),
	STRING("\\udbff\\udfff", "\xF4\x8F\xBF\xBF"),
	STRING("\\uD800\\uDC00", "\xF0\x90\x80\x80"),
	STRING("\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud7ff\\ue000",
	       "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80"),
	STRING("\\u0001\\u001f", "\x01\x1F"),
	STRING("a, b and c: \\u6771\\n\\u00df\\uD83D\\uDE00\\u6771\\\\u6771, d",
	       "a, b and c: \xE6\x9D\xB1\n\xC3\x9F\xF0\x9F\x98\x80\xE6\x9D\xB1\\u6771, d"),
	STRING("\\n\\na\\nab\\nabc\\nabcd\\nabcde\\n", "\n\na\nab\nabc\nabcd\nabcde\n"),
	STRING("\x7F", "\x7F"),
	STRING("/", "/"),
	STRING("\\\\u0041", "\\u0041"),
	STRING("\\\\", "\\"),
	STRING("\\\"", "\""),
	STRING("ends with one\\\\", "ends with one\\"),
	STRING("\\\"begins with one", "\"begins with one"),
	STRING("\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
	       "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
	STRING("\xEF\xBB\xBF within a string", "\xEF\xBB\xBF within a string"),
	STRING("plain, plain, plain, plain, \\n, plain, plain, plain, plain, plain, \xC3\xA9.",
	       "plain, plain, plain, plain, \n, plain, plain, plain, plain, plain, \xC3\xA9."),
	STRING("}{][,:", "}{][,:"),
};

static void
test_strings(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	/* Each at every distance from the document's beginning and end. */
	for (size_t i = 0; i < COUNT(strings); i++)
		for (int before = 0; before < 34; before++)
			for (int after = 0; after < 18; after += before % 2 ? 17 : 1) {
				struct thing out;
				char text[400];

				snprintf(text, sizeof(text),
					 "{%*s\"string\":\"%s\",\"text\":\"%s\"%*s}", before, "",
					 strings[i].json, strings[i].json, after, "");
				decode_good(codec, text, &out, sizeof(out));
				assert_int_equal(strlen(out.string), strings[i].length);
				assert_string_equal(out.string, strings[i].bytes);
				assert_int_equal(out.text.bytes, strings[i].length);
				assert_memory_equal(out.text.data, strings[i].bytes,
						    strings[i].length + 1);
			}
	herald_codec_destroy(codec);
}

/* A run of plain bytes before and after one that is not, of every length: no step is missed. */
static void
test_strings_of_every_length(void **state)
{
	static const struct {
		const char *json, *bytes;
	} odd[] = {{"\\n", "\n"}, {"\\u00e9", "\xC3\xA9"}, {"\xC3\xA9", "\xC3\xA9"}, {"", ""}};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++)
		for (int before = 0; before < 40; before++)
			for (int after = 0; after < 40; after++) {
				char json[100], bytes[100], text[140];
				struct thing out;

				snprintf(json, sizeof(json), "%.*s%s%.*s", before,
					 "0123456789abcdefghijklmnopqrstuvwxyz,.-+", odd[i].json,
					 after, "0123456789abcdefghijklmnopqrstuvwxyz,.-+");
				snprintf(bytes, sizeof(bytes), "%.*s%s%.*s", before,
					 "0123456789abcdefghijklmnopqrstuvwxyz,.-+", odd[i].bytes,
					 after, "0123456789abcdefghijklmnopqrstuvwxyz,.-+");
				snprintf(text, sizeof(text), "{\"string\":\"%s\"}", json);
				decode_good(codec, text, &out, sizeof(out));
				assert_string_equal(out.string, bytes);
			}
	herald_codec_destroy(codec);
}

static void
test_text_may_hold_nul(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(codec, "{\"text\":\"\\u0000a\\u0000\\u0000b\\u0000\"}", &out, sizeof(out));
	assert_int_equal(out.text.bytes, 6);
	assert_memory_equal(out.text.data, "\0a\0\0b\0", 7);
	herald_codec_destroy(codec);
}

static void
test_chars(void **state)
{
	static const struct {
		const char *json;
		char bytes[4];
	} cases[] = {
		{"", "\0\0\0"},
		{"a", "a\0\0"},
		{"abc", "abc"},
		{"\xE2\x82\xAC", "\xE2\x82\xAC"},
		{"\\u20ac", "\xE2\x82\xAC"},
		{"\\n\\n\\n", "\n\n\n"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct thing out;
		char text[100];

		snprintf(text, sizeof(text), "{\"chars\":\"%s\"}", cases[i].json);
		decode_good(codec, text, &out, sizeof(out));
		assert_memory_equal(out.chars, cases[i].bytes, 4); /* the rest is zero */
	}
	herald_codec_destroy(codec);
}

static void
test_times(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(codec, "{\"time\":\"2024-08-20T05:21:19.143357839+02:30\"}", &out, sizeof(out));
	assert_int_equal(out.time.seconds, 1724122279);
	assert_int_equal(out.time.nanoseconds, 143357839);
	assert_int_equal(out.time.offset_minutes, 150);
	decode_good(codec, "{\"time\":\"0000-01-01\\u005400:00:00z\"}", &out, sizeof(out));
	assert_int_equal(out.time.seconds, -62167219200);
	decode_good(codec, "{\"time\":\"9999-12-31T23:59:59.999999999-23:59\"}", &out, sizeof(out));
	assert_int_equal(out.time.offset_minutes, -1439);
	herald_codec_destroy(codec);
}

static void
test_enums(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(codec, "{\"color\":\"red\"}", &out, sizeof(out));
	assert_int_equal(out.color, EVERY_RED);
	decode_good(codec, "{\"color\":\"blue\"}", &out, sizeof(out));
	assert_int_equal(out.color, EVERY_BLUE);
	decode_good(codec, "{\"color\":\"gr\\u0065en\"}", &out, sizeof(out));
	assert_int_equal(out.color, EVERY_GREEN);
	decode_good(codec, "{}", &out, sizeof(out));
	assert_int_equal(out.color, 0);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_strings_of_every_length),
		cmocka_unit_test(test_text_may_hold_nul),
		cmocka_unit_test(test_chars),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_enums),
	};

	return cmocka_run_group_tests_name("decode_text", tests, NULL, decoding_finish);
}
