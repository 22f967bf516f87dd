/*
 * herald_codec_decode(): each kind when it is missing, null, of the wrong type or optional;
 * raw JSON, lists, maps, and structs that contain themselves.
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

static void
test_missing_is_zero(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	static const char *const texts[] = {"{}", " {\n} ", "{\"no such member\":[1,2,3]}"};
	struct thing out, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (size_t i = 0; i < COUNT(texts); i++) {
		decode_good(codec, texts[i], &out, sizeof(out));
		assert_memory_equal(&out, &zero, sizeof(out)); /* the padding too */
	}
	herald_codec_destroy(codec);
}

/* null is the zero value of all kinds but raw JSON, where it is a value. */
static void
test_null(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (size_t i = 0; i < thing_schema.fields_count; i++) {
		const struct herald_field *field = &thing_schema.fields[i];
		char text[100], path[40];

		snprintf(text, sizeof(text), "{\"%s\": null }", field->name);
		decode_good(codec, text, &out, sizeof(out));
		if (field->kind == HERALD_KIND_JSON) {
			assert_int_equal(out.json.bytes, 4);
			assert_memory_equal(out.json.data, "null", 4);
		} else {
			assert_memory_equal(&out, &zero, sizeof(out));
		}
		/* A null counts for the duplicate check. */
		snprintf(text, sizeof(text), "{\"%s\":null,@\"%s\":null}", field->name,
			 field->name);
		snprintf(path, sizeof(path), "/%s", field->name);
		decode_bad(codec, text, sizeof(out), HERALD_DUPLICATE, path);
	}
	herald_codec_destroy(codec);
}

static void
test_values_of_the_wrong_type(void **state)
{
	/* The JSON types that each kind accepts; all others fail. */
	static const struct {
		const char *name, *types;
	} cases[] = {
		{"truth", "tf"},  {"integer", "0"}, {"natural", "0"},  {"real32", "0-"},
		{"real64", "0-"}, {"string", "\""}, {"text", "\""},    {"chars", "\""},
		{"time", ""},     {"map", "{"},     {"color", ""},     {"leaf", ""},
		{"pointer", ""},  {"list", "["},    {"integers", "["}, {"strings", "["},
	};
	static const char *const values[] = {"true", "false", "0", "-1.5", "\"\"", "{}", "[]"};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 0; j < COUNT(values); j++) {
			const char *name = cases[i].name;
			char text[100], path[40];

			/* The type is right; the value is tested elsewhere. */
			if (strchr(cases[i].types, values[j][0]) != NULL ||
			    (strcmp(name, "time") == 0 && values[j][0] == '"') ||
			    (strcmp(name, "color") == 0 && values[j][0] == '"') ||
			    ((strcmp(name, "leaf") == 0 || strcmp(name, "pointer") == 0) &&
			     values[j][0] == '{') ||
			    (strcmp(name, "integer") == 0 && values[j][0] == '-') ||
			    (strcmp(name, "natural") == 0 && values[j][0] == '-'))
				continue;
			snprintf(text, sizeof(text), "{\"%s\" : @%s}", name, values[j]);
			snprintf(path, sizeof(path), "/%s", name);
			decode_bad(codec, text, sizeof(struct thing), HERALD_BAD_TYPE, path);
			/* The same where it is the last of other members. */
			snprintf(text, sizeof(text), "{\"x\":{\"y\":[1]},\"%s\":@%s}", name,
				 values[j]);
			decode_bad(codec, text, sizeof(struct thing), HERALD_BAD_TYPE, path);
		}
	herald_codec_destroy(codec);
}

