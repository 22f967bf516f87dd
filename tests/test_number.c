/*
 * Floating-point numbers through the codec, bit by bit: from text as strtod and strtof have it, to text
 * that reads as the same number and has no digit too many, and neither depends on the locale. Integers
 * are in test_decode.c and test_encode.c, numbers that are no JSON in test_decode_errors.c.
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

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct wide {
	double v;
};
HERALD_SCHEMA(wide, HERALD_FIELD(wide, v));

struct narrow {
	float v;
};
HERALD_SCHEMA(narrow, HERALD_FIELD(narrow, v));

struct tight {
	float v;
};
HERALD_SCHEMA(tight, HERALD_FIELD(tight, v, HERALD_RANGE(0.1, 0.3)));

static struct herald_codec *wide_codec, *narrow_codec;

static int
create_codecs(void **state)
{
	(void)state;
	wide_codec = decoding_codec(&wide_schema, NULL);
	narrow_codec = decoding_codec(&narrow_schema, NULL);
	return 0;
}

static int
destroy_codecs(void **state)
{
	herald_codec_destroy(wide_codec);
	herald_codec_destroy(narrow_codec);
	return decoding_finish(state);
}

/* Decode {"v":NUMBER}, with `bytes` bytes of number. */
static enum herald_status
decode_number(const struct herald_codec *codec, const char *number, size_t bytes, void *out,
	      struct herald_error *error)
{
	static char text[4096];
	char *use = bytes + 6 < sizeof(text) ? text : malloc(bytes + 6);
	enum herald_status status;

	assert_non_null(use);
	memcpy(use, "{\"v\":", 5);
	memcpy(use + 5, number, bytes);
	use[5 + bytes] = '}';
	status = herald_codec_decode(codec, use, bytes + 6, decoding_arena(), out, error);
	herald_arena_reset(decoding_arena());
	if (use != text)
		free(use);
	return status;
}

static uint64_t
double_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static uint32_t
float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void
check_double_bytes(const char *number, size_t bytes, double expected)
{
	struct herald_error error;
	struct wide out = {-77};
	enum herald_status status = decode_number(wide_codec, number, bytes, &out, &error);

	if (!isfinite(expected)) {
		if (status != HERALD_OUT_OF_RANGE || error.offset != 5 ||
		    strcmp(error.path, "/v") != 0 || out.v != -77)
			fail_msg("%.100s: %s, but it is too large", number,
				 herald_status_name(status));
	} else if (status != HERALD_OK) {
		fail_msg("%.100s: %s: %s", number, herald_status_name(status), error.message);
	} else if (double_bits(out.v) != double_bits(expected)) {
		fail_msg("%.1000s: %.17g, but expected %.17g", number, out.v, expected);
	}
}

