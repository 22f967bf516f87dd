/*
 * Tagged unions: next to the tag, in the tag's object, behind pointers, in lists and maps, with
 * tags of every type, in every order. Each document is decoded and encoded; each error is compared
 * with its code, path, offset and text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/draw.h"
#include "support/every_kind.h"
#include "support/exhausting.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct circle {
	double radius;
};

struct square {
	const char *label;
	double side;
};

struct text {
	const char *text;
	bool bold;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius, .required = true, HERALD_MIN(0)));

HERALD_SCHEMA(square, HERALD_FIELD(square, label), HERALD_FIELD(square, side, .required = true));

HERALD_SCHEMA_WITH(text, (.reject_unknown = true), HERALD_FIELD(text, text),
	HERALD_FIELD(text, bold));

enum shape_kind { CIRCLE, SQUARE, NOTHING, STRANGE };

static const struct herald_name shape_kinds[] = {
	{"circle", CIRCLE},
	{"square", SQUARE},
	{"box", SQUARE},
	{"nothing", NOTHING},
};

static const struct herald_name codes[] = {{"circle", 1}, {"square", -2}, {"other", 0}};

/* The value next to the tag. */
struct next_to {
	const char *id;
	enum shape_kind kind;
	union {
		struct circle circle;
		struct square square;
	} body;
};

HERALD_SCHEMA(next_to,
	HERALD_FIELD(next_to, id),
	HERALD_ENUM(next_to, kind, shape_kinds, .required = true),
	HERALD_VARIANT(next_to, body, kind,
		HERALD_CASE("circle", circle),
		HERALD_CASE("square", square)));

/* The members next to the tag; unknown tags have a value in C, and a case of their own. */
struct within {
	union {
		struct circle circle;
		struct square round; /* not its struct's name */
		struct text text;
	} body;
	const char *id;
	enum shape_kind kind;
};

HERALD_SCHEMA_WITH(within, (.reject_unknown = true),
	HERALD_FLAT_VARIANT(within, body, kind,
		HERALD_CASE("circle", circle),
		HERALD_CASE("square", round, square),
		HERALD_CASE_OTHER(text, text)),
	HERALD_FIELD(within, id),
	HERALD_ENUM(within, kind, shape_kinds, .required = true, HERALD_UNKNOWN(NOTHING)));

/* Every type; a string whose other values have raw JSON. */
struct any {
	const char *type;
	union {
		struct circle circle;
		const struct square *square;
		int64_t count;
		const char *name;
		struct herald_json raw;
	} data;
};

HERALD_SCHEMA(any,
	HERALD_FIELD(any, type, .required = true),
	HERALD_VARIANT_WITH(any, data, type, (.key = "the data", .required = true),
		HERALD_CASE("circle", circle),
		HERALD_CASE("square", square),
		HERALD_CASE_FIELD("count", count),
		HERALD_CASE_FIELD("na\"me\n", name),
		HERALD_CASE_OTHER(raw)));

/* Only the cases are allowed. */
struct at {
	struct herald_text type;
	const void *data;
};

HERALD_SCHEMA(at,
	HERALD_FIELD(at, type, .required = true),
	HERALD_POINTER_VARIANT(at, data, type,
		HERALD_CASE("circle", circle),
		HERALD_CASE("square", square)));

/* Lines of their own: several members in a case, lists, and values of a one_of without a case. */
struct lines {
	char op[8];
	union {
		struct {
			const int32_t *corners;
			size_t corners_count;
			bool has_filled;
			bool filled;
		};
		struct circle circle;
		struct next_to inner;
	};
};

HERALD_SCHEMA(lines,
	HERALD_FIELD(lines, op, .required = true,
		HERALD_ONE_OF("polygon", "circle", "inner", "none")),
	HERALD_VALUES(lines, corners, .key = "v", HERALD_WHEN(op, "polygon"), .required = true),
	HERALD_OPTIONAL(lines, filled, HERALD_WHEN(op, "polygon")),
	HERALD_STRUCT(lines, circle, circle, .flat = true, HERALD_WHEN(op, "circle")),
	HERALD_STRUCT(lines, inner, next_to, .key = "v", HERALD_WHEN(op, "inner")));

/* A number decides. */
struct numbered {
	int op;
	union {
		struct circle circle;
		struct square square;
	} d;
};

HERALD_SCHEMA(numbered,
	HERALD_ENUM(numbered, op, codes, .required = true, .numeric = true),
	HERALD_VARIANT(numbered, d, op,
		HERALD_CASE("circle", circle),
		HERALD_CASE("square", square)));

/* Flat without a tag, in each other. */
struct flat_inner {
	int32_t b;
	struct circle circle;
};

HERALD_SCHEMA(flat_inner, HERALD_FIELD(flat_inner, b),
	HERALD_STRUCT(flat_inner, circle, circle, .flat = true));

struct flat_outer {
	int32_t a;
	struct flat_inner inner;
	int32_t c;
};

HERALD_SCHEMA(flat_outer, HERALD_FIELD(flat_outer, a),
	HERALD_STRUCT(flat_outer, inner, flat_inner, .flat = true), HERALD_FIELD(flat_outer, c));

