/*
 * Exact conversion between decimal and binary floating point, without text. Private.
 */
#ifndef HERALD_SRC_JSON_FLOAT_H
#define HERALD_SRC_JSON_FLOAT_H

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

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

/*
 * The double (float) nearest to a decimal, ties to even, as bits without the sign; infinity if it
 * is too large. Returns false for the few decimals that 128 bits of a power cannot round correctly.
 */
bool herald__to_double(uint64_t digits, int64_t exponent, uint64_t *bits);
bool herald__to_float(uint64_t digits, int64_t exponent, uint64_t *bits);

/* The shortest decimal that reads as the same double (float), and of several the nearest. The
 * digits may end in zeros. The value must be finite and not 0. */
struct herald__decimal herald__from_double(uint64_t bits);
struct herald__decimal herald__from_float(uint32_t bits);

#endif
