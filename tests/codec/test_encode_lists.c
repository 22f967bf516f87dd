/*
 * herald_codec_encode(): lists of integers of every kind and of strings, drawn at random, into
 * buffers of every size, and the errors of single elements.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fenv.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/draw.h"

#define COUNT 200

struct lists {
	const int8_t *int8;
	size_t int8_count;
	const int16_t *int16;
	size_t int16_count;
	const int32_t *int32;
	size_t int32_count;
	const int64_t *int64;
	size_t int64_count;
	const uint8_t *uint8;
	size_t uint8_count;
	const uint16_t *uint16;
	size_t uint16_count;
	const uint32_t *uint32;
	size_t uint32_count;
	const uint64_t *uint64;
	size_t uint64_count;
	const int64_t *narrow;
	size_t narrow_count;
	const uint64_t *large;
	size_t large_count;
	const char *const *string;
	size_t string_count;
};

HERALD_SCHEMA(lists,
	HERALD_VALUES(lists, int8),
	HERALD_VALUES(lists, int16),
	HERALD_VALUES(lists, int32),
	HERALD_VALUES(lists, int64),
	HERALD_VALUES(lists, uint8),
	HERALD_VALUES(lists, uint16),
	HERALD_VALUES(lists, uint32),
	HERALD_VALUES(lists, uint64),
	HERALD_VALUES(lists, narrow, HERALD_RANGE(-5, 5)),
	HERALD_VALUES(lists, large, HERALD_MIN(UINT64_C(1) << 63)),
	HERALD_VALUES(lists, string, .max_bytes = 3));

static uint64_t state;

/* The bits of the longest integer of a list: there is special code for short ones. */
static unsigned most_bits;

/* Of any number of bits, so that there are as many short ones. */
static uint64_t
draw_bits(void)
{
	uint64_t bits = draw_below(&state, 1u << 31) << 33 ^ draw_below(&state, 1u << 31) << 11 ^
			draw_below(&state, 1u << 31);
	uint64_t value = bits >> (64 - most_bits + draw_below(&state, most_bits));

	return draw_one_in(&state, 4) ? -value : value;
}

/* Encode into a buffer that begins with `room` bytes, and compare. */
static void
check(const struct herald_codec *codec, const struct lists *in, const char *expected, size_t room)
{
	struct herald_buffer out;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_buffer_reserve(&out, room), HERALD_OK);
	assert_int_equal(herald_codec_encode(codec, in, &out, &error), HERALD_OK);
	assert_int_equal(out.bytes, strlen(expected));
	assert_memory_equal(out.data, expected, out.bytes);
	herald_buffer_finish(&out);
}

/* A list of a kind is encoded as printf() prints its values. */
#define CHECK_KIND(CODEC, NAME, TYPE, FORMAT)                                                      \
	do {                                                                                       \
		static char expected[COUNT * 24];                                                  \
		TYPE values[COUNT];                                                                \
		size_t count = 1 + draw_below(&state, COUNT);                                      \
		size_t bytes = (size_t)sprintf(expected, "{\"" #NAME "\":[");                      \
                                                                                                   \
		most_bits = 1 + (unsigned)draw_below(&state, 64);                                  \
		for (size_t i = 0; i < count; i++) {                                               \
			values[i] = (TYPE)draw_bits();                                             \
			bytes += (size_t)sprintf(expected + bytes, "%s%" FORMAT, i > 0 ? "," : "", \
						 values[i]);                                       \
		}                                                                                  \
		strcpy(expected + bytes, "]}");                                                    \
		check(CODEC, &(struct lists){.NAME = values, .NAME##_count = count}, expected,     \
		      draw_below(&state, bytes + 80));                                             \
	} while (0)

static void
test_integers(void **unused)
{
	struct herald_codec *codec = decoding_codec(&lists_schema, NULL);

	(void)unused;
	for (int round = 0; round < 300; round++) {
		CHECK_KIND(codec, int8, int8_t, PRId8);
		CHECK_KIND(codec, int16, int16_t, PRId16);
		CHECK_KIND(codec, int32, int32_t, PRId32);
		CHECK_KIND(codec, int64, int64_t, PRId64);
		CHECK_KIND(codec, uint8, uint8_t, PRIu8);
		CHECK_KIND(codec, uint16, uint16_t, PRIu16);
		CHECK_KIND(codec, uint32, uint32_t, PRIu32);
		CHECK_KIND(codec, uint64, uint64_t, PRIu64);
	}
	herald_codec_destroy(codec);
}

/* A list of a value and of those near to it; the last one is no longer in a group of four. */
static void
check_near(const struct herald_codec *codec, int64_t value)
{
	const int64_t values[] = {value, -value, value - 1, 1 - value, value + 1};
	const uint64_t naturals[] = {(uint64_t)value, -(uint64_t)value, (uint64_t)value - 1,
				     1 - (uint64_t)value, (uint64_t)value + 1};
	char expected[200];

	snprintf(expected, sizeof(expected),
		 "{\"int64\":[%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "]}",
		 values[0], values[1], values[2], values[3], values[4]);
	check(codec, &(struct lists){.int64 = values, .int64_count = 5}, expected, 1000);
	snprintf(expected, sizeof(expected),
		 "{\"uint64\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]}",
		 naturals[0], naturals[1], naturals[2], naturals[3], naturals[4]);
	check(codec, &(struct lists){.uint64 = naturals, .uint64_count = 5}, expected, 1000);
}