static void
test_values_that_are_wrong(void **state)
{
	static const struct {
		const char *text;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{"{\"integer\":@1.0}", HERALD_BAD_TYPE, "/integer"},
		{"{\"integer\":@1e2}", HERALD_BAD_TYPE, "/integer"},
		{"{\"integer\":@-1E+2}", HERALD_BAD_TYPE, "/integer"},
		{"{\"integer\":@0.0}", HERALD_BAD_TYPE, "/integer"},
		{"{\"natural\":@0e0}", HERALD_BAD_TYPE, "/natural"},
		{"{\"integer\":@99999999999999999999.5}", HERALD_BAD_TYPE, "/integer"},
		{"{\"string\":\"a@\\u0000b\"}", HERALD_BAD_VALUE, "/string"},
		{"{\"string\":\"@\\u0000\"}", HERALD_BAD_VALUE, "/string"},
		{"{\"string\":\"\\n@\\u0000\\u0000\"}", HERALD_BAD_VALUE, "/string"},
		{"{\"chars\":\"a@\\u0000\"}", HERALD_BAD_VALUE, "/chars"},
		{"{\"chars\":@\"four\"}", HERALD_BAD_LENGTH, "/chars"},
		{"{\"chars\":@\"\xE2\x82\xAC!\"}", HERALD_BAD_LENGTH, "/chars"},
		{"{\"chars\":@\"\\u20ac\\n\"}", HERALD_BAD_LENGTH, "/chars"},
		{"{\"chars\":@\"more than fits by far, and then some\"}", HERALD_BAD_LENGTH,
		 "/chars"},
		{"{\"time\":@\"\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20T05:21:19\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2023-02-29T00:00:00Z\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20T05:21:60Z\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20T05:21:19Z \"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20T05:21:19Z\\u0000\"}", HERALD_BAD_TIME, "/time"},
		{"{\"color\":@\"\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"re\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"redd\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"Red\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"red\\u0000\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"a name that is much longer than what a message wants to show\"}",
		 HERALD_BAD_VALUE, "/color"},
		{"{\"map\":{\"a\":@1}}", HERALD_BAD_TYPE, "/map/a"},
		{"{\"map\":{\"a\":\"1\",\"b\":@{}}}", HERALD_BAD_TYPE, "/map/b"},
		{"{\"map\":{\"a/b~c\":@[]}}", HERALD_BAD_TYPE, "/map/a~1b~0c"},
		{"{\"map\":{\"\":@true}}", HERALD_BAD_TYPE, "/map/"},
		{"{\"map\":{\"\\u00fc\":@true}}", HERALD_BAD_TYPE, "/map/\xC3\xBC"},
		{"{\"map\":{\"a\":\"@\\u0000\"}}", HERALD_BAD_VALUE, "/map/a"},
		{"{\"map\":{\"@\\u0000\":\"\"}}", HERALD_BAD_VALUE, "/map"},
		{"{\"map\":{\"a\":\"1\",\"b\":\"2\",@\"a\":\"3\"}}", HERALD_DUPLICATE, "/map/a"},
		{"{\"map\":{\"a\":\"1\",@\"\\u0061\":\"3\"}}", HERALD_DUPLICATE, "/map/a"},
		{"{\"map\":{\"\":\"1\",@\"\":null}}", HERALD_DUPLICATE, "/map/"},
		{"{\"leaf\":@{}}", HERALD_MISSING, "/leaf/name"},
		{"{\"leaf\":@{\"number\":1}}", HERALD_MISSING, "/leaf/name"},
		{"{\"leaf\":{\"name\":@null}}", HERALD_MISSING, "/leaf/name"},
		{"{\"leaf\":{\"name\":\"x\",\"size\":@\"medium\"}}", HERALD_BAD_VALUE,
		 "/leaf/size"},
		{"{\"leaf\":{\"name\":\"x\",\"number\":@2147483648}}", HERALD_OUT_OF_RANGE,
		 "/leaf/number"},
		{"{\"pointer\":@{}}", HERALD_MISSING, "/pointer/name"},
		{"{\"pointer\":{\"name\":\"x\",@\"name\":\"x\"}}", HERALD_DUPLICATE,
		 "/pointer/name"},
		{"{\"list\":[@{}]}", HERALD_MISSING, "/list/0/name"},
		{"{\"list\":[{\"name\":\"\"},@null]}", HERALD_BAD_TYPE, "/list/1"},
		{"{\"list\":[{\"name\":\"\"},@[]]}", HERALD_BAD_TYPE, "/list/1"},
		{"{\"list\":[{\"name\":\"\"},{\"name\":\"\"},{\"name\":\"\",\"number\":@\"\"}]}",
		 HERALD_BAD_TYPE, "/list/2/number"},
		{"{\"integers\":[1,2,@\"3\"]}", HERALD_BAD_TYPE, "/integers/2"},
		{"{\"integers\":[@null]}", HERALD_BAD_TYPE, "/integers/0"},
		{"{\"integers\":[1,2,3,4,5,6,7,8,9,10,@2147483648]}", HERALD_OUT_OF_RANGE,
		 "/integers/10"},
		{"{\"strings\":[\"\",@null]}", HERALD_BAD_TYPE, "/strings/1"},
		{"{\"strings\":[\"a\",\"@\\u0000\"]}", HERALD_BAD_VALUE, "/strings/1"},
		{"{\"truth\":true,@\"truth\":true}", HERALD_DUPLICATE, "/truth"},
		{"{\"truth\":true,\"x\":1,@\"tr\\u0075th\":1}", HERALD_DUPLICATE, "/truth"},
		{"{\"json\":1,@\"json\":1}", HERALD_DUPLICATE, "/json"},
		{"{\"list\":[],@\"list\":[]}", HERALD_DUPLICATE, "/list"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		decode_bad(codec, cases[i].text, sizeof(struct thing), cases[i].status,
			   cases[i].path);
	herald_codec_destroy(codec);
}

static void
test_raw_json(void **state)
{
	static const char *const values[] = {
		"null",
		"true",
		"false",
		"0",
		"-1.50e+10",
		"\"\"",
		"\"\\u0000\\ud83d\\ude00\xC3\xA9\"",
		"[]",
		"{}",
		"[ ]",
		"{\n}",
		"[1 , 2]",
		"{\"a\" : {\"b\":[ {} , \"}\" ]},\"a\":1}",
		"[[[[[[[[[[]]]]]]]]]]",
		"\"\\\"\"",
		"\"]\"",
		"123456789012345678901234567890",
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct herald_json root;
		struct thing out;
		char text[200];

		snprintf(text, sizeof(text), "{\"json\": \t%s\r\n , \"truth\":true}", values[i]);
		decode_good(codec, text, &out, sizeof(out));
		assert_int_equal(out.json.bytes, strlen(values[i]));
		assert_memory_equal(out.json.data, values[i], out.json.bytes);
		assert_true(out.truth);

		snprintf(text, sizeof(text), " \n%s\t ", values[i]);
		assert_int_equal(decode_bytes(any, text, strlen(text), &root, sizeof(root), NULL),
				 HERALD_OK);
		assert_int_equal(root.bytes, strlen(values[i]));
		assert_memory_equal(root.data, values[i], root.bytes);
		assert_int_equal(
			decode_bytes(any, values[i], strlen(values[i]), &root, sizeof(root), NULL),
			HERALD_OK);
		assert_int_equal(root.bytes, strlen(values[i]));
	}
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/* Missing, null and zero are three different things. */
struct maybe {
	bool has_truth;
	bool truth;
	bool has_integer;
	int32_t integer;
	bool has_string;
	const char *string;
	bool has_chars;
	char chars[3];
	bool has_time;
	struct herald_time time;
	bool has_map;
	struct herald_map map;
	bool has_json;
	struct herald_json json;
};

HERALD_SCHEMA(maybe,
	HERALD_OPTIONAL(maybe, truth),
	HERALD_OPTIONAL(maybe, integer, HERALD_RANGE(-5, 5)),
	HERALD_OPTIONAL(maybe, string, .key = "text"),
	HERALD_OPTIONAL(maybe, chars),
	HERALD_OPTIONAL(maybe, time),
	HERALD_OPTIONAL(maybe, map),
	HERALD_OPTIONAL(maybe, json));

static void
test_optional_members(void **state)
{
	struct herald_codec *codec = decoding_codec(&maybe_schema, NULL);
	struct maybe out, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	decode_good(codec, "{}", &out, sizeof(out));
	assert_memory_equal(&out, &zero, sizeof(out));
	decode_good(codec,
		    "{\"truth\":null,\"integer\":null,\"text\":null,\"chars\":null,"
		    "\"time\":null,\"map\":null}",
		    &out, sizeof(out));
	assert_memory_equal(&out, &zero, sizeof(out));
	decode_good(codec,
		    "{\"truth\":false,\"integer\":0,\"text\":\"\",\"chars\":\"\","
		    "\"time\":\"1970-01-01T00:00:00Z\",\"map\":{},\"json\":0}",
		    &out, sizeof(out));
	assert_true(out.has_truth && out.has_integer && out.has_string && out.has_chars &&
		    out.has_time && out.has_map && out.has_json);
	assert_true(!out.truth && out.integer == 0 && out.string[0] == '\0');
	assert_non_null(out.map.pairs);
	decode_good(codec, "{\"integer\":-5}", &out, sizeof(out));
	assert_true(out.has_integer && !out.has_truth && out.integer == -5);
	decode_bad(codec, "{\"integer\":@-6}", sizeof(out), HERALD_OUT_OF_RANGE, "/integer");
	decode_bad(codec, "{\"string\":1,\"text\":@1}", sizeof(out), HERALD_BAD_TYPE, "/text");
	herald_codec_destroy(codec);
}

/* For raw JSON, null is a value. */
static void
test_optional_raw_null(void **state)
{
	struct herald_codec *codec = decoding_codec(&maybe_schema, NULL);
	struct maybe out;

	(void)state;
	decode_good(codec, "{\"json\":null}", &out, sizeof(out));
	assert_true(out.has_json);
	assert_int_equal(out.json.bytes, 4);
	assert_memory_equal(out.json.data, "null", 4);
	herald_codec_destroy(codec);
}

/* A private member is not a member of the JSON, and zero. */
static void
test_private_member(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_kind out;

	(void)state;
	decode_good(codec, "{\"secret\":{\"a\":1},\"the id\":\"x\",\"secret\":2}", &out,
		    sizeof(out));
	assert_null(out.secret);
	herald_codec_destroy(codec);
}

/* Lists that move while they grow, with lists in their elements. */
static void
test_lists_that_grow(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	static char text[400000];

	(void)state;
	for (size_t count = 0; count <= 300; count += count < 20 ? 1 : 53) {
		size_t bytes = (size_t)snprintf(text, sizeof(text),
						"{\"the id\":\"x\",\"tree\":"
						"{\"children\":[");
		const struct every_node *tree;
		struct every_kind out;

		for (size_t i = 0; i < count; i++) {
			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
						  "%s{\"name\":\"%zu\",\"children\":[",
						  i > 0 ? "," : "", i);
			for (size_t j = 0; j < i % 11; j++)
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "%s{\"name\":\"%zu.%zu\",\"next\":{}}",
							  j > 0 ? "," : "", i, j);
			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "]}");
		}
		bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "]},\"int32s\":[");
		for (size_t i = 0; i < count; i++)
			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "%s%zu",
						  i > 0 ? " , " : "", i);
		snprintf(text + bytes, sizeof(text) - bytes, "]}");
		decode_good(codec, text, &out, sizeof(out));

		tree = out.tree;
		assert_int_equal(tree->children_count, count);
		assert_non_null(tree->children);
		assert_int_equal(out.int32s_count, count);
		assert_non_null(out.int32s);
		for (size_t i = 0; i < count; i++) {
			const struct every_node *child = &tree->children[i];
			char name[40];

			assert_int_equal(out.int32s[i], i);
			snprintf(name, sizeof(name), "%zu", i);
			assert_string_equal(child->name, name);
			assert_null(child->next);
			assert_int_equal(child->children_count, i % 11);
			for (size_t j = 0; j < i % 11; j++) {
				snprintf(name, sizeof(name), "%zu.%zu", i, j);
				assert_string_equal(child->children[j].name, name);
				assert_non_null(child->children[j].next);
			}
		}
	}
	herald_codec_destroy(codec);
}

