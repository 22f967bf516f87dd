/*
 * herald_codec_encode(): the text that each kind has, what is left out, what is refused and where,
 * that nothing changes in the buffer then, and that whatever is written decodes to the same struct.
 * Floating-point numbers are in test_number.c.
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

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/every_kind.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define BEFORE "before, "

static void
expect_text(const struct herald_codec *codec, const void *in, const char *expected)
{
	struct herald_buffer buffer;
	struct herald_error error;

	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_buffer_append(&buffer, BEFORE, strlen(BEFORE)), HERALD_OK);
	if (herald_codec_encode(codec, in, &buffer, &error) != HERALD_OK)
		fail_msg("%s: %s: %s", expected, error.path, error.message);
	if (buffer.bytes != strlen(BEFORE) + strlen(expected) ||
	    memcmp(buffer.data + strlen(BEFORE), expected, strlen(expected)) != 0)
		fail_msg("expected %s, found %.*s", expected, (int)(buffer.bytes - strlen(BEFORE)),
			 buffer.data + strlen(BEFORE));
	assert_memory_equal(buffer.data, BEFORE, strlen(BEFORE));
	herald_buffer_finish(&buffer);
}

static void
expect_error(const struct herald_codec *codec, const void *in, enum herald_status status,
	     const char *path)
{
	struct herald_buffer buffer;
	struct herald_error error;
	enum herald_status found;

	memset(&error, 0x5A, sizeof(error));
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_buffer_append(&buffer, BEFORE, strlen(BEFORE)), HERALD_OK);
	found = herald_codec_encode(codec, in, &buffer, &error);
	if (found != status)
		fail_msg("%s: expected %s, found %s: %.*s", path, herald_status_name(status),
			 herald_status_name(found), (int)buffer.bytes, buffer.data);
	assert_int_equal(error.status, status);
	assert_string_equal(error.path, path);
	assert_int_equal(error.offset, HERALD_NO_OFFSET);
	assert_true(memchr(error.message, '\0', sizeof(error.message)) != error.message);
	assert_int_equal(buffer.bytes, strlen(BEFORE));
	assert_memory_equal(buffer.data, BEFORE, strlen(BEFORE));
	/* Without an error struct it is the same. */
	assert_int_equal(herald_codec_encode(codec, in, &buffer, NULL), status);
	assert_int_equal(buffer.bytes, strlen(BEFORE));
	herald_buffer_finish(&buffer);
}

static const struct herald_name colors[] = {{"red", EVERY_RED},
					    {"gr\"een\n", EVERY_GREEN},
					    {"blue", EVERY_BLUE},
					    {"azure", EVERY_BLUE}};
static const struct herald_name sizes[] = {{"small", EVERY_SMALL}, {"large", EVERY_LARGE}};

HERALD_SCHEMA(every_leaf,
	HERALD_FIELD(every_leaf, number, HERALD_MAX(1000)),
	HERALD_FIELD(every_leaf, name, .required = true),
	HERALD_ENUM(every_leaf, size, sizes));

/* What is left out when it is absent. */
struct thing {
	const char *string;
	struct herald_text text;
	struct herald_json json;
	struct herald_map map;
	enum every_color color;
	const struct every_leaf *pointer;
	const struct every_leaf *list;
	size_t list_count;
	const char *const *strings;
	size_t strings_count;
	const struct herald_text *texts;
	size_t texts_count;
	const struct herald_json *jsons;
	size_t jsons_count;
	const struct herald_time *times;
	size_t times_count;
	bool has_maybe;
	int32_t maybe;
	bool has_chars;
	char chars[4];
	bool has_time;
	struct herald_time time;
	bool has_truth;
	bool truth;
};

HERALD_SCHEMA(thing,
	HERALD_FIELD(thing, string),
	HERALD_FIELD(thing, text),
	HERALD_FIELD(thing, json),
	HERALD_FIELD(thing, map, .key = "the map"),
	HERALD_ENUM(thing, color, colors),
	HERALD_POINTER(thing, pointer, every_leaf),
	HERALD_LIST(thing, list, every_leaf),
	HERALD_VALUES(thing, strings),
	HERALD_VALUES(thing, texts),
	HERALD_VALUES(thing, jsons),
	HERALD_VALUES(thing, times),
	HERALD_OPTIONAL(thing, maybe, HERALD_RANGE(-5, 5)),
	HERALD_OPTIONAL(thing, chars),
	HERALD_OPTIONAL(thing, time),
	HERALD_OPTIONAL(thing, truth));

#define TEXT(TEXT)                                                                                 \
	{                                                                                          \
		TEXT, sizeof(TEXT) - 1                                                             \
	}
#define LIST(TYPE, ...)                                                                            \
	(const TYPE[])                                                                             \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static void