/* In lists, maps, arrays and pointers. */
struct keyed {
	const char *name;
	enum shape_kind kind;
	union {
		struct circle circle;
		struct square square;
	} body;
};

HERALD_SCHEMA(keyed,
	HERALD_KEY(keyed, name),
	HERALD_ENUM(keyed, kind, shape_kinds, .required = true),
	HERALD_FLAT_VARIANT(keyed, body, kind,
		HERALD_CASE("circle", circle),
		HERALD_CASE("square", square)));

/* Unions that are larger than their cases: a member of theirs, or all of them, is private. */
struct cached {
	const char *kind;
	union {
		char cache[99];
		struct circle circle;
	} body;
	int32_t count;
	union {
		struct square square;
		char cache[50];
	} other;
};

HERALD_SCHEMA(cached,
	HERALD_FIELD(cached, kind, .required = true),
	HERALD_FLAT_VARIANT(cached, body, kind, HERALD_CASE("circle", circle)),
	HERALD_PRIVATE(cached, body),
	HERALD_FIELD(cached, count),
	HERALD_PRIVATE(cached, other.cache),
	HERALD_VARIANT_WITH(cached, other, kind, (.required = true),
		HERALD_CASE("square", square)));

struct drawing {
	const struct within *list;
	size_t list_count;
	const struct keyed *map;
	size_t map_count;
	struct numbered pair[2];
	const struct any *at;
	struct at in;
	bool last;
};

HERALD_SCHEMA(drawing,
	HERALD_LIST(drawing, list, within),
	HERALD_MAP(drawing, map, keyed),
	HERALD_STRUCT_ARRAY(drawing, pair, numbered),
	HERALD_POINTER(drawing, at, any),
	HERALD_STRUCT(drawing, in, at),
	HERALD_FIELD(drawing, last));

union every {
	struct next_to next_to;
	struct within within;
	struct any any;
	struct at at;
	struct lines lines;
	struct numbered numbered;
	struct flat_outer flat_outer;
	struct drawing drawing;
	struct cached cached;
};

/* A text, and what is encoded of it; NULL: the same. */
static const struct {
	const struct herald_schema *schema;
	const char *text, *encoded;
} good[] = {
	{&next_to_schema, "{\"kind\":\"circle\",\"body\":{\"radius\":2}}", NULL},
	{&next_to_schema,
	 "{\"id\":\"x\",\"kind\":\"square\",\"body\":{\"label\":\"l\",\"side\":2}}", NULL},
	{&next_to_schema, "{\"id\":\"x\",\"kind\":\"nothing\"}", NULL},
	{&next_to_schema, "{\"kind\":\"nothing\",\"body\":[1]}", "{\"kind\":\"nothing\"}"},
	{&next_to_schema, "{\"kind\":\"box\",\"body\":{\"side\":2}}",
	 "{\"kind\":\"square\",\"body\":{\"side\":2}}"},
	{&next_to_schema, "{\"body\":{\"radius\":2},\"id\":\"\",\"kind\":\"circle\"}",
	 "{\"id\":\"\",\"kind\":\"circle\",\"body\":{\"radius\":2}}"},
	{&next_to_schema, "{\"bo\\u0064y\":{\"\\u0072adius\":2},\"\\u006bind\":\"circl\\u0065\"}",
	 "{\"kind\":\"circle\",\"body\":{\"radius\":2}}"},
	{&next_to_schema,
	 "{\"x\":{\"kind\":\"square\",\"\xC3\xA9\":\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}, "
	 "\"body\" : {\"radius\":2} , \"kind\" : \"circle\" , \"y\":[\"kind\"]}",
	 "{\"kind\":\"circle\",\"body\":{\"radius\":2}}"},
	{&within_schema, "{\"radius\":2,\"kind\":\"circle\"}", NULL},
	{&within_schema, "{\"label\":\"a\\n\",\"side\":2,\"id\":\"x\",\"kind\":\"square\"}", NULL},
	{&within_schema, "{\"kind\":\"square\",\"side\":2,\"id\":\"x\"}",
	 "{\"side\":2,\"id\":\"x\",\"kind\":\"square\"}"},
	{&within_schema, "{\"kind\":\"nothing\",\"text\":\"t\"}",
	 "{\"text\":\"t\",\"bold\":false,\"kind\":\"nothing\"}"},
	{&within_schema, "{\"kind\":\"hexagon\",\"bold\":true}",
	 "{\"bold\":true,\"kind\":\"nothing\"}"},
	{&any_schema, "{\"type\":\"circle\",\"the data\":{\"radius\":0.5}}", NULL},
	{&any_schema, "{\"type\":\"square\",\"the data\":{\"side\":1}}", NULL},
	{&any_schema, "{\"the data\":-7,\"type\":\"count\"}",
	 "{\"type\":\"count\",\"the data\":-7}"},
	{&any_schema, "{\"type\":\"na\\\"me\\n\",\"the data\":\"n\"}", NULL},
	{&any_schema, "{\"type\":\"na\\\"m\\u0065\\n\",\"the data\":\"n\"}",
	 "{\"type\":\"na\\\"me\\n\",\"the data\":\"n\"}"},
	{&any_schema, "{\"type\":\"circles\",\"the data\":[1,{\"a\":null}]}", NULL},
	{&any_schema, "{\"type\":\"\",\"the data\":\"\\u0041\"}", NULL},
	{&at_schema, "{\"type\":\"circle\",\"data\":{\"radius\":2}}", NULL},
	{&at_schema, "{\"data\":{\"side\":2,\"label\":\"l\"},\"type\":\"square\"}",
	 "{\"type\":\"square\",\"data\":{\"label\":\"l\",\"side\":2}}"},
	{&at_schema, "{\"type\":\"circle\",\"data\":null}", "{\"type\":\"circle\"}"},
	{&lines_schema, "{\"op\":\"polygon\",\"v\":[1,2],\"filled\":false}", NULL},
	{&lines_schema, "{\"v\":[],\"op\":\"polygon\"}", "{\"op\":\"polygon\",\"v\":[]}"},
	{&lines_schema, "{\"radius\":1,\"op\":\"circle\"}", "{\"op\":\"circle\",\"radius\":1}"},
	{&lines_schema, "{\"op\":\"inner\",\"v\":{\"kind\":\"circle\",\"body\":{\"radius\":3}}}",
	 NULL},
	{&lines_schema, "{\"op\":\"none\",\"v\":1}", "{\"op\":\"none\"}"},
	{&numbered_schema, "{\"op\":1,\"d\":{\"radius\":1}}", NULL},
	{&numbered_schema, "{\"d\":{\"side\":1},\"op\" : -2}", "{\"op\":-2,\"d\":{\"side\":1}}"},
	{&cached_schema, "{\"kind\":\"circle\",\"radius\":1,\"count\":2}", NULL},
	{&cached_schema, "{\"kind\":\"square\",\"count\":2,\"other\":{\"side\":1}}", NULL},
	{&numbered_schema, "{\"op\":0,\"d\":{\"side\":1}}", "{\"op\":0}"},
	{&flat_outer_schema, "{\"a\":1,\"b\":2,\"radius\":3,\"c\":4}", NULL},
	{&drawing_schema,
	 "{\"list\":[{\"radius\":2,\"kind\":\"circle\"},{\"side\":3,\"kind\":\"square\"},"
	 "{\"text\":\"t\",\"bold\":true,\"kind\":\"nothing\"}],"
	 "\"map\":{\"b\":{\"kind\":\"square\",\"side\":1},\"a\":{\"kind\":\"circle\",\"radius\":1}}"
	 ","
	 "\"pair\":[{\"op\":1,\"d\":{\"radius\":1}},{\"op\":0}],"
	 "\"at\":{\"type\":\"count\",\"the data\":3},"
	 "\"in\":{\"type\":\"circle\",\"data\":{\"radius\":1}},\"last\":true}",
	 NULL},
};

