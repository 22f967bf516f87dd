/*
 * The messages of JSON errors: each names the value, what was expected and what was found, is one
 * line, and is marked if it is cut. test_decode.c and test_encode.c test which documents are
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#include "base/safe_text.h"
#include "support/decoding.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

enum color { COLOR_RED = 1, COLOR_GREEN };

static const struct herald_name colors[] = {{"red", COLOR_RED}, {"green", COLOR_GREEN}};

/* More than a message can list. */
static const struct herald_name many[] = {{"january", 1},  {"february", 2}, {"march", 3},
					  {"april", 4},    {"may", 5},      {"june", 6},
					  {"july", 7},     {"august", 8},   {"september", 9},
					  {"october", 10}, {"november", 11}};

struct line {
	const char *sku;
	int32_t quantity;
};

HERALD_SCHEMA(line, HERALD_FIELD(line, sku, .required = true),
	      HERALD_FIELD(line, quantity, HERALD_RANGE(1, 999)));

struct thing {
	int64_t i64;
	int32_t i32;
	uint64_t u64;
	int32_t least;
	double real;
	float narrow;
	const char *text;
	const char *size;
	const char *one;
	enum color color;
	enum color month;
	char code[4];
	struct herald_time at;
	struct herald_map map;
	struct herald_json raw;
	const struct line *lines;
	size_t lines_count;
	const char *const *tags;
	size_t tags_count;
};

HERALD_SCHEMA_WITH(thing, (.reject_unknown = true), HERALD_FIELD(thing, i64),
		   HERALD_FIELD(thing, i32), HERALD_FIELD(thing, u64),
		   HERALD_FIELD(thing, least, HERALD_MIN(0)), HERALD_FIELD(thing, real),
		   HERALD_FIELD(thing, narrow), HERALD_FIELD(thing, text),
		   HERALD_FIELD(thing, size, HERALD_ONE_OF("small", "medium", "large")),
		   HERALD_FIELD(thing, one, HERALD_ONE_OF("a\tb")),
		   HERALD_ENUM(thing, color, colors), HERALD_ENUM(thing, month, many),
		   HERALD_FIELD(thing, code), HERALD_FIELD(thing, at),
		   HERALD_FIELD(thing, map, .max_count = 2), HERALD_FIELD(thing, raw),
		   HERALD_LIST(thing, lines, line), HERALD_VALUES(thing, tags));

#define DIGITS_60 "123456789012345678901234567890123456789012345678901234567890"
#define LETTERS_50 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

struct row {
	const char *text;
	const char *path;
	const char *message;
	enum herald_status status;
};