static void
check_double(const char *number)
{
	check_double_bytes(number, strlen(number), strtod(number, NULL));
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

/* Known to be hard, or at an end; what they are is written beside them where strtod is not to decide. */
static const char *const hard[] = {
	"0",
	"-0",
	"0.0",
	"-0.0",
	"0e0",
	"0e+400",
	"0e-400",
	"-0e99999999999999999999",
	"1",
	"-1",
	"0.1",
	"0.2",
	"0.3",
	"1e22",
	"1e23",
	"-1e23",
	"8.5e22",
	"9007199254740991",
	"9007199254740992",
	"9007199254740993",
	"9007199254740994",
	"9007199254740995",
	"9007199254740993.0",
	"9007199254740993.00000000000000000000000000000000001",
	"9007199254740992.99999999999999999999999999999999999",
	"90071992547409930e-1",
	"18446744073709551615",
	"18446744073709551616",
	"18446744073709551617",
	"18446744073709549567",
	"18446744073709549568",
	"18446744073709550592",
	"9999999999999999999",
	"10000000000000000000",
	"99999999999999999999",
	"123456789012345678901234567890",
	"2.2250738585072011e-308",
	"2.2250738585072012e-308",
	"2.2250738585072014e-308",
	"2."
	"225073858507201136057409796709131975934819546351645648023426109724822222021076945516529523"
	"908"
	"135087914149158913039621106870086438694594645527657207407820621743379988141063267329253552"
	"286881"
	"372149012981122451451889849057222307285255133155755015914397476397983411801999323962548289"
	"017107"
	"081850690630666655994938275772572015763062690663332647565300009245888316433037779791869612"
	"049497"
	"390377829704905051080609940730262937128958950003583799967207254304360284078895771796150945"
	"516748"
	"243471030702609144621572289880258182545180325707018860872113128079512233426288368622321503"
	"775666"
	"622503982534335974568884423900265498198385487948292206894721689831099698365846814022854243"
	"330660"
	"339850886445804001034933970427567186443383770486037861622771738545623065874679014086723327"
	"636718"
	"751234567890123456789012345678901e-308",
	"4.9406564584124654e-324",
	"5e-324",
	"4e-324",
	"3e-324",
	"2.5e-324",
	"2.4703282292062328e-324",
	"2.4703282292062327e-324",
	"2.4703282292062327208e-324",
	"2.47032822920623272088e-324",
	"2.47032822920623272089e-324",
	"2e-324",
	"1e-324",
	"1e-325",
	"1e-400",
	"-1e-400",
	"1e-99999",
	"1e-9999999999999999999999",
	"123e-400",
	"1.7976931348623157e308",
	"1.7976931348623158e308",
	"1.79769313486231580793e308",
	"1.7976931348623159e308",
	"-1.7976931348623159e308",
	"1.8e308",
	"1e309",
	"-1e309",
	"1e400",
	"1e99999",
	"1e9999999999999999999999",
	"17976931348623157e292",
	"0.17976931348623157e309",
	"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
	"977587"
	"207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845"
	"817711"
	"531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699"
	"508093"
	"042880177904174497791",
	"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
	"977587"
	"207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845"
	"817711"
	"531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699"
	"508093"
	"042880177904174497792",
	"1.00000000000000011102230246251565404236316680908203125",
	"1.00000000000000011102230246251565404236316680908203124",
	"1.00000000000000011102230246251565404236316680908203126",
	"1."
	"000000000000000111022302462515654042363166809082031250000000000000000000000000000000000000"
	"000"
	"0000000000000000000000000000000000000000000000000000000000000000000000001",
	"1.00000000000000033306690738754696212708950042724609375",
	"6929495644600919.5",
	"3518437208883201171875e13",
	"7.2057594037927933e16",
	"45035996273704985",
	"45035996273704.985",
	"2.0e-3",
	"1.0e-2147483648",
	"1.0e+2147483648",
	"1.0e-2147483649",
	"1.0e-9223372036854775808",
	"1.0e+9223372036854775807",
	"1.0e-9223372036854775809",
	"1.0e18446744073709551616",
	"1.0e-18446744073709551616",
	"0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
	"10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
	"0.500000000000000166533453693773481063544750213623046875",
	"3.50582559e-71",
	"9.5e-308",
	"1.2345678901234567890123456789e-300",
	"1E5",
	"1e+5",
	"1E-5",
	"1e05",
	"1e+00005",
	"1e-00000000000000000000000000000000000005",
	"0.1e1",
	"12.5e-1",
	"1152921504606846976",
	"1152921504606847040",
	"3.4028234663852886e38",
	"3.4028235677973362e38",
	"3.4028235677973366e38",
	"3.4028235e38",
	"3.4028236e38",
	"3.40282357e38",
	"1e38",
	"1e39",
	"1.17549435e-38",
	"1.1754942e-38",
	"1.4e-45",
	"1e-45",
	"7.0064923216240853e-46",
	"7.0064923216240854e-46",
	"7.0064923216240862e-46",
	"7e-46",
	"16777216",
	"16777217",
	"16777218",
	"16777219",
	"16777217.0000000000000000000000001",
	"33554433",
	"0.000000059604644775390625",
	"1.00000017881393432617187499",
	"1.000000178813934326171875",
	"1.00000017881393432617187501",
	"8388608.5",
	"8388609.5",
	"1.1754943508222875e-38",
	"6.5e-46",
	"340282356779733661637539395458142568447",
	"340282356779733661637539395458142568448",
};

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

static struct every_random randomness;

static uint64_t
below(uint64_t limit)
{
	return every_random_below(&randomness, limit);
}

/* `count` random digits, the first of them not 0. */
static size_t
put_random_digits(char *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (char)('0' + (i == 0 ? 1 + below(9) : below(10)));
	out[count] = '\0';
	return count;
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
		/* Exact where a long double has more bits; else it is value or next, a case as well. */
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

/* What a number is read as does not depend on how the program rounds. */
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

/* Bounds are inclusive, and those of a float are rounded as its values are. */
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

/* The text of a number: what {"v":...} has it as. Valid until the next call. */
static const char *
encode_number(const struct herald_codec *codec, const void *in)
{
	static char text[100];
	struct herald_buffer buffer;

	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, in, &buffer, NULL), HERALD_OK);
	assert_in_range(buffer.bytes, 7, sizeof(text));
	assert_memory_equal(buffer.data, "{\"v\":", 5);
	assert_int_equal(buffer.data[buffer.bytes - 1], '}');
	memcpy(text, buffer.data + 5, buffer.bytes - 6);
	text[buffer.bytes - 6] = '\0';
	herald_buffer_finish(&buffer);
	return text;
}