static void
encode(const struct herald_codec *codec, const void *in, char *out, size_t out_bytes)
{
	struct herald_buffer buffer;
	struct herald_error error;

	herald_buffer_init(&buffer, NULL, 0);
	if (herald_codec_encode(codec, in, &buffer, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_true(buffer.bytes < out_bytes);
	memcpy(out, buffer.data, buffer.bytes);
	out[buffer.bytes] = '\0';
	herald_buffer_finish(&buffer);
}

static void
good_values_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct herald_codec *codec = decoding_codec(good[i].schema, NULL);
		const char *wanted = good[i].encoded ? good[i].encoded : good[i].text;
		char encoded[500], again[500];
		struct herald_error error;
		union every every;

		if (decode_bytes(codec, good[i].text, strlen(good[i].text), &every,
				 good[i].schema->bytes, &error) != HERALD_OK)
			fail_msg("%s: %s: %s", good[i].text, error.path, error.message);
		encode(codec, &every, encoded, sizeof(encoded));
		assert_string_equal(encoded, wanted);
		decode_good(codec, encoded, &every, good[i].schema->bytes);
		encode(codec, &every, again, sizeof(again));
		assert_string_equal(again, wanted);
		herald_codec_destroy(codec);
	}
}

static void
values_are_what_they_say(void **state)
{
	struct herald_codec *codec = decoding_codec(&drawing_schema, NULL);
	struct drawing drawing;

	(void)state;
	decode_good(codec, good[COUNT(good) - 1].text, &drawing, sizeof(drawing));
	assert_int_equal(drawing.list_count, 3);
	assert_int_equal(drawing.list[0].kind, CIRCLE);
	assert_true(drawing.list[0].body.circle.radius == 2);
	assert_int_equal(drawing.list[1].kind, SQUARE);
	assert_true(drawing.list[1].body.round.side == 3);
	assert_null(drawing.list[1].body.round.label);
	assert_string_equal(drawing.list[2].body.text.text, "t");
	assert_string_equal(drawing.map[0].name, "b");
	assert_true(drawing.map[0].body.square.side == 1);
	assert_int_equal(drawing.at->data.count, 3);
	assert_true(((const struct circle *)drawing.in.data)->radius == 1);
	herald_codec_destroy(codec);
}

