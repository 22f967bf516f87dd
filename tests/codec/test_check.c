/*
 * Rules of a struct as a whole: checks, wherever the struct is, in the decoder and the encoder; and
 * schemas that must describe every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>
#include <herald/json_schema.h>

#include "support/decoding.h"
#include "support/exhausting.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct span {
	int32_t from;
	int32_t to;
};

static bool
is_in_order(const struct span *span, struct herald_refusal *refusal)
{
	if (span->from == 13)
		return false;
	if (span->from == 14)
		return herald_refuse(refusal, "nothing", "a name that the schema does not have");
	if (span->from == 15)
		return herald_refuse(refusal, NULL, "not \"fifteen\"\nat all");
	if (span->from == 16)
		(void)herald_refuse(refusal, "from", "said, but allowed");
	if (span->from <= span->to)
		return true;
	(void)herald_refuse(refusal, "from", "only the last one counts");
	return herald_refuse(refusal, "to", "expected at least %d, found %d", span->from, span->to);
}
HERALD_CHECK(is_in_order, span);

HERALD_SCHEMA_WITH(span, (.check = &is_in_order_check),
	HERALD_FIELD(span, from, HERALD_MIN(-5)),
	HERALD_FIELD(span, to, .key = "until"));

/* Of a map: the check sees the key. */
struct named {
	const char *name;
	struct span span;
};

static bool
has_a_name(const struct named *named, struct herald_refusal *refusal)
{
	return named->name[0] != '\0' || herald_refuse(refusal, "name", "a name is missing");
}
HERALD_CHECK(has_a_name, named);

HERALD_SCHEMA_WITH(named, (.check = &has_a_name_check),
	HERALD_KEY(named, name),
	HERALD_STRUCT(named, span, span, .flat = true));

/* Transparent: in JSON a number or null. */
struct even {
	bool has_number;
	int32_t number;
};

static bool
is_even(const struct even *even, struct herald_refusal *refusal)
{
	return even->number % 2 == 0 || herald_refuse(refusal, "number", "is odd");
}
HERALD_CHECK(is_even, even);

HERALD_SCHEMA_WITH(even, (.transparent = true, .check = &is_even_check),
	HERALD_OPTIONAL(even, number));

/* A tagged union: the flat case has a check, and so has the struct that it is in. */
struct choice {
	const char *kind;
	int32_t most;
	union {
		struct span span;
		struct even even;
	} body;
};

static bool
is_at_most(const struct choice *choice, struct herald_refusal *refusal)
{
	if (strcmp(choice->kind, "span") != 0 || choice->body.span.to <= choice->most)
		return true;
	return herald_refuse(refusal, "most", "is less than until");
}
HERALD_CHECK(is_at_most, choice);

HERALD_SCHEMA_WITH(choice, (.check = &is_at_most_check),
	HERALD_FIELD(choice, kind, .required = true),
	HERALD_FIELD(choice, most),
	HERALD_STRUCT(choice, body.span, span, .flat = true, HERALD_WHEN(kind, "span")),
	HERALD_STRUCT(choice, body.even, even, .key = "even", HERALD_WHEN(kind, "even")));

/* Flat cases with members of one name in C, and others in JSON. */
struct circle {
	int32_t size;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, size, .key = "circleSize"));

struct square {
	int32_t size;
	int32_t side;
};

HERALD_SCHEMA(square,
	HERALD_FIELD(square, size, .key = "squareSize"),
	HERALD_FIELD(square, side));

struct shape {
	const char *kind;
	union {
		struct circle circle;
		struct square square;
	} body;
};

static bool
is_small(const struct shape *shape, struct herald_refusal *refusal)
{
	bool is_square = strcmp(shape->kind, "square") == 0;

	if (shape->body.circle.size > 10)
		return herald_refuse(refusal, "size", "is above 10");
	if (is_square && shape->body.square.side > 10)
		return herald_refuse(refusal, "side", "is above 10");
	return is_square || shape->body.circle.size != 9 ||
	       herald_refuse(refusal, "side", "is a member of squares");
}
HERALD_CHECK(is_small, shape);

HERALD_SCHEMA_WITH(shape, (.check = &is_small_check),
	HERALD_FIELD(shape, kind, .required = true),
	HERALD_FLAT_VARIANT(shape, body, kind,
		HERALD_CASE("circle", circle),
		HERALD_CASE("square", square)));

/* The key of one member is the name of the other. */
struct swap {
	int32_t a;
	int32_t b;
	int32_t c;
};

