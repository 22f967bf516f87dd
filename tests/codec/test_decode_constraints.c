/*
 * herald_codec_decode(): lengths, counts, ranges, allowed values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <herald/codec.h>

#include "codec/decode_thing.h"
#include "support/decoding.h"
#include "support/every_kind.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Lengths, counts and allowed values. */
struct limited {
	const char *name;
	struct herald_text text;
	char code[8];
	const char *unit;
	const char *const *tags;
	size_t tags_count;
	const int8_t *scores;
	size_t scores_count;
	struct herald_map map;
	const struct every_leaf *list;
	size_t list_count;
	const struct herald_text *units;
	size_t units_count;
	double real;
	float narrow;
};

HERALD_SCHEMA(limited,
	HERALD_FIELD(limited, name, .min_bytes = 2, .max_bytes = 4),
	HERALD_FIELD(limited, text, .min_bytes = 1),
	HERALD_FIELD(limited, code, .min_bytes = 3, .max_bytes = 5),
	HERALD_FIELD(limited, unit, HERALD_ONE_OF("m", "\xC2\xB5m", "", "a\"b")),
	HERALD_VALUES(limited, tags, .max_bytes = 2, .max_count = 3),
	HERALD_VALUES(limited, scores, HERALD_RANGE(-1, 1), .min_count = 2, .max_count = 5),
	HERALD_FIELD(limited, map, .min_count = 1, .max_count = 2),
	HERALD_LIST(limited, list, every_leaf, .min_count = 2),
	HERALD_VALUES(limited, units, HERALD_ONE_OF("m", "km"), .min_bytes = 1),
	HERALD_FIELD(limited, real, HERALD_RANGE(-1, 1.5)),
	HERALD_FIELD(limited, narrow, HERALD_MAX(0.1)));

static void
test_lengths_counts_and_allowed_values(void **state)
{
	static const char *const good[] = {
		"{\"name\":\"ab\"}",
		"{\"name\":\"abcd\"}",
		"{\"name\":\"\\u20ac\"}",
		"{\"name\":\"\\ud83d\\ude00\"}",
		"{\"name\":\"\\n\\n\\n\\n\"}",
		"{\"name\":null}",
		"{\"text\":\"\\u0000\"}",
		"{\"code\":\"abc\"}",
		"{\"code\":\"abcde\"}",
		"{\"unit\":\"m\"}",
		"{\"unit\":\"\\u00b5m\"}",
		"{\"unit\":\"\"}",
		"{\"unit\":\"a\\\"b\"}",
		"{\"tags\":[]}",
		"{\"tags\":[\"\",\"ab\",\"a\"]}",
		"{\"scores\":[-1,1]}",
		"{\"scores\":[0,0,0,0,0]}",
		"{\"map\":{\"a\":\"\"}}",
		"{\"map\":{\"a\":\"\",\"b\":\"\"}}",
		"{\"list\":[{\"name\":\"\"},{\"name\":\"\"}]}",
		"{\"list\":null}",
		"{\"units\":[\"m\",\"km\"]}",
	};
	static const struct {
		const char *text;
		enum herald_status status;
		const char *path;
	} bad[] = {
		{"{\"name\":@\"\"}", HERALD_BAD_LENGTH, "/name"},
		{"{\"name\":@\"a\"}", HERALD_BAD_LENGTH, "/name"},
		{"{\"name\":@\"abcde\"}", HERALD_BAD_LENGTH, "/name"},
		{"{\"name\":@\"\\u20ac\\u20ac\"}", HERALD_BAD_LENGTH, "/name"},
		{"{\"text\":@\"\"}", HERALD_BAD_LENGTH, "/text"},
		{"{\"code\":@\"ab\"}", HERALD_BAD_LENGTH, "/code"},
		{"{\"code\":@\"abcdef\"}", HERALD_BAD_LENGTH, "/code"},
		{"{\"code\":@\"abcdefgh\"}", HERALD_BAD_LENGTH, "/code"},
		{"{\"unit\":@\"M\"}", HERALD_BAD_VALUE, "/unit"},
		{"{\"unit\":@\"mm\"}", HERALD_BAD_VALUE, "/unit"},
		{"{\"unit\":@\"m\\u0000\"}", HERALD_BAD_VALUE, "/unit"},
		{"{\"tags\":[\"ab\",@\"abc\"]}", HERALD_BAD_LENGTH, "/tags/1"},
		{"{\"tags\":[\"\",\"\",\"\",@\"\"]}", HERALD_BAD_LENGTH, "/tags"},
		{"{\"scores\":@[]}", HERALD_BAD_LENGTH, "/scores"},
		{"{\"scores\":@[1]}", HERALD_BAD_LENGTH, "/scores"},
		{"{\"scores\":[1,@2]}", HERALD_OUT_OF_RANGE, "/scores/1"},
		{"{\"scores\":[1,@-2,1]}", HERALD_OUT_OF_RANGE, "/scores/1"},
		{"{\"scores\":[1,1,1,1,1,@1]}", HERALD_BAD_LENGTH, "/scores"},
		{"{\"map\":@{}}", HERALD_BAD_LENGTH, "/map"},
		{"{\"map\":{\"a\":\"\",\"b\":\"\",@\"c\":\"\"}}", HERALD_BAD_LENGTH, "/map"},
		{"{\"list\":@[]}", HERALD_BAD_LENGTH, "/list"},
		{"{\"list\":@[{\"name\":\"\"}]}", HERALD_BAD_LENGTH, "/list"},
		{"{\"units\":[\"m\",@\"\"]}", HERALD_BAD_LENGTH, "/units/1"},
		{"{\"units\":[\"m\",@\"mm\"]}", HERALD_BAD_VALUE, "/units/1"},
	};
	struct herald_codec *codec = decoding_codec(&limited_schema, NULL);
	struct limited out;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		decode_good(codec, good[i], &out, sizeof(out));
	for (size_t i = 0; i < COUNT(bad); i++)
		decode_bad(codec, bad[i].text, sizeof(out), bad[i].status, bad[i].path);
	herald_codec_destroy(codec);
}