/* The '@' is before the byte of the error. */
static const struct {
	const struct herald_schema *schema;
	const char *text;
	enum herald_status status;
	const char *path, *message;
} bad[] = {
	/* The tag. */
	{&next_to_schema, "@{\"body\":{\"radius\":2}}", HERALD_MISSING, "/kind", "missing"},
	{&next_to_schema, "@{}", HERALD_MISSING, "/kind", "missing"},
	{&next_to_schema, "{\"kind\":@null}", HERALD_MISSING, "/kind", "null"},
	{&next_to_schema, "{\"kind\":@1,\"body\":{}}", HERALD_BAD_TYPE, "/kind", "string"},
	{&next_to_schema, "{\"body\":1,\"kind\":@\"hexagon\"}", HERALD_BAD_VALUE, "/kind",
	 "\"nothing\""},
	{&next_to_schema, "{\"id\":@1,\"kind\":\"hexagon\"}", HERALD_BAD_TYPE, "/id", "string"},
	{&next_to_schema, "{\"kind\":\"circle\",@\"kind\":\"circle\",\"body\":{\"radius\":1}}",
	 HERALD_DUPLICATE, "/kind", "duplicate"},
	{&at_schema, "{\"type\":@\"hexagon\",\"data\":{}}", HERALD_BAD_VALUE, "/type",
	 "expected one of \"circle\", \"square\""},
	{&at_schema, "{\"type\":@\"circle\\u0000\",\"data\":{}}", HERALD_BAD_VALUE, "/type",
	 "expected one of \"circle\", \"square\""},
	{&lines_schema, "{\"op\":@\"circles\"}", HERALD_BAD_VALUE, "/op", "\"polygon\""},
	{&lines_schema, "{\"op\":@\"hexa\"}", HERALD_BAD_VALUE, "/op", "\"polygon\""},
	{&numbered_schema, "{\"op\":@2}", HERALD_BAD_VALUE, "/op", "found 2"},
	{&numbered_schema, "{\"op\":@\"circle\"}", HERALD_BAD_TYPE, "/op", ""},
	{&any_schema, "{\"the data\":1,\"type\":\"a@\\u0000\"}", HERALD_BAD_VALUE, "/type", ""},
	/* The value. */
	{&next_to_schema, "{\"kind\":\"circle\",\"body\":@{\"side\":2}}", HERALD_MISSING,
	 "/body/radius", "missing"},
	{&next_to_schema, "{\"body\":{\"radius\":@-1},\"kind\":\"circle\"}", HERALD_OUT_OF_RANGE,
	 "/body/radius", ""},
	{&next_to_schema, "{\"kind\":\"circle\",\"body\":@[]}", HERALD_BAD_TYPE, "/body", "object"},
	{&any_schema, "@{\"type\":\"circle\"}", HERALD_MISSING, "/the data", "missing"},
	{&any_schema, "{\"the data\":@\"1\",\"type\":\"count\"}", HERALD_BAD_TYPE, "/the data",
	 "integer"},
	{&within_schema, "@{\"kind\":\"circle\"}", HERALD_MISSING, "/radius", "missing"},
	{&within_schema, "{\"kind\":\"circle\",\"radius\":1,@\"side\":2}", HERALD_UNKNOWN_MEMBER,
	 "/side", "is not a member of within"},
	{&within_schema, "{@\"radius\":1,\"kind\":\"square\"}", HERALD_UNKNOWN_MEMBER, "/radius",
	 "is not a member of within"},
	{&within_schema, "{\"kind\":\"hexagon\",@\"radius\":1}", HERALD_UNKNOWN_MEMBER, "/radius",
	 "is not a member of within"},
	{&within_schema, "{\"kind\":\"circle\",\"radius\":1,@\"radius\":2}", HERALD_DUPLICATE,
	 "/radius", "duplicate"},
	{&lines_schema, "{\"v\":[1,@true],\"op\":\"polygon\"}", HERALD_BAD_TYPE, "/v/1", "integer"},
	{&lines_schema, "{\"op\":\"inner\",\"v\":{\"kind\":@\"x\"}}", HERALD_BAD_VALUE, "/v/kind",
	 ""},
	{&flat_outer_schema, "@{\"a\":1}", HERALD_MISSING, "/radius", "missing"},
	/* The text. */
	{&next_to_schema, "{\"body\":{}@", HERALD_BAD_JSON, "", "end of the input"},
	{&next_to_schema, "{\"body\":{}@;\"kind\":\"circle\"}", HERALD_BAD_JSON, "", ""},
	{&next_to_schema, "{\"x\":01,\"kind\":\"circle\"}", HERALD_BAD_JSON, "/x", "zero"},
	{&next_to_schema, "{\"kind\":\"circle\",\"x\":@tru}", HERALD_BAD_JSON, "/x", ""},
	{&next_to_schema, "{\"x\\@x\":1,\"kind\":\"circle\"}", HERALD_BAD_JSON, "", ""},
	{&next_to_schema, "{\"kind\"@;\"circle\"}", HERALD_BAD_JSON, "", ""},
	{&next_to_schema, "{\"kind\":\"circle@", HERALD_BAD_JSON, "/kind", "the end of a string"},
	/* Inside. */
	{&drawing_schema, "{\"list\":[{\"kind\":\"circle\",\"radius\":1},@{\"kind\":\"square\"}]}",
	 HERALD_MISSING, "/list/1/side", "missing"},
	{&drawing_schema, "{\"map\":{\"a\":{\"kind\":@\"x\"}}}", HERALD_BAD_VALUE, "/map/a/kind",
	 ""},
	{&drawing_schema, "{\"pair\":[{\"op\":0},{\"op\":1,\"d\":@2}]}", HERALD_BAD_TYPE,
	 "/pair/1/d", "object"},
	{&drawing_schema, "{\"at\":@[]}", HERALD_BAD_TYPE, "/at", "object"},
	{&drawing_schema, "{\"in\":@{}}", HERALD_MISSING, "/in/type", "missing"},
};

