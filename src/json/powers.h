/*
 * Powers of ten for the exact conversion of numbers. Private; powers.c is generated.
 */
#ifndef HERALD_SRC_JSON_POWERS_H
#define HERALD_SRC_JSON_POWERS_H

#include <stdint.h>

#define HERALD__TEN_TO_8 UINT64_C(100000000)
#define HERALD__TEN_TO_16 (HERALD__TEN_TO_8 * HERALD__TEN_TO_8)

#define HERALD__POWERS_LEAST (-342)
#define HERALD__POWERS_COUNT (324 + 342 + 1)

/* The upper and lower 64 bits of 10^exponent, for each exponent from HERALD__POWERS_LEAST on. The
 * first bit is set. Exact from 10^0 to 10^55; the others are rounded down. */
extern const uint64_t herald__powers_of_ten[HERALD__POWERS_COUNT][2];

#endif
