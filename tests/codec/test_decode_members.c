/*
 * herald_codec_decode(): required members, members in any order, unknown ones, keys of every
 * length and with escapes, and schemas of many fields.
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

#include "codec/decode_thing.h"
#include "support/decoding.h"
#include "support/every_kind.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Required members, one of each kind. */
struct needy {
	bool truth;
	int8_t integer;
	double real;
	const char *string;
	struct herald_text text;
	char chars[8];
	struct herald_time time;
	struct herald_json json;
	struct herald_map map;
	enum every_size size;
	struct every_leaf leaf;
	const struct every_leaf *pointer;
	const struct every_leaf *list;
	size_t list_count;
	const bool *truths;
	size_t truths_count;
};

HERALD_SCHEMA(needy,
	HERALD_FIELD(needy, truth, .required = true),
	HERALD_FIELD(needy, integer, .required = true),
	HERALD_FIELD(needy, real, .required = true),
	HERALD_FIELD(needy, string, .required = true),
	HERALD_FIELD(needy, text, .required = true),
	HERALD_FIELD(needy, chars, .required = true),
	HERALD_FIELD(needy, time, .required = true),
	HERALD_FIELD(needy, json, .required = true),
	HERALD_FIELD(needy, map, .required = true),
	HERALD_ENUM(needy, size, sizes, .required = true),
	HERALD_STRUCT(needy, leaf, every_leaf, .required = true),
	HERALD_POINTER(needy, pointer, every_leaf, .required = true),
	HERALD_LIST(needy, list, every_leaf, .required = true),
	HERALD_VALUES(needy, truths, .required = true));

static const struct {
	const char *name, *value;
} needs[] = {
	{"truth", "false"},
	{"integer", "0"},
	{"real", "0"},
	{"string", "\"\""},
	{"text", "\"\""},
	{"chars", "\"\""},
	{"time", "\"1970-01-01T00:00:00Z\""},
	{"json", "[]"},
	{"map", "{}"},
	{"size", "\"small\""},
	{"leaf", "{\"name\":\"\"}"},
	{"pointer", "{\"name\":\"\"}"},
	{"list", "[]"},
	{"truths", "[]"},
};

/* All needs but one, or with a null there, from number `first` on. */
static size_t
write_needs(char *text, size_t size, size_t first, size_t left_out, bool null)
{
	size_t bytes = 0, begin = 0;

	for (size_t i = 0; i < COUNT(needs); i++) {
		size_t index = (first + i) % COUNT(needs);

		if (index == left_out && !null)
			continue;
		bytes += (size_t)snprintf(text + bytes, size - bytes,
					  "%s\"%s\":", bytes == 0 ? "{" : ",", needs[index].name);
		if (index == left_out)
			begin = bytes;
		bytes += (size_t)snprintf(text + bytes, size - bytes, "%s",
					  index == left_out ? "null" : needs[index].value);
	}
	snprintf(text + bytes, size - bytes, "}");
	return begin;
}

static void
test_required_members(void **state)
{
	struct herald_codec *codec = decoding_codec(&needy_schema, NULL);
	struct needy out;
	char text[600], path[40];

	(void)state;
	for (size_t first = 0; first < COUNT(needs); first++) {
		write_needs(text, sizeof(text), first, SIZE_MAX, false);
		decode_good(codec, text, &out, sizeof(out));
		assert_non_null(out.string);
		assert_non_null(out.text.data);
		assert_non_null(out.map.pairs);
		assert_non_null(out.list);
		assert_non_null(out.truths);
		for (size_t i = 0; i < COUNT(needs); i++) {
			size_t offset;

			snprintf(path, sizeof(path), "/%s", needs[i].name);
			write_needs(text, sizeof(text), first, i, false);
			decode_bad_bytes(codec, text, strlen(text), sizeof(out), HERALD_MISSING,
					 path, 0, text);
			offset = write_needs(text, sizeof(text), first, i, true);
			decode_bad_bytes(codec, text, strlen(text), sizeof(out), HERALD_MISSING,
					 path, offset, text);
		}
	}
	/* If several members are missing, the first one of the schema is reported. */
	decode_bad(codec, " @{\"integer\":1}", sizeof(out), HERALD_MISSING, "/truth");
	herald_codec_destroy(codec);
}

