/*
 * Writing of integers, inline for the encoder's loops; other formatting is in number_write.c. Eight
 * digits at a time are computed by multiplications in one word, without a loop or a branch on their
 * number. Private.
 */
#ifndef HERALD_SRC_JSON_WRITER_INTEGER_WRITE_H
#define HERALD_SRC_JSON_WRITER_INTEGER_WRITE_H

#include <stdint.h>
#include <string.h>

#define HERALD__ASCII_ZEROS UINT64_C(0x3030303030303030)
#define HERALD__TEN_TO_8 UINT64_C(100000000)
#define HERALD__TEN_TO_16 (HERALD__TEN_TO_8 * HERALD__TEN_TO_8)

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

/* Write a value without leading zeros. Stores up to seven bytes more than its digits; returns the
 * place after the last one. */
static inline char *
herald__append_natural(uint64_t value, char *out)
{
	if (value < HERALD__TEN_TO_8)
		return herald__append_short(value, out);
	if (value < HERALD__TEN_TO_16)
		return herald__append_eight(value % HERALD__TEN_TO_8,
					    herald__append_short(value / HERALD__TEN_TO_8, out));
	out = herald__append_short(value / HERALD__TEN_TO_16, out);
	value %= HERALD__TEN_TO_16;
	return herald__append_eight(value % HERALD__TEN_TO_8,
				    herald__append_eight(value / HERALD__TEN_TO_8, out));
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
