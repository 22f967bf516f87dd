/*
 * Decimal and binary floating point, each from the other, exactly. Private. No text here.
 */
#ifndef HERALD_SRC_JSON_BINARY_H
#define HERALD_SRC_JSON_BINARY_H

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

/* digits * 10^exponent */
struct herald__decimal {
	uint64_t digits;
	int32_t exponent;
};

/*
 * Whether the quotient of two doubles is the nearest double: it is not rounded to more bits first, as by the
 * x87, nor another way, as a program may ask for. The volatile one is for the compiler, which believes that
 * no program does.
 */
static inline bool
herald__divides_to_nearest(void)
{
	static const volatile double stored = DBL_MIN;
	double tiny = stored;

	return FLT_EVAL_METHOD == 0 && 1.0 + tiny == 1.0 - tiny;
}

/*
 * The double (float) nearest to a decimal, ties to even, as its bits without the sign; infinity when it
 * is too large. Returns false for the few decimals whose rounding 128 bits of a power cannot settle.
 */
bool herald__to_double(uint64_t digits, int64_t exponent, uint64_t *bits);
bool herald__to_float(uint64_t digits, int64_t exponent, uint64_t *bits);

/* The shortest decimal that reads as the same double (float), of those the nearest; its digits may end in
 * zeros. Finite, not 0. */
struct herald__decimal herald__from_double(uint64_t bits);
struct herald__decimal herald__from_float(uint32_t bits);

#endif