/* Maps with few entries and with many, with and without a duplicate key. */
static void
test_maps(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	static char text[8000];

	(void)state;
	for (size_t count = 0; count <= 200; count += count < 40 ? 1 : 40)
		for (size_t twice = 0; twice <= count; twice += count < 20 ? 1 : 13) {
			size_t bytes = (size_t)snprintf(text, sizeof(text), "{\"map\":{");
			size_t offset = 0;
			struct thing out;
			char path[40];

			for (size_t i = 0; i < count; i++) {
				bool again = twice > 0 && i == twice - 1 && i > 0;
				/* Another order than the sorted one. */
				size_t number = again ? (i / 2 * 37) % 211 : i * 37 % 211;

				offset = again ? bytes + (i > 0) : offset;
				if (again)
					snprintf(path, sizeof(path), "/map/k%zu", number);
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "%s\"k%zu\":\"v%zu\"", i > 0 ? "," : "",
							  number, i);
			}
			snprintf(text + bytes, sizeof(text) - bytes, "}}");
			if (offset > 0) {
				decode_bad_bytes(codec, text, strlen(text), sizeof(out),
						 HERALD_DUPLICATE, path, offset, text);
				continue;
			}
			decode_good(codec, text, &out, sizeof(out));
			assert_int_equal(out.map.count, count);
			assert_non_null(out.map.pairs);
			for (size_t i = 0; i < count; i++) {
				char value[20];

				snprintf(value, sizeof(value), "v%zu", i);
				assert_string_equal(out.map.pairs[i].value, value);
			}
		}
	herald_codec_destroy(codec);
}

