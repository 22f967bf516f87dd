/*
 * Values that are not objects of the usual members: fixed arrays, elements that may be null, lists
 * of lists, maps of anything, and documents that are an array or a scalar. Each document is decoded
 * and encoded; each error is compared with its code, path, offset and text.
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
#include "support/exhausting.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct numbers {
	const double *cells;
	size_t cells_count;
};

struct matrix {
	const struct numbers *rows;
	size_t rows_count;
};

struct maybe {
	bool has_number;
	int64_t number;
};

struct maybes {
	const struct maybe *items;
	size_t items_count;
};

struct point {
	int32_t x;
	int32_t y;
};

struct price {
	const char *sku;
	int64_t cents;
};

struct raw {
	const char *name;
	struct herald_json json;
};

struct person {
	int32_t age;
	const char *name;
};

struct group {
	const char *name;
	const struct price *prices;
	size_t prices_count;
};

/* A member of a map that is a list. */
struct series {
	const char *name;
	const double *cells;
	size_t cells_count;
};

/* In JSON an array of such arrays. */
struct tree {
	const struct tree *children;
	size_t children_count;
};

struct wrapped {
	const char *text;
};

struct shapes {
	double xy[2];
	bool has_xyz;
	int32_t xyz[3];
	const char *names[2];
	struct point points[2];
	const char *const *holes;
	size_t holes_count;
	const char *pair[2];
	struct matrix matrix;
	struct maybes maybes;
	const struct maybe *maybe;
	struct maybe required;
	struct wrapped wrapped;
	const struct price *prices;
	size_t prices_count;
	const struct person *people;
	size_t people_count;
	const struct group *groups;
	size_t groups_count;
	const struct raw *raws;
	size_t raws_count;
	const struct series *series;
	size_t series_count;
};

HERALD_SCHEMA_WITH(numbers, (.transparent = true), HERALD_VALUES(numbers, cells, .max_count = 3));

HERALD_SCHEMA_WITH(matrix, (.transparent = true), HERALD_LIST(matrix, rows, numbers));

HERALD_SCHEMA_WITH(maybe, (.transparent = true), HERALD_OPTIONAL(maybe, number, HERALD_MAX(99)));

HERALD_SCHEMA_WITH(maybes, (.transparent = true), HERALD_LIST(maybes, items, maybe));

HERALD_SCHEMA(point, HERALD_FIELD(point, x), HERALD_FIELD(point, y, .required = true));

HERALD_SCHEMA_WITH(price, (.transparent = true),
	HERALD_KEY(price, sku),
	HERALD_FIELD(price, cents, .required = true));

HERALD_SCHEMA_WITH(raw, (.transparent = true), HERALD_KEY(raw, name), HERALD_FIELD(raw, json));

HERALD_SCHEMA_WITH(person, (.reject_unknown = true),
	HERALD_FIELD(person, age, .required = true),
	HERALD_KEY(person, name));

HERALD_SCHEMA_WITH(group, (.transparent = true),
	HERALD_KEY(group, name),
	HERALD_MAP(group, prices, price));

HERALD_SCHEMA_WITH(series, (.transparent = true),
	HERALD_KEY(series, name),
	HERALD_VALUES(series, cells, .min_count = 1));

HERALD_SCHEMA_WITH(tree, (.transparent = true), HERALD_LIST(tree, children, tree));

HERALD_SCHEMA_WITH(wrapped, (.transparent = true),
	HERALD_FIELD(wrapped, text, .required = true, .max_bytes = 5));

HERALD_SCHEMA(shapes,
	HERALD_ARRAY(shapes, xy, HERALD_MAX(100)),
	HERALD_OPTIONAL_ARRAY(shapes, xyz),
	HERALD_ARRAY(shapes, names),
	HERALD_STRUCT_ARRAY(shapes, points, point),
	HERALD_VALUES(shapes, holes, .nullable = true, .max_bytes = 3),
	HERALD_ARRAY(shapes, pair, .nullable = true),
	HERALD_STRUCT(shapes, matrix, matrix),
	HERALD_STRUCT(shapes, maybes, maybes),
	HERALD_POINTER(shapes, maybe, maybe),
	HERALD_STRUCT(shapes, required, maybe, .required = true),
	HERALD_STRUCT(shapes, wrapped, wrapped),
	HERALD_MAP(shapes, prices, price, .min_count = 1, .max_count = 40),
	HERALD_MAP(shapes, people, person),
	HERALD_MAP(shapes, groups, group),
	HERALD_MAP(shapes, raws, raw),
	HERALD_MAP(shapes, series, series));

