/*
 * Floating-point numbers through the codec, bit by bit: from text as strtod and strtof have it.
 * Integers are in test_decode_integers.c, numbers that are not JSON in test_decode_errors.c, and
 * what is written in test_number_write.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/every_kind.h"
#include "json/number_codecs.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct tight {
	float v;
};
HERALD_SCHEMA(tight, HERALD_FIELD(tight, v, HERALD_RANGE(0.1, 0.3)));

/* Doubles that are members, in one document. */
struct series {
	const struct wide *items;
	size_t items_count;
};
HERALD_SCHEMA(series, HERALD_LIST(series, items, wide));

static void
check_double_bytes(const char *number, size_t bytes, double expected)
{
	struct herald_error error;
	struct wide out = {-77};
	enum herald_status status = decode_number(wide_codec, number, bytes, &out, &error);

	if (!isfinite(expected)) {
		if (status != HERALD_OUT_OF_RANGE || error.offset != 5 + strspn(number, " ") ||
		    strcmp(error.path, "/v") != 0 || out.v != -77)
			fail_msg("%.100s: %s, but it is too large", number,
				 herald_status_name(status));
	} else if (status != HERALD_OK) {
		fail_msg("%.100s: %s: %s", number, herald_status_name(status), error.message);
	} else if (double_bits(out.v) != double_bits(expected)) {
		fail_msg("%.1000s: %.17g, but expected %.17g", number, out.v, expected);
	}
}

/* At the end of a document, where more bytes follow, and where there are also bytes before it, so
 * that vectors can be used. */
static void
check_double(const char *number)
{
	double expected = strtod(number, NULL);
	char more[1200];
	int bytes = snprintf(more, sizeof(more), "%40s%s%40s", "", number, "");

	assert_in_range(bytes, 80, sizeof(more) - 1);
	check_double_bytes(number, strlen(number), expected);
	check_double_bytes(more + 40, (size_t)bytes - 64, expected);
	check_double_bytes(more, (size_t)bytes, expected);
}

/* Texts that are not numbers, or end before the text does. */
static const char *const wrong[] = {
	"-",
	"-.5",
	".5",
	"+1",
	"01",
	"-01",
	"00",
	"01.5",
	"-00.5",
	"1.",
	"1.e5",
	"1.x",
	"1e",
	"1e+",
	"1e-",
	"1e+-5",
	"1E.5",
	"1ee5",
	"1e5e5",
	"1.5.5",
	"1-5",
	"1.5-5",
	"1.5e5.5",
	"1.5e5-5",
	"--1",
	"-e5",
	"-1.5e",
	"1.5ex",
	"1.5e+x",
	"1.5f",
	"0x10",
	"1e0x1",
	"1,5",
	"1 5",
	"1.5 e5",
	"1.5e 5",
	"1.5e5 5",
	"1.5e0005.",
	"1.5e00000005.",
	"12345678901234567890123456789012345678901234567890.",
	"0.00000000000000000000000000000e",
};

/* They fail in the same way with vectors. */
static void
test_wrong_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct herald_error error, other;
		enum herald_status status;
		struct wide out = {-77};
		char more[4096];
		int bytes = snprintf(more, sizeof(more), "%40s%s%40s", "", wrong[i], "");

		status = decode_number(wide_codec, wrong[i], strlen(wrong[i]), &out, &error);
		assert_true(status == HERALD_BAD_JSON || status == HERALD_BAD_TYPE);
		assert_int_equal(decode_number(wide_codec, more, (size_t)bytes, &out, &other),
				 status);
		assert_string_equal(other.path, error.path);
		if (other.offset != error.offset + 40)
			fail_msg("%s: offset %zu, but expected %zu", wrong[i], other.offset - 40,
				 error.offset);
	}
}