static const struct row rows[] = {
	/* Of the wrong type. */
	{"{\"i64\":\"1\"}", "/i64", "i64: expected an integer, found a string", HERALD_BAD_TYPE},
	{"{\"text\":1}", "/text", "text: expected a string, found a number", HERALD_BAD_TYPE},
	{"{\"lines\":[{\"sku\":\"a\"},{\"sku\":[]}]}", "/lines/1/sku",
	 "sku: expected a string, found an array", HERALD_BAD_TYPE},
	{"{\"tags\":[\"a\",true]}", "/tags/1", "tags/1: expected a string, found a boolean",
	 HERALD_BAD_TYPE},
	{"[]", "", "expected an object, found an array", HERALD_BAD_TYPE},
	{"{\"i32\":10.0}", "/i32", "i32: expected an integer, found a number with a fraction: 10.0",
	 HERALD_BAD_TYPE},
	{"{\"i64\":1.7478e18}", "/i64",
	 "i64: expected an integer, found a number with a fraction: 1.7478e18", HERALD_BAD_TYPE},
	{"{\"i64\":1e3}", "/i64", "i64: expected an integer, found a number with an exponent: 1e3",
	 HERALD_BAD_TYPE},

	/* Numbers: whole, or marked as cut. */
	{"{\"i64\":9223372036854775808}", "/i64",
	 "i64: expected an integer from -9223372036854775808 to 9223372036854775807, found "
	 "9223372036854775808",
	 HERALD_OUT_OF_RANGE},
	{"{\"i64\":" DIGITS_60 "}", "/i64",
	 "i64: expected an integer from -9223372036854775808 to 9223372036854775807, found "
	 "1234567890123456789012345678901234567890...",
	 HERALD_OUT_OF_RANGE},
	{"{\"u64\":-" DIGITS_60 "}", "/u64",
	 "u64: expected an integer from 0 to 18446744073709551615, found "
	 "-123456789012345678901234567890123456789...",
	 HERALD_OUT_OF_RANGE},
	{"{\"least\":-1}", "/least", "least: expected an integer from 0 to 2147483647, found -1",
	 HERALD_OUT_OF_RANGE},
	{"{\"real\":-1e999}", "/real",
	 "real: expected a number that a double can hold, found -1e999", HERALD_OUT_OF_RANGE},
	{"{\"narrow\":1e39}", "/narrow",
	 "narrow: expected a number that a float can hold, found 1e39", HERALD_OUT_OF_RANGE},
	{"{\"i64\":0123}", "/i64", "i64: expected a number without leading zeros, found 0123",
	 HERALD_BAD_JSON},
	{"{\"real\":-00.5}", "/real", "real: expected a number without leading zeros, found 00.5",
	 HERALD_BAD_JSON},
	{"{\"real\":-x}", "/real", "real: expected a digit after '-', found x", HERALD_BAD_JSON},
	{"{\"real\":1.}", "/real", "real: expected a digit after the point, found '}'",
	 HERALD_BAD_JSON},
	{"{\"real\":1e+}", "/real", "real: expected a digit in the exponent, found '}'",
	 HERALD_BAD_JSON},

	/* What is allowed is listed, as far as there is room. */
	{"{\"size\":\"huge\"}", "/size",
	 "size: expected one of \"small\", \"medium\", \"large\", found \"huge\"",
	 HERALD_BAD_VALUE},
	{"{\"size\":\"small\\u0000\"}", "/size",
	 "size: expected one of \"small\", \"medium\", \"large\", found \"small\\u0000\"",
	 HERALD_BAD_VALUE},
	{"{\"size\":\"" LETTERS_50 "\"}", "/size",
	 "size: expected one of \"small\", \"medium\", \"large\", found "
	 "\"abcdefghijabcdefghijabcdefghijabcdefghij\"...",
	 HERALD_BAD_VALUE},
	{"{\"one\":\"\"}", "/one", "one: expected \"a\\tb\", found \"\"", HERALD_BAD_VALUE},
	{"{\"color\":\"blue\"}", "/color",
	 "color: expected one of \"red\", \"green\", found \"blue\"", HERALD_BAD_VALUE},
	{"{\"color\":\"a\\n\\\"b\\u2028\"}", "/color",
	 "color: expected one of \"red\", \"green\", found \"a\\n\\\"b\\u2028\"", HERALD_BAD_VALUE},
	{"{\"month\":\"december\"}", "/month",
	 "month: expected one of \"january\", \"february\", \"march\", \"april\", \"may\", "
	 "\"june\", \"july\", \"august\", \"september\", \"october\", ..., found \"december\"",
	 HERALD_BAD_VALUE},

	/* Strings. */
	{"{\"code\":\"abcd\"}", "/code", "code: expected a string of at most 3 bytes, found 4",
	 HERALD_BAD_LENGTH},
	{"{\"text\":\"a\\u0000b\"}", "/text", "text: \\u0000 is not allowed in this string",
	 HERALD_BAD_VALUE},
	{"{\"text\":\"ok \\ud83d\"}", "/text",
	 "text: expected both halves of a surrogate pair, found \\ud83d alone", HERALD_BAD_JSON},
	{"{\"text\":\"\\u12x4\"}", "/text",
	 "text: expected four hexadecimal digits after \\u, found \"12x4\"", HERALD_BAD_JSON},
	{"{\"text\":\"\\q\"}", "/text",
	 "text: expected one of \"\\/bfnrtu after a backslash, found q", HERALD_BAD_JSON},
	{"{\"text\":\"a\tb\"}", "/text",
	 "text: control characters in strings must be escaped, found 0x09", HERALD_BAD_JSON},
	{"{\"text\":\"a\xE9\"}", "/text", "text: expected UTF-8, found byte 0xE9", HERALD_BAD_UTF8},
	{"{\"at\":\"2023-10-27 10:00:00Z\"}", "/at",
	 "at: not an RFC 3339 timestamp: expected 'T', found ' '", HERALD_BAD_TIME},
	{"{\"at\":\"1985-04-12T00:59:59.999999999999999Z\"}", "/at",
	 "at: not an RFC 3339 timestamp: expected at most nine digits of the fraction, found more",
	 HERALD_BAD_TIME},
	{"{\"at\":\"1998-12-31T23:59:60Z\"}", "/at",
	 "at: not an RFC 3339 timestamp: second 60: leap seconds are not supported",
	 HERALD_BAD_TIME},

	/* Members. */
	{"{\"lines\":[{\"quantity\":1}]}", "/lines/0/sku", "sku is required, but missing",
	 HERALD_MISSING},
	{"{\"lines\":[{\"sku\":null}]}", "/lines/0/sku", "sku is required, but null",
	 HERALD_MISSING},
	{"{\"text\":\"1\",\"\\u0074ext\":\"2\"}", "/text", "text is a duplicate member",
	 HERALD_DUPLICATE},
	{"{\"map\":{\"k\":\"\",\"\\u006b\":\"\"}}", "/map/k", "k is a duplicate member",
	 HERALD_DUPLICATE},
	{"{\"map\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}", "/map",
	 "map: expected at most 2 entries, found more", HERALD_BAD_LENGTH},
	{"{\"colour\":\"red\"}", "/colour", "colour is not a member of thing",
	 HERALD_UNKNOWN_MEMBER},

	/* Words and bytes that begin no value. */
	{"nonsense", "", "expected a value, found nonsense", HERALD_BAD_JSON},
	{"{\"raw\":nonsense}", "/raw", "raw: expected a value, found nonsense", HERALD_BAD_JSON},
	{"{\"text\":nonsense}", "/text", "text: expected a string, found nonsense",
	 HERALD_BAD_JSON},
	{"{\"real\":NaN}", "/real", "real: expected a number, found NaN", HERALD_BAD_JSON},
	{"{\"raw\":[1,True]}", "/raw/1", "raw/1: expected a value, found True", HERALD_BAD_JSON},
	{"{\"raw\":tru}", "/raw", "raw: expected a value, found tru", HERALD_BAD_JSON},
	{"{\"raw\":" LETTERS_50 "}", "/raw",
	 "raw: expected a value, found abcdefghijabcdefghijabcdefghijabcdefghij...",
	 HERALD_BAD_JSON},
	{"{\"text\":'a'}", "/text", "text: expected a string, found a single quote",
	 HERALD_BAD_JSON},
	{"{\"text\":\xE2\x80\x9C"
	 "a\xE2\x80\x9D}",
	 "/text", "text: expected a string, found U+201C", HERALD_BAD_JSON},
	{"{\"text\":\x01}", "/text", "text: expected a string, found byte 0x01", HERALD_BAD_JSON},
	{"\xEF\xBB\xBF{\"i64\":1}", "", "expected a value, found a byte order mark",
	 HERALD_BAD_JSON},
	{"\xFE\xFF{}", "", "expected a value, found a byte order mark of UTF-16", HERALD_BAD_JSON},
	{"\xFF\xFE{}", "", "expected a value, found a byte order mark of UTF-16", HERALD_BAD_JSON},
	{"", "", "expected a value, found the end of the input", HERALD_BAD_JSON},
	{"{\"i64\":1 \"i32\":2}", "", "expected ',' or '}', found '\"'", HERALD_BAD_JSON},
	{"{\"raw\":{\"a\" 1}}", "/raw", "raw: expected ':', found '1'", HERALD_BAD_JSON},

	/* Names that a sender chose, in paths and messages. */
	{"{\"a\\nlevel=error\\u0085\\u009b31m\":1}", "/a\\nlevel=error\\u0085\\u009b31m",
	 "a\\nlevel=error\\u0085\\u009b31m is not a member of thing", HERALD_UNKNOWN_MEMBER},
	{"{\"raw\":{\"\\r\\u001b[31m\\u0000\":x}}", "/raw/\\r\\u001b[31m\\u0000",
	 "\\r\\u001b[31m\\u0000: expected a value, found x", HERALD_BAD_JSON},
	{"{\"map\":{\"a/~\\\"\\\\\\u202e\xE2\x80\xA8\":7}}", "/map/a~1~0\\\"\\\\\\u202e\\u2028",
	 "a~1~0\\\"\\\\\\u202e\\u2028: expected a string, found a number", HERALD_BAD_TYPE},
	{"{\"map\":{\"7\":7}}", "/map/7", "map/7: expected a string, found a number",
	 HERALD_BAD_TYPE},
	{"{\"map\":{\"" LETTERS_50 LETTERS_50 "\":7}}", "/map/" LETTERS_50 LETTERS_50,
	 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij...: expected a string, "
	 "found a number",
	 HERALD_BAD_TYPE},
};