/* Members in any order, with unknown ones in between, of names that are wanted elsewhere. */
static void
test_members_in_any_order(void **state)
{
	static const char *const unknown[] = {
		"\"unknown\":1",
		"\"\":{}",
		"\"trut\":[]",
		"\"truthh\":{\"truth\":{\"truth\":[]}}",
		"\"Truth\":null",
		"\"list\\u0000\":[{\"name\":1}]",
		"\"\\ud83d\\ude00\":\"\\u0000\"",
	};
	struct herald_codec *codec = decoding_codec(&needy_schema, NULL);
	struct every_random random = {1};

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		size_t order[COUNT(needs)], bytes = 1;
		char text[2000] = "{";
		struct needy out;

		for (size_t i = 0; i < COUNT(needs); i++)
			order[i] = round == 0 ? COUNT(needs) - 1 - i : i;
		for (size_t i = COUNT(needs) - 1; round > 0 && i > 0; i--) {
			size_t j = every_random_below(&random, i + 1), kept = order[i];

			order[i] = order[j];
			order[j] = kept;
		}
		for (size_t i = 0; i < COUNT(needs); i++) {
			if (every_random_below(&random, 3) == 0)
				bytes += (size_t)snprintf(
					text + bytes, sizeof(text) - bytes, "%s%s",
					bytes > 1 ? "," : "",
					unknown[every_random_below(&random, COUNT(unknown))]);
			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "%s\"%s\":%s",
						  bytes > 1 ? "," : "", needs[order[i]].name,
						  needs[order[i]].value);
		}
		snprintf(text + bytes, sizeof(text) - bytes, "}");
		decode_good(codec, text, &out, sizeof(out));
		assert_non_null(out.pointer);
		assert_string_equal(out.leaf.name, "");
	}
	herald_codec_destroy(codec);
}

static void
test_unknown_members_everywhere(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(
		codec,
		"{\"leaf\":{\"leaf\":{\"name\":1,\"number\":\"\"},\"name\":\"in\",\"list\":[]},"
		"\"x\":{\"integer\":\"no\",\"leaf\":5},"
		"\"list\":[{\"x\":[{\"name\":0}],\"name\":\"a\"},{\"name\":\"b\",\"list\":[[]]}],"
		"\"pointer\":{\"name\":\"p\",\"pointer\":{\"name\":3}},\"integer\":4,"
		"\"x\":1,\"x\":2}",
		&out, sizeof(out));
	assert_string_equal(out.leaf.name, "in");
	assert_int_equal(out.list_count, 2);
	assert_string_equal(out.list[0].name, "a");
	assert_string_equal(out.list[1].name, "b");
	assert_string_equal(out.pointer->name, "p");
	assert_int_equal(out.integer, 4);
	herald_codec_destroy(codec);
}

static void
test_reject_unknown(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{"{\"strict\":{@\"x\":1}}", "/strict/x"},
		{"{\"strict\":{\"value\":1,\"flag\":true,@\"values\":1}}", "/strict/values"},
		{"{\"strict\":{\"value\":1,@\"\":1,\"flag\":true}}", "/strict/"},
		{"{\"strict\":{@\"Value\":1}}", "/strict/Value"},
		{"{\"strict\":{@\"a\\/\\u007e\":1}}", "/strict/a~1~0"},
	};
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_error error;
	struct every_kind out;
	static const char good[] =
		"{\"x\":1,\"strict\":{\"flag\":true,\"value\":1},\"the id\":\"x\"}";

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		decode_bad(codec, cases[i].text, sizeof(out), HERALD_UNKNOWN_MEMBER, cases[i].path);
	assert_int_equal(decode_bytes(codec, good, sizeof(good) - 1, &out, sizeof(out), &error),
			 HERALD_OK);
	assert_int_equal(out.strict.value, 1);
	herald_codec_destroy(codec);
}

static void
test_keys_with_escapes(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(codec,
		    "{\"\\u0069nteger\":1,\"\\u0073\\u0074\\u0072\\u0069\\u006E\\u0067\":\"x\","
		    "\"map\":{\"\\u0061\":\"\\u0062\"},\"natura\\u006c\":3}",
		    &out, sizeof(out));
	assert_int_equal(out.integer, 1);
	assert_string_equal(out.string, "x");
	assert_string_equal(out.map.pairs[0].key, "a");
	assert_string_equal(out.map.pairs[0].value, "b");
	assert_int_equal(out.natural, 3);
	herald_codec_destroy(codec);
}

/* A schema made by hand: `count` int32_t members. */
struct wide {
	struct herald_field *fields;
	char (*keys)[48];
	struct herald_schema schema;
};

