/*
 * Structs in a struct that are all zero, because their members were missing or null. What is
 * encoded of them is decoded to the same again: the struct, a null, or nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <herald/codec.h>
#include <herald/json_schema.h>

#include "support/decoding.h"
#include "support/exhausting.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* With a check that allows zeros. */
struct span {
	int32_t from;
	int32_t to;
};

static bool
is_in_order(const struct span *span, struct herald_refusal *refusal)
{
	return span->from <= span->to || herald_refuse(refusal, "to", "is less than from");
}
HERALD_CHECK(is_in_order, span);

HERALD_SCHEMA_WITH(span, (.check = &is_in_order_check),
	HERALD_FIELD(span, from),
	HERALD_FIELD(span, to));

/* Transparent structs of it, and of each other. */
struct wrap {
	struct span span;
};

HERALD_SCHEMA_WITH(wrap, (.transparent = true), HERALD_STRUCT(wrap, span, span));

struct two_wraps {
	struct wrap wrap;
};

HERALD_SCHEMA_WITH(two_wraps, (.transparent = true), HERALD_STRUCT(two_wraps, wrap, wrap));

struct spans {
	struct span pair[2];
};

HERALD_SCHEMA_WITH(spans, (.transparent = true), HERALD_STRUCT_ARRAY(spans, pair, span));

struct wraps {
	struct wrap required;
	struct spans pair;
	struct wrap in;
	const struct two_wraps *at;
	const struct wrap *list;
	size_t list_count;
};

HERALD_SCHEMA(wraps,
	HERALD_STRUCT(wraps, required, wrap, .required = true),
	HERALD_STRUCT(wraps, pair, spans, .required = true),
	HERALD_STRUCT(wraps, in, wrap),
	HERALD_POINTER(wraps, at, two_wraps),
	HERALD_LIST(wraps, list, wrap));

/* A transparent struct that is not null, in another one. */
struct word {
	const char *text;
};

HERALD_SCHEMA_WITH(word, (.transparent = true), HERALD_FIELD(word, text, .required = true));

struct two_words {
	struct word word;
};

HERALD_SCHEMA_WITH(two_words, (.transparent = true), HERALD_STRUCT(two_words, word, word));

struct words {
	struct word one;
	struct two_words two;
	struct two_words pair[2];
	const struct two_words *list;
	size_t list_count;
};

HERALD_SCHEMA(words,
	HERALD_STRUCT(words, one, word),
	HERALD_STRUCT(words, two, two_words),
	HERALD_STRUCT_ARRAY(words, pair, two_words),
	HERALD_LIST(words, list, two_words));

/* A required member that may be null, but not there: the struct that has it is left out. */
struct maybe {
	bool has_number;
	double number;
};

HERALD_SCHEMA_WITH(maybe, (.transparent = true), HERALD_OPTIONAL(maybe, number));

struct holder {
	struct maybe maybe;
};

HERALD_SCHEMA(holder, HERALD_STRUCT(holder, maybe, maybe, .required = true));

struct rows {
	struct maybe maybes[2];
};

HERALD_SCHEMA_WITH(rows, (.transparent = true), HERALD_STRUCT_ARRAY(rows, maybes, maybe));

struct holders {
	struct holder holder;
	struct rows rows;
};

HERALD_SCHEMA(holders,
	HERALD_STRUCT(holders, holder, holder),
	HERALD_STRUCT(holders, rows, rows, .required = true));

/* A tag in the struct, which cannot be empty, or can. */
struct tagged {
	char kind[8];
	union {
		int32_t number;
		bool truth;
	} body;
};

HERALD_SCHEMA(tagged,
	HERALD_FIELD(tagged, kind, .required = true),
	HERALD_VARIANT(tagged, body, kind,
		HERALD_CASE_FIELD("number", number), HERALD_CASE_FIELD("truth", truth)));

struct open {
	char kind[8];
	union {
		int32_t number;
		bool truth;
	} body;
};

HERALD_SCHEMA(open,
	HERALD_FIELD(open, kind, .required = true),
	HERALD_VARIANT(open, body, kind,
		HERALD_CASE_FIELD("number", number), HERALD_CASE_OTHER(truth)));

struct empty {
	char kind[8];
	union {
		int32_t number;
		bool truth;
	} body;
};

HERALD_SCHEMA(empty,
	HERALD_FIELD(empty, kind, .required = true),
	HERALD_VARIANT(empty, body, kind,
		HERALD_CASE_FIELD("", number), HERALD_CASE_FIELD("truth", truth)));

struct tags {
	struct tagged tagged;
	struct open open;
	struct empty empty;
};