static void
test_recursive_schema(void **state)
{
	static char text[20000];
	static const size_t depths[] = {1, 2, 10, 63, 64, 1024};

	(void)state;
	for (size_t d = 0; d < COUNT(depths); d++) {
		struct herald_limits limits = {.max_depth = depths[d]};
		const struct herald_schema *node = find_field(every_kind_table, "tree")->schema;
		struct herald_codec *codec = decoding_codec(node, &limits);
		const struct every_node *at;
		struct every_node out;
		char path[260] = "";
		size_t bytes = 0, depth = 0;

		for (size_t i = 0; i + 1 < depths[d]; i++)
			bytes += (size_t)sprintf(text + bytes, "{\"next\":");
		bytes += (size_t)sprintf(text + bytes, "{}");
		memset(text + bytes, '}', depths[d] - 1);
		text[bytes + depths[d] - 1] = '\0';
		decode_good(codec, text, &out, sizeof(out));
		for (at = &out; at != NULL; at = at->next)
			depth++;
		assert_int_equal(depth, depths[d]);

		/* One level deeper. */
		bytes = 0;
		for (size_t i = 0; i < depths[d]; i++)
			bytes += (size_t)sprintf(text + bytes, "{\"next\":");
		sprintf(text + bytes, "{}");
		memset(text + bytes + 2, '}', depths[d]);
		text[bytes + 2 + depths[d]] = '\0';
		for (size_t i = 0; i < depths[d] && depths[d] < 50; i++)
			strcat(path, "/next");
		if (depths[d] < 50) {
			decode_bad_bytes(codec, text, strlen(text), sizeof(out), HERALD_LIMIT, path,
					 bytes, text);
		} else {
			struct herald_error error;

			assert_int_equal(
				decode_bytes(codec, text, strlen(text), &out, sizeof(out), &error),
				HERALD_LIMIT);
			assert_int_equal(error.offset, bytes);
			/* The beginning of a path that is too long is left out. */
			if (depths[d] > 60) {
				assert_memory_equal(error.path, "...", 3);
				assert_int_equal(strlen(error.path), sizeof(error.path) - 1);
				assert_string_equal(error.path + strlen(error.path) - 10,
						    "/next/next");
			}
		}
		herald_codec_destroy(codec);
	}
}