/* A document, and the message that refuses it. */
struct refused {
	const char *text, *message;
};

static void
check_messages(const struct herald_schema *schema, void *out, const struct refused *cases,
	       size_t count)
{
	struct herald_codec *codec = decoding_codec(schema, NULL);
	struct herald_error error;
	char text[64];

	for (size_t i = 0; i < count; i++) {
		strcpy(text, cases[i].text);
		assert_int_not_equal(herald_codec_decode(codec, text, strlen(text),
							 decoding_arena(), out, &error),
				     HERALD_OK);
		assert_string_equal(error.message, cases[i].message);
	}
	herald_codec_destroy(codec);
}

/* Messages about lengths and ranges say what was expected and what was found. */
static void
test_texts_of_lengths_and_ranges(void **state)
{
	static const struct refused cases[] = {
		{"{\"real\":1.75}", "real: expected a number of at most 1.5, found 1.75"},
		{"{\"real\":-1e300}", "real: expected a number of at least -1, found -1e300"},
		{"{\"narrow\":0.2}", "narrow: expected a number of at most 0.1, found 0.2"},
		{"{\"text\":\"\"}", "text: expected a non-empty string, found \"\""},
		{"{\"name\":\"a\"}", "name: expected a string of at least 2 bytes, found 1"},
		{"{\"name\":\"abcde\"}", "name: expected a string of at most 4 bytes, found 5"},
		{"{\"name\":\"\"}", "name: expected a string of at least 2 bytes, found 0"},
		{"{\"list\":[]}", "list: expected at least 2 elements, found 0"},
		{"{\"map\":{}}", "map: expected a non-empty object, found {}"},
		{"{\"scores\":[1]}", "scores: expected at least 2 elements, found 1"},
		{"{\"scores\":[1,1,1,1,1,1]}", "scores: expected at most 5 elements, found more"},
		{"{\"map\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}",
		 "map: expected at most 2 entries, found more"},
	};
	struct limited out;

	(void)state;
	check_messages(&limited_schema, &out, cases, COUNT(cases));
}

struct exact {
	const char *text;
	const int32_t *numbers;
	size_t numbers_count;
	struct herald_map map;
	int32_t integer;
	uint64_t natural;
	double real;
};