static bool
is_negative(const struct swap *swap, struct herald_refusal *refusal)
{
	return swap->b <= 0 || herald_refuse(refusal, swap->b == 2 ? "d" : "b", "is positive");
}
HERALD_CHECK(is_negative, swap);

HERALD_SCHEMA_WITH(swap, (.check = &is_negative_check),
	HERALD_FIELD(swap, a, .key = "b"),
	HERALD_FIELD(swap, b, .key = "a"),
	HERALD_FIELD(swap, c, .key = "d"));

struct all {
	struct span in;
	struct span required;
	const struct span *at;
	const struct span *list;
	size_t list_count;
	struct span pair[2];
	const struct named *map;
	size_t map_count;
	struct even even;
	const struct even *evens;
	size_t evens_count;
	const struct choice *choices;
	size_t choices_count;
	const struct shape *shape;
	struct swap swap;
};

HERALD_SCHEMA(all,
	HERALD_STRUCT(all, in, span),
	HERALD_STRUCT(all, required, span, .required = true),
	HERALD_POINTER(all, at, span),
	HERALD_LIST(all, list, span),
	HERALD_STRUCT_ARRAY(all, pair, span),
	HERALD_MAP(all, map, named),
	HERALD_STRUCT(all, even, even),
	HERALD_LIST(all, evens, even),
	HERALD_LIST(all, choices, choice),
	HERALD_POINTER(all, shape, shape),
	HERALD_STRUCT(all, swap, swap));

/* Documents with "required" in front. */
#define DOCUMENT(TEXT) "{\"required\":{}" TEXT "}"

static const struct {
	const char *text; /* '@' marks the byte at the error's offset */
	enum herald_status status;
	const char *path, *message;
} bad_documents[] = {
#define BAD(TEXT, PATH, MESSAGE)                                                                   \
	{                                                                                          \
		DOCUMENT(TEXT), HERALD_BAD_VALUE, PATH, MESSAGE                                    \
	}
	{"{\"required\":@{\"from\":2,\"until\":1}}", HERALD_BAD_VALUE, "/required/until",
	 "until: expected at least 2, found 1"},
	BAD(",\"in\": @{\"until\":-1}", "/in/until", "until: expected at least 0, found -1"),
	BAD(",\"at\":@{\"until\":3,\"from\":4}", "/at/until",
	    "until: expected at least 4, found 3"),
	BAD(",\"list\":[{}, @{\"from\":1}]", "/list/1/until",
	    "until: expected at least 1, found 0"),
	BAD(",\"pair\":[{},@{\"from\":1}]", "/pair/1/until", "until: expected at least 1, found 0"),
	BAD(",\"map\":{\"a\":{},\"b\":@{\"from\":1}}", "/map/b/until",
	    "until: expected at least 1, found 0"),
	BAD(",\"map\":{\"\":@{}}", "/map/", "map/: a name is missing"),
	BAD(",\"even\":@3", "/even", "even is odd"),
	BAD(",\"evens\":[null,2,@3]", "/evens/2", "evens/2 is odd"),
	BAD(",\"choices\":[@{\"from\":1,\"kind\":\"span\"}]", "/choices/0/until",
	    "until: expected at least 1, found 0"),
	BAD(",\"choices\":[{\"kind\":\"even\"},@{\"until\":2,\"most\":1,\"kind\":\"span\"}]",
	    "/choices/1/most", "most is less than until"),
	BAD(",\"choices\":[{\"kind\":\"even\",\"even\":@1}]", "/choices/0/even", "even is odd"),
	/* The name of a member of the case that the struct has, in C before JSON. */
	BAD(",\"shape\":@{\"kind\":\"circle\",\"circleSize\":11}", "/shape/circleSize",
	    "circleSize is above 10"),
	BAD(",\"shape\":@{\"kind\":\"square\",\"squareSize\":11}", "/shape/squareSize",
	    "squareSize is above 10"),
	BAD(",\"shape\":@{\"side\":11,\"kind\":\"square\"}", "/shape/side", "side is above 10"),
	BAD(",\"shape\":@{\"kind\":\"circle\",\"circleSize\":9}", "/shape",
	    "shape is a member of squares"),
	BAD(",\"swap\":@{\"b\":0,\"a\":1}", "/swap/a", "a is positive"),
	BAD(",\"swap\":@{\"a\":2}", "/swap/d", "d is positive"),
	/* A function that says nothing, an unknown name, and text that must be escaped. */
	BAD(",\"in\":@{\"from\":13}", "/in", "in: refused by the check of struct span"),
	BAD(",\"in\":@{\"from\":14}", "/in", "in: a name that the schema does not have"),
	BAD(",\"in\":@{\"from\":15}", "/in", "in: not \"fifteen\"\\nat all"),
	/* Constraints of members come first. */
	{DOCUMENT(",\"in\":{\"until\":-9,\"from\":@-6}"), HERALD_OUT_OF_RANGE, "/in/from",
	 "from: expected an integer from -5 to 2147483647, found -6"},
};

