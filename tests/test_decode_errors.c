/*
 * herald_codec_decode() with what is no JSON, no UTF-8, or more than the limits allow: wherever it
 * stands in a document, with code, path and byte; documents that are cut off or changed at every byte;
 * nesting without end and strings of many megabytes.
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
#include "support/every_kind.h"

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

/* What is around a value that is not wanted, or wanted as it is, and the path to it. */
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

/* The same for a string, in the quotes. */
static const struct {
	const char *before, *after, *path;
} string_places[] = {
	{"{\"string\":\"", "\"}", "/string"},
	{"{\"text\":\"", "\"}", "/text"},
	{"{\"unknown\":\"", "\"}", "/unknown"},
	{"{\"json\":\"", "\"}", "/json"},
	{"{\"strings\":[\"\",\"", "\"]}", "/strings/1"},
	{"{\"map\":{\"k\":\"", "\"}}", "/map/k"},
	{"{\"any\":{\"k\":\"", "\"}}", "/any/k"},
	{"{\"inner\":{\"string\":\"", "\"}}", "/inner/string"},
	{"{\"x\":[\"", "\"]}", "/x/0"},
	/* Names have no path of their own: it is that of their object. */
	{"{\"", "\":1}", ""},
	{"{\"map\":{\"", "\":\"\"}}", "/map"},
	{"{\"any\":{\"", "\":\"\"}}", "/any"},
	{"{\"inner\":{\"", "\":0}}", "/inner"},
	{"{\"x\":[{\"", "\":0}]}", "/x/0"},
	{"{\"json\":{\"", "\":0}}", "/json"},
};

/* The text with the '@' moved to where it is in the document. */
static void
decode_bad_at(const struct herald_codec *codec, const char *before, const char *value,
	      const char *after, size_t out_bytes, enum herald_status status, const char *path,
	      const char *subpath)
{
	char text[1000], whole_path[300];

	snprintf(text, sizeof(text), "%s%s%s", before, value, after);
	snprintf(whole_path, sizeof(whole_path), "%s%s", path, subpath);
	decode_bad(codec, text, out_bytes, status, whole_path);
}

/* Values that are none. The second is the path within the value. */
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
	/* What is no value at all. */
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
	/* A NUL is no white space, at the beginning or at the end. */
	decode_bad_bytes(codec, "\0{}", 3, sizeof(struct thing), HERALD_BAD_JSON, "", 0, "NUL {}");
	decode_bad_bytes(codec, "{}\0", 3, sizeof(struct thing), HERALD_BAD_JSON, "", 2, "{} NUL");
	decode_bad_bytes(codec, "{\0}", 3, sizeof(struct thing), HERALD_BAD_JSON, "", 1, "{ NUL }");
	decode_bad_bytes(any, "[]\0", 3, sizeof(struct herald_json), HERALD_BAD_JSON, "", 2,
			 "[] NUL");
	/* Nothing, from a pointer that is no pointer. */
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

/* A colon that is missing: the path is the object's, the member has not begun. */
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

/* A word that is cut off is no value of another type: it is no JSON. */
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