static void
encode(const struct herald_codec *codec, const void *in, char *out, size_t bytes)
{
	struct herald_buffer buffer;
	struct herald_error error;

	herald_buffer_init(&buffer, NULL, 0);
	if (herald_codec_encode(codec, in, &buffer, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_true(buffer.bytes < bytes);
	memcpy(out, buffer.data, buffer.bytes);
	out[buffer.bytes] = '\0';
	herald_buffer_finish(&buffer);
}

/* The members of documents that come back as they were. */
static const char *const good[] = {
	"\"xy\":[1.5,-2]",
	"\"xyz\":[0,0,0]",
	"\"names\":[\"a\",\"\"]",
	"\"points\":[{\"x\":1,\"y\":2},{\"x\":0,\"y\":-1}]",
	"\"holes\":[null,\"abc\",null]",
	"\"holes\":[]",
	"\"pair\":[null,\"x\"]",
	"\"matrix\":[[1,2],[],null,[3]]",
	"\"matrix\":[]",
	"\"maybes\":[1,null,99]",
	"\"maybe\":0",
	"\"wrapped\":\"text\"",
	"\"prices\":{\"b\":2,\"a\":1,\"\":-3}",
	"\"people\":{\"ann\":{\"age\":30},\"bob\":{\"age\":31}}",
	"\"people\":{}",
	"\"groups\":{\"g\":{\"x\":1,\"y\":2},\"none\":null,\"empty\":{}}",
	"\"raws\":{\"a\":null,\"b\":[1, 2],\"c\":\"s\"}",
	"\"series\":{\"b\":[1,2.5],\"none\":null,\"a\":[0,1,2,3,4,5,6,7,8,9]}",
};

/* A document with a member of `good`. Members that are always written are in their places. */
static void
make_document(size_t index, char *out, size_t bytes)
{
	bool has_xy = strncmp(good[index], "\"xy\"", 4) == 0;

	snprintf(out, bytes, "{%s%s,\"required\":5}", good[index], has_xy ? "" : ",\"xy\":[0,0]");
}

static void
good_values_come_back(void **state)
{
	struct herald_codec *codec = decoding_codec(&shapes_schema, NULL);
	struct shapes shapes;
	char text[500], encoded[500];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		make_document(i, text, sizeof(text));
		decode_good(codec, text, &shapes, sizeof(shapes));
		assert_int_equal(shapes.required.number, 5);
		encode(codec, &shapes, encoded, sizeof(encoded));
		if (strstr(encoded, good[i]) == NULL)
			fail_msg("expected %s in %s", good[i], encoded);
	}
	herald_codec_destroy(codec);
}

static void
values_are_what_they_say(void **state)
{
	struct herald_codec *codec = decoding_codec(&shapes_schema, NULL);
	struct shapes shapes;

	(void)state;
	decode_good(codec,
		    "{\"required\":1,\"matrix\":[[1,2.5],[],null],\"holes\":[null,\"a\"],"
		    "\"maybes\":[null,3],\"maybe\":null,\"wrapped\":\"w\",\"xyz\":null,"
		    "\"people\":{\"\\u0061nn\":{\"age\":30},\"bob\":{\"age\":31}},"
		    "\"prices\":{\"x\":7},\"groups\":null}",
		    &shapes, sizeof(shapes));
	assert_int_equal(shapes.matrix.rows_count, 3);
	assert_int_equal(shapes.matrix.rows[0].cells_count, 2);
	assert_true(shapes.matrix.rows[0].cells[1] == 2.5);
	assert_non_null(shapes.matrix.rows[1].cells);
	assert_null(shapes.matrix.rows[2].cells);
	assert_null(shapes.holes[0]);
	assert_string_equal(shapes.holes[1], "a");
	assert_false(shapes.maybes.items[0].has_number);
	assert_true(shapes.maybes.items[1].has_number);
	assert_null(shapes.maybe);
	assert_string_equal(shapes.wrapped.text, "w");
	assert_false(shapes.has_xyz);
	assert_int_equal(shapes.people_count, 2);
	assert_string_equal(shapes.people[0].name, "ann");
	assert_int_equal(shapes.people[1].age, 31);
	assert_string_equal(shapes.prices[0].sku, "x");
	assert_int_equal(shapes.prices[0].cents, 7);
	assert_null(shapes.groups);
	assert_int_equal(shapes.groups_count, 0);
	herald_codec_destroy(codec);
}

/* '@' is before the byte of the error. */
static const struct {
	const char *member;
	enum herald_status status;
	const char *path, *message;
} bad[] = {
	{"\"xy\":@[1]", HERALD_BAD_LENGTH, "/xy", "expected exactly 2 elements, found 1"},
	{"\"xy\":@[]", HERALD_BAD_LENGTH, "/xy", "expected exactly 2 elements, found 0"},
	{"\"xy\":[1,2,@3]", HERALD_BAD_LENGTH, "/xy", "expected exactly 2 elements, found more"},
	{"\"xy\":[1,@null]", HERALD_BAD_TYPE, "/xy/1", "expected a number, found null"},
	{"\"xy\":[1,@101]", HERALD_OUT_OF_RANGE, "/xy/1", "at most 100, found 101"},
	{"\"xy\":@{}", HERALD_BAD_TYPE, "/xy", "expected an array, found an object"},
	{"\"xy\":[1 @2]", HERALD_BAD_JSON, "/xy", "expected ',' or ']'"},
	{"\"xy\":[1,@]", HERALD_BAD_JSON, "/xy/1", "expected a number"},
	{"\"xyz\":[1,2,@\"3\"]", HERALD_BAD_TYPE, "/xyz/2", "expected an integer"},
	{"\"points\":[{\"y\":1},@{\"x\":1}]", HERALD_MISSING, "/points/1/y", "missing"},
	{"\"points\":[@[],1]", HERALD_BAD_TYPE, "/points/0", "expected an object"},
	{"\"holes\":[null,@\"abcd\"]", HERALD_BAD_LENGTH, "/holes/1", "at most 3 bytes"},
	{"\"holes\":[null,@nul]", HERALD_BAD_JSON, "/holes/1", "expected a string, found nul"},
	{"\"names\":[@null,\"\"]", HERALD_BAD_TYPE, "/names/0", "expected a string, found null"},
	{"\"matrix\":[[1],[@\"2\"]]", HERALD_BAD_TYPE, "/matrix/1/0", "expected a number"},
	{"\"matrix\":[[1],[2,3,4,@5]]", HERALD_BAD_LENGTH, "/matrix/1", "at most 3 elements"},
	{"\"matrix\":[@{}]", HERALD_BAD_TYPE, "/matrix/0", "expected an array, found an object"},
	{"\"matrix\":@1", HERALD_BAD_TYPE, "/matrix", "expected an array, found a number"},
	{"\"maybes\":[@100]", HERALD_OUT_OF_RANGE, "/maybes/0", "found 100"},
	{"\"maybe\":@\"1\"", HERALD_BAD_TYPE, "/maybe", "expected an integer"},
	{"\"required\":@null", HERALD_MISSING, "/required", "is required, but null"},
	{"\"wrapped\":@null", HERALD_MISSING, "/wrapped", "is required, but null"},
	{"\"wrapped\":@\"123456\"", HERALD_BAD_LENGTH, "/wrapped", "at most 5 bytes"},
	{"\"prices\":@{}", HERALD_BAD_LENGTH, "/prices", "expected a non-empty object, found {}"},
	{"\"prices\":@[]", HERALD_BAD_TYPE, "/prices", "expected an object, found an array"},
	{"\"prices\":{\"a\":@null}", HERALD_MISSING, "/prices/a", "is required, but null"},
	{"\"prices\":{\"a\":1,\"b\":@\"2\"}", HERALD_BAD_TYPE, "/prices/b", "expected an integer"},
	{"\"prices\":{\"a\":1,\"b\":2,@\"a\":3}", HERALD_DUPLICATE, "/prices/a", "duplicate"},
	{"\"prices\":{\"a\":1,@}", HERALD_BAD_JSON, "/prices", "a member's name in quotes"},
	{"\"prices\":{\"a\"@1}", HERALD_BAD_JSON, "/prices", "expected ':'"},
	{"\"prices\":{\"a\":1@]", HERALD_BAD_JSON, "/prices", "expected ',' or '}'"},
	{"\"prices\":{\"a@\\u0000\":1}", HERALD_BAD_VALUE, "/prices", "\\u0000 is not allowed"},
	{"\"people\":{\"ann\":@{}}", HERALD_MISSING, "/people/ann/age", "missing"},
	{"\"people\":{\"ann\":@null}", HERALD_BAD_TYPE, "/people/ann", "expected an object"},
	{"\"people\":{\"ann\":{\"age\":1,@\"name\":\"x\"}}", HERALD_UNKNOWN_MEMBER,
	 "/people/ann/name", "is not a member of person"},
	{"\"groups\":{\"g\":{\"x\":@true}}", HERALD_BAD_TYPE, "/groups/g/x", "expected an integer"},
};

static void
bad_values_are_refused(void **state)
{
	struct herald_codec *codec = decoding_codec(&shapes_schema, NULL);
	struct herald_error error;
	struct shapes shapes;
	char text[500], *mark;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{%s%s}",
			 strncmp(bad[i].member, "\"required\"", 10) == 0 ? "" : "\"required\":1,",
			 bad[i].member);
		decode_bad(codec, text, sizeof(shapes), bad[i].status, bad[i].path);
		mark = strchr(text, '@');
		memmove(mark, mark + 1, strlen(mark));
		decode_bytes(codec, text, strlen(text), &shapes, sizeof(shapes), &error);
		if (strstr(error.message, bad[i].message) == NULL)
			fail_msg("%s: expected \"%s\" in \"%s\"", text, bad[i].message,
				 error.message);
	}
	decode_bad(codec, "@{}", sizeof(shapes), HERALD_MISSING, "/required");
	herald_codec_destroy(codec);
}