static void
bad_values_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct herald_codec *codec = decoding_codec(bad[i].schema, NULL);
		char text[200], *mark;
		struct herald_error error;
		union every every;

		snprintf(text, sizeof(text), "%s", bad[i].text);
		if (!(mark = strchr(text, '@')))
			mark = text + strlen(text);
		memmove(mark, mark + 1, strlen(mark));
		if (decode_bytes(codec, text, strlen(text), &every, bad[i].schema->bytes, &error) !=
			    bad[i].status ||
		    strcmp(error.path, bad[i].path) != 0 ||
		    (strchr(bad[i].text, '@') && error.offset != (size_t)(mark - text)) ||
		    strstr(error.message, bad[i].message) == NULL)
			fail_msg("%s: %s, byte %zu: %s", bad[i].text, error.path, error.offset,
				 error.message);
		herald_codec_destroy(codec);
	}
}

/* A struct that would not come back is refused. */
static void
wrong_structs_are_not_encoded(void **state)
{
	static const struct square no_label = {NULL, 1};
	const struct {
		const struct herald_schema *schema;
		union every every;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{&next_to_schema, {.next_to = {.kind = STRANGE}}, HERALD_BAD_VALUE, "/kind"},
		{&next_to_schema,
		 {.next_to = {.body.circle.radius = -1}},
		 HERALD_OUT_OF_RANGE,
		 "/body/radius"},
		{&within_schema, {.within = {.kind = STRANGE}}, HERALD_BAD_VALUE, "/kind"},
		{&any_schema, {.any = {NULL, .data.square = &no_label}}, HERALD_MISSING, "/type"},
		{&any_schema,
		 {.any = {"square", .data.square = NULL}},
		 HERALD_MISSING,
		 "/the data"},
		{&any_schema,
		 {.any = {"square\xFF", .data.raw = {"1", 1}}},
		 HERALD_BAD_UTF8,
		 "/type"},
		{&at_schema, {.at = {{"squar", 5}, &no_label}}, HERALD_BAD_VALUE, "/type"},
		{&at_schema, {.at = {{"square", 7}, &no_label}}, HERALD_BAD_VALUE, "/type"},
		{&lines_schema, {.lines = {.op = "12345678"}}, HERALD_BAD_LENGTH, "/op"},
		{&lines_schema, {.lines = {.op = "polygon"}}, HERALD_MISSING, "/v"},
		{&lines_schema, {.lines = {.op = "x"}}, HERALD_BAD_VALUE, "/op"},
		{&numbered_schema, {.numbered = {.op = 7}}, HERALD_BAD_VALUE, "/op"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_codec *codec = decoding_codec(cases[i].schema, NULL);
		struct herald_buffer buffer;
		struct herald_error error;

		herald_buffer_init(&buffer, NULL, 0);
		if (herald_codec_encode(codec, &cases[i].every, &buffer, &error) !=
			    cases[i].status ||
		    strcmp(error.path, cases[i].path) != 0)
			fail_msg("case %zu, %s: %s: %s", i, cases[i].path, error.path,
				 error.message);
		assert_int_equal(buffer.bytes, 0);
		herald_buffer_finish(&buffer);
		herald_codec_destroy(codec);
	}
}

static void
short_memory_and_cut_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		exhaust_memory(good[i].schema, good[i].text);
		cut_document(good[i].schema, NULL, good[i].text);
	}
}

/* Add the members of an object in a random order. */
static void
shuffle(struct every_random *random, const char *const *members, size_t count, char *out)
{
	const char *left[8];

	memcpy(left, members, count * sizeof(*left));
	strcpy(out, "{");
	for (; count > 0; count--) {
		size_t pick = (size_t)every_random_below(random, count);

		strcat(strcat(out, left[pick]), count > 1 ? "," : "}");
		left[pick] = left[count - 1];
	}
}

