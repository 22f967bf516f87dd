/*
 * One number of any usual form, for processors with AVX2. Private.
 *
 * How it works. Numbers of a list have different numbers of digits, some have a fraction and some
 * an exponent. A processor cannot predict that, and each wrong guess costs as much as reading the
 * number. So nothing here branches on it: a mask of the digits in 32 bytes says where each part
 * ends, and a part that is missing is computed all the same, and becomes zero.
 */
#ifndef HERALD_SRC_JSON_READER_NUMBER_ONE_H
#define HERALD_SRC_JSON_READER_NUMBER_ONE_H

#include "json/reader/number_block.h"

#ifdef HERALD__AVX2
#include "base/words.h"

/* The bytes that must be readable from the start of a number on. Before it:
 * HERALD__NUMBERS_BEFORE. */
#define HERALD__NUMBER_AFTER 40

/* The value of up to three digits at `at`; four bytes are read. */
HERALD__AVX2 static HERALD__INLINE unsigned
herald__join_three(const char *at, unsigned count)
{
	unsigned digits = (unsigned)((uint64_t)herald__load32(at) << (32 - 8 * count));

	return (digits >> 24 & 15) + 10 * (digits >> 16 & 15) + 100 * (digits >> 8 & 15);
}

/*
 * Read the number at `at`, a minus or its first digit: *digits * 10^*exponent without the sign.
 * Returns the place after it, or NULL if it is wrong or longer than what can be read here. The
 * operators of conditions are bitwise on purpose.
 */
HERALD__AVX2 static HERALD__INLINE char *
herald__read_one(char *at, uint64_t *digits, int64_t *exponent)
{
	char *first = at + (*at == '-');
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)first);
	__m256i values = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
	__m256i least = _mm256_min_epu8(values, _mm256_set1_epi8(9));
	/* A bit for each byte that is not a digit; those after the 32 bytes are not. */
	uint64_t others = ~herald__equal_in_32(least, values), upper;
	unsigned point = (unsigned)__builtin_ctzll(others);
	unsigned has_point = first[point] == '.';
	unsigned fraction = (unsigned)__builtin_ctzll(others >> point >> 1) & -has_point;
	unsigned end = point + has_point + fraction;

	unsigned has_exponent = (first[end] | 0x20) == 'e';
	unsigned minus = first[end + 1] == '-', plus = first[end + 1] == '+';
	unsigned start = end + 1 + (minus | plus);
	unsigned count = (unsigned)__builtin_ctzll(others >> (start & 31));
	unsigned wrong = (point - 1 > 22) | ((point > 1) & (*first == '0')) |
			 (has_point & (fraction == 0)) | (point + fraction > HERALD__REAL_DIGITS) |
			 (has_exponent & (count - 1 > 2));

	/* A number with so many digits, a point, an e, a sign and three digits more is in `bytes`,
	 * with the byte after it. */
	_Static_assert(HERALD__REAL_DIGITS + 7 <= 32, "`start` needs no check");

	if (!HERALD__LIKELY(wrong == 0))
		return NULL;
	/* With a point, move the digits before it by one, so that it is overwritten. */
	bytes = _mm256_blendv_epi8(herald__load_before(first + end - 1),
				   herald__load_before(first + end),
				   herald__mask_last(fraction + 32 * (1 - has_point)));
	*digits = herald__join_last_digits(bytes, point + fraction, &upper);
	if (upper > UINT64_MAX / HERALD__TEN_TO_16 - 1)
		return NULL;
	*digits += upper * HERALD__TEN_TO_16;
	count &= -has_exponent;

	int64_t power = herald__join_three(first + start, count), sign = -(int64_t)minus;

	*exponent = ((power ^ sign) - sign) - (int64_t)fraction;
	return first + end + ((start + count - end) & -has_exponent);
}
#endif

#endif