static void
test_messages_of_the_decoder(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_error error;
		struct thing out;
		enum herald_status status = decode_bytes(codec, rows[i].text, strlen(rows[i].text),
							 &out, sizeof(out), &error);

		if (status != rows[i].status || strcmp(error.path, rows[i].path) != 0 ||
		    strcmp(error.message, rows[i].message) != 0)
			fail_msg("%s: expected %s \"%s\": %s; found %s \"%s\": %s", rows[i].text,
				 herald_status_name(rows[i].status), rows[i].path, rows[i].message,
				 herald_status_name(status), error.path, error.message);
	}
	herald_codec_destroy(codec);
}

/* A limit that is exceeded is named as the options have it. */
static void
test_messages_of_limits(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"{\"raw\":[[[1]]]}", "raw/0/0: expected at most 3 nested arrays and objects "
				      "(limits.max_depth), found more"},
		{"{\"tags\":[\"a\",\"b\",\"c\"]}",
		 "tags: expected at most 2 elements (limits.max_list_count), found more"},
		{"{\"text\":\"123456789\"}",
		 "text: expected a string of at most 8 bytes (limits.max_string_bytes), found 9"},
		{"{\"raw\":{\"123456789\":0}}",
		 "raw: expected a name of at most 8 bytes (limits.max_key_bytes), found 9"},
	};
	const struct herald_limits limits = {
		.max_depth = 3, .max_list_count = 2, .max_key_bytes = 8, .max_string_bytes = 8};
	struct herald_codec *codec = decoding_codec(&thing_schema, &limits);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_error error;
		struct thing out;

		assert_int_equal(decode_bytes(codec, cases[i].text, strlen(cases[i].text), &out,
					      sizeof(out), &error),
				 HERALD_LIMIT);
		assert_string_equal(error.message, cases[i].message);
	}
	herald_codec_destroy(codec);
}

