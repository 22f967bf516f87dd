/*
 * Exact conversion between decimal and binary floating point, without text. Private.
 */
#ifndef HERALD_SRC_JSON_FLOAT_H
#define HERALD_SRC_JSON_FLOAT_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* digits * 10^exponent */
struct herald__decimal {
	uint64_t digits;
	int32_t exponent;
};

/*
 * Whether dividing two doubles gives the nearest double. The x87 rounds to more bits first, and a
 * program may have changed the rounding mode. `volatile` keeps the compiler from computing the
 * result itself, with the default rounding mode.
 */
static inline bool
herald__divides_to_nearest(void)
{
	static const volatile double stored = DBL_MIN;
	double tiny = stored;

	return FLT_EVAL_METHOD == 0 && 1.0 + tiny == 1.0 - tiny;
}

/* The greatest power of ten that a double holds exactly, and as many digits as are always exact. */
#define HERALD__EXACT_POWER 22
#define HERALD__EXACT_DIGITS (UINT64_C(1) << DBL_MANT_DIG)

static const double herald__exact_powers[HERALD__EXACT_POWER + 1] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/*
 * digits / 10^fraction_digits by one division, if a double holds both operands exactly, so that the
 * result is rounded only once (William Clinger, "How to Read Floating Point Numbers Accurately",
 * 1990). At most 22 fraction digits. Only if herald__divides_to_nearest().
 */
static inline bool
herald__divide_digits(uint64_t digits, size_t fraction_digits, double *out)
{
	if (digits > HERALD__EXACT_DIGITS)
		return false;
	*out = (double)(int64_t)digits / herald__exact_powers[fraction_digits];
	return true;
}

/* The same for digits * 10^exponent, from -22 to 22. One of the two powers is 1: no branch depends
 * on the sign of the exponent. */
static inline bool
herald__scale_digits(uint64_t digits, int exponent, double *out)
{
	int up = exponent > 0 ? exponent : 0, down = up - exponent;

	if (digits > HERALD__EXACT_DIGITS)
		return false;
	*out = (double)(int64_t)digits * herald__exact_powers[up] / herald__exact_powers[down];
	return true;
}

/*
 * The double (float) nearest to a decimal, ties to even, as bits without the sign; infinity if it
 * is too large. Returns false for the few decimals that 128 bits of a power cannot round correctly.
 */
bool herald__to_double(uint64_t digits, int64_t exponent, uint64_t *bits);
bool herald__to_float(uint64_t digits, int64_t exponent, uint64_t *bits);

/* digits / 10^fraction_digits. Returns false if it is hard to round. The same conditions as for
 * herald__divide_digits(). */
static inline bool
herald__scale_down(uint64_t digits, size_t fraction_digits, double *out)
{
	uint64_t bits;

	if (herald__divide_digits(digits, fraction_digits, out))
		return true;
	if (!herald__to_double(digits, -(int64_t)fraction_digits, &bits))
		return false;
	memcpy(out, &bits, sizeof(*out));
	return true;
}

/* The shortest decimal that reads as the same double (float), and of several the nearest. The
 * digits may end in zeros. The value must be finite and not 0. */
struct herald__decimal herald__from_double(uint64_t bits);
struct herald__decimal herald__from_float(uint32_t bits);

#endif
