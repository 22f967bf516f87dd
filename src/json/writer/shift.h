/*
 * Moving the bytes of a register by a number that is not known when compiling. Private.
 */
#ifndef HERALD_SRC_JSON_WRITER_SHIFT_H
#define HERALD_SRC_JSON_WRITER_SHIFT_H

#include <stdint.h>

#include "base/simd.h"

#ifdef HERALD__AVX2
#include <immintrin.h>

/* As a shuffle mask, the sixteen bytes from n on move a register down by n bytes and append
 * NULs. */
static const uint8_t herald__downwards[32] = {
	0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,
	11,   12,   13,   14,   15,   0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
	0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
};

/* Move the bytes down by up to sixteen, and append NULs. */
HERALD__AVX2 static inline __m128i
herald__shift_down(__m128i bytes, size_t by)
{
	return _mm_shuffle_epi8(
		bytes, _mm_loadu_si128((const __m128i *)(const void *)(herald__downwards + by)));
}
#endif

#endif