static void
check_float(const char *number)
{
	struct herald_error error;
	struct narrow out = {-77};
	float expected = strtof(number, NULL);
	enum herald_status status =
		decode_number(narrow_codec, number, strlen(number), &out, &error);

	if (!isfinite(expected)) {
		if (status != HERALD_OUT_OF_RANGE || error.offset != 5 || out.v != -77)
			fail_msg("%.100s: %s, but it is too large for a float", number,
				 herald_status_name(status));
	} else if (status != HERALD_OK) {
		fail_msg("%.100s: %s: %s", number, herald_status_name(status), error.message);
	} else if (float_bits(out.v) != float_bits(expected)) {
		fail_msg("%.1000s: %.9g, but expected %.9g", number, (double)out.v,
			 (double)expected);
	}
}

static void
test_hard_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hard); i++) {
		char negative[1200];

		check_double(hard[i]);
		check_float(hard[i]);
		if (hard[i][0] == '-')
			continue;
		snprintf(negative, sizeof(negative), "-%s", hard[i]);
		check_double(negative);
		check_float(negative);
	}
}

/* Some values without the help of strtod. */
static void
test_known_values(void **state)
{
	static const struct {
		const char *number;
		uint64_t bits;
	} cases[] = {
		{"0", 0},
		{"-0", UINT64_C(0x8000000000000000)},
		{"-0e5", UINT64_C(0x8000000000000000)},
		{"1", UINT64_C(0x3FF0000000000000)},
		{"-1.5", UINT64_C(0xBFF8000000000000)},
		{"0.1", UINT64_C(0x3FB999999999999A)},
		{"9007199254740993", UINT64_C(0x4340000000000000)},
		{"9007199254740993.1", UINT64_C(0x4340000000000001)},
		{"1e23", UINT64_C(0x44B52D02C7E14AF6)},
		{"2.2250738585072011e-308", UINT64_C(0x000FFFFFFFFFFFFF)},
		{"2.2250738585072014e-308", UINT64_C(0x0010000000000000)},
		{"5e-324", UINT64_C(1)},
		{"2.4703282292062328e-324", UINT64_C(1)},
		{"2.4703282292062327e-324", UINT64_C(0)},
		{"1e-400", 0},
		{"1.7976931348623157e308", UINT64_C(0x7FEFFFFFFFFFFFFF)},
		{"1.7976931348623158e308", UINT64_C(0x7FEFFFFFFFFFFFFF)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_error error;
		struct wide out;

		assert_int_equal(decode_number(wide_codec, cases[i].number, strlen(cases[i].number),
					       &out, &error),
				 HERALD_OK);
		if (double_bits(out.v) != cases[i].bits)
			fail_msg("%s: %016llx", cases[i].number,
				 (unsigned long long)double_bits(out.v));
	}
}

/* A decimal text of one of several shapes. */
static void
random_decimal(char *out, size_t size, bool single)
{
	int most = single ? 40 : 310;
	double value;
	uint64_t bits;
	size_t bytes = 0;

	switch (below(5)) {
	case 0: /* digits and an exponent */
		bytes = put_random_digits(out, 1 + below(25));
		snprintf(out + bytes, size - bytes, "e%d",
			 (int)below(2 * (uint64_t)most) - most - 10);
		return;
	case 1: /* digits around a point */
		bytes = put_random_digits(out, 1 + below(22));
		out[bytes++] = '.';
		put_random_digits(out + bytes, 1 + below(22));
		return;
	case 2: /* the same and an exponent */
		out[bytes++] = '0' + (char)below(10);
		out[bytes++] = '.';
		bytes += put_random_digits(out + bytes, 1 + below(20));
		snprintf(out + bytes, size - bytes, "E%+d", (int)below(2 * (uint64_t)most) - most);
		return;
	case 3: /* zeros, then digits */
		bytes += (size_t)snprintf(out, size, "0.%0*d", (int)below(40) + 1, 0);
		put_random_digits(out + bytes, 1 + below(20));
		return;
	default: /* a number, with up to 17 digits or a few more */
		do {
			bits = every_random_next(&randomness);
			memcpy(&value, &bits, sizeof(value));
			if (single)
				value = (double)(float)ldexp(1 + (double)below(1u << 25) /
									     (1u << 25),
							     (int)below(270) - 145);
		} while (!isfinite(value));
		snprintf(out, size, "%.*g", (int)below(20) + 1, value);
	}
}

static void
test_a_million_doubles(void **state)
{
	(void)state;
	randomness.state = 4;
	for (unsigned i = 0; i < 1000000; i++) {
		char text[100];

		random_decimal(text, sizeof(text), false);
		check_double(text);
	}
}

/* Runs of short and of long doubles in one document: how one is read depends on those before it. */
static void
test_runs_of_doubles(void **state)
{
	struct herald_codec *codec = decoding_codec(&series_schema, NULL);
	static char text[40000], numbers[1000][100];
	struct herald_error error;
	struct series series;

	(void)state;
	randomness.state = 5;
	for (unsigned round = 0; round < 200; round++) {
		size_t count = 0, bytes = (size_t)snprintf(text, sizeof(text), "{\"items\":[{}");

		while (count < 200) {
			bool is_long = below(2) == 0;

			for (uint64_t run = below(30); run > 0; run--, count++) {
				random_decimal(numbers[count], sizeof(numbers[count]), false);
				if (!is_long || !isfinite(strtod(numbers[count], NULL)))
					snprintf(numbers[count], sizeof(numbers[count]), "%s%u.%u",
						 below(2) == 0 ? "-" : "", (unsigned)below(1000),
						 (unsigned)below(1000));
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  ",{\"v\":%s}", numbers[count]);
			}
		}
		bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "]}");
		assert_in_range(bytes, 1, sizeof(text) - 1);
		assert_int_equal(
			herald_codec_decode(codec, text, bytes, decoding_arena(), &series, &error),
			HERALD_OK);
		assert_int_equal(series.items_count, count + 1);
		for (size_t i = 0; i < count; i++)
			if (double_bits(series.items[i + 1].v) !=
			    double_bits(strtod(numbers[i], NULL)))
				fail_msg("%s: %.17g", numbers[i], series.items[i + 1].v);
		herald_arena_reset(decoding_arena());
	}
	herald_codec_destroy(codec);
}

