/*
 * Conversion of JSON numbers to C types. Checks their grammar and converts them; the few that are
 * hard to round are converted by the C library in the "C" locale. The other direction is in
 * number_write.c.
 */
#include "json/reader/number_read.h"

#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/c_locale.h"
#include "json/float.h"
#include "json/reader/digits.h"
#include "json/reader/number_one.h"

/* digits * 10^exponent */
struct decimal {
	const char *text;
	uint64_t digits; /* the first 19 digits */
	int64_t exponent;
	bool negative;
	bool exact; /* no digit that was dropped is other than 0 */
};

/* The most digits that always fit into a uint64_t. */
#define MAX_DIGITS 19

/* No document is long enough to have the digits that would bring such an exponent back into
 * range. */
#define MAX_EXPONENT INT64_C(1000000000000000)

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Append the digits at `at` to *value, which may overflow. Returns the place after them. */
static inline char *
read_digits(const struct herald__reader *reader, char *at, uint64_t *value)
{
#ifdef HERALD__DIGITS
	/* Eight at a time, then the rest at once: a loop over the rest would be unpredictable. */
	while (reader->end - at >= 8) {
		uint64_t word = herald__load64(at), others = herald__find_no_digits(word);
		unsigned count;

		if (others == 0) {
			*value = *value * 100000000 + herald__join_digits(word);
			at += 8;
			continue;
		}
		if ((count = (unsigned)__builtin_ctzll(others) / 8) > 0)
			*value = *value * herald__ten_to[count] +
				 herald__join_digits(word << (64 - 8 * count));
		return at + count;
	}
#else
	(void)reader;
#endif
	for (; is_digit(*at); at++)
		*value = *value * 10 + (uint64_t)(*at - '0');
	return at;
}

/* Read the sign, and check that a digit follows and that it is not a leading zero. */
static char *
read_sign(struct herald__reader *reader, char *at, const char *expected, bool *negative)
{
	char *start = at;

	*negative = *at == '-';
	at += *negative;
	if (!is_digit(*at)) {
		if (!*negative)
			return herald__fail_type(reader, start, expected);
		return herald__fail_syntax(reader, at, "a digit after '-'");
	}
	if (*at == '0' && is_digit(at[1]))
		return herald__fail_zero(reader, at);
	return at;
}

static char *
fail_not_integer(struct herald__reader *reader, const char *at, const char *part)
{
	struct herald__shown shown;

	return herald__fail(reader, at, HERALD_BAD_TYPE,
			    "expected an integer, found a number with %s: %s", part,
			    herald__show_number(reader, at, &shown));
}

char *
herald__read_integer(struct herald__reader *reader, char *at, struct herald__integer *out)
{
	char *start = at, *digits;
	uint64_t value = 0;

	if (!(digits = at = read_sign(reader, at, "an integer", &out->negative)))
		return NULL;
	out->overflow = false;
	while (is_digit(*at) && at - digits < MAX_DIGITS)
		value = value * 10 + (uint64_t)(*at++ - '0');
	while (is_digit(*at)) {
		out->overflow |= __builtin_mul_overflow(value, 10u, &value);
		out->overflow |= __builtin_add_overflow(value, (uint64_t)(*at++ - '0'), &value);
	}
	if (*at == '.' || *at == 'e' || *at == 'E')
		return fail_not_integer(reader, start, *at == '.' ? "a fraction" : "an exponent");
	out->magnitude = out->overflow ? UINT64_MAX : value;
	return at;
}

/* Add the digits up to `end`. Digits past the 19th only change the exponent. */
static void
add_digits(struct decimal *decimal, int *count, const char *at, const char *end,
	   int64_t exponent_each)
{
	for (; at < end; at++) {
		if (*count < MAX_DIGITS) {
			decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
			decimal->exponent += exponent_each;
			*count += decimal->digits != 0; /* leading zeros do not count */
		} else {
			decimal->exact &= *at == '0';
			decimal->exponent += exponent_each + 1;
		}
	}
}

/* Add the digits before and after the point, any number of them. */
static void
add_all_digits(struct decimal *decimal, const char *at, const char *point, const char *end)
{
	int count = 0;

	decimal->digits = 0;
	decimal->exponent = 0;
	add_digits(decimal, &count, at, point, 0);
	if (point < end)
		add_digits(decimal, &count, point + 1, end, -1);
}

static char *
read_exponent(struct herald__reader *reader, char *at, struct decimal *decimal)
{
	bool negative = *at == '-';
	int64_t exponent = 0;

	at += negative || *at == '+';
	if (!is_digit(*at))
		return herald__fail_syntax(reader, at, "a digit in the exponent");
	for (; is_digit(*at); at++)
		if (exponent < MAX_EXPONENT)
			exponent = exponent * 10 + (*at - '0');
	decimal->exponent += negative ? -exponent : exponent;
	return at;
}