/* What cannot stand in a string; the '@' is where the error is. */
static const struct {
	const char *content;
	enum herald_status status;
} bad_strings[] = {
	{"@\x01", HERALD_BAD_JSON},
	{"a@\x1F", HERALD_BAD_JSON},
	{"a@\n", HERALD_BAD_JSON},
	{"a@\tb", HERALD_BAD_JSON},
	{"@\r", HERALD_BAD_JSON},
	{"\\@x", HERALD_BAD_JSON},
	{"\\@'", HERALD_BAD_JSON},
	{"\\@U0041", HERALD_BAD_JSON},
	{"\\@0", HERALD_BAD_JSON},
	{"\\@\n", HERALD_BAD_JSON},
	{"\\@ ", HERALD_BAD_JSON},
	{"\\@\xC3\xA9", HERALD_BAD_JSON},
	{"\\n\\@v", HERALD_BAD_JSON},
	{"@\\u", HERALD_BAD_JSON},
	{"@\\u1", HERALD_BAD_JSON},
	{"@\\u12", HERALD_BAD_JSON},
	{"@\\u123", HERALD_BAD_JSON},
	{"@\\u123g", HERALD_BAD_JSON},
	{"@\\u 123", HERALD_BAD_JSON},
	{"@\\u+123", HERALD_BAD_JSON},
	{"@\\u-123", HERALD_BAD_JSON},
	{"@\\u0x12", HERALD_BAD_JSON},
	{"@\\uD800", HERALD_BAD_JSON},
	{"@\\uDBFF", HERALD_BAD_JSON},
	{"@\\uDC00", HERALD_BAD_JSON},
	{"@\\uDFFF", HERALD_BAD_JSON},
	{"@\\ud800\\ud800", HERALD_BAD_JSON},
	{"@\\ud800\\ud800\\udc00", HERALD_BAD_JSON},
	{"@\\udc00\\ud800", HERALD_BAD_JSON},
	{"@\\udc00\\udc00", HERALD_BAD_JSON},
	{"@\\ud800\\u0041", HERALD_BAD_JSON},
	{"@\\ud800a", HERALD_BAD_JSON},
	{"@\\ud800\\n", HERALD_BAD_JSON},
	{"@\\ud800\\u", HERALD_BAD_JSON},
	{"@\\ud800\\udc0", HERALD_BAD_JSON},
	{"@\\ud800\\udc0g", HERALD_BAD_JSON},
	{"@\\ud800\\ue000", HERALD_BAD_JSON},
	{"@\\ud800udc00", HERALD_BAD_JSON},
	{"\\ud800\\udc00@\\udc00", HERALD_BAD_JSON},
	{"\\ud83d\\ude00@\\ud83d", HERALD_BAD_JSON},
	{"@\x80", HERALD_BAD_UTF8},
	{"a@\xBF", HERALD_BAD_UTF8},
	{"\xC3\xA9@\xA9", HERALD_BAD_UTF8},
	{"@\xC0\x80", HERALD_BAD_UTF8},
	{"@\xC1\xBF", HERALD_BAD_UTF8},
	{"@\xC2", HERALD_BAD_UTF8},
	{"@\xC2\xC2", HERALD_BAD_UTF8},
	{"@\xC2\x7F", HERALD_BAD_UTF8},
	{"@\xDF ", HERALD_BAD_UTF8},
	{"@\xE0\x80\x80", HERALD_BAD_UTF8},
	{"@\xE0\x9F\xBF", HERALD_BAD_UTF8},
	{"@\xE1\x80", HERALD_BAD_UTF8},
	{"@\xE2\x82", HERALD_BAD_UTF8},
	{"@\xE2\x82x", HERALD_BAD_UTF8},
	{"@\xE2x\xAC", HERALD_BAD_UTF8},
	{"@\xE2\xE2\x82\xAC", HERALD_BAD_UTF8},
	{"@\xED\xA0\x80", HERALD_BAD_UTF8},
	{"@\xED\xAF\xBF", HERALD_BAD_UTF8},
	{"@\xED\xB0\x80", HERALD_BAD_UTF8},
	{"@\xED\xBF\xBF", HERALD_BAD_UTF8},
	{"@\xED\xA0\x80\xED\xB0\x80", HERALD_BAD_UTF8},
	{"@\xEF\xBF", HERALD_BAD_UTF8},
	{"@\xF0\x80\x80\x80", HERALD_BAD_UTF8},
	{"@\xF0\x8F\xBF\xBF", HERALD_BAD_UTF8},
	{"@\xF0\x9F\x98", HERALD_BAD_UTF8},
	{"@\xF0\x9F", HERALD_BAD_UTF8},
	{"@\xF0", HERALD_BAD_UTF8},
	{"@\xF0\x9F\x98x", HERALD_BAD_UTF8},
	{"@\xF0\x9F\x98\xC0", HERALD_BAD_UTF8},
	{"@\xF4\x90\x80\x80", HERALD_BAD_UTF8},
	{"@\xF5\x80\x80\x80", HERALD_BAD_UTF8},
	{"@\xF8\x88\x80\x80\x80", HERALD_BAD_UTF8},
	{"@\xFC\x84\x80\x80\x80\x80", HERALD_BAD_UTF8},
	{"@\xFE", HERALD_BAD_UTF8},
	{"@\xFF", HERALD_BAD_UTF8},
};

static void
test_bad_strings_everywhere(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(bad_strings); i++)
		for (size_t j = 0; j < COUNT(string_places); j++) {
			decode_bad_at(codec, string_places[j].before, bad_strings[i].content,
				      string_places[j].after, sizeof(struct thing),
				      bad_strings[i].status, string_places[j].path, "");
		}
	herald_codec_destroy(codec);
}