/* A double that one division would give is the nearest one however the program rounds. */
static void
test_other_rounding(void **state)
{
	static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

	(void)state;
	randomness.state = 5;
	for (unsigned i = 0; i < 3000; i++) {
		char text[64];
		size_t bytes = 0;
		double expected;

		if (below(2) == 0)
			text[bytes++] = '-';
		bytes += put_random_digits(text + bytes, 1 + below(7));
		text[bytes++] = '.';
		put_random_digits(text + bytes, 1 + below(8));
		expected = strtod(text, NULL);
		assert_int_equal(fesetround(modes[i % COUNT(modes)]), 0);
		check_double_bytes(text, strlen(text), expected);
		assert_int_equal(fesetround(FE_TONEAREST), 0);
	}
}

static void
test_many_floats(void **state)
{
	(void)state;
	randomness.state = 5;
	for (unsigned i = 0; i < 300000; i++) {
		char text[100];

		random_decimal(text, sizeof(text), true);
		check_float(text);
	}
}

/* Change the last digit of the digits before an exponent by one, where that needs no carry. */
static void
nudge(char *text, int step)
{
	char *last = strchr(text, 'e') - 1;

	if (*last + step >= '0' && *last + step <= '9')
		*last = (char)(*last + step);
}

/* Exactly between two doubles, hundreds of digits long, and a little above and below. */
static void
test_halfway_cases(void **state)
{
	(void)state;
	randomness.state = 6;
	for (unsigned i = 0; i < 6000; i++) {
		uint64_t bits = every_random_next(&randomness) & INT64_MAX;
		char text[1200];
		double value, next;
		long double middle;

		if (i % 4 == 0)
			bits = (uint64_t)(1023 + below(64)) << 52 | bits >> 12; /* 1 to 2^64 */
		if (i % 16 == 1)
			bits >>= 12; /* subnormal */
		memcpy(&value, &bits, sizeof(value));
		next = nextafter(value, INFINITY);
		if (!isfinite(value) || !isfinite(next))
			continue;
		/* Exact where a long double has more bits; else it is value or next, a case as
		 * well. */
		middle = (long double)value + ((long double)next - (long double)value) / 2;
		snprintf(text, sizeof(text), "%.780Le", middle);
		check_double(text);
		nudge(text, 1);
		check_double(text);
		nudge(text, -2);
		check_double(text);
		snprintf(text, sizeof(text), "%.40Le", middle);
		check_double(text);
		snprintf(text, sizeof(text), "%.18Le", middle);
		check_double(text);
		if (middle < 1e30L && middle > 1e-5L) {
			snprintf(text, sizeof(text), "%.100Lf", middle);
			check_double(text);
		}
	}
}

