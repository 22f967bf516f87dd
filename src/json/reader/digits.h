/*
 * Decimal digits, eight at a time in one word. Only where the first byte is the lowest of a word:
 * HERALD__DIGITS is not defined elsewhere. Private.
 */
#ifndef HERALD_SRC_JSON_READER_DIGITS_H
#define HERALD_SRC_JSON_READER_DIGITS_H

#include <stdint.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HERALD__DIGITS

#include "base/words.h"

/* A word with a nonzero byte for each byte that is not a digit. Bytes after the first such byte may
 * be wrong. For a digit, the upper four bits are 3, and remain 3 when 6 is added. */
static inline uint64_t
herald__find_no_digits(uint64_t word)
{
	const uint64_t upper = UINT64_C(0xF0F0F0F0F0F0F0F0), three = UINT64_C(0x3030303030303030);

	return ((word & upper) ^ three) | (((word + UINT64_C(0x0606060606060606)) & upper) ^ three);
}

/* The value of eight digits in memory order. Combines neighbours three times: to two, four and
 * eight digits. Bytes of '\0' before the first digit count as zeros. */
static inline uint64_t
herald__join_digits(uint64_t word)
{
	word &= UINT64_C(0x0F0F0F0F0F0F0F0F);
	word = word * 10 + (word >> 8);
	return ((word & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
		(word >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
	       32;
}

/* Powers of ten, for the digits of the last word. */
static const uint32_t herald__ten_to[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

/*
 * Read up to eighteen digits at `at`, where nineteen bytes must be readable. Returns how many there
 * are, and their value in *value; 19 if there are more.
 */
static inline unsigned
herald__read_few_digits(const char *at, uint64_t *value)
{
	uint64_t word = herald__load64(at), others = herald__find_no_digits(word);
	unsigned count;

	if (others != 0) {
		count = (unsigned)__builtin_ctzll(others) / 8;
		*value = count == 0 ? 0 : herald__join_digits(word << (64 - 8 * count));
		return count;
	}
	*value = herald__join_digits(word);
	word = herald__load64(at + 8);
	others = herald__find_no_digits(word);
	if (others != 0) {
		if ((count = (unsigned)__builtin_ctzll(others) / 8) > 0)
			*value = *value * herald__ten_to[count] +
				 herald__join_digits(word << (64 - 8 * count));
		return 8 + count;
	}
	*value = *value * 100000000 + herald__join_digits(word);
	for (count = 16; (unsigned char)(at[count] - '0') <= 9; count++) {
		if (count == 18)
			return 19;
		*value = *value * 10 + (uint64_t)(at[count] - '0');
	}
	return count;
}
#endif

#endif