/* Each at every place of a long string, with few and with many bytes behind it. */
static void
test_bad_strings_at_every_position(void **state)
{
	static const char fill[] = "abcdefghijklmnopqrstuvwxyz.ABCDEFGHIJKLMNOPQRSTUVWXYZ,012345678"
				   "9";
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(bad_strings); i++)
		for (int before = 0; before < 64; before++)
			for (int after = 0; after < 40; after += 19) {
				const char *content = bad_strings[i].content;
				char padded[200];

				/* Other hexadecimal digits would follow. */
				if (after > 0 &&
				    strchr("u0123456789c", content[strlen(content) - 1]))
					continue;
				snprintf(padded, sizeof(padded), "%.*s%s%.*s", before, fill,
					 content, after, fill + 26);
				decode_bad_at(codec, "{\"string\":\"", padded, "\"}",
					      sizeof(struct thing), bad_strings[i].status,
					      "/string", "");
				decode_bad_at(codec, "{\"x\":\"", padded, "\"}",
					      sizeof(struct thing), bad_strings[i].status, "/x",
					      "");
			}
	herald_codec_destroy(codec);
}

/* A NUL byte in a string, at every place. */
static void
test_nul_byte_in_a_string(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t length = 1; length < 50; length++)
		for (size_t at = 0; at < length; at++) {
			char text[100] = "{\"string\":\"";
			size_t begin = strlen(text);

			memset(text + begin, 'x', length);
			text[begin + at] = '\0';
			memcpy(text + begin + length, "\"}", 2);
			decode_bad_bytes(codec, text, begin + length + 2, sizeof(struct thing),
					 HERALD_BAD_JSON, "/string", begin + at, "a NUL byte");
			text[2] = 'x';
			decode_bad_bytes(codec, text, begin + length + 2, sizeof(struct thing),
					 HERALD_BAD_JSON, "/xtring", begin + at, "a NUL byte");
		}
	herald_codec_destroy(codec);
}

/* Valid UTF-8 as the grammar of RFC 3629 section 4 has it; returns the sequence's length or 0. */
static size_t
utf8_by_the_grammar(const unsigned char *text, size_t bytes)
{
	static const struct {
		unsigned char first[2], second[2];
		size_t length;
	} rules[] = {
		{{0x20, 0x7F}, {0, 0}, 1},       {{0xC2, 0xDF}, {0x80, 0xBF}, 2},
		{{0xE0, 0xE0}, {0xA0, 0xBF}, 3}, {{0xE1, 0xEC}, {0x80, 0xBF}, 3},
		{{0xED, 0xED}, {0x80, 0x9F}, 3}, {{0xEE, 0xEF}, {0x80, 0xBF}, 3},
		{{0xF0, 0xF0}, {0x90, 0xBF}, 4}, {{0xF1, 0xF3}, {0x80, 0xBF}, 4},
		{{0xF4, 0xF4}, {0x80, 0x8F}, 4},
	};

	for (size_t i = 0; i < COUNT(rules); i++) {
		if (text[0] < rules[i].first[0] || text[0] > rules[i].first[1] ||
		    rules[i].length > bytes)
			continue;
		if (rules[i].length > 1 &&
		    (text[1] < rules[i].second[0] || text[1] > rules[i].second[1]))
			continue;
		for (size_t j = 2; j < rules[i].length; j++)
			if (text[j] < 0x80 || text[j] > 0xBF)
				return 0;
		return rules[i].length;
	}
	return 0;
}

/* Decode a string that has `content`, four bytes of which `valid` are UTF-8, between two other texts. */
static void
check_utf8(const struct herald_codec *codec, const char *before, const unsigned char *content,
	   size_t valid, const char *after)
{
	char text[300];
	struct thing out;
	struct herald_error error = {.offset = 0};
	enum herald_status status;

	snprintf(text, sizeof(text), "%s%.4s%s", before, (const char *)content, after);
	status = herald_codec_decode(codec, decoding_place(text, strlen(text), false), strlen(text),
				     decoding_arena(), &out, &error);
	herald_arena_reset(decoding_arena());
	if (status != (valid == 4 ? HERALD_OK : HERALD_BAD_UTF8) ||
	    (valid < 4 && error.offset != strlen(before) + valid))
		fail_msg("%s%02X %02X %02X %02X%s: %s, byte %zu", before, content[0], content[1],
			 content[2], content[3], after, herald_status_name(status), error.offset);
}

