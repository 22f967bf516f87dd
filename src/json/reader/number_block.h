/*
 * The numbers in 64 bytes of a list, found all at once, for processors with AVX2. Private.
 *
 * How it works. Vector comparisons give masks, which have a bit for each byte of the block: is it a
 * digit, a comma, white space? A few operations on these masks find where the numbers begin and
 * end, and whether everything between them is as the grammar says (RFC 8259 sections 5 and 6).
 * Where a number begins is then known before the number ahead of it has been read, so a processor
 * reads several of them at a time; white space costs nothing.
 *
 * All digits of a number are converted at once: a vector of 32 bytes is loaded so that it ends
 * where the number ends, and the bytes before the number become zeros.
 */
#ifndef HERALD_SRC_JSON_READER_NUMBER_BLOCK_H
#define HERALD_SRC_JSON_READER_NUMBER_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/simd.h"
#include "json/powers.h"

#ifdef HERALD__AVX2
#include <immintrin.h>

/* The bytes that must be readable from the start of a block on, and before it. */
#define HERALD__NUMBERS_AFTER 64
#define HERALD__NUMBERS_BEFORE 33

/* The most digits of a number: those that the last three words of a vector hold. */
#define HERALD__NUMBER_DIGITS 24
#define HERALD__REAL_DIGITS 23 /* 22 after the point */

/* The numbers of a block that are complete and valid: their minus, digits and point, and the comma
 * or bracket behind them. In each mask, the lowest bit is of the number to be read next. */
struct herald__number_block {
	uint64_t firsts; /* the first digits */
	uint64_t ends;   /* the bytes after the last digits */
	uint64_t points;
	unsigned next; /* where the next element begins; 0 if the first one cannot be read here */
	bool closed;   /* the last of them is followed by a bracket, at `next` - 1 */
};

/* What the bytes of a block are. */
struct herald__number_bytes {
	uint64_t digits, zeros, minus, points, commas, spaces;
};

HERALD__AVX2 static HERALD__INLINE uint64_t
herald__equal_in_32(__m256i bytes, __m256i others)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, others));
}

/* Set the bits of 32 bytes, of which the first one has the bit `shift`. */
HERALD__AVX2 static HERALD__INLINE void
herald__classify_32(struct herald__number_bytes *out, const char *at, unsigned shift,
		    bool with_points)
{
	/* White space is at the place in the table that its lower four bits give. */
	const __m256i table =
		_mm256_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0, ' ', 0,
				 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0);
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
	__m256i values = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
	__m256i least = _mm256_min_epu8(values, _mm256_set1_epi8(9));

	out->digits |= herald__equal_in_32(least, values) << shift;
	out->zeros |= herald__equal_in_32(bytes, _mm256_set1_epi8('0')) << shift;
	out->minus |= herald__equal_in_32(bytes, _mm256_set1_epi8('-')) << shift;
	out->commas |= herald__equal_in_32(bytes, _mm256_set1_epi8(',')) << shift;
	out->spaces |= herald__equal_in_32(_mm256_shuffle_epi8(table, bytes), bytes) << shift;
	if (with_points)
		out->points |= herald__equal_in_32(bytes, _mm256_set1_epi8('.')) << shift;
}

/* Where a run of set bits of `mask` ends that begins at a bit of `starts`. */
static inline uint64_t
herald__ends_of_runs(uint64_t starts, uint64_t mask)
{
	/* Adding its lowest bit to a run clears it, and sets the bit after it. */
	return ((starts & mask) + mask) & ~mask;
}

/* Where an element begins after the byte `last`: after any white space. */
static inline unsigned
herald__next_element(uint64_t spaces, unsigned last)
{
	uint64_t others = ~spaces >> last >> 1;

	return others == 0 ? 64 : last + 1 + (unsigned)__builtin_ctzll(others);
}

/*
 * herald__find_numbers() for a block that ends the list, that has no comma, or in which something
 * is not as expected.
 *
 * others      the bytes that are not of numbers, commas or white space
 * mismatches  places where a comma is missing, and commas that are not after a number
 * broken      what is wrong in numbers
 */