static void
wide_init(struct wide *wide, size_t count)
{
	wide->fields = calloc(count, sizeof(*wide->fields));
	wide->keys = calloc(count, sizeof(*wide->keys));
	assert_non_null(wide->fields);
	assert_non_null(wide->keys);
	for (size_t i = 0; i < count; i++) {
		snprintf(wide->keys[i], sizeof(wide->keys[i]), "member%zu", i);
		wide->fields[i] = (struct herald_field){.owner = "wide",
							.name = wide->keys[i],
							.kind = HERALD_KIND_INT32,
							.offset = i * sizeof(int32_t),
							.bytes = sizeof(int32_t)};
	}
	wide->schema = (struct herald_schema){.name = "wide",
					      .bytes = count * sizeof(int32_t),
					      .alignment = _Alignof(int32_t),
					      .fields = wide->fields,
					      .fields_count = count};
}

static void
wide_finish(struct wide *wide)
{
	free(wide->fields);
	free(wide->keys);
}

struct nameless {
	int32_t number;
	int32_t b;
};

HERALD_SCHEMA(nameless,
	HERALD_FIELD(nameless, number, .key = "", .required = true),
	HERALD_FIELD(nameless, b));

/* An empty key is one like others, where it is expected and elsewhere. */
static void
test_empty_key(void **state)
{
	static const char *const documents[] = {
		"{\"\":5,\"b\":2}",
		"{\"b\":2,\"\":5}",
		"{\"zzzzzzzzzzzzzzzz\":1,\"\":5,\"b\":2,\"c\":\"padding padding\"}",
		"{\"z\":1,\"b\":2,\"zz\":[{\"\":6}],\"\":5}",
	};
	struct herald_codec *codec = decoding_codec(&nameless_schema, NULL);
	struct nameless out;

	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		decode_good(codec, documents[i], &out, sizeof(out));
		assert_int_equal(out.number, 5);
		assert_int_equal(out.b, 2);
	}
	herald_codec_destroy(codec);
}

/* Keys of every length, in and out of order; and ones that differ in one byte only are unknown. */
static void
test_keys_of_every_length(void **state)
{
	struct herald_codec *codec;
	struct wide wide;
	int32_t out[40];
	char text[2200];

	(void)state;
	wide_init(&wide, 40);
	for (size_t i = 0; i < 40; i++) {
		for (size_t j = 0; j <= i; j++)
			wide.keys[i][j] = (char)('A' + (i + j) % 26);
		wide.keys[i][i + 1] = '\0';
	}
	codec = decoding_codec(&wide.schema, NULL);
	for (int backwards = 0; backwards < 2; backwards++) {
		size_t bytes = 1;

		text[0] = '{';
		for (size_t i = 0; i < 40; i++) {
			size_t index = backwards ? 39 - i : i;

			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
						  "%s\"%.*s\":%zu", i > 0 ? "," : "",
						  (int)index + 1, wide.keys[index], index + 1);
		}
		snprintf(text + bytes, sizeof(text) - bytes, "}");
		decode_good(codec, text, out, sizeof(out));
		for (int32_t i = 0; i < 40; i++)
			assert_int_equal(out[i], i + 1);
	}
	for (size_t i = 0; i < 40; i++)
		for (size_t j = 0; j <= i; j++) {
			size_t bytes = 1;

			/* Where it is expected: after all those before it. */
			text[0] = '{';
			for (size_t k = 0; k < i; k++)
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "\"%s\":7,", wide.keys[k]);
			snprintf(text + bytes, sizeof(text) - bytes, "\"%s\":8}", wide.keys[i]);
			text[bytes + 1 + j] = '_';
			decode_good(codec, text, out, sizeof(out));
			for (size_t k = 0; k < 40; k++)
				assert_int_equal(out[k], k < i ? 7 : 0);
			/* And where another one is. */
			snprintf(text, sizeof(text), "{\"%s\":7}", wide.keys[i]);
			text[2 + j] = '_';
			decode_good(codec, text, out, sizeof(out));
			for (size_t k = 0; k < 40; k++)
				assert_int_equal(out[k], 0);
		}
	herald_codec_destroy(codec);
	wide_finish(&wide);
}