static inline char *
read_decimal(struct herald__reader *reader, char *at, struct decimal *out)
{
	char *digits, *point, *end;
	uint64_t value = 0;

	*out = (struct decimal){.text = at, .exact = true};
	if (!(digits = at = read_sign(reader, at, "a number", &out->negative)))
		return NULL;
	for (; is_digit(*at); at++)
		value = value * 10 + (uint64_t)(*at - '0');
	point = end = at;
	if (*at == '.') {
		if (!is_digit(*++at))
			return herald__fail_syntax(reader, at, "a digit after the point");
		end = at = read_digits(reader, at, &value);
		out->exponent = -(int64_t)(end - point - 1);
	}
	out->digits = value;
	/* Up to 19 digits cannot overflow. If there are more, count them without leading zeros. */
	if (end - digits > MAX_DIGITS)
		add_all_digits(out, digits, point, end);
	if (*at == 'e' || *at == 'E')
		at = read_exponent(reader, at + 1, out);
	return at;
}

/* strtod() or strtof() in the "C" locale, rounding to nearest, whatever the thread has set. */
static double
convert_slowly(const char *text, bool single)
{
	locale_t c_locale = herald__c_locale();
	int rounding = fegetround();
	double value;

	fesetround(FE_TONEAREST);
	value = single ? (double)strtof_l(text, NULL, c_locale) : strtod_l(text, NULL, c_locale);
	fesetround(rounding);
	return value;
}

static char *
fail_too_large(struct herald__reader *reader, const struct decimal *decimal, const char *type)
{
	struct herald__shown shown;

	return herald__fail(reader, decimal->text, HERALD_OUT_OF_RANGE,
			    "expected a number that a %s can hold, found %s", type,
			    herald__show_number(reader, decimal->text, &shown));
}

/*
 * Convert without the C library. A number with more than 19 digits lies between two numbers with
 * 19; if both round to the same value, so does it. Returns false if all digits are needed.
 */
static bool
convert(const struct decimal *decimal, bool convert_one(uint64_t, int64_t, uint64_t *),
	uint64_t *bits)
{
	uint64_t above;

	if (!convert_one(decimal->digits, decimal->exponent, bits))
		return false;
	return decimal->exact ||
	       (convert_one(decimal->digits + 1, decimal->exponent, &above) && above == *bits);
}

/* Not inlined: its locals would enlarge the stack frame of every caller. */
HERALD__NOT_INLINE static char *
read_any_double(struct herald__reader *reader, char *at, double *out)
{
	struct decimal decimal;
	uint64_t bits;

	if (!(at = read_decimal(reader, at, &decimal)))
		return NULL;
	if (!convert(&decimal, herald__to_double, &bits)) {
		*out = convert_slowly(decimal.text, false);
	} else {
		bits |= (uint64_t)decimal.negative << 63;
		memcpy(out, &bits, sizeof(*out));
	}
	return isfinite(*out) ? at : fail_too_large(reader, &decimal, "double");
}

/* digits * 10^exponent. Returns false if it is too large, or hard to round. */
static inline bool
scale(uint64_t digits, int64_t exponent, double *out)
{
	uint64_t bits;

	if (exponent >= -22 && exponent <= 22 && herald__divides_to_nearest() &&
	    herald__scale_digits(digits, (int)exponent, out))
		return true;
	if (!herald__to_double(digits, exponent, &bits))
		return false;
	memcpy(out, &bits, sizeof(*out));
	return isfinite(*out);
}

/* Read an exponent of up to three digits, and add it. Returns the place after it, or NULL. */
static char *
read_usual_exponent(char *at, int64_t *exponent)
{
	bool negative = *at == '-';
	char *first = at += negative || *at == '+';
	int64_t value = 0;

	for (; is_digit(*at); at++) {
		if (at - first == 3)
			return NULL;
		value = value * 10 + (*at - '0');
	}
	*exponent += negative ? -value : value;
	return at == first ? NULL : at;
}

/* Whether a number has more than 19 digits. The point is not one, and a zero before it does not
 * count. `fraction` is the place after the point, or the end. */
static bool
too_many(const char *first, const char *fraction, const char *end)
{
	return end - first - (end > fraction) - (*first == '0') > MAX_DIGITS;
}

/*
 * Read the rest of a number, whose sign and whole digits end at `at`. `digits` is their value, or
 * part of it if there are too many. Returns the place after it, or NULL.
 */
static inline char *
read_rest(const struct herald__reader *reader, char *start, char *at, uint64_t digits, double *out)
{
	bool negative = *start == '-';
	char *first = start + negative, *point = at;
	int64_t exponent;

	if (at == first || (*first == '0' && at > first + 1))
		return NULL;
	if (*at == '.' && (at = read_digits(reader, at + 1, &digits)) == ++point)
		return NULL;
	if (at - first > MAX_DIGITS && too_many(first, point, at))
		return NULL;
	exponent = point - at;
	if ((*at == 'e' || *at == 'E') && !(at = read_usual_exponent(at + 1, &exponent)))
		return NULL;
	if (!scale(digits, exponent, out))
		return NULL;
	*out = negative ? -*out : *out;
	return at;
}

/* Read digits. Returns the place after them. */
static inline char *
read_whole_digits(char *at, uint64_t *out)
{
	uint64_t digits = 0;
	unsigned digit;

	for (; (digit = (unsigned)(unsigned char)*at - '0') <= 9; at++)
		digits = digits * 10 + digit;
	*out = digits;
	return at;
}