test_texts(void **state)
{
	const struct {
		struct thing in;
		const char *text;
	} cases[] = {
		{{0}, "{}"},
		{{.string = ""}, "{\"string\":\"\"}"},
		{{.string = "a\"\\/\b\f\n\r\t\x01\x1F\x7F"},
		 "{\"string\":\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\"}"},
		{{.string = "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
		 "{\"string\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"}"},
		{{.text = TEXT("a\0b")}, "{\"text\":\"a\\u0000b\"}"},
		{{.text = TEXT("")}, "{\"text\":\"\"}"},
		{{.json = TEXT("null")}, "{\"json\":null}"},
		{{.json = TEXT("{\"a\": [1]}")}, "{\"json\":{\"a\": [1]}}"},
		{{.map = {LIST(struct herald_pair, {"", ""}), 0}}, "{\"the map\":{}}"},
		{{.map = {LIST(struct herald_pair, {"", ""}, {"a\n", "\"b"}), 2}},
		 "{\"the map\":{\"\":\"\",\"a\\n\":\"\\\"b\"}}"},
		{{.color = EVERY_RED}, "{\"color\":\"red\"}"},
		{{.color = EVERY_GREEN}, "{\"color\":\"gr\\\"een\\n\"}"},
		{{.color = EVERY_BLUE}, "{\"color\":\"blue\"}"},
		{{.pointer = &(const struct every_leaf){.name = "n"}},
		 "{\"pointer\":{\"number\":0,\"name\":\"n\",\"size\":\"small\"}}"},
		{{.list = LIST(struct every_leaf, {0}), .list_count = 0}, "{\"list\":[]}"},
		{{.list = LIST(struct every_leaf, {.name = "a"}, {-1, "b", EVERY_LARGE}),
		  .list_count = 2},
		 "{\"list\":[{\"number\":0,\"name\":\"a\",\"size\":\"small\"},"
		 "{\"number\":-1,\"name\":\"b\",\"size\":\"large\"}]}"},
		{{.strings = LIST(char *const, "", "x"), .strings_count = 2},
		 "{\"strings\":[\"\",\"x\"]}"},
		{{.texts = LIST(struct herald_text, TEXT("\0")), .texts_count = 1},
		 "{\"texts\":[\"\\u0000\"]}"},
		{{.jsons = LIST(struct herald_json, TEXT("1"), TEXT("[]")), .jsons_count = 2},
		 "{\"jsons\":[1,[]]}"},
		{{.times = LIST(struct herald_time, {0, 0, 0}), .times_count = 1},
		 "{\"times\":[\"1970-01-01T00:00:00Z\"]}"},
		{{.has_maybe = true}, "{\"maybe\":0}"},
		{{.maybe = 3}, "{}"},
		{{.has_chars = true}, "{\"chars\":\"\"}"},
		{{.has_chars = true, .chars = "abc"}, "{\"chars\":\"abc\"}"},
		{{.has_time = true, .time = {1724131279, 143357839, -90}},
		 "{\"time\":\"2024-08-20T03:51:19.143357839-01:30\"}"},
		{{.has_truth = true}, "{\"truth\":false}"},
		{{.has_truth = true, .truth = true}, "{\"truth\":true}"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_text(codec, &cases[i].in, cases[i].text);
	herald_codec_destroy(codec);
}

static void
test_what_is_refused(void **state)
{
	const struct {
		struct thing in;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{{.string = "\x80"}, HERALD_BAD_UTF8, "/string"},
		{{.string = "a\xC3"}, HERALD_BAD_UTF8, "/string"},
		{{.string = "\xC0\x80"}, HERALD_BAD_UTF8, "/string"},
		{{.string = "\xED\xA0\x80"}, HERALD_BAD_UTF8, "/string"},
		{{.string = "\xF4\x90\x80\x80"}, HERALD_BAD_UTF8, "/string"},
		{{.string = "long enough for a step, and then \xFF a byte that is none"},
		 HERALD_BAD_UTF8,
		 "/string"},
		{{.text = TEXT("\0\xFF")}, HERALD_BAD_UTF8, "/text"},
		{{.text = {"\xE2\x82\xAC", 2}}, HERALD_BAD_UTF8, "/text"},
		{{.json = TEXT("")}, HERALD_BAD_JSON, "/json"},
		{{.json = TEXT("{")}, HERALD_BAD_JSON, "/json"},
		{{.json = TEXT("1 2")}, HERALD_BAD_JSON, "/json"},
		{{.json = TEXT("{}}")}, HERALD_BAD_JSON, "/json"},
		{{.json = TEXT("01")}, HERALD_BAD_JSON, "/json"},
		{{.json = TEXT("\"\xFF\"")}, HERALD_BAD_UTF8, "/json"},
		{{.json = TEXT("1\0")}, HERALD_BAD_JSON, "/json"},
		{{.map = {LIST(struct herald_pair, {"a", "\xFF"}), 1}},
		 HERALD_BAD_UTF8,
		 "/the map/a"},
		{{.map = {LIST(struct herald_pair, {"a/~", NULL}), 1}},
		 HERALD_MISSING,
		 "/the map/a~1~0"},
		{{.map = {LIST(struct herald_pair, {NULL, "a"}), 1}}, HERALD_MISSING, "/the map"},
		{{.map = {LIST(struct herald_pair, {"a", ""}, {"b", ""}, {"a", ""}), 3}},
		 HERALD_DUPLICATE,
		 "/the map/a"},
		{{.color = (enum every_color)2}, HERALD_BAD_VALUE, "/color"},
		{{.color = (enum every_color) - 1}, HERALD_BAD_VALUE, "/color"},
		{{.pointer = &(const struct every_leaf){0}}, HERALD_MISSING, "/pointer/name"},
		{{.pointer = &(const struct every_leaf){.name = "", .size = EVERY_MEDIUM}},
		 HERALD_BAD_VALUE,
		 "/pointer/size"},
		{{.list = LIST(struct every_leaf, {.name = ""}, {0}), .list_count = 2},
		 HERALD_MISSING,
		 "/list/1/name"},
		{{.list = LIST(struct every_leaf, {.name = "", .number = 1001}), .list_count = 1},
		 HERALD_OUT_OF_RANGE,
		 "/list/0/number"},
		{{.strings = LIST(char *const, "", NULL), .strings_count = 2},
		 HERALD_MISSING,
		 "/strings/1"},
		{{.strings = LIST(char *const, "\xFF"), .strings_count = 1},
		 HERALD_BAD_UTF8,
		 "/strings/0"},
		{{.texts = LIST(struct herald_text, TEXT("a"), {NULL, 0}), .texts_count = 2},
		 HERALD_MISSING,
		 "/texts/1"},
		{{.jsons = LIST(struct herald_json, {NULL, 0}), .jsons_count = 1},
		 HERALD_MISSING,
		 "/jsons/0"},
		{{.jsons = LIST(struct herald_json, TEXT("1"), TEXT("x")), .jsons_count = 2},
		 HERALD_BAD_JSON,
		 "/jsons/1"},
		{{.times = LIST(struct herald_time, {0, 1000000000, 0}), .times_count = 1},
		 HERALD_BAD_TIME,
		 "/times/0"},
		{{.has_maybe = true, .maybe = 6}, HERALD_OUT_OF_RANGE, "/maybe"},
		{{.has_maybe = true, .maybe = -6}, HERALD_OUT_OF_RANGE, "/maybe"},
		{{.has_chars = true, .chars = {'f', 'o', 'u', 'r'}}, HERALD_BAD_LENGTH, "/chars"},
		{{.has_chars = true, .chars = "\xC3\xA9\xC3"}, HERALD_BAD_UTF8, "/chars"},
		{{.has_time = true, .time = {0, -1, 0}}, HERALD_BAD_TIME, "/time"},
		{{.has_time = true, .time = {0, 0, 1440}}, HERALD_BAD_TIME, "/time"},
		{{.has_time = true, .time = {INT64_MAX, 0, 0}}, HERALD_BAD_TIME, "/time"},
		{{.has_time = true, .time = {INT64_MIN, 0, 0}}, HERALD_BAD_TIME, "/time"},
		{{.has_time = true, .time = {253402300800, 0, 0}}, HERALD_BAD_TIME, "/time"},
		{{.has_time = true, .time = {-62167219201, 0, 0}}, HERALD_BAD_TIME, "/time"},
		{{.has_time = true, .time = {253402300799, 0, 1}}, HERALD_BAD_TIME, "/time"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_error(codec, &cases[i].in, cases[i].status, cases[i].path);
	herald_codec_destroy(codec);
}

/* UTF-8 of every kind that is none, at every position: as the decoder, the encoder must see it. */
static void
test_bad_utf8_at_every_position(void **state)
{
	static const char *const sequences[] = {
		"\x80",         "\xC0\x80",         "\xC1\xBF",
		"\xC2",         "\xE0\x9F\xBF",     "\xE2\x82",
		"\xED\xA0\x80", "\xEF\xBF",         "\xF0\x8F\xBF\xBF",
		"\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5",
		"\xFF",
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(sequences); i++)
		for (int before = 0; before < 40; before++)
			for (int after = 0; after < 40; after += 13) {
				char text[120];
				struct thing in = {.string = text};
				char *exact;

				snprintf(text, sizeof(text), "%.*s%s%.*s", before,
					 "0123456789012345678901234567890123456789", sequences[i],
					 after, "0123456789012345678901234567890123456789");
				/* Not one byte more than there is may be read. */
				exact = malloc(strlen(text) + 1);
				assert_non_null(exact);
				memcpy(exact, text, strlen(text) + 1);
				in.string = exact;
				expect_error(codec, &in, HERALD_BAD_UTF8, "/string");
				in = (struct thing){
					.text = {decoding_place(text, strlen(text), true),
						 strlen(text)}};
				expect_error(codec, &in, HERALD_BAD_UTF8, "/text");
				in.text.data = decoding_place(text, strlen(text), false);
				expect_error(codec, &in, HERALD_BAD_UTF8, "/text");
				free(exact);
			}
	herald_codec_destroy(codec);
}

/* Each byte that must be escaped, or must not, at every position. */
static void
test_escapes_at_every_position(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (unsigned byte = 0; byte < 0x80; byte++)
		for (size_t length = 1; length < 40; length += length < 18 ? 1 : 10)
			for (size_t at = 0; at < length; at++) {
				char text[40], expected[80];
				size_t bytes = 0;
				struct thing in = {.text = {text, length}};

				memset(text, '.', length);
				text[at] = (char)byte;
				bytes = (size_t)sprintf(expected, "{\"text\":\"%.*s", (int)at,
							"........................................");
				if (byte < ' ' && strchr("\b\f\n\r\t", (int)byte) != NULL &&
				    byte != 0)
					bytes += (size_t)sprintf(expected + bytes, "\\%c",
								 "btn?fr"[byte - '\b']);
				else if (byte < ' ')
					bytes += (size_t)sprintf(expected + bytes, "\\u%04x", byte);
				else if (byte == '"' || byte == '\\')
					bytes += (size_t)sprintf(expected + bytes, "\\%c",
								 (int)byte);
				else
					expected[bytes++] = (char)byte;
				sprintf(expected + bytes, "%.*s\"}", (int)(length - at - 1),
					"........................................");
				expect_text(codec, &in, expected);
			}
	herald_codec_destroy(codec);
}

struct integers {
	int8_t int8;
	int16_t int16;
	int32_t int32;
	int64_t int64;
	uint8_t uint8;
	uint16_t uint16;
	uint32_t uint32;
	uint64_t uint64;
};

HERALD_SCHEMA(integers,
	HERALD_FIELD(integers, int8, HERALD_MIN(-127)),
	HERALD_FIELD(integers, int16),
	HERALD_FIELD(integers, int32, HERALD_MAX(2147483646)),
	HERALD_FIELD(integers, int64, HERALD_MIN(INT64_MIN + 1)),
	HERALD_FIELD(integers, uint8, HERALD_MAX(254)),
	HERALD_FIELD(integers, uint16),
	HERALD_FIELD(integers, uint32),
	HERALD_FIELD(integers, uint64, HERALD_MAX(UINT64_MAX - 1)));

static void
test_integers(void **state)
{
	static const struct integers good[] = {
		{-127, INT16_MIN, INT32_MIN, INT64_MIN + 1, 254, UINT16_MAX, UINT32_MAX,
		 UINT64_MAX - 1},
		{127, INT16_MAX, INT32_MAX - 1, INT64_MAX, 0, 0, 0, 0},
		{-1, -10, -100, -1000, 1, 10, 100, 1000},
		{9, 99, 999, 9999, 9, 99, 999, 9999},
		{10, 1000, 1000000000, 1000000000000000000, 10, 10000, 1000000000,
		 10000000000000000000u},
	};
	static const struct {
		struct integers in;
		const char *path;
	} bad[] = {
		{{.int8 = -128}, "/int8"},           {{.int32 = INT32_MAX}, "/int32"},
		{{.int64 = INT64_MIN}, "/int64"},    {{.uint8 = 255}, "/uint8"},
		{{.uint64 = UINT64_MAX}, "/uint64"},
	};
	struct herald_codec *codec = decoding_codec(&integers_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const struct integers *in = &good[i];
		char text[400];

		snprintf(text, sizeof(text),
			 "{\"int8\":%d,\"int16\":%d,\"int32\":%d,\"int64\":%lld,\"uint8\":%u,"
			 "\"uint16\":%u,\"uint32\":%u,\"uint64\":%llu}",
			 in->int8, in->int16, in->int32, (long long)in->int64, in->uint8,
			 in->uint16, in->uint32, (unsigned long long)in->uint64);
		expect_text(codec, in, text);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_error(codec, &bad[i].in, HERALD_OUT_OF_RANGE, bad[i].path);
	herald_codec_destroy(codec);
}

/* Every integer of a small kind, and those around the powers of ten and two. */
static void
test_integers_of_every_length(void **state)
{
	struct herald_codec *codec = decoding_codec(&integers_schema, NULL);
	uint64_t power = 1;

	(void)state;
	for (int base = 2; base <= 10; base += 8) {
		power = 1;
		for (int i = 0; i < (base == 2 ? 64 : 20); i++, power *= (uint64_t)base)
			for (int step = -1; step <= 1; step++) {
				uint64_t natural = power + (uint64_t)(step + 1) - 1;
				struct integers in = {.uint64 = natural}, out;
				char text[300];

				in.int64 = natural > INT64_MAX ? -INT64_MAX : -(int64_t)natural;
				if (natural == UINT64_MAX)
					continue;
				snprintf(text, sizeof(text),
					 "{\"int8\":0,\"int16\":0,\"int32\":0,\"int64\":%lld,"
					 "\"uint8\":0,"
					 "\"uint16\":0,\"uint32\":0,\"uint64\":%llu}",
					 (long long)in.int64, (unsigned long long)in.uint64);
				expect_text(codec, &in, text);
				decode_good(codec, text, &out, sizeof(out));
				assert_memory_equal(&in, &out, sizeof(in));
			}
	}
	for (int i = -127; i < 128; i++) {
		struct integers in = {.int8 = (int8_t)i, .int16 = (int16_t)(i * 256)};
		char text[300];

		snprintf(text, sizeof(text),
			 "{\"int8\":%d,\"int16\":%d,\"int32\":0,\"int64\":0,\"uint8\":0,\"uint16\":"
			 "0,"
			 "\"uint32\":0,\"uint64\":0}",
			 in.int8, in.int16);
		expect_text(codec, &in, text);
	}
	herald_codec_destroy(codec);
}

/* Members that must be there. */
struct needy {
	const char *string;
	struct herald_text text;
	struct herald_json json;
	struct herald_map map;
	enum every_color color;
	const struct every_leaf *pointer;
	const struct every_leaf *list;
	size_t list_count;
	const bool *truths;
	size_t truths_count;
};

HERALD_SCHEMA(needy,
	HERALD_FIELD(needy, string, .required = true),
	HERALD_FIELD(needy, text, .required = true),
	HERALD_FIELD(needy, json, .required = true),
	HERALD_FIELD(needy, map, .required = true),
	HERALD_ENUM(needy, color, colors, .required = true),
	HERALD_POINTER(needy, pointer, every_leaf, .required = true),
	HERALD_LIST(needy, list, every_leaf, .required = true),
	HERALD_VALUES(needy, truths, .required = true));

static void
test_required_members(void **state)
{
	static const struct every_leaf leaf = {.name = ""};
	static const struct herald_pair pair;
	static const bool truth;
	static const struct needy all = {.string = "",
					 .text = {"", 0},
					 .json = TEXT("[]"),
					 .map = {&pair, 0},
					 .color = EVERY_RED,
					 .pointer = &leaf,
					 .list = &leaf,
					 .truths = &truth};
	struct herald_codec *codec = decoding_codec(&needy_schema, NULL);

	(void)state;
	expect_text(codec, &all,
		    "{\"string\":\"\",\"text\":\"\",\"json\":[],\"map\":{},\"color\":\"red\","
		    "\"pointer\":{\"number\":0,\"name\":\"\",\"size\":\"small\"},\"list\":[],"
		    "\"truths\":[]}");
	for (size_t i = 0; i < needy_schema.fields_count; i++) {
		const struct herald_field *field = &needy_schema.fields[i];
		struct needy in = all;
		char path[40];

		memset((char *)&in + field->offset, 0, field->bytes);
		snprintf(path, sizeof(path), "/%s", field->name);
		expect_error(codec, &in, HERALD_MISSING, path);
	}
	herald_codec_destroy(codec);
}

/* Raw JSON that is null counts as missing where it is required: so the decoder has it. */
static void
test_required_raw_null(void **state)
{
	static const struct every_leaf leaf = {.name = ""};
	static const struct herald_pair pair;
	static const bool truth;
	struct needy in = {.string = "",
			   .text = {"", 0},
			   .json = TEXT("null"),
			   .map = {&pair, 0},
			   .color = EVERY_RED,
			   .pointer = &leaf,
			   .list = &leaf,
			   .truths = &truth};
	struct herald_codec *codec = decoding_codec(&needy_schema, NULL);

	(void)state;
	expect_error(codec, &in, HERALD_MISSING, "/json");
	herald_codec_destroy(codec);
}

/* Lengths, counts, allowed values. */
struct limited {
	const char *name;
	struct herald_text text;
	char code[8];
	const char *unit;
	const int8_t *scores;
	size_t scores_count;
	struct herald_map map;
	double real;
	float narrow;
};

HERALD_SCHEMA(limited,
	HERALD_FIELD(limited, name, .min_bytes = 2, .max_bytes = 4),
	HERALD_FIELD(limited, text, .min_bytes = 1),
	HERALD_FIELD(limited, code, .max_bytes = 5),
	HERALD_FIELD(limited, unit, HERALD_ONE_OF("m", "km")),
	HERALD_VALUES(limited, scores, HERALD_RANGE(-1, 1), .min_count = 1, .max_count = 3),
	HERALD_FIELD(limited, map, .min_count = 1, .max_count = 2),
	HERALD_FIELD(limited, real, HERALD_RANGE(-1, 1.5)),
	HERALD_FIELD(limited, narrow, HERALD_MAX(0.1)));

static void
test_lengths_counts_and_allowed_values(void **state)
{
	static const struct herald_pair pairs[3] = {{"a", ""}, {"b", ""}, {"c", ""}};
	static const int8_t scores[4] = {-1, 1, 2, 0};
	static const struct {
		struct limited in;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{{.name = "ab", .code = "12345", .unit = "km", .real = 1.5, .narrow = 0.1f},
		 HERALD_OK,
		 ""},
		{{.name = "abcd", .text = TEXT("\0"), .scores = scores, .scores_count = 2},
		 HERALD_OK,
		 ""},
		{{.map = {pairs, 2}, .real = -1}, HERALD_OK, ""},
		{{.name = "a"}, HERALD_BAD_LENGTH, "/name"},
		{{.name = "abcde"}, HERALD_BAD_LENGTH, "/name"},
		{{.text = TEXT("")}, HERALD_BAD_LENGTH, "/text"},
		{{.code = "123456"}, HERALD_BAD_LENGTH, "/code"},
		{{.code = {'1', '2', '3', '4', '5', '6', '7', '8'}}, HERALD_BAD_LENGTH, "/code"},
		{{.unit = "mm"}, HERALD_BAD_VALUE, "/unit"},
		{{.unit = ""}, HERALD_BAD_VALUE, "/unit"},
		{{.scores = scores, .scores_count = 0}, HERALD_BAD_LENGTH, "/scores"},
		{{.scores = scores, .scores_count = 3}, HERALD_OUT_OF_RANGE, "/scores/2"},
		{{.scores = scores, .scores_count = 4}, HERALD_BAD_LENGTH, "/scores"},
		{{.map = {pairs, 0}}, HERALD_BAD_LENGTH, "/map"},
		{{.map = {pairs, 3}}, HERALD_BAD_LENGTH, "/map"},
		{{.real = 1.5000000000000002}, HERALD_OUT_OF_RANGE, "/real"},
		{{.real = -1.0000000000000002}, HERALD_OUT_OF_RANGE, "/real"},
		{{.real = NAN}, HERALD_BAD_VALUE, "/real"},
		{{.narrow = 0.10000001f}, HERALD_OUT_OF_RANGE, "/narrow"},
		{{.narrow = -INFINITY}, HERALD_BAD_VALUE, "/narrow"},
	};
	struct herald_codec *codec = decoding_codec(&limited_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_buffer buffer;

		if (cases[i].status != HERALD_OK) {
			expect_error(codec, &cases[i].in, cases[i].status, cases[i].path);
			continue;
		}
		herald_buffer_init(&buffer, NULL, 0);
		assert_int_equal(herald_codec_encode(codec, &cases[i].in, &buffer, NULL),
				 HERALD_OK);
		herald_buffer_finish(&buffer);
	}
	herald_codec_destroy(codec);
}

/* The codec's limits hold for what is written as for what is read. */
static void
test_limits(void **state)
{
	static const struct herald_pair pairs[3] = {{"a", ""}, {"b", ""}, {"c", ""}};
	static const struct herald_pair long_key[1] = {{"123456789", ""}};
	static const struct herald_pair escaped_key[1] = {{"\n\n\n\n\n", ""}};
	static const char *const strings[3] = {"", "", ""};
	const struct {
		struct thing in;
		const char *path;
	} cases[] = {
		{{.strings = strings, .strings_count = 3}, "/strings"},
		{{.map = {pairs, 3}}, "/the map"},
		{{.map = {long_key, 1}}, NULL},
		{{.map = {escaped_key, 1}}, NULL},
		{{.string = "12345678901"}, "/string"},
		{{.string = "\n\n\n\n\n."}, "/string"},
		{{.string = "\x01\x01"}, "/string"},
		{{.text = TEXT("\0\0")}, "/text"},
		{{.strings = LIST(char *const, "12345678901"), .strings_count = 1}, "/strings/0"},
		{{.json = TEXT("\"12345678901\"")}, "/json"},
		{{.json = TEXT("{\"123456789\":1}")}, "/json"},
		{{.has_time = true}, "/time"},
		{{.json = TEXT("[[[]]]")}, "/json"},
		{{.jsons = LIST(struct herald_json, TEXT("[[]]")), .jsons_count = 1}, "/jsons/0"},
	};
	struct herald_limits limits = {
		.max_depth = 3, .max_list_count = 2, .max_key_bytes = 8, .max_string_bytes = 10};
	struct herald_codec *codec = decoding_codec(&thing_schema, &limits);

	(void)state;
	expect_text(codec,
		    &(struct thing){.strings = strings,
				    .strings_count = 2,
				    .string = "1234567890",
				    .map = {pairs, 2},
				    .json = TEXT("[[]]")},
		    "{\"string\":\"1234567890\",\"json\":[[]],\"the map\":{\"a\":\"\",\"b\":\"\"},"
		    "\"strings\":[\"\",\"\"]}");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_buffer buffer;

		if (cases[i].path != NULL) {
			expect_error(codec, &cases[i].in, HERALD_LIMIT, cases[i].path);
			continue;
		}
		/* Of a key: with or without the key in the path. */
		herald_buffer_init(&buffer, NULL, 0);
		assert_int_equal(herald_codec_encode(codec, &cases[i].in, &buffer, NULL),
				 HERALD_LIMIT);
		assert_int_equal(buffer.bytes, 0);
		herald_buffer_finish(&buffer);
	}
	herald_codec_destroy(codec);
}

/* What is said to be there must be there: it would not come back. */
struct said {
	bool has_name;
	const char *name;
	const int8_t *numbers;
	size_t numbers_count;
	const struct every_leaf *leaves;
	size_t leaves_count;
	struct herald_map map;
};
HERALD_SCHEMA(said, HERALD_OPTIONAL(said, name), HERALD_VALUES(said, numbers), HERALD_LIST(said, leaves, every_leaf),
	      HERALD_FIELD(said, map));

static void
test_members_without_the_value_they_are_said_to_have(void **state)
{
	struct herald_codec *codec = decoding_codec(&said_schema, NULL);

	(void)state;
	expect_text(codec, &(struct said){.has_name = false}, "{}");
	expect_text(codec, &(struct said){.name = "not said to be there"}, "{}");
	expect_error(codec, &(struct said){.has_name = true}, HERALD_MISSING, "/name");
	expect_error(codec, &(struct said){.numbers_count = 1}, HERALD_MISSING, "/numbers");
	expect_error(codec, &(struct said){.leaves_count = 1}, HERALD_MISSING, "/leaves");
	expect_error(codec, &(struct said){.map = {NULL, 1}}, HERALD_MISSING, "/map");
	herald_codec_destroy(codec);
}

/* What may be missing, and may not be zero, is missing when it is zero: what was decoded can be encoded. */
struct inmost {
	const char *name;
};
HERALD_SCHEMA(inmost, HERALD_FIELD(inmost, name, .required = true));

struct within {
	struct inmost inmost;
	uint16_t port;
};
HERALD_SCHEMA(within, HERALD_STRUCT(within, inmost, inmost, .required = true),
	      HERALD_FIELD(within, port));

struct unset {
	int32_t quantity;
	uint8_t small;
	double below;
	float above;
	char code[4];
	char unit[4];
	struct within within;
	int32_t zero;
};
HERALD_SCHEMA(unset, HERALD_FIELD(unset, quantity, HERALD_RANGE(1, 9)),
	      HERALD_FIELD(unset, small, HERALD_MIN(1)), HERALD_FIELD(unset, below, HERALD_MAX(-1)),
	      HERALD_FIELD(unset, above, HERALD_MIN(0.5)), HERALD_FIELD(unset, code, .min_bytes = 1),
	      HERALD_FIELD(unset, unit, HERALD_ONE_OF("m", "km")),
	      HERALD_STRUCT(unset, within, within), HERALD_FIELD(unset, zero, HERALD_MIN(0)));

static void
test_members_that_cannot_be_zero(void **state)
{
	struct herald_codec *codec = decoding_codec(&unset_schema, NULL);

	(void)state;
	expect_text(codec, &(struct unset){.quantity = 0}, "{\"zero\":0}");
	expect_text(
		codec,
		&(struct unset){.quantity = 9,
				.small = 1,
				.below = -1,
				.above = 0.5f,
				.code = "a",
				.unit = "m",
				.within = {.inmost = {.name = ""}}},
		"{\"quantity\":9,\"small\":1,\"below\":-1,\"above\":0.5,\"code\":\"a\","
		"\"unit\":\"m\",\"within\":{\"inmost\":{\"name\":\"\"},\"port\":0},\"zero\":0}");
	/* What is not zero is not left out. */
	expect_error(codec, &(struct unset){.quantity = -1}, HERALD_OUT_OF_RANGE, "/quantity");
	expect_error(codec, &(struct unset){.code = {'\0', 'x'}, .below = 0.5}, HERALD_OUT_OF_RANGE,
		     "/below");
	expect_error(codec, &(struct unset){.within = {.port = 80}}, HERALD_MISSING,
		     "/within/inmost/name");
	herald_codec_destroy(codec);
}

/* A struct that leads to itself ends at the limit. */
static void
test_endless_struct(void **state)
{
	const struct herald_schema *schema = NULL;
	struct every_node node = {.name = "x"};
	struct herald_codec *codec;
	struct herald_buffer buffer;

	(void)state;
	for (size_t i = 0; i < every_kind_table->fields_count; i++)
		if (strcmp(every_kind_table->fields[i].name, "tree") == 0)
			schema = every_kind_table->fields[i].schema;
	codec = decoding_codec(schema, NULL);
	node.next = &node;
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &node, &buffer, NULL), HERALD_LIMIT);
	node.next = NULL;
	node.children = &node;
	node.children_count = 1;
	assert_int_equal(herald_codec_encode(codec, &node, &buffer, NULL), HERALD_LIMIT);
	herald_buffer_finish(&buffer);
	herald_codec_destroy(codec);
}

/* White space around raw JSON is not written: the struct would not come back. */
static void
test_white_space_around_raw_json(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);
	struct thing in = {.json = TEXT(" \n[ 1 ]\t ")};

	(void)state;
	expect_text(codec, &in, "{\"json\":[ 1 ]}");
	expect_text(any, &in.json, "[ 1 ]");
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

static void
test_any_json(void **state)
{
	struct herald_codec *codec = decoding_codec(&herald_json_schema, NULL);
	struct herald_json good = TEXT("{\"a\":[1,2.50]}"), bad = TEXT("{\"a\":[1,2.50}");

	(void)state;
	expect_text(codec, &good, "{\"a\":[1,2.50]}");
	expect_error(codec, &bad, HERALD_BAD_JSON, "");
	herald_codec_destroy(codec);
}

/* Maps with many entries need room to look for duplicates. */
static void
test_maps_of_many_entries(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	static struct herald_pair pairs[300];
	static char keys[300][8];

	(void)state;
	for (size_t count = 1; count <= 300; count += count < 40 ? 1 : 65) {
		struct thing in = {.map = {pairs, count}}, out;
		struct herald_buffer buffer;

		for (size_t i = 0; i < count; i++) {
			snprintf(keys[i], sizeof(keys[i]), "%zu", i * 77 % 307);
			pairs[i] = (struct herald_pair){keys[i], "v"};
		}
		herald_buffer_init(&buffer, NULL, 0);
		assert_int_equal(herald_codec_encode(codec, &in, &buffer, NULL), HERALD_OK);
		assert_int_equal(herald_codec_decode(codec, buffer.data, buffer.bytes,
						     decoding_arena(), &out, NULL),
				 HERALD_OK);
		assert_true(every_equal(&thing_schema, &in, &out));
		herald_buffer_finish(&buffer);
		for (size_t i = 1; i < count; i += 1 + count / 9) {
			const char *kept = pairs[i].key;
			char path[40];

			pairs[i].key = keys[i / 2];
			snprintf(path, sizeof(path), "/the map/%s", keys[i / 2]);
			expect_error(codec, &in, HERALD_DUPLICATE, path);
			pairs[i].key = kept;
		}
	}
	herald_codec_destroy(codec);
}

/* What was decoded is encoded, decoded and encoded again: always the same. */
static void
test_documents_come_back(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_arena *arena = NULL;
	struct herald_buffer first, second;
	struct every_kind in, out;
	char *copy = malloc(every_kind_document_bytes);

	(void)state;
	assert_non_null(copy);
	memcpy(copy, every_kind_document, every_kind_document_bytes);
	herald_buffer_init(&first, NULL, 0);
	herald_buffer_init(&second, NULL, 0);
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	assert_int_equal(
		herald_codec_decode(codec, copy, every_kind_document_bytes, arena, &in, NULL),
		HERALD_OK);
	assert_int_equal(herald_codec_encode(codec, &in, &first, NULL), HERALD_OK);
	assert_int_equal(herald_buffer_append(&second, first.data, first.bytes), HERALD_OK);
	assert_int_equal(herald_codec_decode(codec, second.data, second.bytes, arena, &out, NULL),
			 HERALD_OK);
	assert_true(every_equal(every_kind_table, &in, &out));
	herald_buffer_finish(&second);
	assert_int_equal(herald_codec_encode(codec, &in, &second, NULL), HERALD_OK);
	assert_int_equal(first.bytes, second.bytes);
	assert_memory_equal(first.data, second.data, first.bytes);
	herald_buffer_finish(&first);
	herald_buffer_finish(&second);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	free(copy);
}

/* decode(encode(x)) == x for any x that the schema allows. */
static void
test_random_structs_come_back(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_random random = {11};
	struct herald_arena *arena = NULL, *decoded = NULL;
	struct herald_buffer buffer;

	(void)state;
	assert_int_equal(herald_arena_create(NULL, 64 << 20, &arena), HERALD_OK);
	assert_int_equal(herald_arena_create(NULL, 64 << 20, &decoded), HERALD_OK);
	herald_buffer_init(&buffer, NULL, 0);
	for (unsigned round = 0; round < 1500; round++) {
		struct every_kind in, out;
		struct herald_error error;

		assert_true(every_fill(every_kind_table, &random, arena, round % 3, &in));
		if (herald_codec_encode(codec, &in, &buffer, &error) != HERALD_OK)
			fail_msg("round %u: %s: %s", round, error.path, error.message);
		memset(&out, 0x77, sizeof(out));
		if (herald_codec_decode(codec, buffer.data, buffer.bytes, decoded, &out, &error) !=
		    HERALD_OK)
			fail_msg("round %u: %s: %s", round, error.path, error.message);
		if (!every_equal(every_kind_table, &in, &out))
			fail_msg("round %u: another struct came back", round);
		buffer.bytes = 0;
		herald_arena_reset(arena);
		herald_arena_reset(decoded);
	}
	herald_buffer_finish(&buffer);
	herald_arena_destroy(arena);
	herald_arena_destroy(decoded);
	herald_codec_destroy(codec);
}

/* Buffers that may grow to less than what is needed, by every amount; and to just that. */
static void
test_buffers_that_are_too_small(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_buffer whole;
	struct every_kind in;

	(void)state;
	decode_good(codec, every_kind_document, &in, sizeof(in));
	herald_buffer_init(&whole, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &in, &whole, NULL), HERALD_OK);
	for (size_t max = 1; max <= whole.bytes; max++) {
		struct failing_allocator memory;
		struct herald_buffer buffer;
		struct herald_error error;
		enum herald_status status;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		herald_buffer_init(&buffer, &memory.allocator, max);
		status = herald_codec_encode(codec, &in, &buffer, &error);
		assert_int_equal(status, max < whole.bytes ? HERALD_TOO_LARGE : HERALD_OK);
		assert_int_equal(buffer.bytes, max < whole.bytes ? 0 : whole.bytes);
		if (status == HERALD_OK)
			assert_memory_equal(buffer.data, whole.data, whole.bytes);
		else
			assert_int_equal(error.status, HERALD_TOO_LARGE);
		assert_true(memory.peak_bytes <= 3 * max + 64);
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
	}
	herald_buffer_finish(&whole);
	herald_codec_destroy(codec);
}

/* The room to look for duplicates is not to count against the buffer's limit. */
static void
test_a_buffer_that_just_holds_a_map(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	static struct herald_pair pairs[60];
	static char keys[60][8];
	struct thing in = {.map = {pairs, 60}};
	struct herald_buffer whole, buffer;

	(void)state;
	for (size_t i = 0; i < 60; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%zu", i);
		pairs[i] = (struct herald_pair){keys[i], ""};
	}
	herald_buffer_init(&whole, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &in, &whole, NULL), HERALD_OK);
	herald_buffer_init(&buffer, NULL, whole.bytes);
	assert_int_equal(herald_codec_encode(codec, &in, &buffer, NULL), HERALD_OK);
	assert_int_equal(buffer.bytes, whole.bytes);
	herald_buffer_finish(&buffer);
	herald_buffer_finish(&whole);
	herald_codec_destroy(codec);
}

/* Every allocation fails, one at a time; what was in the buffer stays. */
static void
test_every_allocation_fails(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_kind in;

	(void)state;
	decode_good(codec, every_kind_document, &in, sizeof(in));
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_buffer buffer;
		struct herald_error error;
		enum herald_status status;
		size_t bytes = 0;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		herald_buffer_init(&buffer, &memory.allocator, 0);
		status = herald_buffer_append(&buffer, BEFORE, strlen(BEFORE));
		bytes = buffer.bytes;
		if (status == HERALD_OK) {
			status = herald_codec_encode(codec, &in, &buffer, &error);
			if (status != HERALD_OK) {
				assert_int_equal(error.status, HERALD_NO_MEMORY);
				assert_int_equal(buffer.bytes, bytes);
				assert_memory_equal(buffer.data, BEFORE, bytes);
			}
		}
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
		if (memory.failures == 0) {
			assert_int_equal(status, HERALD_OK);
			break;
		}
		assert_int_equal(status, HERALD_NO_MEMORY);
	}
	herald_codec_destroy(codec);
}

