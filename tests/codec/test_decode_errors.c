/*
 * herald_codec_decode() with invalid JSON at any place of a document: code, path and offset.
 * Strings are in test_decode_errors_text.c, limits in test_decode_limits.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/decode_errors.h"
#include "support/decoding.h"

/* The text around an unknown or a raw value, and the path to it. */
static const struct {
	const char *before, *after, *path;
} places[] = {
	{"{\"unknown\":", "}", "/unknown"},
	{"{\"integer\":1, \"unknown\" : ", " ,\"integer\":2}", "/unknown"},
	{"{\"x\":[1,{\"y\":[[],", "]}]}", "/x/1/y/1"},
	{"{\"x\":{\"a\":{},\"b\":[],\"c\":", "}}", "/x/c"},
	{"{\"\\u00e9\\/\":{\"\\u00e8~\":", "}}", "/\xC3\xA9~1/\xC3\xA8~0"},
	{"{\"json\":", "}", "/json"},
	{"{\"any\":{\"a\":", "}}", "/any/a"},
	{"{\"any\":{\"a\":[{\"b\":", "}],\"c\":1}}", "/any/a/0/b"},
	{"{\"jsons\":[null,\n1,", "]}", "/jsons/2"},
	{"{\"json\":{\"string\":", "}}", "/json/string"},
	{"{\"inner\":{\"list\":[{},{\"json\":", "}]}}", "/inner/list/1/json"},
	{"{\"list\":[{\"u\":", "}]}", "/list/0/u"},
};

/* Invalid values. The second text is the path within the value. */
static const struct {
	const char *value, *path;
} no_values[] = {
	/* Numbers. */
	{"@01", ""},
	{"@00", ""},
	{"-@01", ""},
	{"@00.5", ""},
	{"1.@", ""},
	{"@.5", ""},
	{"-@.5", ""},
	{"1.@e5", ""},
	{"1e@", ""},
	{"1E@", ""},
	{"1e+@", ""},
	{"1e-@", ""},
	{"1e@.5", ""},
	{"@+1", ""},
	{"-@", ""},
	{"-@-1", ""},
	{"-@+1", ""},
	{"-@ 1", ""},
	{"@NaN", ""},
	{"@Infinity", ""},
	{"-@Infinity", ""},
	{"-@NaN", ""},
	{"@inf", ""},
	{"1e@ 5", ""},
	{"-@a", ""},
	/* Words. */
	{"@tru", ""},
	{"@True", ""},
	{"@TRUE", ""},
	{"@fals", ""},
	{"@False", ""},
	{"@nul", ""},
	{"@NULL", ""},
	{"@nil", ""},
	{"@undefined", ""},
	{"@t", ""},
	{"@truE", ""},
	{"@f", ""},
	{"@n", ""},
	/* Texts that do not begin a value. */
	{"@'a'", ""},
	{"@a", ""},
	{"@,", ""},
	{"@:", ""},
	{"@=", ""},
	{"@/* c */1", ""},
	{"@// c\n1", ""},
	{"@#", ""},
	{"@\\", ""},
	{"@\x01", ""},
	{"@\x7F", ""},
	{"@\xC3\xA9", ""},
	{"@\xEF\xBB\xBF"
	 "1",
	 ""},
	{"@\xC2\xA0"
	 "1",
	 ""},
	{"@\x0B"
	 "1",
	 ""},
	{"@\x0C"
	 "1",
	 ""},
	{"@;", ""},
	{"@(1)", ""},
	{"@<1>", ""},
	/* Arrays. */
	{"[@,1]", "/0"},
	{"[1,@]", "/1"},
	{"[1 @2]", ""},
	{"[1,@,2]", "/1"},
	{"[@}", "/0"},
	{"[1@}", ""},
	{"[@:1]", "/0"},
	{"[1@:2]", ""},
	{"[\"a\"@\"b\"]", ""},
	{"[[],[1,@]]", "/1/1"},
	{"[{}@{}]", ""},
	{"[1,2,@]", "/2"},
	{"[1@;2]", ""},
	{"[1.5e3@x]", ""},
	{"[-@]", "/0"},
	{"[@tru]", "/0"},
	/* Objects. */
	{"{@,}", ""},
	{"{\"a\":1,@}", ""},
	{"{@a:1}", ""},
	{"{@'a':1}", ""},
	{"{@1:1}", ""},
	{"{@null:1}", ""},
	{"{@{}:1}", ""},
	{"{\"a\":1 @\"b\":2}", ""},
	{"{\"a\":1,@,\"b\":2}", ""},
	{"{\"a\":@}", "/a"},
	{"{\"a\":@,\"b\":1}", "/a"},
	{"{\"a\":1@]", ""},
	{"{@]", ""},
	{"{\"a\":{\"b\":[{\"c\":@x}]}}", "/a/b/0/c"},
	{"{\"a\":1,\"b\":{\"c\":@}}", "/b/c"},
	{"{\"a\":\"\"@:1}", ""},
	{"{\"a\":[1]@[2]}", ""},
};

