/*
 * Whole documents, valid and invalid: the parsing tests of JSONTestSuite, in the folder that
 * HERALD_JSON_SUITE names (skipped, and said so, where there is none), and the project's own table
 * that covers the same ground. Each document is read as any JSON, as a member that is unknown, and
 * as raw JSON alone and in a list; what is accepted is also written, and comes back as it was.
 * Places and paths of errors are in test_decode_errors.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define MAX_BYTES ((size_t)1 << 20)

struct holder {
	struct herald_json json;
	const struct herald_json *list;
	size_t list_count;
};

HERALD_SCHEMA(holder, HERALD_FIELD(holder, json), HERALD_VALUES(holder, list));

static struct herald_codec *any_codec, *holder_codec;

static int
create_codecs(void **state)
{
	struct herald_limits limits = {.max_depth = 600};

	(void)state;
	any_codec = decoding_codec(&herald_json_schema, &limits);
	holder_codec = decoding_codec(&holder_schema, &limits);
	return 0;
}

static int
destroy_codecs(void **state)
{
	herald_codec_destroy(any_codec);
	herald_codec_destroy(holder_codec);
	return decoding_finish(state);
}

/* The text must come back without the white space around it. */
static void
check_text(const char *name, const struct herald_json *json, const char *text, size_t bytes)
{
	while (bytes > 0 && strchr(" \t\r\n", text[0]) != NULL) {
		text++;
		bytes--;
	}
	while (bytes > 0 && strchr(" \t\r\n", text[bytes - 1]) != NULL)
		bytes--;
	if (json->bytes != bytes || memcmp(json->data, text, bytes) != 0)
		fail_msg("%s: the raw text is another one", name);
}

static void
check_written(const char *name, const struct herald_json *json)
{
	struct herald_buffer buffer;

	herald_buffer_init(&buffer, NULL, 0);
	if (herald_codec_encode(any_codec, json, &buffer, NULL) != HERALD_OK)
		fail_msg("%s: decoded, but cannot be encoded", name);
	assert_int_equal(buffer.bytes, json->bytes);
	assert_memory_equal(buffer.data, json->data, json->bytes);
	herald_buffer_finish(&buffer);
}

/* The document in each place. */
static void
check_document(const char *name, const char *text, size_t bytes, bool good)
{
	static const char *const places[][2] = {{"", ""},
						{"{\"unknown\":", "}"},
						{"{\"json\":", "}"},
						{"{\"list\":[0,", "]}"},
						{"{\"x\":{\"y\":[[],", "]},\"json\":1}"}};
	static char document[MAX_BYTES + 100];

	assert_true(bytes <= MAX_BYTES);
	for (size_t i = 0; i < COUNT(places); i++) {
		size_t before = strlen(places[i][0]), after = strlen(places[i][1]);
		struct herald_error error;
		struct holder holder;
		struct herald_json any;
		enum herald_status status;

		memcpy(document, places[i][0], before);
		memcpy(document + before, text, bytes);
		memcpy(document + before + bytes, places[i][1], after);
		if (i == 0)
			status =
				decode_bytes(any_codec, document, bytes, &any, sizeof(any), &error);
		else
			status = decode_bytes(holder_codec, document, before + bytes + after,
					      &holder, sizeof(holder), &error);
		if (good != (status == HERALD_OK))
			fail_msg("%s in %s...%s: %s", name, places[i][0], places[i][1],
				 status == HERALD_OK ? "accepted" : error.message);
		if (!good) {
			assert_true(status == HERALD_BAD_JSON || status == HERALD_BAD_UTF8 ||
				    status == HERALD_LIMIT);
			assert_true(error.offset <= before + bytes + after);
		} else if (i == 0) {
			check_text(name, &any, text, bytes);
			check_written(name, &any);
		} else if (i == 2) {
			check_text(name, &holder.json, text, bytes);
		} else if (i == 3) {
			assert_int_equal(holder.list_count, 2);
			check_text(name, &holder.list[1], text, bytes);
		}
	}
}