/* Many members, so that duplicates are not found by comparing each with each. */
static void
duplicates_among_many_are_found(void **state)
{
	struct herald_codec *codec = decoding_codec(&shapes_schema, NULL);
	struct herald_error error;
	struct shapes shapes;
	char text[1000];
	size_t bytes = (size_t)sprintf(text, "{\"required\":1,\"prices\":{\"twice\":0");

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		bytes += (size_t)sprintf(text + bytes, ",\"k%u\":%u", i, i);
	strcpy(text + bytes, ",\"twice\":1}}");
	assert_int_equal(decode_bytes(codec, text, strlen(text), &shapes, sizeof(shapes), &error),
			 HERALD_DUPLICATE);
	assert_string_equal(error.path, "/prices/twice");
	assert_int_equal(error.offset, bytes + 1);
	strcpy(text + bytes, ",\"once\":1}}");
	decode_good(codec, text, &shapes, sizeof(shapes));
	assert_int_equal(shapes.prices_count, 32);
	assert_string_equal(shapes.prices[31].sku, "once");
	herald_codec_destroy(codec);
}

/* A struct that would not come back is refused. */
static void
wrong_structs_are_not_encoded(void **state)
{
	static const struct price twice[] = {{"a", 1}, {"b", 2}, {"a", 3}}, no_key[] = {{NULL, 1}};
	static const struct maybe null = {0}, large = {true, 100};
	static const struct person no_name[] = {{1, NULL}};
	static const struct {
		struct shapes shapes;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{{.xy = {0, 101}}, HERALD_OUT_OF_RANGE, "/xy/1"},
		{{.names = {"a", NULL}}, HERALD_MISSING, "/names/1"},
		{{.maybe = &null}, HERALD_MISSING, "/maybe"},
		{{.maybe = &large}, HERALD_OUT_OF_RANGE, "/maybe"},
		{{.maybes = {&large, 1}}, HERALD_OUT_OF_RANGE, "/maybes/0"},
		{{.prices = twice, .prices_count = 3}, HERALD_DUPLICATE, "/prices/a"},
		{{.prices = no_key, .prices_count = 1}, HERALD_MISSING, "/prices"},
		{{.prices = twice}, HERALD_BAD_LENGTH, "/prices"},
		{{.prices_count = 1}, HERALD_MISSING, "/prices"},
		{{.people = no_name, .people_count = 1}, HERALD_MISSING, "/people"},
	};
	struct herald_codec *codec = decoding_codec(&shapes_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct shapes shapes = cases[i].shapes;
		struct herald_buffer buffer;
		struct herald_error error;

		shapes.required = (struct maybe){true, 1};
		herald_buffer_init(&buffer, NULL, 0);
		if (herald_codec_encode(codec, &shapes, &buffer, &error) != cases[i].status ||
		    strcmp(error.path, cases[i].path) != 0)
			fail_msg("case %zu, %s: %s: %s", i, cases[i].path, error.path,
				 error.message);
		assert_int_equal(buffer.bytes, 0);
		herald_buffer_finish(&buffer);
	}
	herald_codec_destroy(codec);
}