HERALD__AVX2 static HERALD__NOT_INLINE struct herald__number_block
herald__find_last_numbers(const char *at, const struct herald__number_bytes *is, uint64_t others,
			  uint64_t mismatches, uint64_t broken, struct herald__number_block block)
{
	uint64_t bracket = 0, wrong, valid;

	if (others != 0 && at[__builtin_ctzll(others)] == ']')
		bracket = others & -others;
	/* Whatever is behind the bracket is not of this list. */
	wrong = (others ^ bracket) | (mismatches ^ bracket) | broken | bracket << 1;
	valid = (is->commas | bracket) & ((wrong & -wrong) - 1);
	if (valid == 0) {
		block.ends = 0;
		block.next = is->spaces == UINT64_MAX ? 64 : (unsigned)__builtin_ctzll(~is->spaces);
		return block;
	}

	unsigned last = 63 - (unsigned)__builtin_clzll(valid);

	block.ends &= UINT64_MAX >> (63 - last);
	block.closed = (bracket >> last & 1) != 0;
	block.next = block.closed ? last + 1 : herald__next_element(is->spaces, last);
	return block;
}

/*
 * Find the numbers in the block at `at`, where an element or white space must be. With `reals` they
 * may have fractions. There are none if the first element is not such a number, or if it does not
 * end in the block.
 */
HERALD__AVX2 static HERALD__INLINE struct herald__number_block
herald__find_numbers(const char *at, bool reals)
{
	struct herald__number_bytes is = {0};

	herald__classify_32(&is, at, 0, reals);
	herald__classify_32(&is, at + 32, 32, reals);

	uint64_t numbers = is.digits | is.minus | is.points;
	uint64_t others = ~(numbers | is.commas | is.spaces);
	/* The first digits of integers and of the integer parts of other numbers. */
	uint64_t firsts = is.digits & ~(is.digits << 1 | is.points << 1);
	uint64_t ends = ~numbers & numbers << 1;
	/* What follows a number after any white space must be a separator, and that is the only
	 * place for one. */
	uint64_t followers = (ends & ~is.spaces) | herald__ends_of_runs(ends, is.spaces);
	uint64_t mismatches = followers ^ is.commas;
	uint64_t broken = (firsts & is.zeros & is.digits >> 1) |
			  (is.minus & (numbers << 1 | ~(is.digits >> 1)));

	if (reals)
		broken |= (is.points & ~(is.digits << 1 & is.digits >> 1)) |
			  (is.points & herald__ends_of_runs(is.points << 1, is.digits));

	struct herald__number_block block = {
		.firsts = firsts,
		.ends = ends,
		.points = is.points,
	};
	unsigned last = 63 - (unsigned)__builtin_clzll(is.commas | 1);
	uint64_t until_last = UINT64_MAX >> (63 - last);

	if (__builtin_expect(
		    is.commas == 0 || others != 0 || ((mismatches | broken) & until_last) != 0, 0))
		return herald__find_last_numbers(at, &is, others, mismatches, broken, block);
	block.ends &= until_last;
	block.next = herald__next_element(is.spaces, last);
	return block;
}

/* A vector of which the last `count` bytes are set begins at `count`. */
static const unsigned char herald__number_masks[64] = {
	[32] = 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
	0xFF,        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
	0xFF,        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
};

HERALD__AVX2 static HERALD__INLINE __m256i
herald__mask_last(unsigned count)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)(herald__number_masks + count));
}

/* Join the last `count` bytes of a vector, which are digits, at most HERALD__NUMBER_DIGITS. Returns
 * the value of the last sixteen, and sets *upper to the value of those before them. */