static const struct herald_pair pairs_of_null[] = {{"k", NULL}};
static const struct herald_pair pairs_of_rubbish[] = {{"a\nb\xFF", "v"}};
static const struct herald_pair pairs_twice[] = {{"k", "1"}, {"k", "2"}};
static const struct line lines[] = {{"a", 1}, {NULL, 1}};
static const char *const null_tags[] = {"a", NULL};

static void
test_messages_of_the_encoder(void **state)
{
	const struct {
		struct thing in;
		const char *path, *message;
	} cases[] = {
		{{.least = -1},
		 "/least",
		 "least: expected an integer from 0 to 2147483647, found -1"},
		{{.real = (double)NAN}, "/real", "real: expected a finite number, found NaN"},
		{{.real = -HUGE_VAL}, "/real", "real: expected a finite number, found -infinity"},
		{{.narrow = HUGE_VALF},
		 "/narrow",
		 "narrow: expected a finite number, found infinity"},
		{{.text = "a\xFF"}, "/text", "text: expected UTF-8, found byte 0xFF"},
		{{.size = "x"},
		 "/size",
		 "size: expected one of \"small\", \"medium\", \"large\", found \"x\""},
		{{.color = (enum color)7},
		 "/color",
		 "color: expected a value with a name, found 7"},
		{{.code = {'a', 'b', 'c', 'd'}},
		 "/code",
		 "code: expected a NUL within the char[4], found none"},
		{{.at = {.nanoseconds = -1}},
		 "/at",
		 "at: expected nanoseconds from 0 to 999999999, found -1"},
		{{.at = {.offset_minutes = 1440}},
		 "/at",
		 "at: expected offset_minutes from -1439 to 1439, found 1440"},
		{{.at = {.seconds = 253402300800}},
		 "/at",
		 "at: expected a time in the years 0000 to 9999, found 253402300800 seconds "
		 "since 1970"},
		{{.map = {pairs_of_null, 1}}, "/map/k", "k: expected a value, found NULL"},
		{{.map = {pairs_of_rubbish, 1}},
		 "/map/a\\nb\xEF\xBF\xBD",
		 "a\\nb\xEF\xBF\xBD: expected UTF-8, found byte 0xFF"},
		{{.map = {pairs_twice, 2}}, "/map/k", "k is a duplicate member"},
		{{.map = {NULL, 2}}, "/map", "map is NULL, but said to be there"},
		{{.raw = {"[1,]", 4}},
		 "/raw",
		 "raw: the raw JSON is not valid at byte 3: expected a value, found ']'"},
		{{.raw = {"1 2", 3}},
		 "/raw",
		 "raw: the raw JSON is not valid at byte 2: expected the end of the value, found "
		 "'2'"},
		{{.lines = lines, .lines_count = 2}, "/lines/1/sku", "sku is required, but NULL"},
		{{.tags = null_tags, .tags_count = 2},
		 "/tags/1",
		 "tags/1: expected an element, found NULL"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_error error;
		struct herald_buffer out;
		struct thing in = cases[i].in;

		if (in.color == 0)
			in.color = COLOR_RED;
		if (in.month == 0)
			in.month = COLOR_RED;
		herald_buffer_init(&out, NULL, 0);
		assert_int_not_equal(herald_codec_encode(codec, &in, &out, &error), HERALD_OK);
		herald_buffer_finish(&out);
		assert_string_equal(error.message, cases[i].message);
		assert_string_equal(error.path, cases[i].path);
	}
	herald_codec_destroy(codec);
}

/* One line of printable UTF-8. */
static void
check_line(const char *text)
{
	struct herald__json_piece piece;
	size_t bytes = strlen(text);

	for (size_t i = 0; i < bytes;) {
		i += herald__json_character(text + i, bytes - i, &piece);
		assert_true(piece.data != piece.escape || strchr("\"\\", piece.escape[1]));
	}
}

/*
 * Names of any characters, at any depth: path and message are one line, and the path, in quotes, is
 * a JSON string that holds the pointer (RFC 6901 section 5).
 */
static void
test_random_names(void **state)
{
	static const char *const parts[] = {"a",
					    "/",
					    "~",
					    "\\\"",
					    "\\\\",
					    "\\n",
					    "\\u0000",
					    "\\u001b",
					    "\\u009b",
					    "\\u2028",
					    "\\u202e",
					    "\xC3\xA9",
					    "\xE2\x80\xA9",
					    "\\ud83d\\ude00",
					    "\x7F",
					    "7"};
	struct herald_codec *codec = decoding_codec(&herald_json_schema, NULL);

	(void)state;
	srand(20260104);
	for (int round = 0; round < 5000; round++) {
		char text[1024] = "{\"", name[512] = "", quoted[512];
		struct herald_error error;
		struct herald_json out;
		int count = 1 + rand() % (round % 2 ? 6 : 60);

		for (int i = 0; i < count; i++)
			strcat(name, parts[(size_t)rand() % COUNT(parts)]);
		strcat(strcat(text, name), "\":nonsense}");
		assert_int_equal(decode_bytes(codec, text, strlen(text), &out, sizeof(out), &error),
				 HERALD_BAD_JSON);
		check_line(error.path);
		check_line(error.message);
		assert_non_null(strstr(error.message, ": expected a value, found nonsense"));
		/* A JSON string again, whatever was cut. */
		snprintf(quoted, sizeof(quoted), "\"%s\"", error.path);
		assert_int_equal(
			decode_bytes(codec, quoted, strlen(quoted), &out, sizeof(out), &error),
			HERALD_OK);
	}
	herald_codec_destroy(codec);
}

struct reported {
	int64_t i64;
	const char *port;
	int32_t i32;
	const char *a;
	const char *s;
};

HERALD_SCHEMA(reported, HERALD_FIELD(reported, i64), HERALD_FIELD(reported, port),
	      HERALD_FIELD(reported, i32), HERALD_FIELD(reported, a), HERALD_FIELD(reported, s));

/* Inputs that other JSON parsers were reported to get wrong: decoded correctly, or refused. */
static void
test_reported_documents(void **state)
{
	static const struct {
		const char *text;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{"{\"i64\":1491926160718000000}", HERALD_OK, ""},
		{"{\"portmanteau\":14,\"port\":\"17\"}", HERALD_OK, ""},
		{"{\"a\":\"1\",\"\\u0061\":\"2\"}", HERALD_DUPLICATE, "/a"},
		{"{\"s\":\"ok \\ud83d\"}", HERALD_BAD_JSON, "/s"},
		{"{\"i32\":10.0,\"i64\":1.7478e18}", HERALD_BAD_TYPE, "/i32"},
		{"{\"i64\":1.7478e18}", HERALD_BAD_TYPE, "/i64"},
		{"{\"i64\":" DIGITS_60 "}", HERALD_OUT_OF_RANGE, "/i64"},
	};
	struct herald_codec *codec = decoding_codec(&reported_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_error error = {.path = ""};
		struct reported out;

		assert_int_equal(decode_bytes(codec, cases[i].text, strlen(cases[i].text), &out,
					      sizeof(out), &error),
				 cases[i].status);
		if (cases[i].status != HERALD_OK)
			assert_string_equal(error.path, cases[i].path);
		if (i == 0)
			assert_true(out.i64 == INT64_C(1491926160718000000));
		if (i == 1)
			assert_string_equal(out.port, "17");
	}
	herald_codec_destroy(codec);
}

static enum herald_verdict
do_nothing(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}

/* What a logger writes of one event, to be freed. */
static char *
log_of(herald_log_function *write, const char *event)
{
	const struct herald_route routes[] = {
		{.event_type = "user", .schema = &reported_schema, .function = do_nothing}};
	struct herald_service *service = NULL;
	struct herald_result result;
	char *text = NULL, *copy = strdup(event);
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	assert_non_null(copy);
	assert_int_equal(herald_service_create(
				 &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
							 .log = {write, stream, HERALD_LOG_DEBUG}),
				 &service, NULL),
			 HERALD_OK);
	herald_service_handle(service, copy, strlen(copy), &result);
	herald_service_destroy(service);
	free(copy);
	assert_int_equal(fclose(stream), 0);
	return text;
}