static void
test_no_value(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(no_values); i++) {
		for (size_t j = 0; j < COUNT(places); j++)
			decode_bad_at(codec, places[j].before, no_values[i].value, places[j].after,
				      sizeof(struct thing), HERALD_BAD_JSON, places[j].path,
				      no_values[i].path);
	}
	herald_codec_destroy(codec);
}

/* Not a value at the root either: of any JSON, and where an object is expected. */
static void
test_no_value_at_the_root(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(no_values); i++) {
		char text[100];

		snprintf(text, sizeof(text), " %s ", no_values[i].value);
		if (strchr(text, '@')[1] == ' ')
			continue; /* the end of the input, see test_end_of_input() */
		decode_bad(any, text, sizeof(struct herald_json), HERALD_BAD_JSON,
			   no_values[i].path);
		if (no_values[i].value[0] != '{')
			decode_bad(codec, text, sizeof(struct thing), HERALD_BAD_JSON,
				   no_values[i].path);
	}
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/* The root of a schema is an object. */
static void
test_root_of_the_wrong_type(void **state)
{
	static const char *const roots[] = {"@null", " @1", "@\"{}\"", "@[]", "\n@true ", "@[{}]"};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(roots); i++)
		decode_bad(codec, roots[i], sizeof(struct thing), HERALD_BAD_TYPE, "");
	herald_codec_destroy(codec);
}