/* The tag may be anywhere, and there may be anything else. */
static void
the_order_does_not_matter(void **state)
{
	static const char *const values[] = {"1",
					     "\"kind\"",
					     "{\"kind\":\"square\"}",
					     "[{\"a\":\"\\\"}\"}]",
					     "null",
					     "\"\xC3\xA9\\u00e9\"",
					     "-0.5e7"};
	struct herald_codec *codec = decoding_codec(&next_to_schema, NULL);
	struct every_random random = {draw_seed()};

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)random.state);
	for (int i = 0; i < 2000; i++) {
		char unknown[2][60], text[400], encoded[200];
		const char *members[] = {every_random_below(&random, 2)
						 ? "\"kind\":\"circle\""
						 : "\"kin\\u0064\" :\"circle\"",
					 "\"body\":{\"x\":[],\"radius\":4}", "\"id\":\"\\n\"",
					 unknown[0], unknown[1]};
		struct next_to next_to;

		for (size_t j = 0; j < 2; j++)
			snprintf(unknown[j], sizeof(unknown[j]), "\"u%zu\": %s ", j,
				 values[every_random_below(&random, COUNT(values))]);
		shuffle(&random, members, COUNT(members), text);
		decode_good(codec, text, &next_to, sizeof(next_to));
		encode(codec, &next_to, encoded, sizeof(encoded));
		assert_string_equal(encoded,
				    "{\"id\":\"\\n\",\"kind\":\"circle\",\"body\":{\"radius\":4}}");
	}
	herald_codec_destroy(codec);
}

struct quoted {
	int op;
	union {
		struct circle circle;
		struct square square;
	} d;
};

/* Tables that are refused when a codec is created. */
struct tagged {
	const char *tag;
	const char *other;
	union {
		struct circle circle;
		struct square square;
	} body;
};

#define TAG HERALD_FIELD(tagged, tag, .required = true)
#define OTHER HERALD_FIELD(tagged, other)
#define BAD_TABLE(NAME, ...)                                                                       \
	static const union herald_lines_of_struct_tagged NAME##_lines[] = {__VA_ARGS__}

union herald_lines_of_struct_tagged {
	struct herald_field line_of_struct_tagged;
};

BAD_TABLE(no_tag, HERALD_PRIVATE(tagged, other), HERALD_PRIVATE(tagged, body),
	  HERALD_FIELD(tagged, tag, HERALD_WHEN(none, "x")));
BAD_TABLE(two_tags, TAG, OTHER,
	  HERALD_STRUCT(tagged, body.circle, circle, .key = "a", HERALD_WHEN(tag, "a")),
	  HERALD_STRUCT(tagged, body.square, square, .key = "b", HERALD_WHEN(other, "b")));
BAD_TABLE(not_required, HERALD_FIELD(tagged, tag), OTHER,
	  HERALD_VARIANT(tagged, body, tag, HERALD_CASE("c", circle), HERALD_CASE("s", square)));
BAD_TABLE(itself, HERALD_FIELD(tagged, tag, .required = true, HERALD_WHEN(tag, "x")), OTHER,
	  HERALD_PRIVATE(tagged, body));
BAD_TABLE(not_allowed, HERALD_FIELD(tagged, tag, .required = true, HERALD_ONE_OF("c", "s")), OTHER,
	  HERALD_VARIANT(tagged, body, tag, HERALD_CASE("c", circle), HERALD_CASE("t", square)));
BAD_TABLE(overlap, TAG, OTHER,
	  HERALD_STRUCT(tagged, body.circle, circle, .key = "a", HERALD_WHEN(tag, "a")),
	  HERALD_STRUCT(tagged, body.square, square, .key = "b", HERALD_WHEN(tag, "a")));
BAD_TABLE(overlap_always, TAG, OTHER, HERALD_STRUCT(tagged, body.circle, circle, .key = "a"),
	  HERALD_STRUCT(tagged, body.square, square, .key = "b", HERALD_WHEN(tag, "b")));
BAD_TABLE(same_value, TAG, OTHER,
	  HERALD_VARIANT(tagged, body, tag, HERALD_CASE("c", circle), HERALD_CASE("c", square)));
BAD_TABLE(same_rest, TAG, OTHER,
	  HERALD_VARIANT(tagged, body, tag, HERALD_CASE_OTHER(circle, circle),
			 HERALD_CASE_OTHER(square, square)));
BAD_TABLE(private_always, TAG, OTHER, HERALD_PRIVATE(tagged, tag), HERALD_PRIVATE(tagged, body));
BAD_TABLE(private_twice, TAG, OTHER, HERALD_PRIVATE(tagged, body), HERALD_PRIVATE(tagged, body));
BAD_TABLE(duplicate, TAG, HERALD_FIELD(tagged, other, .key = "radius"),
	  HERALD_FLAT_VARIANT(tagged, body, tag, HERALD_CASE("c", circle),
			      HERALD_CASE("s", square)));
BAD_TABLE(same_case, TAG, HERALD_FIELD(tagged, other, .key = "body", HERALD_WHEN(tag, "c")),
	  HERALD_VARIANT(tagged, body, tag, HERALD_CASE("c", circle), HERALD_CASE("s", square)));