/* Documents that the standard leaves to the implementation, and that are accepted here. */
static const char *const taken[] = {
	/* Numbers of any size are JSON. The codec of the member decides whether they fit. */
	"i_number_double_huge_neg_exp.json",
	"i_number_huge_exp.json",
	"i_number_neg_int_huge_exp.json",
	"i_number_pos_double_huge_exp.json",
	"i_number_real_neg_overflow.json",
	"i_number_real_pos_overflow.json",
	"i_number_real_underflow.json",
	"i_number_too_big_neg_int.json",
	"i_number_too_big_pos_int.json",
	"i_number_very_big_negative_int.json",
	/* By an option: 64 levels are the default. */
	"i_structure_500_nested_arrays.json",
};

/* And those that are refused: not UTF-8, a byte order mark, half a surrogate pair. */
static const char *const refused[] = {
	"i_object_key_lone_2nd_surrogate.json",
	"i_string_1st_surrogate_but_2nd_missing.json",
	"i_string_1st_valid_surrogate_2nd_invalid.json",
	"i_string_UTF-16LE_with_BOM.json",
	"i_string_UTF-8_invalid_sequence.json",
	"i_string_UTF8_surrogate_U+D800.json",
	"i_string_incomplete_surrogate_and_escape_valid.json",
	"i_string_incomplete_surrogate_pair.json",
	"i_string_incomplete_surrogates_escape_valid.json",
	"i_string_invalid_lonely_surrogate.json",
	"i_string_invalid_surrogate.json",
	"i_string_invalid_utf-8.json",
	"i_string_inverted_surrogates_U+1D11E.json",
	"i_string_iso_latin_1.json",
	"i_string_lone_second_surrogate.json",
	"i_string_lone_utf8_continuation_byte.json",
	"i_string_not_in_unicode_range.json",
	"i_string_overlong_sequence_2_bytes.json",
	"i_string_overlong_sequence_6_bytes.json",
	"i_string_overlong_sequence_6_bytes_null.json",
	"i_string_truncated-utf-8.json",
	"i_string_utf16BE_no_BOM.json",
	"i_string_utf16LE_no_BOM.json",
	"i_structure_UTF-8_BOM_empty_object.json",
};

