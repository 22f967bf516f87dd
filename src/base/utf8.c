/*
 * Validation of UTF-8, many bytes at a time if the processor can look up bytes in a register (AVX2,
 * found out at run time, or NEON). Says only whether a text is valid. The callers find the wrong
 * byte themselves, one sequence at a time.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#include "base/simd.h"
#include "base/utf8_vector.h"
#include "base/words.h"

size_t
herald__utf8_sequence(const char *at, const char *end)
{
	const unsigned char *byte = (const unsigned char *)at;
	size_t left = (size_t)(end - at);

#define CONTINUES(i) ((byte[i] & 0xC0) == 0x80)
	if (byte[0] < 0xC2 || byte[0] > 0xF4)
		return 0;
	if (byte[0] < 0xE0)
		return left >= 2 && CONTINUES(1) ? 2 : 0;
	if (byte[0] < 0xF0) {
		if (left < 3 || !CONTINUES(1) || !CONTINUES(2))
			return 0;
		if ((byte[0] == 0xE0 && byte[1] < 0xA0) || (byte[0] == 0xED && byte[1] > 0x9F))
			return 0;
		return 3;
	}
	if (left < 4 || !CONTINUES(1) || !CONTINUES(2) || !CONTINUES(3))
		return 0;
	if ((byte[0] == 0xF0 && byte[1] < 0x90) || (byte[0] == 0xF4 && byte[1] > 0x8F))
		return 0;
	return 4;
#undef CONTINUES
}

static bool
is_utf8_slowly(const char *text, size_t bytes)
{
	const char *end = text + bytes;

	while (text < end) {
		size_t length = 1;

		if (end - text >= 8 && (herald__load64(text) & UINT64_C(0x8080808080808080)) == 0)
			length = 8;
		else if ((unsigned char)*text >= 0x80 &&
			 (length = herald__utf8_sequence(text, end)) == 0)
			return false;
		text += length;
	}
	return true;
}

#if defined(HERALD__AVX2)
#define QUICK_TARGET HERALD__AVX2
#define HAVE_QUICK herald__has_avx2()
#define BLOCK ((ptrdiff_t)sizeof(__m256i))
typedef __m256i block;
#elif defined(HERALD__NEON)
#include <arm_neon.h>
#define QUICK_TARGET
#define HAVE_QUICK true
#define BLOCK ((ptrdiff_t)sizeof(uint8x16_t))
typedef uint8x16_t block;
#endif

#ifdef BLOCK
#ifdef HERALD__AVX2
QUICK_TARGET static inline block
load(const char *text)
{
	return _mm256_loadu_si256((const block *)(const void *)text);
}

QUICK_TARGET static inline block
zeros(void)
{
	return _mm256_setzero_si256();
}

QUICK_TARGET static inline block
either(block a, block b)
{
	return _mm256_or_si256(a, b);
}

QUICK_TARGET static inline bool
is_ascii(block bytes)
{
	return _mm256_movemask_epi8(bytes) == 0;
}

QUICK_TARGET static inline bool
is_zero(block bytes)
{
	return _mm256_testz_si256(bytes, bytes);
}

QUICK_TARGET static inline block
find_faults(block bytes, block before, const struct herald__utf8_tables *tables)
{
	return herald__find_utf8_faults(bytes, before, tables);
}
#else
static inline block
load(const char *text)
{
	return vld1q_u8((const uint8_t *)text);
}

static inline block
zeros(void)
{
	return vdupq_n_u8(0);
}

static inline block
either(block a, block b)
{
	return vorrq_u8(a, b);
}

static inline bool
is_ascii(block bytes)
{
	return vmaxvq_u8(bytes) < 0x80;
}

static inline bool
is_zero(block bytes)
{
	return vmaxvq_u8(bytes) == 0;
}

/* Compilers load the tables once. */
struct herald__utf8_tables {
	char unused;
};

static inline struct herald__utf8_tables
herald__load_utf8_tables(void)
{
	return (struct herald__utf8_tables){0};
}

static inline block
find_faults(block bytes, block before, const struct herald__utf8_tables *tables)
{
	(void)tables;
	block first = vextq_u8(before, bytes, 15);
	block second = vextq_u8(before, bytes, 14);
	block third = vextq_u8(before, bytes, 13);
	block faults =
		vandq_u8(vandq_u8(vqtbl1q_u8(vld1q_u8(herald__first_upper), vshrq_n_u8(first, 4)),
				  vqtbl1q_u8(vld1q_u8(herald__first_lower),
					     vandq_u8(first, vdupq_n_u8(0x0F)))),
			 vqtbl1q_u8(vld1q_u8(herald__second_upper), vshrq_n_u8(bytes, 4)));
	block long_leads = vorrq_u8(vqsubq_u8(second, vdupq_n_u8(0xE0 - 0x80)),
				    vqsubq_u8(third, vdupq_n_u8(0xF0 - 0x80)));

	return veorq_u8(vandq_u8(long_leads, vdupq_n_u8(0x80)), faults);
}
#endif

/* Whether a sequence begins in the last three bytes and does not end there. */
static inline bool
is_cut_off(const char *end)
{
	return (unsigned char)end[-1] >= 0xC0 || (unsigned char)end[-2] >= 0xE0 ||
	       (unsigned char)end[-3] >= 0xF0;
}

/* Needs at least two blocks. */
QUICK_TARGET static bool
is_utf8_quickly(const char *text, size_t bytes)
{
	const struct herald__utf8_tables tables = herald__load_utf8_tables();
	const char *end = text + bytes;
	block before = zeros(), faults = before;

	for (; end - text >= 2 * BLOCK; text += 2 * BLOCK) {
		block low = load(text), high = load(text + BLOCK);

		/* Only a non-ASCII byte, here or in the block before, can be invalid. */
		if (is_ascii(either(either(low, high), before)))
			continue;
		faults = either(faults, either(find_faults(low, before, &tables),
					       find_faults(high, low, &tables)));
		before = high;
	}
	/* The rest of the last two blocks, then the last block, part of it for the second time. */
	if (end - text > BLOCK)
		faults = either(faults, find_faults(load(text), before, &tables));
	faults = either(faults, find_faults(load(end - BLOCK), load(end - 2 * BLOCK), &tables));
	return is_zero(faults) && !is_cut_off(end);
}
#endif

bool
herald__is_utf8(const char *text, size_t bytes)
{
#ifdef BLOCK
	if (bytes >= 2 * (size_t)BLOCK && HAVE_QUICK)
		return is_utf8_quickly(text, bytes);
#endif
	return is_utf8_slowly(text, bytes);
}