BAD_TABLE(gap, TAG, OTHER, HERALD_VARIANT(tagged, body, tag, HERALD_CASE("c", circle)));
BAD_TABLE(flat_key, TAG, OTHER,
	  HERALD_VARIANT_WITH(tagged, body, tag, (.flat = true, .key = "k"),
			      HERALD_CASE("c", circle), HERALD_CASE("s", square)));
BAD_TABLE(flat_required, TAG, OTHER,
	  HERALD_VARIANT_WITH(tagged, body, tag, (.flat = true, .required = true),
			      HERALD_CASE("c", circle), HERALD_CASE("s", square)));
BAD_TABLE(flat_optional, TAG, OTHER,
	  HERALD_VARIANT_WITH(tagged, body, tag, (.flat = true, .optional = true),
			      HERALD_CASE("c", circle), HERALD_CASE("s", square)));
BAD_TABLE(flat_string, TAG, HERALD_FIELD(tagged, other, .flat = true),
	  HERALD_PRIVATE(tagged, body));
BAD_TABLE(when_alone, TAG, HERALD_FIELD(tagged, other, .when = "x"), HERALD_PRIVATE(tagged, body));
BAD_TABLE(not_utf8, TAG, HERALD_FIELD(tagged, other, HERALD_WHEN(tag, "\xFF")),
	  HERALD_PRIVATE(tagged, body));

static const struct {
	const union herald_lines_of_struct_tagged *lines;
	size_t count;
	const char *path, *message;
} bad_tables[] = {
#define TABLE(NAME) NAME##_lines, COUNT(NAME##_lines)
	{TABLE(no_tag), "tagged.tag", "the tag none is not a member of the schema"},
	{TABLE(two_tags), "tagged.body.square", "the tag other is not the schema's only one"},
	{TABLE(not_required), "tagged.body", "the tag tag must be required"},
	{TABLE(itself), "tagged.tag", "depend on a tag"},
	{TABLE(not_allowed), "tagged.body", "\"t\" is not one of the tag's values"},
	{TABLE(overlap), "tagged.body.square", "two cases have the value \"a\""},
	{TABLE(same_value), "tagged.body", "two cases have the value \"c\""},
	{TABLE(same_rest), "tagged.body", "two cases are for all other values of the tag"},
	{TABLE(private_always), "tagged.tag", "the member overlaps another one"},
	{TABLE(private_twice), "tagged.body", "the member overlaps another one"},
	{TABLE(overlap_always), "tagged.body.square", "overlaps"},
	{TABLE(duplicate), "tagged.radius", "duplicate key \"radius\""},
	{TABLE(same_case), "tagged.body", "duplicate key \"body\""},
	{TABLE(gap), "tagged", "a later member"},
	{TABLE(flat_key), "tagged.body", "no key"},
	{TABLE(flat_required), "tagged.body", "cannot be required"},
	{TABLE(flat_optional), "tagged.body", "cannot be optional"},
	{TABLE(flat_string), "tagged.other", "flat is for structs"},
	{TABLE(when_alone), "tagged.other", "needs a tag"},
	{TABLE(not_utf8), "tagged.other", "UTF-8"},
};

/* A number that decides is not quoted. */
HERALD_SCHEMA(quoted,
	HERALD_ENUM(quoted, op, codes, .required = true, .numeric = true, .quoted = true),
	HERALD_VARIANT(quoted, d, op,
		       HERALD_CASE("circle", circle), HERALD_CASE("square", square)));

static void
quoted_tags_are_refused(void **state)
{
	struct herald_codec *codec = NULL;
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_codec_create(&quoted_schema, NULL, NULL, &codec, &error),
			 HERALD_BAD_SCHEMA);
	assert_string_equal(error.path, "quoted.d");
	if (!strstr(error.message, "the tag op cannot be quoted") ||
	    strstr(error.message, "depend"))
		fail_msg("%s", error.message);
}

static void
bad_tables_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_tables); i++) {
		const struct herald_schema schema = {
			.name = "tagged",
			.bytes = sizeof(struct tagged),
			.alignment = _Alignof(struct tagged),
			.fields = &bad_tables[i].lines->line_of_struct_tagged,
			.fields_count = bad_tables[i].count,
		};
		struct herald_codec *codec = NULL;
		struct herald_error error = {.path = ""};

		if (herald_codec_create(&schema, NULL, NULL, &codec, &error) != HERALD_BAD_SCHEMA ||
		    strncmp(error.path, bad_tables[i].path, strlen(bad_tables[i].path)) != 0 ||
		    strstr(error.message, bad_tables[i].message) == NULL)
			fail_msg("table %zu, \"%s\": %s", i, bad_tables[i].message, error.message);
		assert_null(codec);
	}
}

/* Two names of an enum with the same number. */
static const struct herald_name forms[] = {{"circle", CIRCLE}, {"ring", CIRCLE}};

struct aliased {
	enum shape_kind form;
	union {
		struct circle circle;
		struct square square;
	} body;
};

HERALD_SCHEMA(aliased,
	HERALD_ENUM(aliased, form, forms, .required = true),
	HERALD_VARIANT(aliased, body, form,
		HERALD_CASE("circle", circle),
		HERALD_CASE("ring", square)));

