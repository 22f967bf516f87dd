/*
 * Numbers from C's types to JSON text: integers, and the shortest decimals that binary.c finds. Owns
 * how they look. Eight digits at a time are made by multiplications in one word, without a loop and
 * without a branch on how many there are.
 */
#include <string.h>

#include "binary.h"
#include "number.h"

#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
#include <emmintrin.h>
#endif

#define ONES UINT64_C(0x0101010101010101)
#define ASCII_ZEROS (ONES * '0')
#define TEN_TO_8 UINT64_C(100000000)
#define TEN_TO_16 (TEN_TO_8 * TEN_TO_8)

/* Eight bytes of which the lowest comes first, whatever the machine's order is. */
static inline void
store_word(char *out, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	memcpy(out, &word, sizeof(word));
}

/*
 * The eight digits of a value below 10^8, each a byte of 0 to 9, the first one lowest: split into two
 * halves of four digits, these into pairs, and these into digits, all parts of a step at once. The
 * factors are 2^20 / 100 and 2^10 / 10 rounded up, near enough for as few digits.
 */
static inline uint64_t
eight_digits(uint64_t value)
{
	uint64_t fours = value / 10000 + (value % 10000 << 32);
	uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007F0000007F);
	uint64_t pairs = hundreds + ((fours - hundreds * 100) << 16);
	uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000F000F000F000F);

	return tens + ((pairs - tens * 10) << 8);
}

/* A value below 10^8 without leading zeros. Writes eight bytes; returns how many count. */
static inline size_t
write_short(uint64_t value, char *out)
{
	uint64_t digits = eight_digits(value);
	/* The last digit is written even when it is 0. */
	unsigned zeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;

	store_word(out, (digits + ASCII_ZEROS) >> zeros * 8);
	return 8 - zeros;
}

static inline void
write_eight(uint64_t value, char *out)
{
	store_word(out, eight_digits(value) + ASCII_ZEROS);
}

size_t
herald__write_natural(uint64_t value, char *out)
{
	size_t bytes;

	if (value < TEN_TO_8)
		return write_short(value, out);
	if (value < TEN_TO_16) {
		bytes = write_short(value / TEN_TO_8, out);
		write_eight(value % TEN_TO_8, out + bytes);
		return bytes + 8;
	}
	bytes = write_short(value / TEN_TO_16, out);
	value %= TEN_TO_16;
	write_eight(value / TEN_TO_8, out + bytes);
	write_eight(value % TEN_TO_8, out + bytes + 8);
	return bytes + 16;
}

size_t
herald__write_integer(int64_t value, char *out)
{
	bool negative = value < 0;

	*out = '-';
	return negative +
	       herald__write_natural(negative ? -(uint64_t)value : (uint64_t)value, out + negative);
}

/* Decimals with their point between these places are written without an exponent. */
#define LEAST_PLAIN (-4)
#define GREATEST_PLAIN 21

/* 0.DIGITS * 10^point, with the digits of a double, which never has more. */
#define DIGITS 17

struct digits {
	uint64_t first;    /* the first one, as a number */
	uint64_t words[2]; /* the others, as eight_digits() has them */
	int32_t count;     /* without zeros at the end */
	int32_t point;
};

#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
/*
 * The last sixteen digits, and how many there are in all without zeros at the end: the steps of
 * eight_digits() for both words at once. By it and by a scaling without branches the benchmark
 * `telemetry` takes a sixth less time.
 */
static inline void
split_sixteen(uint64_t high, uint64_t low, struct digits *out)
{
	__m128i value = _mm_set_epi64x((long long)low, (long long)high);
	__m128i hundred = _mm_set1_epi32(100), ten = _mm_set1_epi16(10);
	/* value / 10000: the factor is 2^45 / 10000 rounded up. */
	__m128i upper = _mm_srli_epi64(_mm_mul_epu32(value, _mm_set1_epi64x(3518437209)), 45);
	__m128i lower = _mm_sub_epi32(value, _mm_mul_epu32(upper, _mm_set1_epi64x(10000)));
	__m128i fours = _mm_or_si128(upper, _mm_slli_epi64(lower, 32));
	__m128i hundreds = _mm_srli_epi16(_mm_mulhi_epu16(fours, _mm_set1_epi16(5243)), 3);
	__m128i rest = _mm_sub_epi16(fours, _mm_madd_epi16(hundreds, hundred));
	__m128i pairs = _mm_or_si128(hundreds, _mm_slli_epi32(rest, 16));
	__m128i tens = _mm_mulhi_epu16(pairs, _mm_set1_epi16(6554));
	__m128i ones = _mm_sub_epi16(pairs, _mm_mullo_epi16(tens, ten));
	__m128i digits = _mm_or_si128(tens, _mm_slli_epi16(ones, 8));
	uint32_t counts = (uint32_t)_mm_movemask_epi8(_mm_cmpgt_epi8(digits, _mm_setzero_si128()));

	out->words[0] = (uint64_t)_mm_cvtsi128_si64(digits);
	out->words[1] = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(digits, digits));
	out->count = 32 - __builtin_clz(counts << 1 | 1);
}
#else
static inline void
split_sixteen(uint64_t high, uint64_t low, struct digits *out)
{
	out->words[0] = eight_digits(high);
	out->words[1] = eight_digits(low);
	/* The last byte that is not 0 is the last digit that counts. */
	if (out->words[1] != 0)
		out->count = DIGITS - __builtin_clzll(out->words[1]) / 8;
	else if (out->words[0] != 0)
		out->count = DIGITS - 8 - __builtin_clzll(out->words[0]) / 8;
	else
		out->count = 1;
}
#endif