static void
bad_documents_are_refused(void **state)
{
	struct herald_codec *codec = decoding_codec(&all_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(bad_documents); i++) {
		const char *text = bad_documents[i].text, *mark = strchr(text, '@');
		struct herald_error error = {.status = HERALD_OK};
		char plain[200];
		struct all all;

		decode_bad(codec, text, sizeof(all), bad_documents[i].status,
			   bad_documents[i].path);
		snprintf(plain, sizeof(plain), "%.*s%s", (int)(mark - text), text, mark + 1);
		assert_int_equal(
			decode_bytes(codec, plain, strlen(plain), &all, sizeof(all), &error),
			bad_documents[i].status);
		assert_string_equal(error.message, bad_documents[i].message);
	}
	herald_codec_destroy(codec);
}

/* What is decoded, and what it is encoded to. */
static const struct {
	const char *text, *encoded;
} good_documents[] = {
#define ZERO "\"required\":{\"from\":0,\"until\":0}"
	{DOCUMENT(), "{" ZERO "}"},
	{DOCUMENT(",\"in\":null,\"pair\":null,\"even\":null,\"at\":null"), "{" ZERO "}"},
	{DOCUMENT(",\"in\":{\"from\":16,\"until\":16}"),
	 "{\"in\":{\"from\":16,\"until\":16}," ZERO "}"},
	{DOCUMENT(",\"evens\":[null,2],\"even\":4"), "{" ZERO ",\"even\":4,\"evens\":[null,2]}"},
	{DOCUMENT(",\"map\":{\"a\":{\"until\":1}}"),
	 "{" ZERO ",\"map\":{\"a\":{\"from\":0,\"until\":1}}}"},
	{DOCUMENT(",\"map\":{\"a\":{},\"b\":{}},\"list\":[{},{\"until\":7}],"
		  "\"at\":{\"until\":1},\"shape\":{\"squareSize\":2,\"kind\":\"square\"}"),
	 "{" ZERO ",\"at\":{\"from\":0,\"until\":1},"
	 "\"list\":[{\"from\":0,\"until\":0},{\"from\":0,\"until\":7}],"
	 "\"map\":{\"a\":{\"from\":0,\"until\":0},\"b\":{\"from\":0,\"until\":0}},"
	 "\"shape\":{\"kind\":\"square\",\"squareSize\":2,\"side\":0}}"},
	/* The bytes of another case are not checked: as a span, they would be refused. */
	{DOCUMENT(",\"choices\":[{\"kind\":\"even\",\"even\":0}]"),
	 "{" ZERO ",\"choices\":[{\"kind\":\"even\",\"most\":0,\"even\":0}]}"},
	{DOCUMENT(",\"choices\":[{\"until\":2,\"most\":2,\"kind\":\"span\"}]"),
	 "{" ZERO ",\"choices\":[{\"kind\":\"span\",\"most\":2,\"from\":0,\"until\":2}]}"},
};

static void
good_documents_come_back(void **state)
{
	struct herald_codec *codec = decoding_codec(&all_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(good_documents); i++) {
		struct herald_buffer out;
		struct all all;

		decode_good(codec, good_documents[i].text, &all, sizeof(all));
		herald_buffer_init(&out, NULL, 0);
		assert_int_equal(herald_codec_encode(codec, &all, &out, NULL), HERALD_OK);
		assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
		assert_string_equal(out.data, good_documents[i].encoded);
		herald_buffer_finish(&out);
	}
	herald_codec_destroy(codec);
}

static const struct span wrong = {.from = 2, .to = 1};
static const struct named wrong_named = {.name = "n", .span = {.from = 2, .to = 1}};
static const struct named unnamed = {.name = ""};
static const struct even odd = {.has_number = true, .number = 3};
static const struct choice wrong_flat = {.kind = "span", .body.span = {.from = 2, .to = 1}};
static const struct choice wrong_choice = {.kind = "span", .body.span = {.from = 2, .to = 3}};