static void
cases_of_one_number_are_refused(void **state)
{
	struct herald_codec *codec = NULL;
	struct herald_error error = {.path = ""};

	(void)state;
	assert_int_equal(herald_codec_create(&aliased_schema, NULL, NULL, &codec, &error),
			 HERALD_BAD_SCHEMA);
	assert_string_equal(error.path, "aliased.body");
	assert_non_null(
		strstr(error.message, "the cases \"circle\" and \"ring\" have the same number"));
	assert_null(codec);
}

/* A tag is a string like others, so its length is limited, also if it is the name of a case. */
static void
long_tags_are_refused(void **state)
{
	static const char *const documents[] = {
		"{\"kind\":\"circle\",\"body\":{\"radius\":1}}",
		"{\"body\":{\"radius\":1},\"kind\":\"circle\"}",
	};

	(void)state;
	for (size_t most = 5; most <= 6; most++) {
		struct herald_limits limits = {.max_string_bytes = most};
		struct herald_codec *codec = decoding_codec(&next_to_schema, &limits);

		for (size_t i = 0; i < COUNT(documents); i++) {
			struct herald_error error;
			struct next_to out;
			char text[100];
			int bytes = snprintf(text, sizeof(text), "%s", documents[i]);
			enum herald_status status = herald_codec_decode(
				codec, text, (size_t)bytes, decoding_arena(), &out, &error);

			assert_int_equal(status, most == 6 ? HERALD_OK : HERALD_LIMIT);
			if (status == HERALD_OK)
				assert_int_equal(out.kind, CIRCLE);
			else
				assert_string_equal(error.path, "/kind");
			herald_arena_reset(decoding_arena());
		}
		herald_codec_destroy(codec);
	}
}

static enum herald_status
decode_kind(const struct herald_codec *codec, const char *name, struct next_to *out)
{
	char text[200];
	int bytes = snprintf(text, sizeof(text), "{\"kind\":\"%s\",\"body\":{\"radius\":1}}", name);
	enum herald_status status =
		herald_codec_decode(codec, text, (size_t)bytes, decoding_arena(), out, NULL);

	herald_arena_reset(decoding_arena());
	return status;
}

/* A codec for next_to whose circle has another name. The schema must outlive it. */
static struct herald_codec *
rename_circle(struct herald_schema *schema, struct herald_field *fields,
	      const struct herald_name *names, size_t names_count)
{
	memcpy(fields, schema->fields, schema->fields_count * sizeof(*fields));
	schema->fields = fields;
	for (size_t i = 0; i < schema->fields_count; i++) {
		if (fields[i].names) {
			fields[i].names = names;
			fields[i].names_count = names_count;
		}
		if (fields[i].when && strcmp(fields[i].when, "circle") == 0)
			fields[i].when = names[1].name;
	}
	return decoding_codec(schema, NULL);
}

/* A document that ends within a tag, or instead of its quote, with each number of its bytes. */
static void
cut_tag(const struct herald_codec *codec, const char *name)
{
	for (size_t bytes = 0; bytes <= strlen(name); bytes++) {
		struct next_to out;
		char text[100];
		int length = snprintf(text, sizeof(text), "{\"kind\":\"%.*s}", (int)bytes, name);

		assert_int_equal(decode_bytes(codec, text, (size_t)length, &out, sizeof(out), NULL),
				 HERALD_BAD_JSON);
	}
}

/* Tags of every length, all that differ from them in one byte, and all that are cut. */
static void
tags_have_any_length(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes <= 40; bytes++) {
		char name[41] = "", other[41];
		struct herald_name names[] = {{"square", SQUARE}, {name, CIRCLE}};
		struct herald_field fields[8];
		struct herald_schema schema = next_to_schema;
		struct herald_codec *codec;
		struct next_to out;

		memset(name, 'n', bytes);
		assert_in_range(schema.fields_count, 1, COUNT(fields));
		codec = rename_circle(&schema, fields, names, COUNT(names));
		assert_int_equal(decode_kind(codec, name, &out), HERALD_OK);
		assert_int_equal(out.kind, CIRCLE);
		assert_true(out.body.circle.radius == 1);
		for (size_t i = 0; i < bytes; i++) {
			memcpy(other, name, sizeof(name));
			other[i] = 'o';
			assert_int_not_equal(decode_kind(codec, other, &out), HERALD_OK);
		}
		memcpy(other, name, sizeof(name));
		other[bytes - 1] = '\0';
		assert_int_not_equal(decode_kind(codec, other, &out), HERALD_OK);
		cut_tag(codec, name);
		herald_codec_destroy(codec);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values_come_back),
		cmocka_unit_test(values_are_what_they_say),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(wrong_structs_are_not_encoded),
		cmocka_unit_test(short_memory_and_cut_documents),
		cmocka_unit_test(the_order_does_not_matter),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(quoted_tags_are_refused),
		cmocka_unit_test(cases_of_one_number_are_refused),
		cmocka_unit_test(long_tags_are_refused),
		cmocka_unit_test(tags_have_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, decoding_finish);
}