static bool
is_listed(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static bool
is_to_be_taken(const char *name)
{
	if (name[0] != 'i')
		return name[0] == 'y';
	if (is_listed(name, taken, COUNT(taken)))
		return true;
	if (!is_listed(name, refused, COUNT(refused)))
		fail_msg("%s: our choice is not listed", name);
	return false;
}

static size_t
read_file(const char *folder, const char *name, char *out)
{
	char path[4096];
	FILE *file;
	size_t bytes;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	bytes = fread(out, 1, MAX_BYTES, file);
	assert_true(feof(file));
	fclose(file);
	return bytes;
}

static const char *
suite_folder(void)
{
	const char *folder = getenv("HERALD_JSON_SUITE");
	DIR *directory = folder != NULL ? opendir(folder) : NULL;

	if (directory == NULL)
		return NULL;
	closedir(directory);
	return folder;
}

static void
test_the_suite(void **state)
{
	static char text[MAX_BYTES];
	const char *folder = suite_folder();
	struct dirent **entries;
	int entries_count = scandir(folder, &entries, NULL, alphasort);
	unsigned ran = 0;

	(void)state;
	assert_true(entries_count >= 0);
	for (int i = 0; i < entries_count; i++) {
		const char *name = entries[i]->d_name;

		if (strlen(name) > 5 && strcmp(name + strlen(name) - 5, ".json") == 0) {
			check_document(name, text, read_file(folder, name, text),
				       is_to_be_taken(name));
			ran++;
		}
		free(entries[i]);
	}
	free(entries);
	assert_true(ran >= 300);
}

static void
test_nothing(void **state)
{
	(void)state;
}

#define TEXT(TEXT)                                                                                 \
	{                                                                                          \
		TEXT, sizeof(TEXT) - 1                                                             \
	}

static const struct {
	const char *text;
	size_t bytes;
} good[] = {
	TEXT("null"),
	TEXT("true"),
	TEXT("false"),
	TEXT(" null "),
	TEXT("\t\n\r 1\t\n\r "),
	TEXT("0"),
	TEXT("-0"),
	TEXT("1"),
	TEXT("-1"),
	TEXT("10"),
	TEXT("1234567890"),
	TEXT("0.0"),
	TEXT("-0.1"),
	TEXT("0e0"),
	TEXT("0E0"),
	TEXT("0e+0"),
	TEXT("0e-0"),
	TEXT("1e1"),
	TEXT("1E+2"),
	TEXT("1e-2"),
	TEXT("1.5e10"),
	TEXT("20e1"),
	TEXT("1e00"),
	TEXT("-0e+1"),
	TEXT("123.456e78"),
	TEXT("0.000000000000000000000000000000000000000000000000000000000000000000000000000001"),
	TEXT("123456789012345678901234567890123456789012345678901234567890.1234567890123456789e-"
	     "99"),
	TEXT("1e400"),
	TEXT("-1e400"),
	TEXT("1e-400"),
	TEXT("99999999999999999999999999999"),
	TEXT("\"\""),
	TEXT("\" \""),
	TEXT("\"a\""),
	TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
	TEXT("\"\\u0000\""),
	TEXT("\"\\u0041\\u00e9\\uFFFF\""),
	TEXT("\"\\ud800\\udc00\""),
	TEXT("\"\\uDBFF\\uDFFF\""),
	TEXT("\"\x7F\""),
	TEXT("\"\xC2\x80\""),
	TEXT("\"\xDF\xBF\""),
	TEXT("\"\xE0\xA0\x80\""),
	TEXT("\"\xED\x9F\xBF\""),
	TEXT("\"\xEE\x80\x80\""),
	TEXT("\"\xEF\xBF\xBF\""),
	TEXT("\"\xEF\xBB\xBF\""),
	TEXT("\"\xF0\x90\x80\x80\""),
	TEXT("\"\xF4\x8F\xBF\xBF\""),
	TEXT("\"\xE2\x80\xA8\xE2\x80\xA9\""),
	TEXT("\"/\""),
	TEXT("\"\\\\u0000\""),
	TEXT("\"\\\\\""),
	TEXT("\"\\\"\""),
	TEXT("\"}\""),
	TEXT("\"]\""),
	TEXT("\"{[,:\""),
	TEXT("\"// /* */ #\""),
	TEXT("\"\xF0\x9F\x98\x80 sixteen bytes or more\""),
	TEXT("[]"),
	TEXT("[ ]"),
	TEXT("[\n]"),
	TEXT("[1]"),
	TEXT("[ 1 , 2 ]"),
	TEXT("[1,2,3]"),
	TEXT("[null,true,false,0,\"\",[],{}]"),
	TEXT("[[]]"),
	TEXT("[[],[[]],[[],[]]]"),
	TEXT("[1\n,\t2\r]"),
	TEXT("[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"),
	TEXT("{}"),
	TEXT("{ }"),
	TEXT("{\"a\":1}"),
	TEXT("{\"a\":1,\"b\":2}"),
	TEXT("{\"\":0}"),
	TEXT("{ \"a\" : 1 , \"b\" : [ { } ] }"),
	TEXT("{\"a\":1,\"a\":2}"),
	TEXT("{\"a\":{\"b\":{\"c\":{}}}}"),
	TEXT("{\"\\u0000\":1}"),
	TEXT("{\"\\ud83d\\ude00\":1}"),
	TEXT("{\"a\":[{\"b\":[{\"c\":[]}]}]}"),
	TEXT("{\"}\":\"{\",\"]\":\"[\"}"),
	TEXT("{\"json\":1,\"list\":{},\"unknown\":[]}"),
};

static const struct {
	const char *text;
	size_t bytes;
} bad[] = {
	TEXT(""),
	TEXT(" "),
	TEXT("\0"),
	TEXT("nul"),
	TEXT("nulll"),
	TEXT("Null"),
	TEXT("TRUE"),
	TEXT("tru"),
	TEXT("truee"),
	TEXT("fals"),
	TEXT("falsee"),
	TEXT("undefined"),
	TEXT("NaN"),
	TEXT("-NaN"),
	TEXT("Infinity"),
	TEXT("-Infinity"),
	TEXT("nan"),
	TEXT("inf"),
	TEXT("None"),
	TEXT("00"),
	TEXT("01"),
	TEXT("-01"),
	TEXT("-"),
	TEXT("--1"),
	TEXT("+1"),
	TEXT("+0"),
	TEXT("-+1"),
	TEXT("1."),
	TEXT(".1"),
	TEXT("-.1"),
	TEXT("-1."),
	TEXT("1.e1"),
	TEXT("1e"),
	TEXT("1E"),
	TEXT("1e+"),
	TEXT("1e-"),
	TEXT("1e1.5"),
	TEXT("1e1e1"),
	TEXT("1.2.3"),
	TEXT("0x1"),
	TEXT("0x"),
	TEXT("0b1"),
	TEXT("0o7"),
	TEXT("1_000"),
	TEXT("1 000"),
	TEXT("1a"),
	TEXT("1f"),
	TEXT("1L"),
	TEXT("- 1"),
	TEXT("1 .5"),
	TEXT("1e 5"),
	TEXT("0.1.2"),
	TEXT("0e+-1"),
	TEXT("1eE2"),
	TEXT("0..1"),
	TEXT("\xEF\xBC\x91"),
	TEXT("1\0"),
	TEXT("1\xA0"),
	TEXT("2.e+3"),
	TEXT("9.e"),
	TEXT("-2."),
	TEXT("\""),
	TEXT("\"a"),
	TEXT("a\""),
	TEXT("'a'"),
	TEXT("a"),
	TEXT("\"\\\""),
	TEXT("\"\\x\""),
	TEXT("\"\\u\""),
	TEXT("\"\\u0\""),
	TEXT("\"\\u00\""),
	TEXT("\"\\u000\""),
	TEXT("\"\\u000g\""),
	TEXT("\"\\U0000\""),
	TEXT("\"\\ud800\""),
	TEXT("\"\\udc00\""),
	TEXT("\"\\udc00\\ud800\""),
	TEXT("\"\\ud800\\ud800\""),
	TEXT("\"\\ud800\\u0041\""),
	TEXT("\"\\ud800x\""),
	TEXT("\"\\ud800\\n\""),
	TEXT("\"\\a\""),
	TEXT("\"\\'\""),
	TEXT("\"\\\0\""),
	TEXT("\"\\\xC3\xA9\""),
	TEXT("\"\0\""),
	TEXT("\"\x01\""),
	TEXT("\"\n\""),
	TEXT("\"\t\""),
	TEXT("\"\x1F\""),
	TEXT("\"\x80\""),
	TEXT("\"\xBF\""),
	TEXT("\"\xC0\x80\""),
	TEXT("\"\xC1\xBF\""),
	TEXT("\"\xC2\""),
	TEXT("\"\xC3(\""),
	TEXT("\"\xE0\x80\x80\""),
	TEXT("\"\xE2\x82\""),
	TEXT("\"\xE2(\xA1\""),
	TEXT("\"\xED\xA0\x80\""),
	TEXT("\"\xED\xBF\xBF\""),
	TEXT("\"\xF0\x80\x80\x80\""),
	TEXT("\"\xF0\x9F\x98\""),
	TEXT("\"\xF4\x90\x80\x80\""),
	TEXT("\"\xF5\x80\x80\x80\""),
	TEXT("\"\xFE\""),
	TEXT("\"\xFF\""),
	TEXT("\"\xE9\""),
	TEXT("\xEF\xBB\xBF\"\""),
	TEXT("\xEF\xBB\xBF"),
	TEXT("\"\"\"\""),
	TEXT("\"a\" \"b\""),
	TEXT("\"a\":1"),
	TEXT("\xFF\xFE\"\0a\0\"\0"),
	TEXT("["),
	TEXT("]"),
	TEXT("[1"),
	TEXT("1]"),
	TEXT("[1,"),
	TEXT("[,"),
	TEXT("[,]"),
	TEXT("[1,]"),
	TEXT("[,1]"),
	TEXT("[1,,2]"),
	TEXT("[1 2]"),
	TEXT("[1:2]"),
	TEXT("[1;2]"),
	TEXT("[1}"),
	TEXT("[}"),
	TEXT("[]]"),
	TEXT("[[]"),
	TEXT("[\"a\""),
	TEXT("[\"a]"),
	TEXT("[a]"),
	TEXT("[1,2"),
	TEXT("[1,\n1\n,"),
	TEXT("[]1"),
	TEXT("[][]"),
	TEXT("[1]x"),
	TEXT("[\x0B]"),
	TEXT("[\x0C]"),
	TEXT("[\xC2\xA0]"),
	TEXT("[\xE2\x81\xA0]"),
	TEXT("[*]"),
	TEXT("[-]"),
	TEXT("[tru]"),
	TEXT("(1)"),
	TEXT("[1,'']"),
	TEXT("{"),
	TEXT("}"),
	TEXT("{\"a\""),
	TEXT("{\"a\":"),
	TEXT("{\"a\":1"),
	TEXT("{\"a\":1,"),
	TEXT("{\"a\":1,}"),
	TEXT("{,}"),
	TEXT("{,\"a\":1}"),
	TEXT("{\"a\":1,,\"b\":2}"),
	TEXT("{\"a\":1 \"b\":2}"),
	TEXT("{\"a\" 1}"),
	TEXT("{\"a\"}"),
	TEXT("{\"a\",1}"),
	TEXT("{\"a\"::1}"),
	TEXT("{\"a\":}"),
	TEXT("{:1}"),
	TEXT("{a:1}"),
	TEXT("{'a':1}"),
	TEXT("{1:1}"),
	TEXT("{null:1}"),
	TEXT("{[]:1}"),
	TEXT("{{}:1}"),
	TEXT("{\"a\":1]"),
	TEXT("{]"),
	TEXT("{}}"),
	TEXT("{}{}"),
	TEXT("{}[]"),
	TEXT("{\"a\":\"b\"}#"),
	TEXT("{\"a\":\"b\"}//"),
	TEXT("{\"a\":/*c*/\"b\"}"),
	TEXT("{\"a\":1;}"),
	TEXT("{\"a\":\"a\" 1}"),
	TEXT("{\"a\":\"b\",\"c\"}"),
	TEXT("{\"\\ud800\":1}"),
	TEXT("{\"\xFF\":1}"),
	TEXT("{\"a\n\":1}"),
	TEXT("{\"a\":[}]"),
	TEXT("{\"a\":[1}"),
	TEXT("{\"a\":{]}"),
	TEXT("{\"a\"=1}"),
	TEXT("<null>"),
	TEXT("#"),
	TEXT("// c\nnull"),
	TEXT("/**/1"),
	TEXT("1//"),
	TEXT("=1"),
	TEXT(","),
	TEXT(":"),
	TEXT("\\u0031"),
	TEXT("\x01"),
	TEXT("\xC3\xA9"),
	TEXT("*"),
	TEXT("1,"),
	TEXT(",1"),
};

static void
test_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check_document(good[i].text, good[i].text, good[i].bytes, true);
	for (size_t i = 0; i < COUNT(bad); i++)
		check_document(bad[i].text, bad[i].text, bad[i].bytes, false);
}