static const struct {
	struct all all;
	const char *path;
} bad_structs[] = {
	{{.in = {2, 1}}, "/in/until"},
	{{.required = {2, 1}}, "/required/until"},
	{{.at = &wrong}, "/at/until"},
	{{.list = &wrong, .list_count = 1}, "/list/0/until"},
	{{.pair = {{0, 0}, {2, 1}}}, "/pair/1/until"},
	{{.map = &wrong_named, .map_count = 1}, "/map/n/until"},
	{{.map = &unnamed, .map_count = 1}, "/map/"},
	{{.even = {true, 3}}, "/even"},
	{{.evens = &odd, .evens_count = 1}, "/evens/0"},
	{{.choices = &wrong_flat, .choices_count = 1}, "/choices/0/until"},
	{{.choices = &wrong_choice, .choices_count = 1}, "/choices/0/most"},
};

static void
bad_structs_are_not_encoded(void **state)
{
	struct herald_codec *codec = decoding_codec(&all_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(bad_structs); i++) {
		struct herald_error error;
		struct herald_buffer out;

		herald_buffer_init(&out, NULL, 0);
		assert_int_equal(herald_codec_encode(codec, &bad_structs[i].all, &out, &error),
				 HERALD_BAD_VALUE);
		assert_string_equal(error.path, bad_structs[i].path);
		assert_int_equal(error.offset, HERALD_NO_OFFSET);
		assert_int_equal(out.bytes, 0);
		herald_buffer_finish(&out);
	}
	herald_codec_destroy(codec);
}

/* Without enough memory, and cut at each byte. */
static void
short_memory_and_cut_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good_documents); i++) {
		exhaust_memory(&all_schema, good_documents[i].text);
		cut_document(&all_schema, NULL, good_documents[i].text);
	}
	exhaust_memory(&span_schema, "{\"from\":1,\"until\":2}");
	cut_document(&span_schema, NULL, "{\"from\":1,\"until\":2}");
	exhaust_memory(&even_schema, "4");
}

/* The root itself. */
static void
roots_are_checked(void **state)
{
	struct herald_codec *span = decoding_codec(&span_schema, NULL);
	struct herald_codec *even = decoding_codec(&even_schema, NULL);
	struct herald_buffer out;

	(void)state;
	decode_bad(span, "@{\"from\":1}", sizeof(struct span), HERALD_BAD_VALUE, "/until");
	decode_bad(span, "@{\"from\":13}", sizeof(struct span), HERALD_BAD_VALUE, "");
	decode_bad(even, "@3", sizeof(struct even), HERALD_BAD_VALUE, "");
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_codec_encode(span, &wrong, &out, NULL), HERALD_BAD_VALUE);
	assert_int_equal(herald_codec_encode(even, &odd, &out, NULL), HERALD_BAD_VALUE);
	herald_buffer_finish(&out);
	herald_codec_destroy(span);
	herald_codec_destroy(even);
}

/* A tagged union whose flat case has a check, but not the struct that it is in. */
struct bearer {
	const char *kind;
	union {
		struct span span;
		struct circle circle;
	} body;
};

HERALD_SCHEMA(bearer,
	HERALD_FIELD(bearer, kind, .required = true),
	HERALD_FLAT_VARIANT(bearer, body, kind,
		HERALD_CASE("circle", circle),
		HERALD_CASE_OTHER(span, span)));

/* The export, NUL-terminated, into `out`, which the function initialises. */
static const char *export(const struct herald_schema *schema, struct herald_buffer *out)
{
	herald_buffer_init(out, NULL, 0);
	assert_int_equal(herald_schema_json(schema, NULL, out, NULL), HERALD_OK);
	assert_int_equal(herald_buffer_append(out, "", 1), HERALD_OK);
	return out->data;
}

/* The export says that there is a check. */
static void
exports_say_so(void **state)
{
	struct herald_buffer out;
	const char *text = export(&all_schema, &out), *other;

	(void)state;
	assert_non_null(strstr(text, "\"span\":{\"$comment\":\"The receiver also checks"));
	assert_null(strstr(text, "\"title\":\"all\",\"$comment\""));
	herald_buffer_finish(&out);
	text = export(&bearer_schema, &out);
	other = strstr(text, "\"not\":");
	assert_non_null(other);
	assert_non_null(strstr(other, "\"$comment\":\"The receiver also checks the value as a "
				      "whole.\""));
	assert_ptr_equal(strstr(text, "$comment"), strstr(other, "$comment"));
	herald_buffer_finish(&out);
}

/* Structs with bytes that only `.no_padding` finds. */
struct tail {
	int64_t number;
	int8_t small;
	int8_t forgotten;
};

