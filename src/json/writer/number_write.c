/*
 * Formatting of numbers as JSON text: the shortest decimals that float.c finds, and integers, whose
 * digits are in integer_write.h.
 */
#include "json/writer/number_write.h"

#include <math.h>
#include <string.h>

#include "base/attributes.h"
#include "base/simd.h"
#include "json/float.h"
#include "json/writer/integer_write.h"

#ifdef HERALD__SSE2
#include <emmintrin.h>
#endif

#define TEN_TO_15 (HERALD__TEN_TO_8 * 10000000)

char *
herald__write_natural(uint64_t value, char *out)
{
	return herald__append_natural(value, out);
}

char *
herald__write_integer(int64_t value, char *out)
{
	return herald__append_integer(value, out);
}

/* Decimals whose point is between these places are written without an exponent. */
#define LEAST_PLAIN (-4)
#define GREATEST_PLAIN 21

/* The powers of two between which split_short() is tried. Its scale is then a power of ten that a
 * double holds exactly. */
#define LEAST_SHORT (-24)
#define GREATEST_SHORT 48

/* A double as 0.DIGITS * 10^point. It never needs more than 17 digits. */
#define DIGITS 17

/* Sixteen digits as text. */
#ifdef HERALD__SSE2
typedef __m128i sixteen;
#else
typedef struct {
	uint64_t words[2];
} sixteen;
#endif

struct digits {
	sixteen text;  /* the first sixteen digits */
	char last;     /* the seventeenth digit */
	int32_t count; /* without trailing zeros */
	int32_t point;
};

#ifdef HERALD__SSE2
/*
 * The sixteen digits of two values below 10^8, and their number without trailing zeros, at least 1.
 * Does what herald__eight_digits() does for both values at once.
 */
static inline sixteen
split_sixteen(uint64_t high, uint64_t low, int32_t *count)
{
	__m128i value = _mm_set_epi64x((long long)low, (long long)high);
	__m128i hundred = _mm_set1_epi32(100);
	/* value / 10000; the factor is 2^45 / 10000 rounded up. */
	__m128i upper = _mm_srli_epi64(_mm_mul_epu32(value, _mm_set1_epi64x(3518437209)), 45);
	__m128i lower = _mm_sub_epi32(value, _mm_mul_epu32(upper, _mm_set1_epi64x(10000)));
	__m128i fours = _mm_or_si128(upper, _mm_slli_epi64(lower, 32));
	__m128i hundreds = _mm_srli_epi16(_mm_mulhi_epu16(fours, _mm_set1_epi16(5243)), 3);
	__m128i rest = _mm_sub_epi16(fours, _mm_madd_epi16(hundreds, hundred));
	__m128i pairs = _mm_or_si128(hundreds, _mm_slli_epi32(rest, 16));
	__m128i tens = _mm_mulhi_epu16(pairs, _mm_set1_epi16(6554));
	/* The tens plus 256 times the ones, where the ones are the pairs minus ten times the
	 * tens. */
	__m128i digits = _mm_add_epi16(_mm_slli_epi16(pairs, 8),
				       _mm_mullo_epi16(tens, _mm_set1_epi16(1 - 10 * 256)));
	uint32_t counts = (uint32_t)_mm_movemask_epi8(_mm_cmpgt_epi8(digits, _mm_setzero_si128()));

	*count = 32 - __builtin_clz(counts | 1);
	return _mm_or_si128(digits, _mm_set1_epi8('0'));
}

static inline void
store_sixteen(char *out, sixteen text)
{
	_mm_storeu_si128((__m128i *)(void *)out, text);
}

static inline uint64_t
first_eight(sixteen text)
{
	return (uint64_t)_mm_cvtsi128_si64(text);
}
#else
static inline sixteen
split_sixteen(uint64_t high, uint64_t low, int32_t *count)
{
	sixteen digits = {{herald__eight_digits(high), herald__eight_digits(low)}};

	/* The last byte other than 0 is the last significant digit. */
	*count = digits.words[1] != 0 ? 16 - __builtin_clzll(digits.words[1]) / 8
				      : 8 - __builtin_clzll(digits.words[0] | 1) / 8;
	digits.words[0] += HERALD__ASCII_ZEROS;
	digits.words[1] += HERALD__ASCII_ZEROS;
	return digits;
}

static inline void
store_sixteen(char *out, sixteen text)
{
	herald__store_word(out, text.words[0]);
	herald__store_word(out + 8, text.words[1]);
}

static inline uint64_t
first_eight(sixteen text)
{
	return text.words[0];
}
#endif

static inline void
split(struct herald__decimal decimal, struct digits *out)
{
	uint64_t value = decimal.digits, tens, high;

	out->point = decimal.exponent + DIGITS;
	/* Most values have 16 or 17 digits. Subnormals have fewer, and so may floats, which have
	 * been multiplied by 10^8. */
	for (; value < HERALD__TEN_TO_16 / 10; out->point--)
		value *= 10;
	out->point -= value < HERALD__TEN_TO_16;
	value += value * 9 & -(uint64_t)(value < HERALD__TEN_TO_16);
	tens = value / 10;
	high = tens / HERALD__TEN_TO_8;
	out->text = split_sixteen(high, tens - high * HERALD__TEN_TO_8, &out->count);
	out->last = (char)('0' + (value - tens * 10));
	if (out->last != '0')
		out->count = DIGITS;
}

