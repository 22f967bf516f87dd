/*
 * herald_codec_decode(): lists of values of every kind, drawn at random. A list must decode to what
 * was written. It must also agree with a fixed array of the same elements, which are decoded one by
 * one, whatever single byte of the document is changed: on the values, or on the error, its path
 * and its place.
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
#include "support/draw.h"

/* The elements of each list: several times those that are decoded one by one after an unusual
 * one. */
#define COUNT 40

/* A list and an array of one kind, each in a struct of its own. */
#define KIND(NAME, TYPE, ...)                                                                      \
	struct list_of_##NAME {                                                                    \
		TYPE const *v;                                                                     \
		size_t v_count;                                                                    \
	};                                                                                         \
	HERALD_SCHEMA(list_of_##NAME, HERALD_VALUES(list_of_##NAME, v, __VA_ARGS__));              \
	struct array_of_##NAME {                                                                   \
		TYPE v[COUNT];                                                                     \
	};                                                                                         \
	HERALD_SCHEMA(array_of_##NAME, HERALD_ARRAY(array_of_##NAME, v, __VA_ARGS__))

/* clang-format off */
KIND(int8, int8_t, .required = true);
KIND(int16, int16_t, .required = true);
KIND(int32, int32_t, .required = true);
KIND(int64, int64_t, .required = true);
KIND(uint8, uint8_t, .required = true);
KIND(uint16, uint16_t, .required = true);
KIND(uint32, uint32_t, .required = true);
KIND(uint64, uint64_t, .required = true);
KIND(narrow, int64_t, HERALD_RANGE(-1000, 100000));
KIND(large, uint64_t, HERALD_MIN(1000));
KIND(real32, float, .required = true);
KIND(real64, double, .required = true);
KIND(bounded, double, HERALD_RANGE(-1000, 100000));
KIND(string, const char *, .required = true);
KIND(short, const char *, .min_bytes = 2, .max_bytes = 9);
KIND(text, struct herald_text, .required = true);
/* clang-format on */

/* What is drawn for the elements of a kind. */
enum draws { SIGNED, NATURAL, REAL, STRING };

static const struct {
	const char *name;
	const struct herald_schema *list, *array;
	size_t item_bytes;
	enum draws draws;
	unsigned least, digits; /* those that surely fit */
} kinds[] = {
#define ROW(NAME, DRAWS, LEAST, DIGITS)                                                            \
	{                                                                                          \
#NAME, &list_of_##NAME##_schema, &array_of_##NAME##_schema,                        \
			sizeof(((struct array_of_##NAME *)0)->v[0]), DRAWS, LEAST, DIGITS,         \
	}
	ROW(int8, SIGNED, 1, 2),    ROW(int16, SIGNED, 1, 4),    ROW(int32, SIGNED, 1, 9),
	ROW(int64, SIGNED, 1, 18),  ROW(uint8, NATURAL, 1, 2),   ROW(uint16, NATURAL, 1, 4),
	ROW(uint32, NATURAL, 1, 9), ROW(uint64, NATURAL, 1, 19), ROW(narrow, SIGNED, 1, 3),
	ROW(large, NATURAL, 4, 19), ROW(real32, REAL, 1, 9),     ROW(real64, REAL, 1, 20),
	ROW(bounded, REAL, 1, 3),   ROW(string, STRING, 0, 0),   ROW(short, STRING, 0, 0),
	ROW(text, STRING, 0, 0),
};
#define KINDS_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static uint64_t state;

static size_t
draw_digits(char *out, unsigned least, unsigned most)
{
	unsigned count = least + (unsigned)draw_below(&state, most - least + 1);

	for (unsigned i = 0; i < count; i++)
		out[i] = (char)('0' + draw_below(&state, 10));
	if (count > 1 && out[0] == '0' && least > 0)
		out[0] = '1';
	return count;
}

static size_t
draw_number(char *out, size_t kind)
{
	size_t bytes = 0;

	if (kinds[kind].draws != NATURAL && draw_one_in(&state, 4))
		out[bytes++] = '-';
	bytes += draw_digits(out + bytes, kinds[kind].least, kinds[kind].digits);
	if (kinds[kind].draws == REAL && draw_one_in(&state, 2)) {
		out[bytes++] = '.';
		bytes += draw_digits(out + bytes, 0, 18);
		out[bytes++] = (char)('0' + draw_below(&state, 10));
	}
	if (kinds[kind].draws == REAL && draw_one_in(&state, 8))
		bytes += (size_t)sprintf(out + bytes, "e%d", (int)draw_below(&state, 9) - 8);
	return bytes;
}

static size_t
draw_string(char *out)
{
	static const char *const parts[] = {"a", "bc", "/", "\xC3\xA9", "\xE6\x9D\xB1", "0,1]"};
	size_t bytes = 0;

	out[bytes++] = '"';
	for (size_t i = 2 + draw_below(&state, draw_one_in(&state, 8) ? 40 : 3); i > 0; i--) {
		const char *part = draw_one_in(&state, 40) ? "\\n" : parts[draw_below(&state, 6)];

		memcpy(out + bytes, part, strlen(part));
		bytes += strlen(part);
	}
	out[bytes++] = '"';
	return bytes;
}

static size_t
draw_space(char *out)
{
	static const char *const spaces[] = {
		"", "", "", " ", "\n  ", "\r\n\t\t\t", "\n                    "};
	const char *space = spaces[draw_below(&state, 7)];

	memcpy(out, space, strlen(space));
	return strlen(space);
}

/* A member that the schema does not have, of up to 99 bytes: it moves the list, or the end of the
 * document, so that blocks of 64 bytes begin and end at any byte of the list. */
static size_t
draw_member(char *out)
{
	return (size_t)sprintf(out, "\"other\":\"%.*s\"", (int)draw_below(&state, 90),
			       "a long string for the member that the schema does not have, "
			       "so that there are bytes near the list");
}

/* The white space of a document: none, the same at each place, or drawn for each place. */
enum spacing { COMPACT, INDENTED, MIXED, SPACINGS };

/* Draw a document with a list of a kind: {"other":"...","v":[...],"other":"..."}. */
static size_t
draw_document(char *out, size_t kind, size_t count)
{
	enum spacing spacing = (enum spacing)draw_below(&state, SPACINGS);
	char indent[40] = "\r\n", *gap = indent + draw_below(&state, 2);
	size_t bytes = (size_t)sprintf(out, "{");

	memset(indent + 2, draw_one_in(&state, 2) ? ' ' : '\t', draw_below(&state, 36));
	if (draw_one_in(&state, 2)) {
		bytes += draw_member(out + bytes);
		out[bytes++] = ',';
	}
	bytes += (size_t)sprintf(out + bytes, "\"v\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			out[bytes++] = ',';
		bytes += spacing == COMPACT    ? 0
			 : spacing == INDENTED ? (size_t)sprintf(out + bytes, "%s", gap)
					       : draw_space(out + bytes);
		bytes += kinds[kind].draws == STRING ? draw_string(out + bytes)
						     : draw_number(out + bytes, kind);
		if (spacing == MIXED)
			bytes += draw_space(out + bytes);
	}
	out[bytes++] = ']';
	if (draw_one_in(&state, 2)) {
		out[bytes++] = ',';
		bytes += draw_member(out + bytes);
	}
	out[bytes++] = '}';
	return bytes;
}

/* The value of an element. The number is converted by the C library, whose locale is "C" here. */
static void
check_element(size_t kind, const char *item, const char *json, size_t bytes)
{
	char text[512];

	memcpy(text, json, bytes);
	text[bytes] = '\0';
	switch (kinds[kind].draws) {
	case STRING:
		if (strchr(text, '\\'))
			break;
		text[bytes - 1] = '\0';
		assert_string_equal(*(const char *const *)(const void *)item, text + 1);
		break;
	case REAL:
		if (kinds[kind].item_bytes == sizeof(double))
			assert_true(*(const double *)(const void *)item == strtod(text, NULL));
		else
			assert_true(*(const float *)(const void *)item == strtof(text, NULL));
		break;
	case SIGNED:
	case NATURAL: {
		uint64_t value = kinds[kind].draws == SIGNED ? (uint64_t)strtoll(text, NULL, 10)
							     : strtoull(text, NULL, 10);
		assert_memory_equal(item, &value, kinds[kind].item_bytes);
	}
	}
}

/* Check a list against its text, of which only commas outside of strings separate elements. */
static void
check_list(size_t kind, const char *items, size_t count, const char *text)
{
	const char *at = strchr(text, '[') + 1;

	for (size_t i = 0; i < count; i++, at++) {
		const char *begin, *end;

		begin = at += strspn(at, " \t\r\n");
		if (*at == '"')
			for (at++; *at != '"'; at++)
				at += *at == '\\';
		end = at += strcspn(at, " \t\r\n,]");
		at += strspn(at, " \t\r\n");
		check_element(kind, items + i * kinds[kind].item_bytes, begin,
			      (size_t)(end - begin));
	}
	assert_int_equal(*--at, ']');
}

union decoded {
	struct list_of_int64 list; /* as all lists */
	struct array_of_text array;
};

static void
test_values(void **unused)
{
	static char text[COUNT * 200 * 10];

	(void)unused;
	for (size_t kind = 0; kind < KINDS_COUNT; kind++) {
		struct herald_codec *codec = decoding_codec(kinds[kind].list, NULL);

		for (size_t i = 0; i < 300; i++) {
			size_t count = draw_below(&state, i % 10 == 0 ? COUNT * 10 : COUNT);
			size_t bytes = draw_document(text, kind, count);
			struct herald_error error;
			union decoded out;

			text[bytes] = '\0';
			enum herald_status status =
				decode_bytes(codec, text, bytes, &out, sizeof(out.list), &error);
			/* Many drawn strings are longer than `short` allows. */
			if (status == HERALD_BAD_LENGTH &&
			    kinds[kind].list == &list_of_short_schema)
				continue;
			assert_int_equal(status, HERALD_OK);
			assert_int_equal(out.list.v_count, count);
			if (count > 0)
				check_list(kind, (const char *)out.list.v, count, text);
		}
		herald_codec_destroy(codec);
	}
}

/* Compare the elements of a list and of an array. */
static void
compare(size_t kind, const union decoded *list, const union decoded *array)
{
	const char *items = (const char *)list->list.v, *others = (const char *)array;

	assert_int_equal(list->list.v_count, COUNT);
	if (kinds[kind].draws != STRING)
		assert_memory_equal(items, others, COUNT * kinds[kind].item_bytes);
}

static void
check_agreement(size_t kind, const struct herald_codec *list, const struct herald_codec *array,
		const char *text, size_t bytes)
{
	struct herald_error list_error = {0}, array_error = {0};
	union decoded one, other;
	enum herald_status status = decode_bytes(array, text, bytes, &other,
						 COUNT * kinds[kind].item_bytes, &array_error);

	/* A list may have any number of elements. */
	if (status == HERALD_BAD_LENGTH && strstr(array_error.message, "expected exactly 40 "))
		return;
	assert_int_equal(decode_bytes(list, text, bytes, &one, sizeof(one.list), &list_error),
			 status);
	if (status == HERALD_OK) {
		compare(kind, &one, &other);
		return;
	}
	assert_string_equal(list_error.message, array_error.message);
	assert_string_equal(list_error.path, array_error.path);
	assert_int_equal(list_error.offset, array_error.offset);
}

/* Change each byte of a document in turn, from its list on. */
static void
test_changes(void **unused)
{
	static const char changes[] = "0 19-.eE,]}[{\"\\n\t\x01\xC3\x80";
	static char text[COUNT * 200];

	(void)unused;
	for (size_t kind = 0; kind < KINDS_COUNT; kind++) {
		struct herald_codec *list = decoding_codec(kinds[kind].list, NULL);
		struct herald_codec *array = decoding_codec(kinds[kind].array, NULL);

		for (size_t round = 0; round < 12; round++) {
			size_t bytes = draw_document(text, kind, COUNT);

			for (size_t i = (size_t)(strchr(text, '[') - text); i < bytes; i++) {
				char was = text[i];

				text[i] = changes[draw_below(&state, sizeof(changes) - 1)];
				check_agreement(kind, list, array, text, bytes);
				text[i] = was;
			}
		}
		herald_codec_destroy(list);
		herald_codec_destroy(array);
	}
}

struct bounded_list {
	const int64_t *v;
	size_t v_count;
};
HERALD_SCHEMA(bounded_list, HERALD_VALUES(bounded_list, v, .min_count = 2, .max_count = 9));

/* The bounds of the count. */
static void
test_counts(void **unused)
{
	struct herald_codec *codec = decoding_codec(&bounded_list_schema, NULL);
	struct bounded_list out;

	(void)unused;
	decode_bad(codec, "{\"v\":@[1000000000000000000]}", sizeof(out), HERALD_BAD_LENGTH, "/v");
	decode_good(codec, "{\"v\":[1,2]}", &out, sizeof(out));
	decode_good(codec, "{\"v\":[1,2,3,4,5,6,7,8,9], \"x\": \"more than twenty bytes\"}", &out,
		    sizeof(out));
	assert_int_equal(out.v_count, 9);
	decode_bad(codec, "{\"v\":[1,2,3,4,5,6,7,8,9, @10], \"x\": \"more than twenty bytes\"}",
		   sizeof(out), HERALD_BAD_LENGTH, "/v");
	decode_bad(codec, "{\"v\":[1,2,3,4,5,6,7,8, 9 , @], \"x\": \"more than twenty bytes\"}",
		   sizeof(out), HERALD_BAD_LENGTH, "/v");
	herald_codec_destroy(codec);
}

/* Text after a closing bracket is not part of the list, even if it looks like elements. */
static void
test_after_bracket(void **unused)
{
	static const char *const after[] = {"@1,2",  "@-1,2", " @1 , 2", "@]",  "@1]",
					    "@1,2]", "@.5,6", ",@1,2",   ",@1]"};
	static const struct herald_schema *const lists[] = {&list_of_int64_schema,
							    &list_of_real64_schema};
	char text[200];

	(void)unused;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct herald_codec *codec = decoding_codec(lists[i], NULL);

		for (size_t j = 0; j < sizeof(after) / sizeof(after[0]); j++) {
			snprintf(text, sizeof(text),
				 "{\"a\":\"more than thirty-three bytes before it\","
				 "\"v\":[1, 2]%s, \"x\": \"more than sixty-four bytes after it, so "
				 "that it is one block\"}",
				 after[j]);
			decode_bad(codec, text, sizeof(struct list_of_int64), HERALD_BAD_JSON, "");
		}
		herald_codec_destroy(codec);
	}
}

/* The limits of strings. */
static void
test_long_strings(void **unused)
{
	const struct herald_limits limits = {.max_string_bytes = 3};
	struct herald_codec *codec = decoding_codec(&list_of_string_schema, &limits);
	struct list_of_string out;

	(void)unused;
	decode_good(codec, "{\"v\":[\"abc\", \"\"]}", &out, sizeof(out));
	decode_bad(codec, "{\"v\":[\"abc\", @\"abcd\"]}", sizeof(out), HERALD_LIMIT, "/v/1");
	herald_codec_destroy(codec);
}

static int
begin(void **unused)
{
	(void)unused;
	state = draw_seed();
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),       cmocka_unit_test(test_changes),
		cmocka_unit_test(test_counts),       cmocka_unit_test(test_after_bracket),
		cmocka_unit_test(test_long_strings),
	};

	return cmocka_run_group_tests(tests, begin, decoding_finish);
}