/* One event is one line of the log, whatever type, version or names its sender chose. */
static void
test_control_characters_in_the_log(void **state)
{
	static const struct {
		const char *event, *logfmt;
	} cases[] = {
		{"{\"event_type\":\"a\\nlevel=error\\u0085\\u009b31m\",\"timestamp\":"
		 "\"2024-08-20T05:21:19Z\"}",
		 " event_type=\"a\\nlevel=error\\u0085\\u009b31m\" "},
		{"{\"event_type\":\"user\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"metadata\":"
		 "{\"version\":\"\\r\\u202e1\"}}",
		 " version=\"\\r\\u202e1\" "},
		{"{\"event_type\":\"user\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":"
		 "{\"x\\n\\u2028y\":{\"\\u001b[31m\":nonsense}}}",
		 " path=\"/payload/x\\\\n\\\\u2028y/\\\\u001b[31m\" "},
	};
	static herald_log_function *const loggers[] = {herald_log_logfmt, herald_log_json};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 0; j < COUNT(loggers); j++) {
			char *text = log_of(loggers[j], cases[i].event);
			char *end = strchr(text, '\n');

			if (end == NULL || end[1] != '\0') {
				fail_msg("%s: not one line is logged", cases[i].event);
				return;
			}
			*end = '\0';
			check_line(text);
			if (loggers[j] == herald_log_logfmt)
				assert_non_null(strstr(text, cases[i].logfmt));
			free(text);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_of_the_decoder),
		cmocka_unit_test(test_messages_of_limits),
		cmocka_unit_test(test_messages_of_the_encoder),
		cmocka_unit_test(test_random_names),
		cmocka_unit_test(test_reported_documents),
		cmocka_unit_test(test_control_characters_in_the_log),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, decoding_finish);
}