/* A required member whose value is null is not encoded. */
static void
a_required_null_is_not_encoded(void **state)
{
	struct herald_codec *codec = decoding_codec(&shapes_schema, NULL);
	struct shapes shapes = {.required = {false, 0}};
	struct herald_buffer buffer;
	struct herald_error error;

	(void)state;
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &shapes, &buffer, &error), HERALD_MISSING);
	assert_string_equal(error.path, "/required");
	herald_buffer_finish(&buffer);
	herald_codec_destroy(codec);
}

struct any_string {
	const char *text;
};

struct any_json {
	struct herald_json json;
};

struct any_bool {
	bool truth;
};

struct any_time {
	struct herald_time time;
};

struct any_quoted {
	int32_t number;
};

struct any_prices {
	const struct price *prices;
	size_t prices_count;
};

struct any_series {
	const struct series *series;
	size_t series_count;
};

struct any_point {
	struct point point;
};

HERALD_SCHEMA_WITH(any_string, (.transparent = true), HERALD_FIELD(any_string, text));

HERALD_SCHEMA_WITH(any_json, (.transparent = true), HERALD_FIELD(any_json, json));

HERALD_SCHEMA_WITH(any_bool, (.transparent = true), HERALD_FIELD(any_bool, truth));

HERALD_SCHEMA_WITH(any_time, (.transparent = true), HERALD_FIELD(any_time, time));