HERALD_SCHEMA(exact, HERALD_FIELD(exact, text, .min_bytes = 2, .max_bytes = 2),
	      HERALD_VALUES(exact, numbers, .min_count = 2, .max_count = 2),
	      HERALD_FIELD(exact, map, .min_count = 2, .max_count = 2),
	      HERALD_FIELD(exact, integer, HERALD_RANGE(-5, -5)),
	      HERALD_FIELD(exact, natural, HERALD_RANGE(UINT64_MAX, UINT64_MAX)),
	      HERALD_FIELD(exact, real, HERALD_RANGE(0.5, 0.5)));

/* If the least and the most are the same, messages do not name them as two bounds. */
static void
test_texts_of_exact_bounds(void **state)
{
	static const struct refused cases[] = {
		{"{\"text\":\"a\"}", "text: expected a string of exactly 2 bytes, found 1"},
		{"{\"text\":\"abc\"}", "text: expected a string of exactly 2 bytes, found 3"},
		{"{\"numbers\":[1]}", "numbers: expected exactly 2 elements, found 1"},
		{"{\"numbers\":[1,2,3]}", "numbers: expected exactly 2 elements, found more"},
		{"{\"map\":{\"a\":\"\"}}", "map: expected exactly 2 entries, found 1"},
		{"{\"map\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}",
		 "map: expected exactly 2 entries, found more"},
		{"{\"integer\":-4}", "integer: expected -5, found -4"},
		{"{\"natural\":7}", "natural: expected 18446744073709551615, found 7"},
		{"{\"real\":0.25}", "real: expected 0.5, found 0.25"},
		{"{\"real\":1}", "real: expected 0.5, found 1"},
	};
	struct exact out;

	(void)state;
	check_messages(&exact_schema, &out, cases, COUNT(cases));
}

struct single {
	const char *text;
	char chars[2];
	const int32_t *numbers;
	size_t numbers_count;
	struct herald_map map;
};

HERALD_SCHEMA(single, HERALD_FIELD(single, text, .max_bytes = 1), HERALD_FIELD(single, chars),
	      HERALD_VALUES(single, numbers, .max_count = 1),
	      HERALD_FIELD(single, map, .max_count = 1));

/* One element, not "1 elements". */
static void
test_texts_of_a_maximum_of_one(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"{\"text\":\"ab\"}", "text: expected a string of at most 1 byte, found 2"},
		{"{\"chars\":\"ab\"}", "chars: expected a string of at most 1 byte, found 2"},
		{"{\"numbers\":[1,2]}", "numbers: expected at most 1 element, found more"},
		{"{\"map\":{\"a\":\"\",\"b\":\"\"}}", "map: expected at most 1 entry, found more"},
	};
	struct herald_codec *codec = decoding_codec(&single_schema, NULL);
	struct herald_error error;
	struct single out;
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		strcpy(text, cases[i].text);
		assert_int_equal(herald_codec_decode(codec, text, strlen(text), decoding_arena(),
						     &out, &error),
				 HERALD_BAD_LENGTH);
		assert_string_equal(error.message, cases[i].message);
	}
	herald_codec_destroy(codec);
}

struct naturals {
	int64_t natural, above_two;
};
HERALD_SCHEMA(naturals, HERALD_FIELD(naturals, natural, HERALD_MIN(0)),
	      HERALD_FIELD(naturals, above_two, HERALD_MIN(3)));

/* A number above INT64_MAX is not called too small. */
static void
test_texts_of_integers_with_a_minimum(void **state)
{
	static const struct refused cases[] = {
		{"{\"natural\":-1}", "natural: expected an integer of at least 0, found -1"},
		{"{\"above_two\":2}", "above_two: expected an integer of at least 3, found 2"},
		{"{\"natural\":9223372036854775808}",
		 "natural: expected an integer from 0 to 9223372036854775807, found "
		 "9223372036854775808"},
		{"{\"above_two\":-9223372036854775809}",
		 "above_two: expected an integer of at least 3, found -9223372036854775809"},
	};
	struct naturals out;

	(void)state;
	check_messages(&naturals_schema, &out, cases, COUNT(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths_counts_and_allowed_values),
		cmocka_unit_test(test_texts_of_lengths_and_ranges),
		cmocka_unit_test(test_texts_of_exact_bounds),
		cmocka_unit_test(test_texts_of_a_maximum_of_one),
		cmocka_unit_test(test_texts_of_integers_with_a_minimum),
	};

	return cmocka_run_group_tests_name("decode_constraints", tests, NULL, decoding_finish);
}
