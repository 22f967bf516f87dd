/*
 * UTF-8 checked, sixteen bytes at a time where the processor can look bytes up in a register. Says
 * whether a text is valid; where it is not is found by whoever reports it, sequence by sequence.
 */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

#include "key.h"

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

#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
#include <immintrin.h>

/*
 * What can be wrong with a byte after the one before it. Each of three tables knows, for four bits of
 * the two, which of these they allow; what all three allow is wrong. (John Keiser and Daniel Lemire,
 * "Validating UTF-8 In Less Than One Instruction Per Byte", 2021.)
 */
enum {
	TOO_SHORT = 1,       /* a lead byte, and no continuation */
	TOO_LONG = 2,        /* ASCII, and a continuation */
	OVERLONG_3 = 4,      /* E0 80..9F */
	TOO_LARGE = 8,       /* F4 90.., F5.. */
	SURROGATE = 16,      /* ED A0.. */
	OVERLONG_2 = 32,     /* C0, C1 */
	OVERLONG_4 = 64,     /* F0 80..8F; and F5.. with 80..8F */
	CONTINUATIONS = 128, /* two: right only after the lead of a longer sequence */
	ANY = TOO_SHORT | TOO_LONG | CONTINUATIONS,
};

#define FOUR(a) a, a, a, a
#define EIGHT(a) FOUR(a), FOUR(a)

/* By the upper and the lower four bits of the first byte, and the upper four of the second. */
static const uint8_t first_upper[16] = {
	EIGHT(TOO_LONG),
	FOUR(CONTINUATIONS),
	TOO_SHORT | OVERLONG_2,
	TOO_SHORT,
	TOO_SHORT | OVERLONG_3 | SURROGATE,
	TOO_SHORT | TOO_LARGE | OVERLONG_4,
};
static const uint8_t first_lower[16] = {
	ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
	ANY | OVERLONG_2,
	ANY,
	ANY,
	ANY | TOO_LARGE,
	EIGHT(ANY | TOO_LARGE | OVERLONG_4),
	ANY | TOO_LARGE | OVERLONG_4 | SURROGATE,
	ANY | TOO_LARGE | OVERLONG_4,
	ANY | TOO_LARGE | OVERLONG_4,
};
static const uint8_t second_upper[16] = {
	EIGHT(TOO_SHORT),
	TOO_LONG | OVERLONG_2 | CONTINUATIONS | OVERLONG_3 | OVERLONG_4,
	TOO_LONG | OVERLONG_2 | CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
	TOO_LONG | OVERLONG_2 | CONTINUATIONS | SURROGATE | TOO_LARGE,
	TOO_LONG | OVERLONG_2 | CONTINUATIONS | SURROGATE | TOO_LARGE,
	FOUR(TOO_SHORT),
};

/* Not zero where something is wrong in `bytes`, which follow `before`. */
__attribute__((target("ssse3"))) static inline __m128i
find_faults(__m128i bytes, __m128i before)
{
	const __m128i four_bits = _mm_set1_epi8(0x0F);
	__m128i first = _mm_alignr_epi8(bytes, before, 15);
	__m128i second = _mm_alignr_epi8(bytes, before, 14);
	__m128i third = _mm_alignr_epi8(bytes, before, 13);
	__m128i faults = _mm_and_si128(
		_mm_and_si128(_mm_shuffle_epi8(
				      _mm_loadu_si128((const __m128i *)(const void *)first_upper),
				      _mm_and_si128(_mm_srli_epi16(first, 4), four_bits)),
			      _mm_shuffle_epi8(
				      _mm_loadu_si128((const __m128i *)(const void *)first_lower),
				      _mm_and_si128(first, four_bits))),
		_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)second_upper),
				 _mm_and_si128(_mm_srli_epi16(bytes, 4), four_bits)));
	/* The third byte of a sequence of three, and the third and fourth of four, have to be there. */
	__m128i long_leads = _mm_or_si128(_mm_subs_epu8(second, _mm_set1_epi8((char)(0xE0 - 0x80))),
					  _mm_subs_epu8(third, _mm_set1_epi8((char)(0xF0 - 0x80))));

	return _mm_xor_si128(_mm_and_si128(long_leads, _mm_set1_epi8((char)0x80)), faults);
}

/* Whether a sequence begins in the last three bytes that does not end in them. */
static inline bool
is_cut_off(const char *end)
{
	return (unsigned char)end[-1] >= 0xC0 || (unsigned char)end[-2] >= 0xE0 ||
	       (unsigned char)end[-3] >= 0xF0;
}

