/*
 * Validation of UTF-8 by looking up bytes in a register, sixteen at a time. Private.
 *
 * Three tables say which errors are possible for a byte and the one before it, each by four bits of
 * the two. An error that all three report is real. (John Keiser and Daniel Lemire, "Validating
 * UTF-8 In Less Than One Instruction Per Byte", 2021.)
 */
#ifndef HERALD_SRC_BASE_UTF8_VECTOR_H
#define HERALD_SRC_BASE_UTF8_VECTOR_H

#include <stdint.h>

#include "base/simd.h"

enum {
	HERALD__TOO_SHORT = 1,       /* a lead byte without a continuation byte */
	HERALD__TOO_LONG = 2,        /* ASCII followed by a continuation byte */
	HERALD__OVERLONG_3 = 4,      /* E0 80..9F */
	HERALD__TOO_LARGE = 8,       /* F4 90.., F5.. */
	HERALD__SURROGATE = 16,      /* ED A0.. */
	HERALD__OVERLONG_2 = 32,     /* C0, C1 */
	HERALD__OVERLONG_4 = 64,     /* F0 80..8F; and F5.. with 80..8F */
	HERALD__CONTINUATIONS = 128, /* two: valid only after the lead of a longer sequence */
	HERALD__ANY = HERALD__TOO_SHORT | HERALD__TOO_LONG | HERALD__CONTINUATIONS,
};

#define HERALD__FOUR(a) a, a, a, a
#define HERALD__EIGHT(a) HERALD__FOUR(a), HERALD__FOUR(a)

/* By the upper and the lower four bits of the first byte, and the upper four of the second. */
static const uint8_t herald__first_upper[16] = {
	HERALD__EIGHT(HERALD__TOO_LONG),
	HERALD__FOUR(HERALD__CONTINUATIONS),
	HERALD__TOO_SHORT | HERALD__OVERLONG_2,
	HERALD__TOO_SHORT,
	HERALD__TOO_SHORT | HERALD__OVERLONG_3 | HERALD__SURROGATE,
	HERALD__TOO_SHORT | HERALD__TOO_LARGE | HERALD__OVERLONG_4,
};
static const uint8_t herald__first_lower[16] = {
	HERALD__ANY | HERALD__OVERLONG_2 | HERALD__OVERLONG_3 | HERALD__OVERLONG_4,
	HERALD__ANY | HERALD__OVERLONG_2,
	HERALD__ANY,
	HERALD__ANY,
	HERALD__ANY | HERALD__TOO_LARGE,
	HERALD__EIGHT(HERALD__ANY | HERALD__TOO_LARGE | HERALD__OVERLONG_4),
	HERALD__ANY | HERALD__TOO_LARGE | HERALD__OVERLONG_4 | HERALD__SURROGATE,
	HERALD__ANY | HERALD__TOO_LARGE | HERALD__OVERLONG_4,
	HERALD__ANY | HERALD__TOO_LARGE | HERALD__OVERLONG_4,
};
static const uint8_t herald__second_upper[16] = {
	HERALD__EIGHT(HERALD__TOO_SHORT),
	HERALD__TOO_LONG | HERALD__OVERLONG_2 | HERALD__CONTINUATIONS | HERALD__OVERLONG_3 |
		HERALD__OVERLONG_4,
	HERALD__TOO_LONG | HERALD__OVERLONG_2 | HERALD__CONTINUATIONS | HERALD__OVERLONG_3 |
		HERALD__TOO_LARGE,
	HERALD__TOO_LONG | HERALD__OVERLONG_2 | HERALD__CONTINUATIONS | HERALD__SURROGATE |
		HERALD__TOO_LARGE,
	HERALD__TOO_LONG | HERALD__OVERLONG_2 | HERALD__CONTINUATIONS | HERALD__SURROGATE |
		HERALD__TOO_LARGE,
	HERALD__FOUR(HERALD__TOO_SHORT),
};

#undef HERALD__FOUR
#undef HERALD__EIGHT

#ifdef HERALD__AVX2
#include <immintrin.h>

/* Keep a constant in a register: compilers otherwise make it anew in each round of a loop. */
HERALD__AVX2 static inline __m256i
herald__in_register(__m256i constant)
{
	__asm__("" : "+x"(constant));
	return constant;
}

/* A table of sixteen bytes, for each half of a register. */
HERALD__AVX2 static inline __m256i
herald__load_table(const uint8_t *table)
{
	return herald__in_register(
		_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table)));
}

/* What herald__find_utf8_faults() needs; loaded once for many blocks. */
struct herald__utf8_tables {
	__m256i first_upper, first_lower, second_upper, four_bits, three_bytes, four_bytes, high;
};

HERALD__AVX2 static inline struct herald__utf8_tables
herald__load_utf8_tables(void)
{
	return (struct herald__utf8_tables){
		.first_upper = herald__load_table(herald__first_upper),
		.first_lower = herald__load_table(herald__first_lower),
		.second_upper = herald__load_table(herald__second_upper),
		.four_bits = herald__in_register(_mm256_set1_epi8(0x0F)),
		.three_bytes = herald__in_register(_mm256_set1_epi8((char)(0xE0 - 0x80))),
		.four_bytes = herald__in_register(_mm256_set1_epi8((char)(0xF0 - 0x80))),
		.high = herald__in_register(_mm256_set1_epi8((char)0x80)),
	};
}

/* Look up each byte by its upper four bits. */
HERALD__AVX2 static inline __m256i
herald__look_up_upper(__m256i table, __m256i bytes, __m256i four_bits)
{
	return _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), four_bits));
}

/* Not zero if `bytes`, which follow `before`, are invalid. */
HERALD__AVX2 static inline __m256i
herald__find_utf8_faults(__m256i bytes, __m256i before, const struct herald__utf8_tables *tables)
{
	/* The shifts work within halves: get what precedes each half. */
	__m256i halves = _mm256_permute2x128_si256(before, bytes, 0x21);
	__m256i first = _mm256_alignr_epi8(bytes, halves, 15);
	__m256i second = _mm256_alignr_epi8(bytes, halves, 14);
	__m256i third = _mm256_alignr_epi8(bytes, halves, 13);
	__m256i lower = _mm256_shuffle_epi8(tables->first_lower,
					    _mm256_and_si256(first, tables->four_bits));
	__m256i faults = _mm256_and_si256(
		_mm256_and_si256(
			herald__look_up_upper(tables->first_upper, first, tables->four_bits),
			lower),
		herald__look_up_upper(tables->second_upper, bytes, tables->four_bits));
	/* The third byte of a three-byte sequence, and the third and fourth of a four-byte one, are
	 * required. */
	__m256i long_leads = _mm256_or_si256(_mm256_subs_epu8(second, tables->three_bytes),
					     _mm256_subs_epu8(third, tables->four_bytes));

	return _mm256_xor_si256(_mm256_and_si256(long_leads, tables->high), faults);
}

/* Not zero if a sequence that begins in the last three bytes does not end there. */
HERALD__AVX2 static inline __m256i
herald__find_unfinished(__m256i bytes)
{
	const __m256i most = _mm256_setr_epi64x(-1, -1, -1, (long long)0xBFDFEFFFFFFFFFFF);

	return _mm256_subs_epu8(bytes, most);
}
#endif

#endif