HERALD_SCHEMA_WITH(any_quoted, (.transparent = true),
	HERALD_FIELD(any_quoted, number, .quoted = true, .lenient = true));

HERALD_SCHEMA_WITH(any_prices, (.transparent = true), HERALD_MAP(any_prices, prices, price));

HERALD_SCHEMA_WITH(any_series, (.transparent = true), HERALD_MAP(any_series, series, series));

HERALD_SCHEMA_WITH(any_point, (.transparent = true), HERALD_STRUCT(any_point, point, point));

struct any_list {
	const struct herald_json *items;
	size_t items_count;
};

struct any_array {
	struct herald_json items[2];
};

struct any_map {
	struct herald_json_map map;
};

struct raw_required {
	const char *name;
	struct herald_json json;
};

struct any_raws {
	const struct raw_required *raws;
	size_t raws_count;
};

struct any_member {
	struct any_list list;
};

HERALD_SCHEMA_WITH(any_list, (.transparent = true),
	HERALD_VALUES(any_list, items, .required = true));

HERALD_SCHEMA_WITH(any_array, (.transparent = true),
	HERALD_ARRAY(any_array, items, .required = true));

HERALD_SCHEMA_WITH(any_map, (.transparent = true), HERALD_FIELD(any_map, map, .required = true));

HERALD_SCHEMA_WITH(raw_required, (.transparent = true),
	HERALD_KEY(raw_required, name),
	HERALD_FIELD(raw_required, json, .required = true));

HERALD_SCHEMA_WITH(any_raws, (.transparent = true),
	HERALD_MAP(any_raws, raws, raw_required, .required = true));

HERALD_SCHEMA(any_member, HERALD_STRUCT(any_member, list, any_list, .required = true));