/* All beginnings of sequences, with what may and may not continue them. */
static void
test_utf8_exhaustively(void **state)
{
	static const unsigned char continuations[] = {0x41, 0x7F, 0x80, 0xBF, 0xC0};
	static const char *const names[] = {"string", "absent"};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (unsigned lead = 0x80; lead <= 0xFF; lead++)
		for (unsigned second = 0x20; second <= 0xFF; second++)
			for (size_t i = 0; i < COUNT(continuations) * COUNT(continuations); i++) {
				unsigned char content[] = {(unsigned char)lead,
							   (unsigned char)second,
							   continuations[i % COUNT(continuations)],
							   continuations[i / COUNT(continuations)]};
				size_t at = 0, length;
				char before[200], after[100];

				if (second == '"' || second == '\\')
					continue;
				while (at < 4 &&
				       (length = utf8_by_the_grammar(content + at, 4 - at)) != 0)
					at += length;
				snprintf(before, sizeof(before), "{\"%s\":\"", names[i % 2]);
				check_utf8(codec, before, content, at, "\"}");
				/* After some text that is not ASCII the rest is checked at once; here
				 * at each place of a block, and with more of them or not. */
				snprintf(before, sizeof(before), "{\"%s\":\"éééééé%*s",
					 names[i % 2], (int)(second % 70), "");
				snprintf(after, sizeof(after), "%*s\"}", (int)(lead % 80), "");
				check_utf8(codec, before, content, at, after);
			}
	herald_codec_destroy(codec);
}

/* One string with every code point there is, as UTF-8 and as escapes. */
static void
test_every_code_point(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	char *utf8 = malloc(5 * MIB), *text = malloc(16 * MIB);
	size_t utf8_bytes = 0, bytes;
	struct herald_error error;
	struct thing out;

	(void)state;
	assert_non_null(utf8);
	assert_non_null(text);
	for (uint32_t code = ' '; code <= 0x10FFFF; code++) {
		if (code == '"' || code == '\\' || (code >= 0xD800 && code <= 0xDFFF))
			continue;
		if (code >= 0x10000)
			utf8[utf8_bytes++] = (char)(0xF0 | code >> 18);
		if (code >= 0x800)
			utf8[utf8_bytes++] = (char)(code >= 0x10000 ? 0x80 | (code >> 12 & 0x3F)
								    : 0xE0 | code >> 12);
		if (code >= 0x80)
			utf8[utf8_bytes++] = (char)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3F)
								  : 0xC0 | code >> 6);
		utf8[utf8_bytes++] = (char)(code >= 0x80 ? 0x80 | (code & 0x3F) : code);
	}
	bytes = (size_t)sprintf(text, "{\"string\":\"");
	memcpy(text + bytes, utf8, utf8_bytes);
	bytes += utf8_bytes;
	bytes += (size_t)sprintf(text + bytes, "\"}");
	assert_int_equal(decode_bytes(codec, text, bytes, &out, sizeof(out), &error), HERALD_OK);
	assert_int_equal(strlen(out.string), utf8_bytes);
	assert_memory_equal(out.string, utf8, utf8_bytes);

	bytes = (size_t)sprintf(text, "{\"string\":\"");
	for (uint32_t code = ' '; code <= 0x10FFFF; code++) {
		if (code == '"' || code == '\\' || (code >= 0xD800 && code <= 0xDFFF))
			continue;
		if (code < 0x10000)
			bytes += (size_t)sprintf(text + bytes, code % 2 ? "\\u%04x" : "\\u%04X",
						 code);
		else
			bytes += (size_t)sprintf(text + bytes, "\\u%04x\\u%04X",
						 0xD800 + ((code - 0x10000) >> 10),
						 0xDC00 + (code & 0x3FF));
	}
	bytes += (size_t)sprintf(text + bytes, "\"}");
	assert_int_equal(decode_bytes(codec, text, bytes, &out, sizeof(out), &error), HERALD_OK);
	assert_int_equal(strlen(out.string), utf8_bytes);
	assert_memory_equal(out.string, utf8, utf8_bytes);
	free(utf8);
	free(text);
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