static void
test_around_the_root(void **state)
{
	static const char *const texts[] = {
		"@",
		" @",
		"\n\t\r @",
		"@\xEF\xBB\xBF{}",
		"{}@\xEF\xBB\xBF",
		"{}@{}",
		"{} @{}",
		"{}@,",
		"{}@}",
		"{}@]",
		"[]@]",
		"{}@1",
		"{} @null",
		"{}@\"\"",
		"@\xFE\xFF",
		"@//\n{}",
		"{}@//",
		"{}@/**/",
		"{} @#",
		"{}@\x01",
		"{}@\x0C",
		"{}@\xC2\xA0",
		"@\x0B{}",
		"@}",
		"@]",
		"{\"truth\":true}@}",
		"{\"truth\":true}@,{}",
		"{\"truth\":true} @x}",
		"{}@'}",
		"{\"string\":\"\"}@\"}",
		"{\"list\":[]}@]}",
		"{\"map\":{}}@}",
		"{\"unknown\":{}}@}",
		"{\"json\":{}}@}",
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		decode_bad(codec, texts[i], sizeof(struct thing), HERALD_BAD_JSON, "");
		decode_bad(any, texts[i], sizeof(struct herald_json), HERALD_BAD_JSON, "");
	}
	/* A NUL is not white space, at the beginning or at the end. */
	decode_bad_bytes(codec, "\0{}", 3, sizeof(struct thing), HERALD_BAD_JSON, "", 0, "NUL {}");
	decode_bad_bytes(codec, "{}\0", 3, sizeof(struct thing), HERALD_BAD_JSON, "", 2, "{} NUL");
	decode_bad_bytes(codec, "{\0}", 3, sizeof(struct thing), HERALD_BAD_JSON, "", 1, "{ NUL }");
	decode_bad_bytes(any, "[]\0", 3, sizeof(struct herald_json), HERALD_BAD_JSON, "", 2,
			 "[] NUL");
	/* 0 bytes from an invalid pointer. */
	{
		struct herald_error error;
		struct thing out;

		assert_int_equal(
			herald_codec_decode(codec, NULL, 0, decoding_arena(), &out, &error),
			HERALD_BAD_JSON);
		assert_int_equal(error.offset, 0);
		assert_string_equal(error.path, "");
	}
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/* The grammar around wanted members. */
static void
test_grammar_around_members(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{"{@,\"integer\":1}", ""},
		{"{\"integer\":1,@}", ""},
		{"{\"integer\":1,@,\"truth\":true}", ""},
		{"{\"integer\":1 @\"truth\":true}", ""},
		{"{\"integer\":1@;\"truth\":true}", ""},
		{"{\"integer\":1@x}", ""},
		{"{\"integer\":1@]}", ""},
		{"{\"integer\":-@}", "/integer"},
		{"{\"integer\":-@-1}", "/integer"},
		{"{\"integer\":@+1}", "/integer"},
		{"{\"integer\":@.1}", "/integer"},
		{"{\"integer\":0@x1}", ""},
		{"{\"integer\":@NaN}", "/integer"},
		{"{\"integer\":@}", "/integer"},
		{"{\"integer\":@,\"truth\":true}", "/integer"},
		{"{\"integer\":@]}", "/integer"},
		{"{\"integer\":-@a}", "/integer"},
		{"{\"real\":1.@}", "/real"},
		{"{\"real\":1.@e1}", "/real"},
		{"{\"real\":1e@}", "/real"},
		{"{\"real\":1e+@}", "/real"},
		{"{\"real\":1E-@,\"x\":1}", "/real"},
		{"{\"real\":-@}", "/real"},
		{"{\"real\":-@Infinity}", "/real"},
		{"{\"real\":@Infinity}", "/real"},
		{"{\"real\":@+1.5}", "/real"},
		{"{\"real\":@.5}", "/real"},
		{"{\"real\":0@x10}", ""},
		{"{\"real\":1.5@.5}", ""},
		{"{\"real\":1e5@e5}", ""},
		{"{\"real\":1.5@f}", ""},
		{"{\"real\":1@_000}", ""},
		{"{\"truth\":@tru}", "/truth"},
		{"{\"truth\":@True}", "/truth"},
		{"{\"truth\":true@x}", ""},
		{"{\"truth\":null@x}", ""},
		{"{\"truth\":@fals\"}", "/truth"},
		{"{\"string\":@'a'}", "/string"},
		{"{\"string\":\"a\"@\"b\"}", ""},
		{"{\"string\":\"a\"@b}", ""},
		{"{\"string\":@a}", "/string"},
		{"{@string:\"\"}", ""},
		{"{@'string':\"\"}", ""},
		{"{@1:\"\"}", ""},
		{"{@[]:1}", ""},
		{"{@null:1}", ""},
		{"{\"list\":[@,{}]}", "/list/0"},
		{"{\"list\":[{},@]}", "/list/1"},
		{"{\"list\":[{} @{}]}", "/list"},
		{"{\"list\":[{}@}]}", "/list"},
		{"{\"list\":[{}@:{}]}", "/list"},
		{"{\"list\":[@}}", "/list/0"},
		{"{\"list\":[{\"truth\":true@]}]}", "/list/0"},
		{"{\"strings\":[\"a\" @\"b\"]}", "/strings"},
		{"{\"strings\":[\"a\",@]}", "/strings/1"},
		{"{\"strings\":[\"a\"@}}", "/strings"},
		{"{\"strings\":[@}}", "/strings/0"},
		{"{\"jsons\":[1@}}", "/jsons"},
		{"{\"jsons\":[1,@]}", "/jsons/1"},
		{"{\"map\":{@,}}", "/map"},
		{"{\"any\":{@,}}", "/any"},
		{"{\"any\":{\"a\":1,@}}", "/any"},
		{"{\"any\":{\"a\":{} @\"c\":[]}}", "/any"},
		{"{\"any\":{@a:2}}", "/any"},
		{"{\"any\":{\"a\":3@]}}", "/any"},
		{"{\"any\":{\"a\":@}}", "/any/a"},
		{"{\"map\":{\"a\":\"b\",@}}", "/map"},
		{"{\"map\":{\"a\":\"b\" @\"c\":\"d\"}}", "/map"},
		{"{\"map\":{@a:\"b\"}}", "/map"},
		{"{\"map\":{\"a\":\"b\"@]}}", "/map"},
		{"{\"map\":{\"a\":@}}", "/map/a"},
		{"{\"inner\":{@,}}", "/inner"},
		{"{\"inner\":{\"integer\":1,@}}", "/inner"},
		{"{\"inner\":{\"integer\":1@]}}", "/inner"},
		{"{\"inner\":{}@x}", ""},
		{"{\"json\":1@x}", ""},
		{"{\"json\":[]@[]}", ""},
		{"{\"json\":{}@{}}", ""},
		{"{\"unknown\":1@x}", ""},
		{"{\"unknown\":{}@{}}", ""},
		{"{\"unknown\":1 @\"integer\":1}", ""},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		decode_bad(codec, cases[i].text, sizeof(struct thing), HERALD_BAD_JSON,
			   cases[i].path);
	herald_codec_destroy(codec);
}

/* A missing colon: the path names the object, because the member has not begun. */
static void
test_missing_colon(void **state)
{
	static const char *const cases[][2] = {
		{"{\"integer\"@}", ""},
		{"{\"integer\" @1}", ""},
		{"{\"integer\"@,\"truth\":true}", ""},
		{"{\"x\"@}", ""},
		{"{\"x\" @{}}", ""},
		{"{\"x\":{\"y\"@}}", "/x"},
		{"{\"x\":{\"y\":1,\"z\"@}}", "/x"},
		{"{\"x\":[{\"y\" @1}]}", "/x/0"},
		{"{\"json\":{\"y\"@]}}", "/json"},
		{"{\"map\":{\"a\"@}}", "/map"},
		{"{\"map\":{\"a\" @\"b\"}}", "/map"},
		{"{\"inner\":{\"truth\"@=true}}", "/inner"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		decode_bad(codec, cases[i][0], sizeof(struct thing), HERALD_BAD_JSON, cases[i][1]);
	herald_codec_destroy(codec);
}

/* A word that is cut off is not a value of another type: it is not JSON. */
static void
test_broken_words_in_wanted_members(void **state)
{
	static const char *const texts[] = {
		"{\"truth\":tru}",
		"{\"truth\":truf}",
		"{\"truth\":falsy}",
		"{\"truth\":f}",
		"{\"truth\":nul}",
		"{\"integer\":nul}",
		"{\"string\":nulll}",
		"{\"map\":nul}",
		"{\"map\":{\"a\":nul}}",
		"{\"list\":nul}",
		"{\"list\":[{\"truth\":t}]}",
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct herald_error error;
		struct thing out;

		if (decode_bytes(codec, texts[i], strlen(texts[i]), &out, sizeof(out), &error) !=
		    HERALD_BAD_JSON)
			fail_msg("%s: %s: %s", texts[i], herald_status_name(error.status),
				 error.message);
	}
	herald_codec_destroy(codec);
}

/* The document ends: within each thing there is, and within an escape or a sequence. */
static void
test_end_of_input(void **state)
{
	static const struct {
		const char *text;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{"{@", HERALD_BAD_JSON, ""},
		{"{ @", HERALD_BAD_JSON, ""},
		{"{\"@", HERALD_BAD_JSON, ""},
		{"{\"truth@", HERALD_BAD_JSON, ""},
		{"{\"truth\":true@", HERALD_BAD_JSON, ""},
		{"{\"truth\":true,@", HERALD_BAD_JSON, ""},
		{"{\"integer\":12@", HERALD_BAD_JSON, ""},
		{"{\"integer\":@", HERALD_BAD_JSON, "/integer"},
		{"{\"integer\":-@", HERALD_BAD_JSON, "/integer"},
		{"{\"real\":1.@", HERALD_BAD_JSON, "/real"},
		{"{\"real\":1e@", HERALD_BAD_JSON, "/real"},
		{"{\"real\":1e-@", HERALD_BAD_JSON, "/real"},
		{"{\"string\":\"@", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"abc@", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"abc}@", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"abc\\\"}@", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"more than sixteen bytes and a brace}@", HERALD_BAD_JSON, "/string"},
		{"{\"unknown\":\"abc}@", HERALD_BAD_JSON, "/unknown"},
		{"{\"json\":[1,{\"a\":\"abc}@", HERALD_BAD_JSON, "/json/1/a"},
		{"{\"string\":\"abc\\@", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"@\\u12}", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"@\\u}", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"@\\ud800\\udc0}", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"@\\ud800\\u}", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"@\\ud800\\}", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"\\@}", HERALD_BAD_JSON, "/string"},
		{"{\"string\":\"@\xC3", HERALD_BAD_UTF8, "/string"},
		{"{\"string\":\"@\xE2\x82", HERALD_BAD_UTF8, "/string"},
		{"{\"string\":\"@\xF0\x9F\x98", HERALD_BAD_UTF8, "/string"},
		{"{\"string\":\"@\xF0\x9F\x98}", HERALD_BAD_UTF8, "/string"},
		{"{\"string\":\"@\xE2}", HERALD_BAD_UTF8, "/string"},
		{"{\"list\":[@", HERALD_BAD_JSON, "/list/0"},
		{"{\"list\":[{}@", HERALD_BAD_JSON, "/list"},
		{"{\"list\":[{},{\"integer\":1}@", HERALD_BAD_JSON, "/list"},
		{"{\"list\":[{},@", HERALD_BAD_JSON, "/list/1"},
		{"{\"inner\":{\"integer\":1}@", HERALD_BAD_JSON, ""},
		{"{\"inner\":{}@", HERALD_BAD_JSON, ""},
		{"{\"map\":{}@", HERALD_BAD_JSON, ""},
		{"{\"any\":{}@", HERALD_BAD_JSON, ""},
		{"{\"any\":{\"a\":{}@", HERALD_BAD_JSON, "/any"},
		{"{\"any\":{\"a\":[{}@", HERALD_BAD_JSON, "/any/a"},
		{"{\"any\":{\"a\":\"}@", HERALD_BAD_JSON, "/any/a"},
		{"{\"map\":{\"a\":\"}@", HERALD_BAD_JSON, "/map/a"},
		{"{\"map\":{\"a}@", HERALD_BAD_JSON, "/map"},
		{"{\"json\":{}@", HERALD_BAD_JSON, ""},
		{"{\"jsons\":[{}@", HERALD_BAD_JSON, "/jsons"},
		{"{\"unknown\":{}@", HERALD_BAD_JSON, ""},
		{"{\"unknown\":[{}@", HERALD_BAD_JSON, "/unknown"},
		{"{\"inner\":{\"inner\":{\"inner\":{\"list\":[{\"map\":{}}@", HERALD_BAD_JSON,
		 "/inner/inner/inner/list"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		decode_bad(codec, cases[i].text, sizeof(struct thing), cases[i].status,
			   cases[i].path);
	herald_codec_destroy(codec);
}

/* The end of a string that has none is the end of the input, white space or not. */
static void
test_end_of_input_in_white_space(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	decode_bad(codec, "{\"string\":\"abc}  @", sizeof(struct thing), HERALD_BAD_JSON,
		   "/string");
	decode_bad(codec, "{\"x\":\"abc}  @", sizeof(struct thing), HERALD_BAD_JSON, "/x");
	herald_codec_destroy(codec);
}

/* A path that is too long loses its beginning, never half a character. */
static void
test_long_paths(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t length = 230; length < 300; length++)
		for (int wide = 0; wide < 2; wide++) {
			char text[1000] = "{\"x\":{\"";
			size_t bytes = strlen(text), length_before;
			struct herald_error error;
			struct thing out;

			for (size_t i = 0; i < length; i++)
				bytes += (size_t)sprintf(text + bytes, "%s",
							 wide ? "\xE2\x82\xAC" : "k");
			sprintf(text + bytes, "\":[0,x]}}");
			assert_int_equal(
				decode_bytes(codec, text, strlen(text), &out, sizeof(out), &error),
				HERALD_BAD_JSON);
			length_before = strlen("/x/") + length * (wide ? 3 : 1) + strlen("/1");
			assert_int_equal(error.offset, bytes + 5);
			assert_string_equal(error.path + strlen(error.path) - 5,
					    wide ? "\xE2\x82\xAC/1" : "kkk/1");
			if (length_before < sizeof(error.path)) {
				assert_int_equal(strlen(error.path), length_before);
				assert_memory_equal(error.path, "/x/", 3);
			} else {
				assert_memory_equal(error.path, "...", 3);
				assert_in_range(strlen(error.path), sizeof(error.path) - 4,
						sizeof(error.path) - 1);
				assert_true(((unsigned char)error.path[3] & 0xC0) != 0x80);
			}
		}
	herald_codec_destroy(codec);
}

struct unwanted {
	bool member;
};
HERALD_SCHEMA(unwanted, HERALD_FIELD(unwanted, member));

/* If a key is long, the path shows its end, even if it is cut within a character. */
static void
test_path_of_a_long_key_with_escapes(void **state)
{
	static const struct herald_limits limits = {.max_key_bytes = 10000};
	struct herald_codec *codec = decoding_codec(&unwanted_schema, &limits);

	(void)state;
	for (int behind = 3; behind < 7; behind++) {
		struct unwanted out;
		struct herald_error error;
		char text[10000] = "{\"other\":{\"", *at = text + strlen(text);

		for (size_t i = 0; i < 3000; i++)
			at += sprintf(at, "\xC3\xA4");
		at += sprintf(at, "\\u0041%.*s\":tru}}", behind, "ending");
		assert_int_equal(
			decode_bytes(codec, text, (size_t)(at - text), &out, sizeof(out), &error),
			HERALD_BAD_JSON);
		char expected[32];

		snprintf(expected, sizeof(expected),
			 "\xC3\xA4\xC3\xA4"
			 "A%.*s",
			 behind, "ending");
		if (strncmp(error.path, "...", 3) != 0 ||
		    strcmp(error.path + strlen(error.path) - strlen(expected), expected) != 0)
			fail_msg("%d: %s", behind, error.path);
	}
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_of_a_long_key_with_escapes),
		cmocka_unit_test(test_no_value),
		cmocka_unit_test(test_no_value_at_the_root),
		cmocka_unit_test(test_root_of_the_wrong_type),
		cmocka_unit_test(test_around_the_root),
		cmocka_unit_test(test_grammar_around_members),
		cmocka_unit_test(test_missing_colon),
		cmocka_unit_test(test_broken_words_in_wanted_members),
		cmocka_unit_test(test_end_of_input),
		cmocka_unit_test(test_end_of_input_in_white_space),
		cmocka_unit_test(test_long_paths),
	};

	return cmocka_run_group_tests_name("decode_errors", tests, NULL, decoding_finish);
}