HERALD_SCHEMA_WITH(tail, (.no_padding = true),
	HERALD_FIELD(tail, number),
	HERALD_FIELD(tail, small));

struct middle {
	int8_t small;
	int64_t number;
};

HERALD_SCHEMA_WITH(middle, (.no_padding = true),
	HERALD_FIELD(middle, number),
	HERALD_FIELD(middle, small));

struct front {
	int8_t forgotten;
	int16_t small;
};

HERALD_SCHEMA_WITH(front, (.no_padding = true), HERALD_FIELD(front, small));

struct narrow {
	int8_t small;
	int16_t wide;
};

HERALD_SCHEMA_WITH(narrow, (.no_padding = true),
	HERALD_FIELD(narrow, small),
	HERALD_FIELD(narrow, wide));

struct branch {
	const char *kind;
	union {
		int64_t number;
		struct span span;
		char bytes[9];
	} body;
};

HERALD_SCHEMA_WITH(branch, (.no_padding = true),
	HERALD_FIELD(branch, kind, .required = true),
	HERALD_FIELD(branch, body.number, .key = "body", HERALD_WHEN(kind, "number")),
	HERALD_FIELD(branch, body.bytes, .key = "body", HERALD_WHEN(kind, "bytes")));

struct full {
	int64_t number;
	bool has_small;
	int8_t small;
	char unused[6];
	const int8_t *list;
	size_t list_count;
};

HERALD_SCHEMA_WITH(full, (.no_padding = true),
	HERALD_FIELD(full, number),
	HERALD_OPTIONAL(full, small),
	HERALD_PRIVATE(full, unused),
	HERALD_VALUES(full, list));

static bool
is_full(const struct full *full, struct herald_refusal *refusal)
{
	(void)refusal;
	return full->number != 0;
}
HERALD_CHECK(is_full, full);

struct even_of_full {
	int64_t number;
};

HERALD_SCHEMA_WITH(even_of_full, (.check = &is_full_check),
	HERALD_FIELD(even_of_full, number));

static void
schemas_are_refused(void **state)
{
	static const struct herald_check none = {.mark = HERALD_CHECK_MARK, .owner = "span"};
	static const struct herald_check nobody = {.mark = HERALD_CHECK_MARK};
	struct herald_schema without_function = span_schema, without_owner = span_schema;
	struct herald_schema function_itself = span_schema;
	bool (*function)(const struct span *, struct herald_refusal *) = is_in_order;
	struct herald_schema hidden = tail_schema;
	const struct {
		const struct herald_schema *schema;
		const char *path, *message;
	} bad[] = {
		{&tail_schema, "tail", "bytes 9 to 15 are in no line, after small; "},
		{&middle_schema, "middle", "bytes 1 to 7 are in no line, after small; "},
		{&front_schema, "front", "bytes 0 to 1 are in no line, before all members; "},
		{&narrow_schema, "narrow", "byte 1 is in no line, after small; "},
		{&branch_schema, "branch", "bytes 17 to 23 are in no line, after body.bytes; "},
		{&even_of_full_schema, "even_of_full",
		 "the check belongs to struct full, but the schema to struct even_of_full"},
		{&without_function, "span", "no owner or no function: use HERALD_CHECK"},
		{&without_owner, "span", "no owner or no function: use HERALD_CHECK"},
		{&function_itself, "span",
		 "the check was not made by HERALD_CHECK: for the function f, write .check = "
		 "&f_check"},
	};
	struct herald_codec *codec = NULL;

	(void)state;
	without_function.check = &none;
	without_owner.check = &nobody;
	memcpy(&function_itself.check, &function, sizeof(function));
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct herald_error error = {.status = HERALD_OK};

		assert_int_equal(herald_codec_create(bad[i].schema, NULL, NULL, &codec, &error),
				 HERALD_BAD_SCHEMA);
		assert_string_equal(error.path, bad[i].path);
		if (strstr(error.message, bad[i].message) == NULL)
			fail_msg("%s: %s", bad[i].path, error.message);
		assert_null(codec);
	}
	herald_codec_destroy(decoding_codec(&full_schema, NULL));
	hidden.no_padding = false;
	herald_codec_destroy(decoding_codec(&hidden, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_documents_come_back),
		cmocka_unit_test(bad_documents_are_refused),
		cmocka_unit_test(bad_structs_are_not_encoded),
		cmocka_unit_test(short_memory_and_cut_documents),
		cmocka_unit_test(roots_are_checked),
		cmocka_unit_test(exports_say_so),
		cmocka_unit_test(schemas_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, decoding_finish);
}