/* Whole documents. With an '@', which is before the byte of the error, they are refused. */
static const struct {
	const struct herald_schema *schema;
	const char *text;
	enum herald_status status;
	const char *path;
} documents[] = {
	{&matrix_schema, "[[1,2],[],null]", HERALD_OK, NULL},
	{&matrix_schema, "null", HERALD_OK, NULL},
	{&matrix_schema, "[[1,2],[@x]]", HERALD_BAD_JSON, "/1/0"},
	{&matrix_schema, "[[1,2]@", HERALD_BAD_JSON, ""},
	{&matrix_schema, "[[1,2]]@]", HERALD_BAD_JSON, ""},
	{&matrix_schema, "[[1,2]@}", HERALD_BAD_JSON, ""},
	{&matrix_schema, "@{}", HERALD_BAD_TYPE, ""},
	{&matrix_schema, "@", HERALD_BAD_JSON, ""},
	{&matrix_schema, "@1", HERALD_BAD_TYPE, ""},
	{&matrix_schema, "[@", HERALD_BAD_JSON, "/0"},
	{&tree_schema, "[[],[[],null]]", HERALD_OK, NULL},
	{&maybe_schema, "12", HERALD_OK, NULL},
	{&maybe_schema, "-12", HERALD_OK, NULL},
	{&maybe_schema, "@100", HERALD_OUT_OF_RANGE, ""},
	{&maybe_schema, "@1.5", HERALD_BAD_TYPE, ""},
	{&maybe_schema, "1.@", HERALD_BAD_JSON, ""},
	{&maybe_schema, "-@", HERALD_BAD_JSON, ""},
	{&maybe_schema, "@01", HERALD_BAD_JSON, ""},
	{&maybe_schema, "1@x", HERALD_BAD_JSON, ""},
	{&maybe_schema, "1@}", HERALD_BAD_JSON, ""},
	{&maybe_schema, "@\"1\"", HERALD_BAD_TYPE, ""},
	{&any_string_schema, "\"text\"", HERALD_OK, NULL},
	{&any_string_schema, "\"\\n\"", HERALD_OK, NULL},
	{&any_string_schema, "\"\"", HERALD_OK, NULL},
	{&any_string_schema, "\"}@", HERALD_BAD_JSON, ""},
	{&any_string_schema, "\"@", HERALD_BAD_JSON, ""},
	{&any_string_schema, "\"a\"@\"b\"", HERALD_BAD_JSON, ""},
	{&any_string_schema, "\"a\" @}", HERALD_BAD_JSON, ""},
	{&any_string_schema, "\"a@\\u0000\"", HERALD_BAD_VALUE, ""},
	{&any_string_schema, "@tru", HERALD_BAD_JSON, ""},
	{&any_json_schema, "1.50", HERALD_OK, NULL},
	{&any_json_schema, "{\"a\":[1, 2]}", HERALD_OK, NULL},
	{&any_json_schema, "null", HERALD_OK, NULL},
	{&any_json_schema, "[1,@]", HERALD_BAD_JSON, "/1"},
	{&any_bool_schema, "true", HERALD_OK, NULL},
	{&any_bool_schema, "false", HERALD_OK, NULL},
	{&any_bool_schema, "@0", HERALD_BAD_TYPE, ""},
	{&any_time_schema, "\"2024-01-02T03:04:05Z\"", HERALD_OK, NULL},
	{&any_time_schema, "@\"\"", HERALD_BAD_TIME, ""},
	{&any_quoted_schema, "\"12\"", HERALD_OK, NULL},
	{&any_quoted_schema, "@\"12.5\"", HERALD_BAD_VALUE, ""},
	{&any_quoted_schema, "@12.5", HERALD_BAD_TYPE, ""},
	{&any_prices_schema, "{\"a\":1,\"b\":2}", HERALD_OK, NULL},
	{&any_prices_schema, "{\"a\":1,@\"a\":2}", HERALD_DUPLICATE, "/a"},
	{&any_series_schema, "{\"b\":[1,2.5],\"none\":null,\"a\":[-3]}", HERALD_OK, NULL},
	{&any_series_schema, "{\"a\":[1],\"b\":@[]}", HERALD_BAD_LENGTH, "/b"},
	{&any_series_schema, "{\"a\":[1,@true]}", HERALD_BAD_TYPE, "/a/1"},
	{&any_series_schema, "{\"a\":[1],@\"a\":[1]}", HERALD_DUPLICATE, "/a"},
	{&any_list_schema, "[null,1,[null],null]", HERALD_OK, NULL},
	{&any_list_schema, "[]", HERALD_OK, NULL},
	{&any_list_schema, "@null", HERALD_MISSING, ""},
	{&any_array_schema, "[null,{\"a\":null}]", HERALD_OK, NULL},
	{&any_array_schema, "[\"null\",null]", HERALD_OK, NULL},
	{&any_array_schema, "@null", HERALD_MISSING, ""},
	{&any_map_schema, "{\"a\":null,\"b\":\"null\"}", HERALD_OK, NULL},
	{&any_map_schema, "@null", HERALD_MISSING, ""},
	{&any_raws_schema, "{\"a\":false,\"b\":[null]}", HERALD_OK, NULL},
	{&any_raws_schema, "{\"a\":0,\"b\":@null}", HERALD_MISSING, "/b"},
	{&any_member_schema, "{\"list\":[null,null]}", HERALD_OK, NULL},
	{&any_member_schema, "{\"list\":@null}", HERALD_MISSING, "/list"},
	{&any_point_schema, "{\"x\":1,\"y\":2}", HERALD_OK, NULL},
	{&any_point_schema, "@{\"x\":1}", HERALD_MISSING, "/y"},
};

