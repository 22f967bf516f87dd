/*
 * Writing of integers, inline for the encoder's loops; other formatting is in number_write.c. Eight
 * digits at a time are computed by multiplications in one word, without a loop or a branch on their
 * number; longer integers by sixteen in a vector, with SSE2. Private.
 */
#ifndef HERALD_SRC_JSON_WRITER_INTEGER_WRITE_H
#define HERALD_SRC_JSON_WRITER_INTEGER_WRITE_H

#include <stdint.h>
#include <string.h>

#include "base/simd.h"
#include "json/powers.h"

#define HERALD__ASCII_ZEROS UINT64_C(0x3030303030303030)

/* Store eight bytes, the lowest first, whatever the byte order of the machine. */
static inline void
herald__store_word(char *out, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	memcpy(out, &word, sizeof(word));
}

/*
 * The eight digits of a value below 10^8, one in each byte, the first digit lowest. Splits the
 * value into two halves of four digits, these into pairs, and these into digits; the parts of each
 * split are computed at once. The factors are 2^20 / 100 and 2^10 / 10 rounded up, which is exact
 * for so few digits.
 */
static inline uint64_t
herald__eight_digits(uint64_t value)
{
	uint64_t fours = value / 10000 + (value % 10000 << 32);
	uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007F0000007F);
	uint64_t pairs = hundreds + ((fours - hundreds * 100) << 16);
	uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000F000F000F000F);

	return tens + ((pairs - tens * 10) << 8);
}

/* Write a value below 10^8 without leading zeros. Stores eight bytes; returns the place after the
 * last digit. */
static inline char *
herald__append_short(uint64_t value, char *out)
{
	uint64_t digits = herald__eight_digits(value);
	/* The last digit is written even if it is 0. */
	unsigned zeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;

	herald__store_word(out, (digits + HERALD__ASCII_ZEROS) >> zeros * 8);
	return out + 8 - zeros;
}

static inline char *
herald__append_eight(uint64_t value, char *out)
{
	herald__store_word(out, herald__eight_digits(value) + HERALD__ASCII_ZEROS);
	return out + 8;
}

/* Store two words of eight digits as text, of which the first has leading zeros that are left out.
 * Returns the place after the last digit. */
static inline char *
herald__store_two(char *out, uint64_t first, uint64_t second)
{
	unsigned zeros = (unsigned)__builtin_ctzll(first | UINT64_C(1) << 56) / 8;

	herald__store_word(out, (first + HERALD__ASCII_ZEROS) >> zeros * 8);
	herald__store_word(out + 8 - zeros, second + HERALD__ASCII_ZEROS);
	return out + 16 - zeros;
}

#if defined(HERALD__SSE2) && defined(__x86_64__)
/* herald__eight_digits() for two values. Splits as there; each factor is a power of two divided by
 * the divisor, rounded up, which is exact for so few digits. */
static inline __m128i
herald__sixteen_digits(uint64_t upper, uint64_t lower)
{
	__m128i eights = _mm_set_epi64x((int64_t)lower, (int64_t)upper);
	__m128i thousands =
		_mm_srli_epi64(_mm_mul_epu32(eights, _mm_set1_epi64x(INT64_C(0xD1B71759))), 45);
	__m128i rest = _mm_sub_epi64(eights, _mm_mul_epu32(thousands, _mm_set1_epi64x(10000)));
	__m128i fours = _mm_or_si128(thousands, _mm_slli_epi64(rest, 32));
	__m128i hundreds = _mm_srli_epi16(_mm_mulhi_epu16(fours, _mm_set1_epi16(5243)), 3);
	__m128i pairs = _mm_add_epi16(
		hundreds,
		_mm_slli_epi32(_mm_sub_epi16(fours, _mm_mullo_epi16(hundreds, _mm_set1_epi16(100))),
			       16));
	__m128i tens = _mm_mulhi_epu16(pairs, _mm_set1_epi16(6554));

	return _mm_add_epi8(
		tens,
		_mm_slli_epi16(_mm_sub_epi16(pairs, _mm_mullo_epi16(tens, _mm_set1_epi16(10))), 8));
}

/* Write a value from 10^8 to 10^16 - 1. */
static inline char *
herald__append_middle(uint64_t value, char *out)
{
	__m128i digits = herald__sixteen_digits(value / HERALD__TEN_TO_8, value % HERALD__TEN_TO_8);

	return herald__store_two(out, (uint64_t)_mm_cvtsi128_si64(digits),
				 (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(digits, 8)));
}

/* Write sixteen digits. */
static inline char *
herald__append_sixteen(uint64_t value, char *out)
{
	__m128i digits = herald__sixteen_digits(value / HERALD__TEN_TO_8, value % HERALD__TEN_TO_8);

	_mm_storeu_si128((__m128i *)(void *)out, _mm_add_epi8(digits, _mm_set1_epi8('0')));
	return out + 16;
}
#else
static inline char *
herald__append_middle(uint64_t value, char *out)
{
	return herald__store_two(out, herald__eight_digits(value / HERALD__TEN_TO_8),
				 herald__eight_digits(value % HERALD__TEN_TO_8));
}

static inline char *
herald__append_sixteen(uint64_t value, char *out)
{
	return herald__append_eight(value % HERALD__TEN_TO_8,
				    herald__append_eight(value / HERALD__TEN_TO_8, out));
}
#endif

/* Write a value of 10^8 or more. Not inlined, so that loops over smaller values are short. */
HERALD__NOT_INLINE static char *
herald__append_long(uint64_t value, char *out)
{
	if (value < HERALD__TEN_TO_16)
		return herald__append_middle(value, out);
	return herald__append_sixteen(value % HERALD__TEN_TO_16,
				      herald__append_short(value / HERALD__TEN_TO_16, out));
}

/* Write a value without leading zeros. Stores up to seven bytes more than its digits; returns the
 * place after the last one. */
static inline char *
herald__append_natural(uint64_t value, char *out)
{
	return value < HERALD__TEN_TO_8 ? herald__append_short(value, out)
					: herald__append_long(value, out);
}

/* The same for a signed value. */
static inline char *
herald__append_integer(int64_t value, char *out)
{
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

	*out = '-';
	return herald__append_natural(magnitude, out + (value < 0));
}

#endif