#ifdef HERALD__AVX2
/* Read a number. Returns the place after it, or NULL. */
HERALD__AVX2 static char *
read_one(char *at, double *out)
{
	uint64_t digits, bits;
	int64_t exponent;
	char *after = herald__read_one(at, &digits, &exponent);

	if (!after || !scale(digits, exponent, out))
		return NULL;
	memcpy(&bits, out, sizeof(bits));
	bits |= (uint64_t)(*at == '-') << 63;
	memcpy(out, &bits, sizeof(bits));
	return after;
}
#endif

/* Whether read_one() can be called. */
static inline bool
can_read_one(const struct herald__reader *reader, const char *at)
{
#ifdef HERALD__AVX2
	return reader->avx2 && reader->end - at >= HERALD__NUMBER_AFTER &&
	       at - reader->begin >= HERALD__NUMBERS_BEFORE;
#else
	(void)reader;
	(void)at;
	return false;
#endif
}

char *
herald__read_usual_double(const struct herald__reader *reader, char *at, double *out)
{
	uint64_t digits;
	char *whole;

#ifdef HERALD__AVX2
	if (can_read_one(reader, at))
		return read_one(at, out);
#endif
	whole = read_whole_digits(at + (*at == '-'), &digits);
	return read_rest(reader, at, whole, digits, out);
}

/* After a long double, this many are read as if they were long: one that is alone does not slow
 * down all the short ones after it. */
#define LONG_DOUBLES 8

/* A double of so many bytes is short, if it has no exponent. */
#define SHORT_BYTES 9

/* herald__read_double() of a double that is not short. `digits` are the whole ones before `at`. Not
 * inlined: most numbers do not need the registers that it saves. */
HERALD__NOT_INLINE static char *
read_long_double(struct herald__reader *reader, char *start, char *at, uint64_t digits, double *out)
{
	char *after = NULL;

	/* Whole numbers say nothing of the doubles that follow. */
	if (*at == '.' || *at == 'e' || *at == 'E' || at - start > SHORT_BYTES)
		reader->long_doubles = LONG_DOUBLES;
	if (!can_read_one(reader, start))
		after = read_rest(reader, start, at, digits, out);
#ifdef HERALD__AVX2
	else
		after = read_one(start, out);
#endif
	return after ? after : read_any_double(reader, start, out);
}

/* The same after a long one. */
HERALD__NOT_INLINE static char *
read_next_long_double(struct herald__reader *reader, char *at, double *out)
{
	char *after = NULL;

#ifdef HERALD__AVX2
	after = read_one(at, out);
#endif
	if (after && after - at <= SHORT_BYTES)
		reader->long_doubles--;
	else
		reader->long_doubles = LONG_DOUBLES;
	return after ? after : read_any_double(reader, at, out);
}

/* The most digits after the point of a short double, and of all its digits, which a double holds
 * exactly. */
#define SHORT_FRACTION 8
#define SHORT_DIGITS 15

/* Add one to SHORT_FRACTION digits. Returns the place after them, or NULL if there are others. */
static HERALD__INLINE char *
read_short_fraction(const struct herald__reader *reader, char *at, uint64_t *digits)
{
	uint64_t value = *digits;
	unsigned digit;

	if (reader->end - at <= SHORT_FRACTION || !is_digit(*at))
		return NULL;
#pragma GCC unroll 8
	for (int i = 0; i < SHORT_FRACTION; i++, at++) {
		if ((digit = (unsigned)(unsigned char)*at - '0') > 9) {
			*digits = value;
			return at;
		}
		value = value * 10 + digit;
	}
	*digits = value;
	return is_digit(*at) ? NULL : at;
}

char *
herald__read_double(struct herald__reader *reader, char *at, double *out)
{
	char *first = at + (*at == '-'), *whole, *end;
	uint64_t digits, all;

	if (reader->long_doubles > 0 && can_read_one(reader, at))
		return read_next_long_double(reader, at, out);
	whole = read_whole_digits(first, &digits);
	all = digits;
	if (*whole != '.' || !(end = read_short_fraction(reader, whole + 1, &all)) || *end == 'e' ||
	    *end == 'E' || end - first > SHORT_DIGITS + 1 || whole == first ||
	    (*first == '0' && whole > first + 1) || !herald__divides_to_nearest() ||
	    !herald__divide_digits(all, (size_t)(end - whole - 1), out))
		return read_long_double(reader, at, whole, digits, out);
	if (first > at)
		*out = -*out;
	return end;
}

char *
herald__read_float(struct herald__reader *reader, char *at, float *out)
{
	struct decimal decimal;
	uint64_t bits;
	uint32_t half;

	if (!(at = read_decimal(reader, at, &decimal)))
		return NULL;
	if (!convert(&decimal, herald__to_float, &bits)) {
		*out = (float)convert_slowly(decimal.text, true);
	} else {
		half = (uint32_t)bits | (uint32_t)decimal.negative << 31;
		memcpy(out, &half, sizeof(*out));
	}
	return isfinite(*out) ? at : fail_too_large(reader, &decimal, "float");
}