/* Significant digits: without leading zeros, and without zeros at the end. */
static int
count_digits(const char *text)
{
	int count = 0, zeros = 0;

	for (; *text != '\0' && *text != 'e' && *text != 'E'; text++) {
		if (*text < '0' || *text > '9')
			continue;
		if (*text == '0') {
			zeros += count > 0;
		} else {
			count += zeros + 1;
			zeros = 0;
		}
	}
	return count > 0 ? count : 1;
}

static void
check_written_double(double value)
{
	struct wide in = {value}, out;
	const char *text = encode_number(wide_codec, &in);
	int digits = count_digits(text);
	struct herald_error error;
	char fewer[40];

	if (double_bits(strtod(text, NULL)) != double_bits(value))
		fail_msg("%.17g is written as %s", value, text);
	if (strlen(text) > 32)
		fail_msg("%s has %zu bytes", text, strlen(text));
	assert_int_equal(decode_number(wide_codec, text, strlen(text), &out, &error), HERALD_OK);
	if (double_bits(out.v) != double_bits(value))
		fail_msg("%s is read as %.17g", text, out.v);
	if (digits < 2)
		return;
	snprintf(fewer, sizeof(fewer), "%.*e", digits - 2, value);
	if (strtod(fewer, NULL) == value)
		fail_msg("%s has more digits than %s", text, fewer);
}

static void
check_written_float(float value)
{
	struct narrow in = {value}, out;
	const char *text = encode_number(narrow_codec, &in);
	int digits = count_digits(text);
	struct herald_error error;
	char fewer[40];

	if (float_bits(strtof(text, NULL)) != float_bits(value))
		fail_msg("%.9g is written as %s", (double)value, text);
	assert_int_equal(decode_number(narrow_codec, text, strlen(text), &out, &error), HERALD_OK);
	if (float_bits(out.v) != float_bits(value))
		fail_msg("%s is read as %.9g", text, (double)out.v);
	if (digits < 2)
		return;
	snprintf(fewer, sizeof(fewer), "%.*e", digits - 2, (double)value);
	if (strtof(fewer, NULL) == value)
		fail_msg("%s has more digits than %s", text, fewer);
}

static void
test_doubles_are_written(void **state)
{
	(void)state;
	randomness.state = 8;
	for (size_t i = 0; i < COUNT(hard); i++) {
		double value = strtod(hard[i], NULL);

		if (isfinite(value))
			check_written_double(value);
	}
	for (int exponent = -1074; exponent <= 1023; exponent++) {
		double power = ldexp(1, exponent);

		check_written_double(power);
		check_written_double(nextafter(power, 0));
		check_written_double(nextafter(power, INFINITY));
		check_written_double(-power);
	}
	for (int exponent = -323; exponent <= 308; exponent++) {
		char text[20];

		snprintf(text, sizeof(text), "1e%d", exponent);
		check_written_double(strtod(text, NULL));
		check_written_double(nextafter(strtod(text, NULL), 0));
	}
	for (unsigned i = 0; i < 120000; i++) {
		uint64_t bits = every_random_next(&randomness);
		double value;

		if (i % 8 == 0)
			bits &= UINT64_C(0x800FFFFFFFFFFFFF) >> below(40); /* subnormal */
		memcpy(&value, &bits, sizeof(value));
		if (isfinite(value))
			check_written_double(value);
		/* What people write: few digits. */
		check_written_double((double)(int64_t)(below(20000000) - 10000000) /
				     (double[]){1, 10, 100, 1000, 1e6}[i % 5]);
		if (i % 4 == 0)
			check_written_double((double)below(UINT64_C(1) << (1 + below(63))));
	}
}

static void
test_floats_are_written(void **state)
{
	(void)state;
	randomness.state = 9;
	for (int exponent = -149; exponent <= 127; exponent++) {
		float power = ldexpf(1, exponent);

		check_written_float(power);
		check_written_float(nextafterf(power, 0));
		check_written_float(nextafterf(power, INFINITY));
		check_written_float(-power);
	}
	for (unsigned i = 0; i < 120000; i++) {
		uint32_t bits = (uint32_t)every_random_next(&randomness);
		float value;

		if (i % 8 == 0)
			bits &= 0x807FFFFFu >> below(20);
		memcpy(&value, &bits, sizeof(value));
		if (isfinite(value))
			check_written_float(value);
		check_written_float((float)((double)below(100000) / 100));
	}
}

