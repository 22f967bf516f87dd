/*
 * herald_codec_encode(): refused values and their paths: wrong values, missing members, lengths,
 * counts, allowed values, and the limits of the codec.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/encode_thing.h"
#include "support/decoding.h"
#include "support/every_kind.h"

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
		{{.string = "long enough for a step, and then \xFF a wrong byte"},
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

/* Required members. */
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

/* Required raw JSON that is null counts as missing, as in the decoder. */
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

/* The codec's limits apply to encoding as to decoding. */
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

/* A member that is marked as present must have a value; it would not decode to the same. */
struct said {
	bool has_name;
	const char *name;
	const int8_t *numbers;
	size_t numbers_count;
	const struct every_leaf *leaves;
	size_t leaves_count;
	struct herald_map map;
};
HERALD_SCHEMA(said,
	HERALD_OPTIONAL(said, name),
	HERALD_VALUES(said, numbers),
	HERALD_LIST(said, leaves, every_leaf),
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

/* What may be missing, and may not be zero, is missing when it is zero: what was decoded can be
 * encoded. */
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
HERALD_SCHEMA(unset,
	HERALD_FIELD(unset, quantity, HERALD_RANGE(1, 9)),
	HERALD_FIELD(unset, small, HERALD_MIN(1)),
	HERALD_FIELD(unset, below, HERALD_MAX(-1)),
	HERALD_FIELD(unset, above, HERALD_MIN(0.5)),
	HERALD_FIELD(unset, code, .min_bytes = 1),
	HERALD_FIELD(unset, unit, HERALD_ONE_OF("m", "km")),
	HERALD_STRUCT(unset, within, within),
	HERALD_FIELD(unset, zero, HERALD_MIN(0)));

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
	/* Only zero values are left out. */
	expect_error(codec, &(struct unset){.quantity = -1}, HERALD_OUT_OF_RANGE, "/quantity");
	expect_error(codec, &(struct unset){.code = {'\0', 'x'}, .below = 0.5}, HERALD_OUT_OF_RANGE,
		     "/below");
	expect_error(codec, &(struct unset){.within = {.port = 80}}, HERALD_MISSING,
		     "/within/inmost/name");
	herald_codec_destroy(codec);
}

/* A struct that contains a pointer to itself fails at the depth limit. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_required_members),
		cmocka_unit_test(test_required_raw_null),
		cmocka_unit_test(test_lengths_counts_and_allowed_values),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_members_without_the_value_they_are_said_to_have),
		cmocka_unit_test(test_members_that_cannot_be_zero),
		cmocka_unit_test(test_endless_struct),
		cmocka_unit_test(test_maps_of_many_entries),
	};

	return cmocka_run_group_tests_name("encode_constraints", tests, NULL, decoding_finish);
}
