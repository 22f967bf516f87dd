/*
 * Writing floating-point numbers: the text reads as the same number and is the shortest one, in
 * every rounding mode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/every_kind.h"
#include "json/number_codecs.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

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
		/* As people write numbers: with few digits. */
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

/* Up to fifteen digits, wherever the point is, and their neighbours, which have more. */
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

		/* A fraction of ".0" is allowed. */
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
		cmocka_unit_test(test_doubles_are_written),
		cmocka_unit_test(test_floats_are_written),
		cmocka_unit_test(test_written_in_other_rounding),
		cmocka_unit_test(test_few_digits_are_written),
		cmocka_unit_test(test_what_cannot_be_written),
		cmocka_unit_test(test_written_texts),
	};

	return cmocka_run_group_tests_name("number_write", tests, create_codecs, destroy_codecs);
}