/* 10^-7 and up; exact from 10^0 on. */
static const double powers_of_ten[] = {
	1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
	1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};
#define POWER_OF_TEN(exponent) powers_of_ten[(exponent) + 7]

/*
 * Format a number with at most fifteen significant digits, as nearly all measured or chosen numbers
 * have. Computes the nearest number with fifteen digits, then checks that it reads as the same
 * value: its quotient by a power of ten, both held exactly by doubles, must round to the value. No
 * other number with fifteen digits reads as the same value, so no shorter one exists. Returns false
 * for other numbers: those with 16 or 17 digits, and very large or very small ones.
 */
static inline bool
split_short(double value, uint64_t bits, struct digits *out)
{
	/* 10^first <= 2^power <= value, so the first digit is at 10^first or 10^(first + 1). */
	int32_t power = (int32_t)(bits >> 52) - 1023, first = (power * 1233) >> 12;
	uint64_t digits, high;
	double scale;

	if (power < LEAST_SHORT || power > GREATEST_SHORT || !herald__divides_to_nearest())
		return false;
	first += value >= POWER_OF_TEN(first + 1);
	scale = POWER_OF_TEN(14 - first);
	digits = (uint64_t)(int64_t)(value * scale + 0.5);
	if (digits >= TEN_TO_15 || (double)(int64_t)digits / scale != value)
		return false;
	high = digits / (HERALD__TEN_TO_8 / 10);
	out->text =
		split_sixteen(high, (digits - high * (HERALD__TEN_TO_8 / 10)) * 10, &out->count);
	out->last = '0';
	out->point = first + 1;
	return true;
}

/* Write all digits, including trailing zeros. */
static inline void
put_digits(char *out, const struct digits *digits)
{
	store_sixteen(out, digits->text);
	out[16] = digits->last;
}

/* D.DDDDe+N */
HERALD__NOT_INLINE static char *
put_scientific(char *out, const struct digits *digits)
{
	put_digits(out + 1, digits);
	out[0] = out[1];
	out[1] = '.';
	out += digits->count > 1 ? digits->count + 1 : 1;
	*out++ = 'e';
	return herald__write_integer(digits->point - 1, out);
}

/* Write a number whose point comes after the eighth digit or later. */
HERALD__NOT_INLINE static char *
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

/*
 * The layout of a number whose point comes before or within its first seven digits: the digits that
 * `before` selects, then `between`, then the other digits, moved by `shift`.
 */
struct layout {
	uint64_t before, between;
	uint32_t shift; /* bytes */
};

#define BYTE(n) (UINT64_C(1) << 8 * (n))
#define AFTER(n)                                                                                   \
	{                                                                                          \
		BYTE(n) - 1, BYTE(n) * '.', 1                                                      \
	}
#define ZEROS(n) (((BYTE(n) - 1) / 255 * '0') << 16 | '.' << 8 | '0')

/* By the place of the point, from LEAST_PLAIN on. */
static const struct layout layouts[] = {
	{0, ZEROS(4), 6}, {0, ZEROS(3), 5}, {0, ZEROS(2), 4}, {0, ZEROS(1), 3},
	{0, ZEROS(0), 2}, AFTER(1),         AFTER(2),         AFTER(3),
	AFTER(4),         AFTER(5),         AFTER(6),         AFTER(7),
};

/*
 * Stores all digits where those after the point belong, then overwrites the first eight bytes. This
 * avoids loading text that was just stored, which would stall. Uses masks because a branch on
 * whether digits come before the point would be unpredictable.
 */
static inline char *
put_decimal(char *out, const struct digits *digits)
{
	int32_t point = digits->point;
	const struct layout *layout;
	uint64_t word;

	if (point < LEAST_PLAIN || point > 7)
		return point < LEAST_PLAIN || point > GREATEST_PLAIN ? put_scientific(out, digits)
								     : put_large(out, digits);
	layout = &layouts[point - LEAST_PLAIN];
	word = first_eight(digits->text);
	put_digits(out + layout->shift, digits);
	herald__store_word(out, (word & layout->before) | layout->between |
					(word & ~layout->before) << layout->shift * 8);
	return out + (digits->count > point ? digits->count + (int32_t)layout->shift : point);
}

/* Format a number that split_short() refuses. Not inlined, so that the usual case saves no
 * registers for it. */
HERALD__NOT_INLINE static char *
write_long(uint64_t bits, char *out)
{
	struct digits digits;

	if (bits == 0) {
		*out = '0';
		return out + 1;
	}
	split(herald__from_double(bits), &digits);
	return put_decimal(out, &digits);
}

char *
herald__write_double(double value, char *out)
{
	struct digits digits;
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	*out = '-';
	out += bits >> 63;
	bits &= ~(UINT64_C(1) << 63);
	if (!split_short(fabs(value), bits, &digits))
		return write_long(bits, out);
	return put_decimal(out, &digits);
}

char *
herald__write_float(float value, char *out)
{
	struct herald__decimal decimal;
	struct digits digits;
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	*out = '-';
	out += bits >> 31;
	bits &= ~(UINT32_C(1) << 31);
	if (bits == 0)
		return write_long(0, out);
	/* At most nine digits: scale them up to nearly the number that a double has. */
	decimal = herald__from_float(bits);
	decimal.digits *= HERALD__TEN_TO_8;
	decimal.exponent -= 8;
	split(decimal, &digits);
	return put_decimal(out, &digits);
}