HERALD_SCHEMA(tags,
	HERALD_STRUCT(tags, tagged, tagged),
	HERALD_STRUCT(tags, open, open),
	HERALD_STRUCT(tags, empty, empty));

static const struct {
	const struct herald_schema *schema;
	const char *text, *encoded;
} good[] = {
	/* Where null is not the same as zero, the struct is written. */
	{&wraps_schema, "{\"required\":{},\"pair\":[{},{}],\"in\":{},\"at\":{},\"list\":[{}]}",
	 "{\"required\":{\"from\":0,\"to\":0},\"pair\":[{\"from\":0,\"to\":0},{\"from\":0,\"to\":0}"
	 "],\"in\":null,"
	 "\"at\":{\"from\":0,\"to\":0},\"list\":[null]}"},
	{&wraps_schema, "{\"required\":{\"to\":1},\"pair\":[{\"to\":1},{}]}",
	 "{\"required\":{\"from\":0,\"to\":1},"
	 "\"pair\":[{\"from\":0,\"to\":1},{\"from\":0,\"to\":0}],\"in\":null}"},
	/* Where null is not allowed, nothing is written. */
	{&words_schema, "{}", "{}"},
	{&words_schema, "{\"pair\":null,\"list\":[]}", "{\"list\":[]}"},
	{&words_schema, "{\"one\":\"\",\"two\":\"b\",\"pair\":[\"c\",\"d\"],\"list\":[\"e\"]}",
	 "{\"one\":\"\",\"two\":\"b\",\"pair\":[\"c\",\"d\"],\"list\":[\"e\"]}"},
	{&holders_schema, "{\"rows\":[null,null]}", "{\"rows\":[null,null]}"},
	{&holders_schema, "{\"rows\":[1,null],\"holder\":{\"maybe\":0}}",
	 "{\"holder\":{\"maybe\":0},\"rows\":[1,null]}"},
	{&tags_schema, "{}",
	 "{\"open\":{\"kind\":\"\",\"body\":false},\"empty\":{\"kind\":\"\",\"body\":0}}"},
	{&tags_schema, "{\"tagged\":null,\"open\":null,\"empty\":null}",
	 "{\"open\":{\"kind\":\"\",\"body\":false},\"empty\":{\"kind\":\"\",\"body\":0}}"},
};

union any {
	struct wraps wraps;
	struct words words;
	struct holders holders;
	struct tags tags;
};

static void
encode(const struct herald_codec *codec, const void *in, struct herald_buffer *out)
{
	struct herald_error error = {.path = ""};

	herald_buffer_init(out, NULL, 0);
	if (herald_codec_encode(codec, in, out, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_int_equal(herald_buffer_append(out, "", 1), HERALD_OK);
}

static void
zeros_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct herald_codec *codec = decoding_codec(good[i].schema, NULL);
		struct herald_buffer out;
		union any any;

		decode_good(codec, good[i].text, &any, good[i].schema->bytes);
		encode(codec, &any, &out);
		assert_string_equal(out.data, good[i].encoded);
		decode_good(codec, out.data, &any, good[i].schema->bytes);
		herald_buffer_finish(&out);
		encode(codec, &any, &out);
		assert_string_equal(out.data, good[i].encoded);
		herald_buffer_finish(&out);
		exhaust_memory(good[i].schema, good[i].text);
		herald_codec_destroy(codec);
	}
}

/* A null that the decoder refuses is not encoded either, and the exported schema says so. */
static void
null_is_refused(void **state)
{
	static const struct two_words none = {.word = {NULL}};
	const struct words words = {.list = &none, .list_count = 1};
	struct herald_codec *codec = decoding_codec(&words_schema, NULL);
	struct herald_error error = {.path = ""};
	struct herald_buffer out;

	(void)state;
	decode_bad(codec, "{\"one\":@null}", sizeof(words), HERALD_MISSING, "/one");
	decode_bad(codec, "{\"two\":@null}", sizeof(words), HERALD_MISSING, "/two");
	decode_bad(codec, "{\"pair\":[\"\",@null]}", sizeof(words), HERALD_MISSING, "/pair/1");
	decode_bad(codec, "{\"list\":[@null]}", sizeof(words), HERALD_MISSING, "/list/0");
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &words, &out, &error), HERALD_MISSING);
	assert_string_equal(error.path, "/list/0");
	assert_int_equal(herald_schema_json(&words_schema, NULL, &out, NULL), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "\"two_words\":{\"$ref\":\"#/$defs/word\"}"));
	herald_buffer_finish(&out);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeros_come_back),
		cmocka_unit_test(null_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, decoding_finish);
}