static void
test_schemas_with_many_fields(void **state)
{
	static const size_t counts[] = {1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 200, 1000};
	static char text[40000];

	(void)state;
	for (size_t c = 0; c < COUNT(counts); c++) {
		size_t count = counts[c];
		int32_t *out = calloc(count, sizeof(*out));
		struct herald_codec *codec;
		struct wide wide;
		size_t step = 7, missing;
		char path[40];

		assert_non_null(out);
		wide_init(&wide, count);
		for (size_t i = 0; i < count; i++)
			wide.fields[i].required = i % 3 == 0;
		codec = decoding_codec(&wide.schema, NULL);
		while (count % step == 0)
			step++;
		for (int order = 0; order < 3; order++) {
			size_t bytes = 1;

			text[0] = '{';
			for (size_t i = 0; i < count; i++) {
				size_t index = order == 0   ? i
					       : order == 1 ? count - 1 - i
							    : i * step % count;

				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "%s\"member%zu\":%zu", i > 0 ? "," : "",
							  index, index + 1);
			}
			snprintf(text + bytes, sizeof(text) - bytes, "}");
			decode_good(codec, text, out, count * sizeof(*out));
			for (size_t i = 0; i < count; i++)
				assert_int_equal(out[i], i + 1);
			/* A second one of any of them is a duplicate. */
			for (size_t i = 0; i<count; i += count> 200 ? 37 : 1) {
				snprintf(text + bytes, sizeof(text) - bytes, ",\"member%zu\":1}",
					 i);
				snprintf(path, sizeof(path), "/member%zu", i);
				decode_bad_bytes(codec, text, strlen(text), count * sizeof(*out),
						 HERALD_DUPLICATE, path, bytes + 1, path);
			}
		}
		/* Only the last one that is required is missing. */
		missing = (count - 1) / 3 * 3;
		text[0] = '{';
		for (size_t i = 0, bytes = 1; i < count; i++)
			if (i != missing)
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "%s\"member%zu\":%zu",
							  bytes > 1 ? "," : "", i, i + 1);
		if (count == 1)
			text[1] = '\0';
		strcat(text, "}");
		snprintf(path, sizeof(path), "/member%zu", missing);
		decode_bad_bytes(codec, text, strlen(text), count * sizeof(*out), HERALD_MISSING,
				 path, 0, path);
		herald_codec_destroy(codec);
		wide_finish(&wide);
		free(out);
	}
}

/* More fields than a guess can have a number for. Their names differ in their first and last bytes,
 * so that many of the last fields would have a guess. */
static void
test_more_fields_than_guesses(void **state)
{
	enum { FIELDS = 300 };
	static char text[20 * FIELDS];
	static int32_t out[FIELDS];
	struct herald_codec *codec;
	struct wide wide;
	size_t bytes = 0;

	(void)state;
	wide_init(&wide, FIELDS);
	for (size_t i = 0; i < FIELDS; i++)
		snprintf(wide.keys[i], sizeof(wide.keys[i]), "%c_%zu%c", (char)('A' + i % 26), i,
			 (char)('a' + i / 26));
	codec = decoding_codec(&wide.schema, NULL);
	for (size_t i = FIELDS; i-- > 0;)
		bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "%c\"%s\":%zu",
					  bytes == 0 ? '{' : ',', wide.keys[i], i + 1);
	snprintf(text + bytes, sizeof(text) - bytes, "}");
	decode_good(codec, text, out, sizeof(out));
	for (size_t i = 0; i < FIELDS; i++)
		assert_int_equal(out[i], i + 1);
	herald_codec_destroy(codec);
	wide_finish(&wide);
}

struct writable {
	char *name;
	char **words;
	size_t words_count;
};
HERALD_SCHEMA(writable,
	HERALD_FIELD(writable, name, .required = true),
	HERALD_VALUES(writable, words));

/* Strings without const are writable and do not overlap, also empty ones. */
static void
test_strings_are_writable(void **state)
{
	struct herald_codec *codec = decoding_codec(&writable_schema, NULL);
	struct writable out;

	(void)state;
	decode_good(codec, "{\"name\":\"a\\u0062c\",\"words\":[\"de\",\"\",\"f\"]}", &out,
		    sizeof(out));
	assert_string_equal(out.name, "abc");
	assert_int_equal(out.words_count, 3);
	memset(out.name, 'x', strlen(out.name) + 1);
	for (size_t i = 0; i < out.words_count; i++)
		out.words[i][strlen(out.words[i])] = (char)('0' + i);
	assert_memory_equal(out.name, "xxxx", 4);
	assert_memory_equal(out.words[0], "de0", 3);
	assert_memory_equal(out.words[1], "1", 1);
	assert_memory_equal(out.words[2], "f2", 2);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_required_members),
		cmocka_unit_test(test_members_in_any_order),
		cmocka_unit_test(test_unknown_members_everywhere),
		cmocka_unit_test(test_reject_unknown),
		cmocka_unit_test(test_keys_with_escapes),
		cmocka_unit_test(test_empty_key),
		cmocka_unit_test(test_keys_of_every_length),
		cmocka_unit_test(test_schemas_with_many_fields),
		cmocka_unit_test(test_more_fields_than_guesses),
		cmocka_unit_test(test_strings_are_writable),
	};

	return cmocka_run_group_tests_name("decode_members", tests, NULL, decoding_finish);
}