/* A buffer that is used again needs no memory. */
static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct failing_allocator memory;
	struct herald_buffer buffer;
	struct every_kind in;
	size_t calls = 0;

	(void)state;
	decode_good(codec, every_kind_document, &in, sizeof(in));
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	herald_buffer_init(&buffer, &memory.allocator, 0);
	for (int round = 0; round < 5; round++) {
		buffer.bytes = 0;
		assert_int_equal(herald_codec_encode(codec, &in, &buffer, NULL), HERALD_OK);
		if (round == 0)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_buffer_finish(&buffer);
	assert_all_released(&memory);
	herald_codec_destroy(codec);
}

struct lists {
	const int8_t *bytes;
	size_t bytes_count;
	const double *reals;
	size_t reals_count;
	const bool *flags;
	size_t flags_count;
};
HERALD_SCHEMA(lists, HERALD_VALUES(lists, bytes), HERALD_VALUES(lists, reals),
	      HERALD_VALUES(lists, flags));

/* The room ends at each byte of a list once, its commas included. */
static void
test_lists_that_do_not_fit(void **state)
{
	static const char text[] =
		"{\"bytes\":[1,-23,100],\"reals\":[1.5,2,-1e300],\"flags\":[true,false,true]}";
	const struct lists in = {(const int8_t[]){1, -23, 100},     3,
				 (const double[]){1.5, 2, -1e300},  3,
				 (const bool[]){true, false, true}, 3};
	struct herald_codec *codec = decoding_codec(&lists_schema, NULL);

	(void)state;
	expect_text(codec, &in, text);
	for (size_t bytes = 1; bytes < sizeof(text) - 1; bytes++) {
		struct herald_buffer buffer;
		struct herald_error error;

		herald_buffer_init(&buffer, NULL, bytes);
		assert_int_equal(herald_codec_encode(codec, &in, &buffer, &error),
				 HERALD_TOO_LARGE);
		assert_int_equal(error.status, HERALD_TOO_LARGE);
		assert_int_equal(buffer.bytes, 0);
		herald_buffer_finish(&buffer);
	}
	herald_codec_destroy(codec);
}