/* A text is the shortest one however the program rounds. */
static void
check_written_rounding(double value)
{
	static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	struct wide in = {value};
	char expected[100];

	strcpy(expected, encode_number(wide_codec, &in));
	for (size_t i = 0; i < COUNT(modes); i++) {
		const char *text;

		assert_int_equal(fesetround(modes[i]), 0);
		text = encode_number(wide_codec, &in);
		assert_int_equal(fesetround(FE_TONEAREST), 0);
		assert_string_equal(text, expected);
	}
}

static void
test_written_in_other_rounding(void **state)
{
	(void)state;
	randomness.state = 11;
	for (unsigned i = 0; i < 3000; i++) {
		double value = (double)below(UINT64_C(1) << (1 + below(50))) /
			       (double[]){1, 10, 1000, 1e6, 1e9, 1e15}[i % 6];

		check_written_rounding(value);
		check_written_rounding(nextafter(value, 0));
		check_written_rounding(nextafter(value, INFINITY));
	}
}

/* Up to fifteen digits, wherever the point stands, and the numbers beside them, which have more. */
static void
test_few_digits_are_written(void **state)
{
	(void)state;
	randomness.state = 12;
	for (int exponent = -30; exponent <= 20; exponent++)
		for (int digits = 1; digits <= 17; digits++)
			for (unsigned i = 0; i < 20; i++) {
				char text[40];
				double value;

				put_random_digits(text, (size_t)digits);
				snprintf(text + digits, sizeof(text) - (size_t)digits, "e%d",
					 exponent - digits);
				value = strtod(text, NULL);
				check_written_double(value);
				check_written_double(nextafter(value, 0));
				check_written_double(nextafter(value, INFINITY));
			}
}

static void
test_what_cannot_be_written(void **state)
{
	const double values[] = {NAN, -NAN, INFINITY, -INFINITY};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct wide wide = {values[i]};
		struct narrow narrow = {(float)values[i]};
		struct herald_buffer buffer;
		struct herald_error error;

		herald_buffer_init(&buffer, NULL, 0);
		assert_int_equal(herald_codec_encode(wide_codec, &wide, &buffer, &error),
				 HERALD_BAD_VALUE);
		assert_string_equal(error.path, "/v");
		assert_int_equal(herald_codec_encode(narrow_codec, &narrow, &buffer, &error),
				 HERALD_BAD_VALUE);
		assert_string_equal(error.path, "/v");
		assert_int_equal(buffer.bytes, 0);
		herald_buffer_finish(&buffer);
	}
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
	assert_true(uselocale((locale_t)0) == locale); /* it is still the thread's */
	uselocale(before);
	freelocale(locale);
}

/* How numbers that people know are written. */
static void
test_written_texts(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0.0, "0"},         {-0.0, "-0"},     {1, "1"},           {-1, "-1"},
		{0.1, "0.1"},       {0.5, "0.5"},     {1.5, "1.5"},       {100, "100"},
		{123456, "123456"}, {0.001, "0.001"}, {1234.5, "1234.5"}, {12.25, "12.25"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wide wide = {cases[i].value};
		struct narrow narrow = {(float)cases[i].value};
		const char *text = encode_number(wide_codec, &wide);

		/* A fraction of ".0" is as good. */
		if (strcmp(text, cases[i].text) != 0 &&
		    (strncmp(text, cases[i].text, strlen(cases[i].text)) != 0 ||
		     strcmp(text + strlen(cases[i].text), ".0") != 0))
			fail_msg("%s is written as %s", cases[i].text, text);
		text = encode_number(narrow_codec, &narrow);
		assert_memory_equal(text, cases[i].text, strlen(cases[i].text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hard_cases),
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_a_million_doubles),
		cmocka_unit_test(test_other_rounding),
		cmocka_unit_test(test_long_numbers_in_other_rounding),
		cmocka_unit_test(test_bounds_in_other_rounding),
		cmocka_unit_test(test_many_floats),
		cmocka_unit_test(test_halfway_cases),
		cmocka_unit_test(test_halfway_floats),
		cmocka_unit_test(test_long_zeros),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_doubles_are_written),
		cmocka_unit_test(test_floats_are_written),
		cmocka_unit_test(test_written_in_other_rounding),
		cmocka_unit_test(test_few_digits_are_written),
		cmocka_unit_test(test_what_cannot_be_written),
		cmocka_unit_test(test_decimal_comma),
		cmocka_unit_test(test_written_texts),
	};

	return cmocka_run_group_tests_name("number", tests, create_codecs, destroy_codecs);
}