static void
test_halfway_floats(void **state)
{
	(void)state;
	randomness.state = 7;
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t bits = (uint32_t)every_random_next(&randomness) & INT32_MAX;
		char text[300];
		float value, next;

		memcpy(&value, &bits, sizeof(value));
		next = nextafterf(value, INFINITY);
		if (!isfinite(value) || !isfinite(next))
			continue;
		snprintf(text, sizeof(text), "%.160e", ((double)value + (double)next) / 2);
		check_float(text);
		nudge(text, 1);
		check_float(text);
		snprintf(text, sizeof(text), "%.8e", (double)value);
		check_float(text);
		/* Twice rounded, by way of a double, it would be another one. */
		snprintf(text, sizeof(text), "%.25e", ((double)value + (double)next) / 2);
		nudge(text, i % 2 ? 1 : -1);
		check_float(text);
	}
}

/* The value of a number does not depend on the process's rounding mode. */
static void
check_read_rounding(const char *text)
{
	static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	struct wide wide = {0}, expected_wide = {0};
	struct narrow narrow = {0}, expected_narrow = {0};
	struct herald_error error;
	enum herald_status wide_status, narrow_status;

	wide_status = decode_number(wide_codec, text, strlen(text), &expected_wide, &error);
	narrow_status = decode_number(narrow_codec, text, strlen(text), &expected_narrow, &error);
	for (size_t i = 0; i < COUNT(modes); i++) {
		enum herald_status one, other;

		assert_int_equal(fesetround(modes[i]), 0);
		one = decode_number(wide_codec, text, strlen(text), &wide, &error);
		other = decode_number(narrow_codec, text, strlen(text), &narrow, &error);
		assert_int_equal(fegetround(), modes[i]);
		assert_int_equal(fesetround(FE_TONEAREST), 0);
		if (one != wide_status || other != narrow_status ||
		    (one == HERALD_OK && double_bits(wide.v) != double_bits(expected_wide.v)) ||
		    (other == HERALD_OK && float_bits(narrow.v) != float_bits(expected_narrow.v)))
			fail_msg("%.1000s is another number in rounding mode %d", text, modes[i]);
	}
}

/* Long numbers, and those exactly between two that can be had. */
static void
test_long_numbers_in_other_rounding(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hard); i++)
		check_read_rounding(hard[i]);
	randomness.state = 12;
	for (unsigned i = 0; i < 1000; i++) {
		double value =
			ldexp(1 + (double)below(UINT64_C(1) << 52) / 0x1p52, (int)below(120) - 60);
		double next = i % 2 ? nextafter(value, INFINITY)
				    : (double)nextafterf((float)value, INFINITY);
		char text[1200];

		if (i % 2 == 0)
			value = (double)(float)value;
		snprintf(text, sizeof(text), "%.780Le",
			 (long double)value + ((long double)next - (long double)value) / 2);
		check_read_rounding(text);
		nudge(text, 1);
		check_read_rounding(text);
		nudge(text, -2);
		check_read_rounding(text);
		snprintf(text, sizeof(text), "%.25Le", (long double)value);
		check_read_rounding(text);
	}
}