struct pair {
	int32_t first, second;
};
HERALD_SCHEMA(pair, HERALD_FIELD(pair, first), HERALD_FIELD(pair, second));

/* Short ones are copied in one go, so each length, also where the buffer has just enough room. */
static void
test_member_names_of_each_length(void **state)
{
	const struct pair in = {1, -2};

	(void)state;
	for (int bytes = 1; bytes <= 100; bytes++) {
		struct herald_field fields[2] = {pair_schema.fields[0], pair_schema.fields[1]};
		struct herald_schema schema = pair_schema;
		char first[101], second[101], expected[300];

		memset(first, 'a', (size_t)bytes);
		first[bytes] = '\0';
		memset(second, 'b', (size_t)bytes);
		second[bytes] = '\0';
		fields[0].key = first;
		fields[1].key = second;
		schema.fields = fields;

		struct herald_codec *codec = decoding_codec(&schema, NULL);
		int expected_bytes =
			snprintf(expected, sizeof(expected), "{\"%s\":1,\"%s\":-2}", first, second);

		expect_text(codec, &in, expected);
		for (int room = 0; room <= expected_bytes; room++) {
			struct herald_buffer buffer;

			herald_buffer_init(&buffer, NULL, (size_t)room);
			enum herald_status status = herald_codec_encode(codec, &in, &buffer, NULL);
			assert_int_equal(status, room == 0 || room == expected_bytes
							 ? HERALD_OK
							 : HERALD_TOO_LARGE);
			if (status == HERALD_OK)
				assert_memory_equal(buffer.data, expected, buffer.bytes);
			herald_buffer_finish(&buffer);
		}
		herald_codec_destroy(codec);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_member_names_of_each_length),
		cmocka_unit_test(test_lists_that_do_not_fit),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_bad_utf8_at_every_position),
		cmocka_unit_test(test_escapes_at_every_position),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_integers_of_every_length),
		cmocka_unit_test(test_required_members),
		cmocka_unit_test(test_required_raw_null),
		cmocka_unit_test(test_lengths_counts_and_allowed_values),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_members_without_the_value_they_are_said_to_have),
		cmocka_unit_test(test_members_that_cannot_be_zero),
		cmocka_unit_test(test_endless_struct),
		cmocka_unit_test(test_white_space_around_raw_json),
		cmocka_unit_test(test_any_json),
		cmocka_unit_test(test_maps_of_many_entries),
		cmocka_unit_test(test_documents_come_back),
		cmocka_unit_test(test_random_structs_come_back),
		cmocka_unit_test(test_buffers_that_are_too_small),
		cmocka_unit_test(test_a_buffer_that_just_holds_a_map),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_no_allocation_in_the_steady_state),
	};

	return cmocka_run_group_tests_name("encode", tests, NULL, decoding_finish);
}