static void
test_every_kind_at_once(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_kind out;

	(void)state;
	decode_good(codec, every_kind_document, &out, sizeof(out));
	assert_true(out.truth);
	assert_int_equal(out.int8, INT8_MIN);
	assert_int_equal(out.int16, INT16_MIN);
	assert_int_equal(out.int32, INT32_MIN);
	assert_true(out.int64 == INT64_MIN);
	assert_int_equal(out.uint8, UINT8_MAX);
	assert_int_equal(out.uint16, UINT16_MAX);
	assert_true(out.uint32 == UINT32_MAX);
	assert_true(out.uint64 == UINT64_MAX);
	assert_true(out.real32 == 3.4028235e38f);
	assert_true(out.real64 == -2.2250738585072011e-308);
	assert_string_equal(out.string, "plain and then \"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC"
					"\xF0\x9F\x98\x80 rest");
	assert_int_equal(out.text.bytes, 8);
	assert_memory_equal(out.text.data, "a\0b \xF0\x9F\x98\x80", 9);
	assert_string_equal(out.chars, "fifteen bytes..");
	assert_int_equal(out.time.nanoseconds, 143357839);
	assert_int_equal(out.json.bytes, strlen("{ \"raw\" : [ 1, 2.50 ,\"\\n\" ] }"));
	assert_memory_equal(out.json.data, "{ \"raw\" : [ 1, 2.50 ,\"\\n\" ] }", out.json.bytes);
	assert_int_equal(out.map.count, 4);
	assert_string_equal(herald_map_get(&out.map, "b"), "");
	assert_string_equal(herald_map_get(&out.map, "c"), "\"");
	assert_int_equal(out.json_map.count, 6);
	assert_string_equal(herald_json_map_get(&out.json_map, "s"), "c");
	assert_string_equal(herald_json_map_get(&out.json_map, "n"), "-2.50e1");
	assert_int_equal(out.color, EVERY_GREEN);
	assert_int_equal(out.size, EVERY_MEDIUM);
	assert_int_equal(out.leaf.size, EVERY_LARGE);
	assert_true(out.strict.flag);
	assert_string_equal(out.pointer->name, "pointed to");
	assert_int_equal(out.list_count, 3);
	assert_int_equal(out.list[1].number, 2);
	assert_string_equal(out.tree->children[1].children[0].name, "d");
	assert_null(out.tree->next->next->next);
	assert_int_equal(out.truths_count, 3);
	assert_true(out.truths[0] && !out.truths[1] && out.truths[2]);
	assert_int_equal(out.int8s[2], 127);
	assert_int_equal(out.int32s_count, 9);
	assert_int_equal(out.int32s[8], 9);
	assert_int_equal(out.uint8s_count, 0);
	assert_non_null(out.uint8s);
	assert_true(out.real32s[0] == 0.1f);
	assert_true(out.real64s[3] == 123456789012345678901234567890.0);
	assert_string_equal(out.strings[2], "\xC3\xBC");
	assert_int_equal(out.texts[0].bytes, 1);
	assert_memory_equal(out.jsons[0].data, "null", 4);
	assert_memory_equal(out.jsons[2].data, "{\"k\": 0}", 8);
	assert_true(out.has_maybe_truth && out.has_maybe_int8 && out.has_maybe_real64);
	assert_string_equal(out.maybe_chars, "four");
	assert_int_equal(out.maybe_time.seconds, -62167219200);
	assert_string_equal(out.id, "x");
	assert_true(out.huge == UINT64_MAX - 1);
	assert_true(out.ratio == 0.1f);
	assert_string_equal(out.unit, "\xC2\xB5m");
	assert_int_equal(out.few_count, 3);
	herald_codec_destroy(codec);
}

/* Decoding needs no error struct. */
static void
test_no_error_struct(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;
	static const char *const texts[] = {"", "{", "{\"integer\":x}", "{\"leaf\":{}}", "[[[["};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_true(herald_codec_decode(
				    codec, decoding_place(texts[i], strlen(texts[i]), false),
				    strlen(texts[i]), decoding_arena(), &out, NULL) != HERALD_OK);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_is_zero),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_values_of_the_wrong_type),
		cmocka_unit_test(test_values_that_are_wrong),
		cmocka_unit_test(test_raw_json),
		cmocka_unit_test(test_optional_members),
		cmocka_unit_test(test_optional_raw_null),
		cmocka_unit_test(test_private_member),
		cmocka_unit_test(test_lists_that_grow),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_recursive_schema),
		cmocka_unit_test(test_every_kind_at_once),
		cmocka_unit_test(test_no_error_struct),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, decoding_finish);
}