static inline void
split(struct herald__decimal decimal, struct digits *out)
{
	uint64_t value = decimal.digits, nine;

	out->point = decimal.exponent + DIGITS;
	/* Most have 16 or 17 digits; less have subnormals and, eight of them added already, floats. */
	for (; value < TEN_TO_16 / 10; out->point--)
		value *= 10;
	out->point -= value < TEN_TO_16;
	value += value * 9 & -(uint64_t)(value < TEN_TO_16);
	nine = value / TEN_TO_8;
	out->first = nine / TEN_TO_8;
	split_sixteen(nine - out->first * TEN_TO_8, value - nine * TEN_TO_8, out);
}

/* Write all of them, zeros at the end as well. */
static inline void
put_digits(char *out, const struct digits *digits)
{
	*out = (char)('0' + digits->first);
	store_word(out + 1, digits->words[0] + ASCII_ZEROS);
	store_word(out + 9, digits->words[1] + ASCII_ZEROS);
}

/* D.DDDDe+N */
static char *
put_scientific(char *out, const struct digits *digits)
{
	put_digits(out + 1, digits);
	out[0] = out[1];
	out[1] = '.';
	out += digits->count > 1 ? digits->count + 1 : 1;
	*out++ = 'e';
	return out + herald__write_integer(digits->point - 1, out);
}

/* The point stands behind the eighth digit or later. */
static char *
put_large(char *out, const struct digits *digits)
{
	char text[DIGITS + 16];

	put_digits(text, digits);
	memset(text + DIGITS, '0', sizeof(text) - DIGITS);
	memcpy(out, text, GREATEST_PLAIN);
	if (digits->point >= digits->count)
		return out + digits->point;
	out[digits->point] = '.';
	memcpy(out + digits->point + 1, text + digits->point, DIGITS - 8);
	return out + digits->count + 1;
}

static inline char *
put_decimal(char *out, const struct digits *digits)
{
	int32_t point = digits->point;
	uint64_t before, word;

	if (point >= 1 && point <= 7) {
		/* All digits one place further, and then the first eight bytes once more, with the
		 * digits before the point where they belong: text that was just stored is not loaded
		 * again, which would have to wait. */
		put_digits(out + 1, digits);
		word = (digits->first | digits->words[0] << 8) + ASCII_ZEROS;
		before = (UINT64_C(1) << point * 8) - 1;
		store_word(out,
			   (word & before) | (uint64_t)'.' << point * 8 | (word & ~before) << 8);
		return out + (digits->count > point ? digits->count + 1 : point);
	}
	if (point < LEAST_PLAIN || point > GREATEST_PLAIN)
		return put_scientific(out, digits);
	if (point > 0)
		return put_large(out, digits);
	memcpy(out, "0.000000", 8);
	put_digits(out + 2 - point, digits);
	return out + 2 - point + digits->count;
}

static inline size_t
write_decimal(struct herald__decimal decimal, bool negative, char *out)
{
	struct digits digits;

	split(decimal, &digits);
	*out = '-';
	return (size_t)(put_decimal(out + negative, &digits) - out);
}

static size_t
write_zero(bool negative, char *out)
{
	memcpy(out, "-0", 2);
	if (!negative)
		out[0] = '0';
	return 1 + (size_t)negative;
}

size_t
herald__write_double(double value, char *out)
{
	uint64_t bits;
	bool negative;

	memcpy(&bits, &value, sizeof(bits));
	negative = bits >> 63 != 0;
	bits &= ~(UINT64_C(1) << 63);
	return bits == 0 ? write_zero(negative, out)
			 : write_decimal(herald__from_double(bits), negative, out);
}

size_t
herald__write_float(float value, char *out)
{
	struct herald__decimal decimal;
	uint32_t bits;
	bool negative;

	memcpy(&bits, &value, sizeof(bits));
	negative = bits >> 31 != 0;
	bits &= ~(UINT32_C(1) << 31);
	if (bits == 0)
		return write_zero(negative, out);
	/* Of at most nine digits: most of the way to as many as a double has. */
	decimal = herald__from_float(bits);
	decimal.digits *= TEN_TO_8;
	decimal.exponent -= 8;
	return write_decimal(decimal, negative, out);
}