HERALD__AVX2 static HERALD__INLINE uint64_t
herald__join_last_digits(__m256i bytes, unsigned count, uint64_t *upper)
{
	const __m256i tens = _mm256_set1_epi16(10 | 1 << 8);
	const __m256i hundreds = _mm256_set1_epi32(100 | 1 << 16);
	const __m256i thousands = _mm256_set1_epi32(10000 | 1 << 16);
	__m256i digits = _mm256_and_si256(bytes, herald__mask_last(count));
	__m256i ones = _mm256_subs_epu8(digits, _mm256_set1_epi8('0'));
	__m256i twos = _mm256_maddubs_epi16(ones, tens);
	__m256i fours = _mm256_madd_epi16(twos, hundreds);
	__m256i eights = _mm256_madd_epi16(_mm256_packus_epi32(fours, fours), thousands);
	uint64_t last = (uint64_t)_mm_cvtsi128_si64(_mm256_extracti128_si256(eights, 1));

	*upper = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(eights)) >> 32;
	return (last & UINT32_MAX) * 100000000 + (last >> 32);
}

HERALD__AVX2 static HERALD__INLINE __m256i
herald__load_before(const char *end)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)(end - 32));
}

/* The same for at most sixteen digits. */
HERALD__AVX2 static HERALD__INLINE uint64_t
herald__join_sixteen(const char *end, unsigned count)
{
	const __m128i tens = _mm_set1_epi16(10 | 1 << 8);
	const __m128i hundreds = _mm_set1_epi32(100 | 1 << 16);
	const __m128i thousands = _mm_set1_epi32(10000 | 1 << 16);
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
	__m128i mask =
		_mm_loadu_si128((const __m128i *)(const void *)(herald__number_masks + 16 + count));
	__m128i ones = _mm_subs_epu8(_mm_and_si128(bytes, mask), _mm_set1_epi8('0'));
	__m128i fours = _mm_madd_epi16(_mm_maddubs_epi16(ones, tens), hundreds);
	__m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), thousands);
	uint64_t last = (uint64_t)_mm_cvtsi128_si64(eights);

	return (last & UINT32_MAX) * 100000000 + (last >> 32);
}

/* Read an integer of `count` digits that end at `end`. Returns false if it may not fit. */
HERALD__AVX2 static HERALD__INLINE bool
herald__join_integer(const char *end, unsigned count, uint64_t *out)
{
	uint64_t upper;

	if (count <= 16) {
		*out = herald__join_sixteen(end, count);
		return true;
	}
	if (count > HERALD__NUMBER_DIGITS)
		return false;
	*out = herald__join_last_digits(herald__load_before(end), count, &upper);
	if (upper > INT64_MAX / HERALD__TEN_TO_16 - 1)
		return false;
	*out += upper * HERALD__TEN_TO_16;
	return true;
}

/* Read a number that begins at the byte `first` and ends before `end`, of which the byte `point` is
 * a point if it is before the end. Returns false if it has too many digits; otherwise it is
 * *digits / 10^fraction_digits. */
HERALD__AVX2 static HERALD__INLINE bool
herald__join_real(const char *at, unsigned first, unsigned point, unsigned end, uint64_t *digits,
		  unsigned *fraction_digits)
{
	bool has_point = point < end;
	unsigned fraction = has_point ? end - point - 1 : 0, count = end - first - has_point;
	uint64_t upper;
	__m256i bytes;

	if (count > HERALD__REAL_DIGITS)
		return false;
	/* With a point, move the digits before it by one, so that it is overwritten. */
	bytes = _mm256_blendv_epi8(herald__load_before(at + end - 1), herald__load_before(at + end),
				   herald__mask_last(has_point ? fraction : 32));
	*digits = herald__join_last_digits(bytes, count, &upper);
	if (upper > UINT64_MAX / HERALD__TEN_TO_16 - 1)
		return false;
	*digits += upper * HERALD__TEN_TO_16;
	*fraction_digits = fraction;
	return true;
}

/* Where the number begins that is read next, in the block at `at`. */
static inline char *
herald__next_number(const struct herald__number_block *block, char *at)
{
	at += __builtin_ctzll(block->firsts);
	return at[-1] == '-' ? at - 1 : at;
}
#endif

#endif