/* What a message shows of a document is one line of UTF-8, whatever the document is. */
static void
test_messages_are_one_line_of_utf8(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_codec *every = decoding_codec(every_kind_table, NULL);

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		char text[100] = "{\"truth\":?}";
		struct every_kind out;
		struct herald_error error;

		text[9] = (char)byte;
		if (decode_bytes(codec, text, 11, &out, sizeof(struct thing), &error) == HERALD_OK)
			fail_msg("byte %02X", byte);
		for (const char *at = error.message; *at != '\0'; at++)
			assert_true((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7F);
		/* In a value that is not allowed, cut within a character. */
		for (unsigned length = 30; length < 60; length++) {
			size_t bytes = (size_t)sprintf(
				text, "{\"color\":\"%.*s\xE2\x82\xAC\xE2\x82\xAC\"}", (int)length,
				"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				"xxxxxxxxxxxxxxxxxx");
			text[12] = byte >= ' ' && byte != '"' && byte != '\\' && byte < 0x80
					   ? (char)byte
					   : 'y';
			assert_int_equal(
				decode_bytes(every, text, bytes, &out, sizeof(out), &error),
				HERALD_BAD_VALUE);
			for (const unsigned char *at = (unsigned char *)error.message;
			     *at != '\0';) {
				size_t sequence = utf8_by_the_grammar(at, strlen((const char *)at));

				assert_true(sequence != 0 && *at != 0x7F);
				at += sequence;
			}
			if (byte > 0x80)
				break;
		}
	}
	herald_codec_destroy(codec);
	herald_codec_destroy(every);
}

static void
test_truncated_at_every_byte(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);
	size_t last = every_kind_document_bytes;
	struct every_kind out;

	(void)state;
	while (every_kind_document[last - 1] != '}')
		last--;
	for (size_t bytes = 0; bytes <= every_kind_document_bytes; bytes++) {
		struct herald_error error;
		enum herald_status status =
			decode_bytes(codec, every_kind_document, bytes, &out, sizeof(out), &error);

		assert_int_equal(status == HERALD_OK, bytes >= last);
		assert_int_equal(decode_bytes(any, every_kind_document, bytes, &out,
					      sizeof(struct herald_json), NULL) == HERALD_OK,
				 bytes >= last);
		if (bytes >= last)
			continue;
		/* At the end, or where what is cut off begins: a word, an escape, a character. */
		assert_true(status == HERALD_BAD_JSON || status == HERALD_BAD_UTF8);
		assert_in_range(error.offset, bytes < 12 ? 0 : bytes - 12, bytes);
	}
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/*
 * Whatever the wanted members are: what is decoded is JSON, and what is no JSON is not decoded. The
 * two ways through a document, values that are wanted and those that are skipped, must agree.
 */
static void
check_agreement(const struct herald_codec *codec, const struct herald_codec *any, const char *text,
		size_t bytes)
{
	struct every_kind out;
	struct herald_json json;
	struct herald_error error, any_error;
	enum herald_status status = herald_codec_decode(codec, decoding_place(text, bytes, false),
							bytes, decoding_arena(), &out, &error);
	enum herald_status any_status =
		herald_codec_decode(any, decoding_place(text, bytes, false), bytes,
				    decoding_arena(), &json, &any_error);

	herald_arena_reset(decoding_arena());
	if (status == HERALD_OK && any_status != HERALD_OK)
		fail_msg("decoded, but no JSON (%s): %.*s", any_error.message, (int)bytes, text);
	if ((status == HERALD_BAD_JSON || status == HERALD_BAD_UTF8) && any_status == HERALD_OK)
		fail_msg("JSON, but not decoded (%s, byte %zu): %.*s", error.message, error.offset,
			 (int)bytes, text);
	if (status != HERALD_OK)
		assert_true(error.offset <= bytes);
	if (any_status != HERALD_OK)
		assert_true(any_status == HERALD_BAD_JSON || any_status == HERALD_BAD_UTF8 ||
			    any_status == HERALD_LIMIT);
}

static void
test_every_byte_changed(void **state)
{
	static const char values[] = "\"\\{}[],:0-et /u\x01\x1F\x7F\x80\xC3\xFF";
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);
	char *text = malloc(every_kind_document_bytes);

	(void)state;
	assert_non_null(text);
	memcpy(text, every_kind_document, every_kind_document_bytes);
	for (size_t at = 0; at < every_kind_document_bytes; at++) {
		char before = text[at];

		/* The NUL at the end of `values` is one of them. */
		for (size_t i = 0; i < sizeof(values); i++) {
			text[at] = values[i];
			check_agreement(codec, any, text, every_kind_document_bytes);
		}
		for (unsigned bit = 0; bit < 8; bit += bit < 5 ? 5 : 2) {
			text[at] = (char)(before ^ (char)(1 << bit));
			check_agreement(codec, any, text, every_kind_document_bytes);
		}
		text[at] = before;
	}
	free(text);
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/* A byte removed, doubled; two neighbours exchanged. */
static void
test_bytes_removed_and_added(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);
	size_t bytes = every_kind_document_bytes;
	char *text = malloc(bytes + 1);

	(void)state;
	assert_non_null(text);
	for (size_t at = 0; at < bytes; at++) {
		memcpy(text, every_kind_document, at);
		memcpy(text + at, every_kind_document + at + 1, bytes - at - 1);
		check_agreement(codec, any, text, bytes - 1);
		memcpy(text, every_kind_document, at + 1);
		memcpy(text + at + 1, every_kind_document + at, bytes - at);
		check_agreement(codec, any, text, bytes + 1);
		if (at + 1 < bytes) {
			memcpy(text, every_kind_document, bytes);
			text[at] = every_kind_document[at + 1];
			text[at + 1] = every_kind_document[at];
			check_agreement(codec, any, text, bytes);
		}
	}
	free(text);
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/* A document that begins at every alignment and ends, to the byte, where memory does. */
static void
test_every_alignment(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_kind first, out;
	struct herald_arena *arena = NULL;
	char *kept = malloc(every_kind_document_bytes);

	(void)state;
	assert_non_null(kept);
	memcpy(kept, every_kind_document, every_kind_document_bytes);
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	assert_int_equal(
		herald_codec_decode(codec, kept, every_kind_document_bytes, arena, &first, NULL),
		HERALD_OK);
	for (size_t alignment = 0; alignment < 64; alignment++) {
		char *block = NULL, *text;

		assert_int_equal(
			posix_memalign((void **)&block, 64, alignment + every_kind_document_bytes),
			0);
		text = block + alignment;
		memcpy(text, every_kind_document, every_kind_document_bytes);
		assert_int_equal(herald_codec_decode(codec, text, every_kind_document_bytes,
						     decoding_arena(), &out, NULL),
				 HERALD_OK);
		assert_true(every_equal(every_kind_table, &first, &out));
		/* In the last page, so that it ends at `alignment` bytes before its end. */
		text = decoding_place(every_kind_document, every_kind_document_bytes, false);
		memmove(text - alignment, every_kind_document, every_kind_document_bytes);
		assert_int_equal(herald_codec_decode(codec, text - alignment,
						     every_kind_document_bytes, decoding_arena(),
						     &out, NULL),
				 HERALD_OK);
		assert_true(every_equal(every_kind_table, &first, &out));
		herald_arena_reset(decoding_arena());
		free(block);
	}
	herald_arena_destroy(arena);
	free(kept);
	herald_codec_destroy(codec);
}

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
				/* Where an object is expected, nesting is no matter of types. */
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
	/* A name has its own limit, and no other: known, unknown, of a map, skipped; plain or with an escape. */
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

/* The same bytes, `count` times. */
static void
fill(char *out, const char *bytes, size_t length, size_t count)
{
	memcpy(out, bytes, length);
	for (size_t done = 1; done < count; done *= 2)
		memcpy(out + done * length, out,
		       (done * 2 <= count ? done : count - done) * length);
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

			/* One is enough of what takes the same way through the code. */
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

/* Much of everything else that is small: it must not take long, nor much of the stack. */
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

struct unwanted {
	bool member;
};
HERALD_SCHEMA(unwanted, HERALD_FIELD(unwanted, member));

/* Of a long key the path shows the end, from wherever it is cut: within a character, too. */
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
		cmocka_unit_test(test_bad_strings_everywhere),
		cmocka_unit_test(test_bad_strings_at_every_position),
		cmocka_unit_test(test_nul_byte_in_a_string),
		cmocka_unit_test(test_utf8_exhaustively),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_end_of_input),
		cmocka_unit_test(test_end_of_input_in_white_space),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_messages_are_one_line_of_utf8),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_bytes_removed_and_added),
		cmocka_unit_test(test_every_alignment),
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

	return cmocka_run_group_tests_name("decode_errors", tests, NULL, decoding_finish);
}