/* So are the bounds of a schema. */
static void
test_bounds_in_other_rounding(void **state)
{
	static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	static const char *const texts[] = {"0.1", "0.3"};

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct herald_codec *codec;
		struct tight out;
		struct herald_error error;

		assert_int_equal(fesetround(modes[i]), 0);
		codec = decoding_codec(&tight_schema, NULL);
		for (size_t j = 0; j < COUNT(texts); j++)
			assert_int_equal(
				decode_number(codec, texts[j], strlen(texts[j]), &out, &error),
				HERALD_OK);
		assert_int_equal(fesetround(FE_TONEAREST), 0);
		herald_codec_destroy(codec);
	}
}

/* Long runs of zeros that an exponent makes up for, or does not. */
static void
test_long_zeros(void **state)
{
	static const size_t zeros[] = {1, 18, 19, 20, 300, 323, 324, 1000, 99999, 100000, 1000000};
	static const long around[] = {-400, -330, -324, -23, -22, -1, 0, 1, 22, 23, 308, 309, 400};
	char *text = malloc(1100000);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(zeros); i++)
		for (size_t j = 0; j < COUNT(around); j++) {
			size_t count = zeros[i];
			char plain[40];
			double expected;

			/* 0.000...0123e+COUNT */
			snprintf(plain, sizeof(plain), "0.123e%ld", around[j]);
			expected = strtod(plain, NULL);
			strcpy(text, "0.");
			memset(text + 2, '0', count);
			sprintf(text + 2 + count, "123e%ld", (long)count + around[j]);
			check_double_bytes(text, strlen(text), expected);

			/* 123000...0e-COUNT */
			snprintf(plain, sizeof(plain), "123e%ld", around[j]);
			expected = strtod(plain, NULL);
			strcpy(text, "123");
			memset(text + 3, '0', count);
			sprintf(text + 3 + count, "e%ld", around[j] - (long)count);
			check_double_bytes(text, strlen(text), expected);

			/* 1.000...01 */
			strcpy(text, "1.");
			memset(text + 2, '0', count);
			strcpy(text + 2 + count, "1");
			check_double_bytes(text, strlen(text),
					   count < 15 ? strtod(text, NULL) : 1.0);
		}
	/* Exponents that no number of zeros makes up for. */
	memset(text, '0', 1000030);
	memcpy(text, "0.", 2);
	strcpy(text + 1000022, "1e99999999");
	check_double_bytes(text, strlen(text), INFINITY);
	strcpy(text + 1000022, "1e99999999999999999999999999999999");
	check_double_bytes(text, strlen(text), INFINITY);
	memset(text, '0', 1000030);
	text[0] = '1';
	strcpy(text + 1000022, "e-99999999");
	check_double_bytes(text, strlen(text), 0.0);
	strcpy(text + 1000022, "e-99999999999999999999999999999999");
	check_double_bytes(text, strlen(text), 0.0);
	free(text);
}

/* Bounds are inclusive. The bounds of a float are rounded as its values are. */
struct bounded {
	double half;
	double tenth;
	float narrow;
	double one_sided;
	double large;
	double least;
	double zero;
};

HERALD_SCHEMA(bounded,
	HERALD_FIELD(bounded, half, HERALD_RANGE(-0.5, 0.5)),
	HERALD_FIELD(bounded, tenth, HERALD_MAX(0.1)),
	HERALD_FIELD(bounded, narrow, HERALD_RANGE(0.1, 0.3)),
	HERALD_FIELD(bounded, one_sided, HERALD_MIN(1e-300)),
	HERALD_FIELD(bounded, large, HERALD_RANGE(-1e308, 1e308)),
	HERALD_FIELD(bounded, least, HERALD_MIN(5e-324)),
	HERALD_FIELD(bounded, zero, HERALD_RANGE(0, 0)));