/* Nested valid values are valid; one invalid value makes the whole invalid. */
static void
test_the_table_combined(void **state)
{
	static const char *const forms[] = {"[%.*s,%.*s]", "{\"a\":%.*s,\"b\":%.*s}",
					    "[{\"x\":%.*s},%.*s,0]"};
	static char text[2000];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t j = 0; j < COUNT(good); j += 1 + i % 3) {
			snprintf(text, sizeof(text), forms[(i + j) % 3], (int)good[i].bytes,
				 good[i].text, (int)good[j].bytes, good[j].text);
			check_document(text, text, strlen(text), true);
		}
	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t j = i % COUNT(good);

		if (memchr(bad[i].text, '\0', bad[i].bytes) != NULL)
			continue;
		snprintf(text, sizeof(text), forms[i % 3], (int)good[j].bytes, good[j].text,
			 (int)bad[i].bytes, bad[i].text);
		check_document(text, text, strlen(text), false);
	}
}

int
main(void)
{
	/* cmocka's own skip() is a failure in TAP. */
	const struct CMUnitTest missing = {
		.name = "test_the_suite # SKIP HERALD_JSON_SUITE names no folder",
		.test_func = test_nothing};
	const struct CMUnitTest suite = cmocka_unit_test(test_the_suite);
	const struct CMUnitTest tests[] = {
		suite_folder() != NULL ? suite : missing,
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_the_table_combined),
	};

	return cmocka_run_group_tests_name("json_suite", tests, create_codecs, destroy_codecs);
}