/* The struct of any of these schemas. */
union any {
	struct matrix matrix;
	struct any_json json;
	struct any_time time;
	char bytes[64];
};

static void
documents_are_any_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		const char *text = documents[i].text;
		struct herald_codec *codec = decoding_codec(documents[i].schema, NULL);
		size_t bytes = documents[i].schema->bytes;
		struct herald_error error;
		char encoded[200], padded[200];
		union any any;

		if (documents[i].status != HERALD_OK) {
			const char *mark = strchr(text, '@');

			snprintf(padded, sizeof(padded), " \t%.*s%s\n ", (int)(mark - text), text,
				 mark + 1);
			assert_int_equal(
				decode_bytes(codec, padded, strlen(padded), &any, bytes, &error),
				documents[i].status);
			assert_string_equal(error.path, documents[i].path);
			/* White space is not the error, but may be before it. */
			if (mark[1] != '\0' && error.offset != (size_t)(mark - text) + 2)
				fail_msg("%s: byte %zu", text, error.offset);
			snprintf(padded, sizeof(padded), "%.*s%s", (int)(mark - text), text,
				 mark + 1);
			assert_int_equal(
				decode_bytes(codec, padded, strlen(padded), &any, bytes, &error),
				documents[i].status);
			assert_int_equal(error.offset, mark - text);
		} else {
			snprintf(padded, sizeof(padded), " \n%s\t ", text);
			if (decode_bytes(codec, text, strlen(text), &any, bytes, &error) !=
			    HERALD_OK)
				fail_msg("%s: %s", text, error.message);
			encode(codec, &any, encoded, sizeof(encoded));
			assert_string_equal(encoded, text);
			if (decode_bytes(codec, padded, strlen(padded), &any, bytes, &error) !=
			    HERALD_OK)
				fail_msg("%s: %s", padded, error.message);
			encode(codec, &any, encoded, sizeof(encoded));
			assert_string_equal(encoded, text);
		}
		herald_codec_destroy(codec);
	}
}

/* Every kind of member, and every kind of whole document. */
static void
short_memory_and_cut_documents(void **state)
{
	static const char string[] = "\"a\\n\\u00e9\xC3\xA9\"";
	char text[500];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		make_document(i, text, sizeof(text));
		exhaust_memory(&shapes_schema, text);
		cut_document(&shapes_schema, NULL, text);
	}
	for (size_t i = 0; i < COUNT(documents); i++) {
		if (documents[i].status != HERALD_OK)
			continue;
		exhaust_memory(documents[i].schema, documents[i].text);
		cut_document(documents[i].schema, NULL, documents[i].text);
	}
	exhaust_memory(&any_string_schema, string);
	cut_document(&any_string_schema, NULL, string);
}