/* Where a digit is added, and where the halves of the digits change; in every rounding mode. */
static void
test_edges(void **unused)
{
	static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	const int64_t ten_to_8 = 100000000, ten_to_16 = ten_to_8 * ten_to_8;
	struct herald_codec *codec = decoding_codec(&lists_schema, NULL);

	(void)unused;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(fesetround(modes[i]), 0);
		for (int64_t power = 1; power <= 10 * ten_to_16; power *= 10) {
			check_near(codec, power);
			check_near(codec, 9 * power);
		}
		for (int round = 0; round < 2000; round++) {
			int64_t factor = (int64_t)draw_below(&state, (uint64_t)ten_to_8);

			check_near(codec, factor * ten_to_8);
			check_near(codec, factor % 922 * ten_to_16);
			check_near(codec, factor % 922 * ten_to_16 + factor * ten_to_8);
		}
		check_near(codec, 100 * ten_to_16);
		check_near(codec, INT64_MAX - 1);
		check_near(codec, INT64_MIN + 2);
	}
	fesetround(FE_TONEAREST);
	herald_codec_destroy(codec);
}

static void
check_refused(const struct herald_codec *codec, const struct lists *in, enum herald_status status,
	      const char *path)
{
	struct herald_buffer out;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, in, &out, &error), status);
	assert_string_equal(error.path, path);
	assert_int_equal(out.bytes, 0);
	herald_buffer_finish(&out);
}

static void
test_refused(void **unused)
{
	const int64_t low[] = {5, -5, 1, 2, 0, 0, -6, 0}, high[] = {5, -5, 0, 6};
	const uint64_t large[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX,
				  UINT64_MAX, INT64_MAX,         UINT64_MAX, UINT64_MAX};
	const char *const absent[] = {"a", NULL}, *const longer[] = {"", "abc", "abcd"};
	const struct herald_limits limits = {.max_string_bytes = 2};
	struct herald_codec *codec = decoding_codec(&lists_schema, NULL);
	struct herald_codec *limited = decoding_codec(&lists_schema, &limits);

	(void)unused;
	check(codec, &(struct lists){.narrow = high, .narrow_count = 3}, "{\"narrow\":[5,-5,0]}",
	      1000);
	check(codec, &(struct lists){.large = large, .large_count = 2},
	      "{\"large\":[18446744073709551615,9223372036854775808]}", 1000);
	check(codec, &(struct lists){.string = longer, .string_count = 2},
	      "{\"string\":[\"\",\"abc\"]}", 1000);
	check_refused(codec, &(struct lists){.narrow = low, .narrow_count = 8}, HERALD_OUT_OF_RANGE,
		      "/narrow/6");
	check_refused(codec, &(struct lists){.narrow = high, .narrow_count = 4},
		      HERALD_OUT_OF_RANGE, "/narrow/3");
	check_refused(codec, &(struct lists){.large = large, .large_count = 8}, HERALD_OUT_OF_RANGE,
		      "/large/5");
	check_refused(codec, &(struct lists){.string = absent, .string_count = 2}, HERALD_MISSING,
		      "/string/1");
	check_refused(codec, &(struct lists){.string = longer, .string_count = 3},
		      HERALD_BAD_LENGTH, "/string/2");
	check_refused(limited, &(struct lists){.string = longer, .string_count = 2}, HERALD_LIMIT,
		      "/string/1");
	herald_codec_destroy(codec);
	herald_codec_destroy(limited);
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
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, begin, decoding_finish);
}
