/*
 * herald_codec_encode(): the text of each kind, which members are left out, and that all output
 * decodes to the same struct. Floating-point numbers are in test_number.c.
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

#include "codec/encode_thing.h"
#include "support/decoding.h"
#include "support/every_kind.h"

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

/* Invalid UTF-8 of every kind, at every position: the encoder must see it as the decoder does. */
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
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bad_utf8_at_every_position),
		cmocka_unit_test(test_escapes_at_every_position),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_integers_of_every_length),
		cmocka_unit_test(test_white_space_around_raw_json),
		cmocka_unit_test(test_any_json),
		cmocka_unit_test(test_documents_come_back),
		cmocka_unit_test(test_random_structs_come_back),
	};

	return cmocka_run_group_tests_name("encode", tests, NULL, decoding_finish);
}