/* A schema that would be decoded without end, and tables written by hand. */
struct endless {
	const struct endless *endless;
};

HERALD_SCHEMA_WITH(endless, (.transparent = true), HERALD_POINTER(endless, endless, endless));

struct two {
	int32_t one;
	int32_t two;
};

HERALD_SCHEMA_WITH(two, (.transparent = true), HERALD_FIELD(two, one), HERALD_FIELD(two, two));

struct none {
	int32_t one;
};

HERALD_SCHEMA_WITH(none, (.transparent = true), HERALD_PRIVATE(none, one));

struct strict {
	int32_t one;
};

HERALD_SCHEMA_WITH(strict, (.transparent = true, .reject_unknown = true),
	HERALD_FIELD(strict, one));

struct two_keys {
	const char *one;
	const char *two;
	int32_t value;
};

HERALD_SCHEMA(two_keys,
	HERALD_KEY(two_keys, one),
	HERALD_KEY(two_keys, two),
	HERALD_FIELD(two_keys, value));

struct of_two_keys {
	const struct two_keys *map;
	size_t map_count;
};

HERALD_SCHEMA(of_two_keys, HERALD_MAP(of_two_keys, map, two_keys));

struct map_without_key {
	const struct point *map;
	size_t map_count;
};

HERALD_SCHEMA(map_without_key, HERALD_MAP(map_without_key, map, point));

struct key_in_list {
	const struct price *list;
	size_t list_count;
};

HERALD_SCHEMA(key_in_list, HERALD_LIST(key_in_list, list, price));

struct nullable {
	const int32_t *numbers;
	size_t numbers_count;
};

HERALD_SCHEMA(nullable, HERALD_VALUES(nullable, numbers, .nullable = true));

struct nullable_string {
	const char *string;
};

HERALD_SCHEMA(nullable_string, HERALD_FIELD(nullable_string, string, .nullable = true));

struct array {
	int64_t numbers[3];
};

static const struct herald_field array_fields[] = {
	{.owner = "array",
	 .name = "numbers",
	 .bytes = sizeof(struct array),
	 .kind = HERALD_KIND_ARRAY,
	 .element = HERALD_KIND_TEXT},
};

static const struct herald_schema array_schema = {.name = "array",
						  .bytes = sizeof(struct array),
						  .alignment = _Alignof(struct array),
						  .fields = array_fields,
						  .fields_count = 1};

static const struct {
	const struct herald_schema *schema;
	const char *path, *message;
} bad_schemas[] = {
	{&endless_schema, "endless.endless", "its value itself"},
	{&two_schema, "two", "one member that is not private"},
	{&none_schema, "none", "one member that is not private"},
	{&strict_schema, "strict", "no members that could be unknown"},
	{&of_two_keys_schema, "two_keys", "one HERALD_KEY"},
	{&map_without_key_schema, "map_without_key.map", "needs a HERALD_KEY"},
	{&key_in_list_schema, "key_in_list.list", "for HERALD_MAP only"},
	{&price_schema, "price.sku", "for HERALD_MAP only"},
	{&nullable_schema, "nullable.numbers", "lists of strings"},
	{&nullable_string_schema, "nullable_string.string", "lists of strings"},
	{&array_schema, "array.numbers", "the array's size"},
};

static void
bad_schemas_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_schemas); i++) {
		struct herald_codec *codec = NULL;
		struct herald_error error;

		assert_int_equal(
			herald_codec_create(bad_schemas[i].schema, NULL, NULL, &codec, &error),
			HERALD_BAD_SCHEMA);
		assert_null(codec);
		assert_string_equal(error.path, bad_schemas[i].path);
		if (strstr(error.message, bad_schemas[i].message) == NULL)
			fail_msg("%s: %s", error.path, error.message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values_come_back),
		cmocka_unit_test(values_are_what_they_say),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(duplicates_among_many_are_found),
		cmocka_unit_test(wrong_structs_are_not_encoded),
		cmocka_unit_test(a_required_null_is_not_encoded),
		cmocka_unit_test(documents_are_any_value),
		cmocka_unit_test(short_memory_and_cut_documents),
		cmocka_unit_test(bad_schemas_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, decoding_finish);
}