/* Less than 16 bytes, and NULs behind them; in registers, as a copy would be read before it is written. */
static inline __m128i
load_few(const char *text, size_t bytes)
{
	uint64_t low = 0, high = 0;

	if (bytes >= 8) {
		low = herald__load64(text);
		high = bytes > 8 ? herald__load64(text + bytes - 8) >> 8 * (16 - bytes) : 0;
	} else if (bytes >= 4) {
		low = herald__load32(text) | (uint64_t)herald__load32(text + bytes - 4)
						     << 8 * (bytes - 4);
	} else if (bytes > 0) {
		low = (unsigned char)text[0] |
		      (uint64_t)(unsigned char)text[bytes / 2] << 8 * (bytes / 2) |
		      (uint64_t)(unsigned char)text[bytes - 1] << 8 * (bytes - 1);
	}
	return _mm_set_epi64x((long long)high, (long long)low);
}

__attribute__((target("ssse3"))) static bool
is_utf8_quickly(const char *text, size_t bytes)
{
	__m128i before = _mm_setzero_si128(), faults = before, last;
	const char *begin = text, *end = text + bytes;

	for (; end - text >= 16; text += 16) {
		__m128i block = _mm_loadu_si128((const __m128i *)(const void *)text);

		/* Where all is ASCII, and was before, nothing can be wrong. */
		if (_mm_movemask_epi8(_mm_or_si128(block, before)) == 0)
			continue;
		faults = _mm_or_si128(faults, find_faults(block, before));
		before = block;
	}
	if (end - begin >= 32) {
		/* The last ones once more, so that nothing is read that was just written. */
		last = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
		before = _mm_loadu_si128((const __m128i *)(const void *)(end - 32));
		if (is_cut_off(end))
			return false;
	} else {
		/* NULs, of which there is at least one, end a sequence that should go on. */
		last = load_few(text, (size_t)(end - text));
	}
	faults = _mm_or_si128(faults, find_faults(last, before));
	return _mm_movemask_epi8(_mm_cmpeq_epi8(faults, _mm_setzero_si128())) == 0xFFFF;
}

__attribute__((target("avx2"))) static inline __m256i
load_32(const char *text)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)text);
}

/* A table in both halves. */
__attribute__((target("avx2"))) static inline __m256i
load_table(const uint8_t *table)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

/* The same for 32 bytes. */
__attribute__((target("avx2"))) static inline __m256i
find_faults_in_32(__m256i bytes, __m256i before)
{
	const __m256i four_bits = _mm256_set1_epi8(0x0F);
	/* Shifting goes by halves: what comes before each half. */
	__m256i halves = _mm256_permute2x128_si256(before, bytes, 0x21);
	__m256i first = _mm256_alignr_epi8(bytes, halves, 15);
	__m256i second = _mm256_alignr_epi8(bytes, halves, 14);
	__m256i third = _mm256_alignr_epi8(bytes, halves, 13);
	__m256i faults = _mm256_and_si256(
		_mm256_and_si256(_mm256_shuffle_epi8(
					 load_table(first_upper),
					 _mm256_and_si256(_mm256_srli_epi16(first, 4), four_bits)),
				 _mm256_shuffle_epi8(load_table(first_lower),
						     _mm256_and_si256(first, four_bits))),
		_mm256_shuffle_epi8(load_table(second_upper),
				    _mm256_and_si256(_mm256_srli_epi16(bytes, 4), four_bits)));
	__m256i long_leads =
		_mm256_or_si256(_mm256_subs_epu8(second, _mm256_set1_epi8((char)(0xE0 - 0x80))),
				_mm256_subs_epu8(third, _mm256_set1_epi8((char)(0xF0 - 0x80))));

	return _mm256_xor_si256(_mm256_and_si256(long_leads, _mm256_set1_epi8((char)0x80)), faults);
}

/* At least 64 bytes. */
__attribute__((target("avx2"))) static bool
is_utf8_avx2(const char *text, size_t bytes)
{
	const char *end = text + bytes;
	__m256i before = _mm256_setzero_si256(), faults = before;

	for (; end - text >= 64; text += 64) {
		__m256i low = load_32(text), high = load_32(text + 32);

		/* Where all is ASCII, and was before, nothing can be wrong. */
		if (_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(low, high), before)) == 0)
			continue;
		faults = _mm256_or_si256(faults, find_faults_in_32(low, before));
		faults = _mm256_or_si256(faults, find_faults_in_32(high, low));
		before = high;
	}
	/* The last 64 once more: what is wrong between them and those before has been found, but for the
	 * three bytes at the end. */
	faults = _mm256_or_si256(faults, find_faults_in_32(load_32(end - 32), load_32(end - 64)));
	if (end - text > 32)
		faults = _mm256_or_si256(faults, find_faults_in_32(load_32(text), before));
	return _mm256_testz_si256(faults, faults) && !is_cut_off(end);
}
#endif

bool
herald__is_utf8(const char *text, size_t bytes)
{
#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
	if (bytes >= 64 && __builtin_cpu_supports("avx2"))
		return is_utf8_avx2(text, bytes);
	if (__builtin_cpu_supports("ssse3"))
		return is_utf8_quickly(text, bytes);
#endif
	return is_utf8_slowly(text, bytes);
}