static void
test_bounds(void **state)
{
	static const char *const good[] = {
		"{\"half\":0.5}",     "{\"half\":-0.5}",    "{\"half\":0}",
		"{\"tenth\":0.1}",    "{\"tenth\":-1e308}", "{\"narrow\":0.1}",
		"{\"narrow\":0.3}",   "{\"narrow\":0.2}",   "{\"one_sided\":1e-300}",
		"{\"one_sided\":1}",  "{\"large\":1e308}",  "{\"large\":-1e308}",
		"{\"least\":5e-324}", "{\"zero\":0}",       "{\"zero\":-0.0}",
		"{\"zero\":1e-400}",
	};
	static const char *const bad[][2] = {
		{"{\"half\":@0.50000000000000011}", "/half"},
		{"{\"half\":@-0.50000000000000011}", "/half"},
		{"{\"half\":@1e308}", "/half"},
		{"{\"tenth\":@0.10000000000000002}", "/tenth"},
		{"{\"narrow\":@0.09999999}", "/narrow"},
		{"{\"narrow\":@0.30000003}", "/narrow"},
		{"{\"one_sided\":@9.9999e-301}", "/one_sided"},
		{"{\"one_sided\":@0}", "/one_sided"},
		{"{\"one_sided\":@-1}", "/one_sided"},
		{"{\"large\":@1.0000000000000002e308}", "/large"},
		{"{\"large\":@-1.1e308}", "/large"},
		{"{\"large\":@1e309}", "/large"},
		{"{\"least\":@0}", "/least"},
		{"{\"least\":@-0.0}", "/least"},
		{"{\"zero\":@5e-324}", "/zero"},
		{"{\"zero\":@-5e-324}", "/zero"},
	};
	struct herald_codec *codec = decoding_codec(&bounded_schema, NULL);
	struct bounded out;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		decode_good(codec, good[i], &out, sizeof(out));
	for (size_t i = 0; i < COUNT(bad); i++)
		decode_bad(codec, bad[i][0], sizeof(out), HERALD_OUT_OF_RANGE, bad[i][1]);
	herald_codec_destroy(codec);
}

static void
test_decimal_comma(void **state)
{
	locale_t locale = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0), before;
	char text[20];
	double value = 0;

	(void)state;
	assert_true(locale != (locale_t)0);
	before = uselocale(locale);
	snprintf(text, sizeof(text), "%.1f", 0.5);
	assert_string_equal(text, "0,5");
	assert_true(strtod("1,5", NULL) == 1.5);

	for (size_t i = 0; i < COUNT(hard); i++) {
		struct wide wide;
		struct narrow narrow;
		struct herald_error error;
		enum herald_status status;

		uselocale(before);
		value = strtod(hard[i], NULL);
		uselocale(locale);
		status = decode_number(wide_codec, hard[i], strlen(hard[i]), &wide, &error);
		assert_int_equal(status, isfinite(value) ? HERALD_OK : HERALD_OUT_OF_RANGE);
		if (status == HERALD_OK) {
			assert_true(double_bits(wide.v) == double_bits(value));
			assert_null(strchr(encode_number(wide_codec, &wide), ','));
		}
		status = decode_number(narrow_codec, hard[i], strlen(hard[i]), &narrow, &error);
		if (status == HERALD_OK)
			assert_null(strchr(encode_number(narrow_codec, &narrow), ','));
	}
	assert_string_equal(encode_number(wide_codec, &(struct wide){0.1}), "0.1");
	assert_string_equal(encode_number(wide_codec, &(struct wide){-1234.5678}), "-1234.5678");
	assert_true(uselocale((locale_t)0) == locale); /* the thread's locale is unchanged */
	uselocale(before);
	freelocale(locale);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hard_cases),
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_a_million_doubles),
		cmocka_unit_test(test_runs_of_doubles),
		cmocka_unit_test(test_wrong_numbers),
		cmocka_unit_test(test_other_rounding),
		cmocka_unit_test(test_long_numbers_in_other_rounding),
		cmocka_unit_test(test_bounds_in_other_rounding),
		cmocka_unit_test(test_many_floats),
		cmocka_unit_test(test_halfway_cases),
		cmocka_unit_test(test_halfway_floats),
		cmocka_unit_test(test_long_zeros),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_decimal_comma),
	};

	return cmocka_run_group_tests_name("number", tests, create_codecs, destroy_codecs);
}
