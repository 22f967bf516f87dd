/*
 * Finding the bytes of a string that need a look, sixteen at a time where the
 * machine can. Private. No byte outside the document is read: near its end the
 * last sixteen are read once more.
 */
#ifndef HERALD_SRC_JSON_SIMD_H
#define HERALD_SRC_JSON_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "key.h"

/* What vector code there is; HERALD_NO_SIMD leaves plain C, and HERALD_NO_AVX2 what every x86-64 has. */
#if defined(__SSE2__) && !defined(HERALD_NO_SIMD)
#define HERALD__SSE2
#if defined(__x86_64__) && !defined(HERALD_NO_AVX2)
/* Before functions that may run only where __builtin_cpu_supports("avx2"). */
#define HERALD__AVX2 __attribute__((target("avx2,bmi,bmi2")))
#endif
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(HERALD_NO_SIMD)
#define HERALD__NEON
#endif

#ifdef HERALD__SSE2
#include <emmintrin.h>
#define HERALD__STEP 16
#define HERALD__STEP_BITS 1 /* bits of the mask for one byte */

/* A bit for each byte that is a quote, a backslash, a control character or not
 * ASCII. */
static inline uint64_t
herald__special_mask(const char *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
	__m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
	/* As signed bytes, what is below a space is a control character or not ASCII.
   */
	__m128i others = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), others));
}
#elif defined(HERALD__NEON)
#include <arm_neon.h>
#define HERALD__STEP 16
#define HERALD__STEP_BITS 4

static inline uint64_t
herald__special_mask(const char *at)
{
	int8x16_t bytes = vld1q_s8((const int8_t *)at);
	uint8x16_t special = vorrq_u8(
		vorrq_u8(vceqq_s8(bytes, vdupq_n_s8('"')), vceqq_s8(bytes, vdupq_n_s8('\\'))),
		vcltq_s8(bytes, vdupq_n_s8(' ')));

	/* NEON has no movemask; narrowing by four bits leaves a nibble for each byte.
   */
	return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(special), 4)), 0);
}
#else
#define HERALD__STEP 1
#define HERALD__STEP_BITS 1

static inline uint64_t
herald__special_mask(const char *at)
{
	return *at == '"' || *at == '\\' || (signed char)*at < ' ';
}
#endif

#ifdef HERALD__SSE2
/* A bit for each byte that is a quote, a backslash or a control character. */
static inline uint32_t
herald__stop_mask(__m128i bytes)
{
	__m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);

	return (uint32_t)_mm_movemask_epi8(
		_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
					  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
			     controls));
}
#endif

/*
 * The first quote, backslash or control character at or after `at`, or `end`. *non_ascii becomes true
 * when a byte before it is not ASCII; never false.
 */
static inline char *
herald__find_stop(char *at, char *end, bool *non_ascii)
{
#ifdef HERALD__SSE2
	__m128i seen = _mm_setzero_si128();

	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		uint32_t mask = herald__stop_mask(bytes);

		if (mask != 0) {
			uint32_t high = (uint32_t)_mm_movemask_epi8(bytes) & ((mask & -mask) - 1);

			*non_ascii |= (high | (uint32_t)_mm_movemask_epi8(seen)) != 0;
			return at + __builtin_ctz(mask);
		}
		seen = _mm_or_si128(seen, bytes);
	}
	*non_ascii |= _mm_movemask_epi8(seen) != 0;
#endif
	for (; at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' '; at++)
		*non_ascii |= (unsigned char)*at >= 0x80;
	return at;
}

/* Bytes of a window, of which a mask has a bit for each. */
#define HERALD__WINDOW 64

#ifdef HERALD__SSE2
/* The quotes, backslashes and control characters of 16 bytes, and with `high` what is not ASCII. */
static inline uint64_t
herald__stop_block(const char *at, bool high)
{
	if (high)
		return herald__special_mask(at);
	return herald__stop_mask(_mm_loadu_si128((const __m128i *)(const void *)at));
}
#elif defined(HERALD__NEON)
static inline uint64_t
herald__stop_block(const char *at, bool high)
{
	static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128,
					   1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t bytes = vld1q_u8((const uint8_t *)at);
	uint8x16_t stops = vorrq_u8(
		vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('"')), vceqq_u8(bytes, vdupq_n_u8('\\'))),
		vcltq_u8(bytes, vdupq_n_u8(' ')));

	if (high)
		stops = vorrq_u8(stops, vcgeq_u8(bytes, vdupq_n_u8(0x80)));
	/* NEON has no movemask, but adds what is side by side. */
	stops = vandq_u8(stops, vld1q_u8(places));
	return vaddv_u8(vget_low_u8(stops)) | (uint64_t)vaddv_u8(vget_high_u8(stops)) << 8;
}
#else
static inline uint64_t
herald__stop_block(const char *at, bool high)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint64_t)(at[i] == '"' || at[i] == '\\' || (unsigned char)at[i] < ' ' ||
				   (high && (unsigned char)at[i] >= 0x80))
			<< i;
	return mask;
}
#endif

/* The same of a window. */
static inline uint64_t
herald__stop_window(const char *at, bool high)
{
	return herald__stop_block(at, high) | herald__stop_block(at + 16, high) << 16 |
	       herald__stop_block(at + 32, high) << 32 | herald__stop_block(at + 48, high) << 48;
}

/* Move less than sixteen bytes; the places may overlap. */
static inline void
herald__move_short(char *out, const char *at, size_t bytes)
{
	if (bytes >= 8) {
		uint64_t first = herald__load64(at), last = herald__load64(at + bytes - 8);

		memcpy(out, &first, 8);
		memcpy(out + bytes - 8, &last, 8);
	} else if (bytes >= 4) {
		uint32_t first = herald__load32(at), last = herald__load32(at + bytes - 4);

		memcpy(out, &first, 4);
		memcpy(out + bytes - 4, &last, 4);
	} else {
		for (size_t i = 0; i < bytes; i++)
			out[i] = at[i];
	}
}

/*
 * Move bytes towards the front of a document that ends at `document_end`; the places may overlap. The
 * last step is a whole one where that overwrites nothing that is still to be read, and reads nothing that
 * is not there. Returns the place behind the copy.
 */
static inline char *
herald__move_plain(char *out, const char *at, size_t bytes, const char *document_end)
{
	char *end = out + bytes;

	if (out == at)
		return end;
	if (at - out >= 16 && document_end - at >= (ptrdiff_t)bytes + 16) {
		for (; out < end; out += 16, at += 16)
			memcpy(out, at, 16);
		return end;
	}
	for (; end - out >= 16; out += 16, at += 16) {
		char step[16];

		memcpy(step, at, 16);
		memcpy(out, step, 16);
	}
	herald__move_short(out, at, (size_t)(end - out));
	return end;
}

#ifdef HERALD__SSE2
#define HERALD__BLOCK                                                                              \
	16 /* bytes that herald__find_brackets() takes; not defined where there is none */

/* What is in a block of a value: a bit for each bracket that is not in a string. */
struct herald__brackets {
	uint32_t opening, closing;
	bool backslashes; /* there is one: the rest counts only without */
	bool in_string;   /* whether the byte after the block is in one */
};

static inline struct herald__brackets
herald__find_brackets(const char *at, bool in_string)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	/* '[' and '{', as ']' and '}', differ only in the bit that makes capitals small. */
	__m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
	uint32_t inside = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));

	/* Each bit becomes the parity of the quotes up to it: it is set within strings. */
	inside ^= inside << 1;
	inside ^= inside << 2;
	inside ^= inside << 4;
	inside ^= inside << 8;
	inside ^= in_string ? 0xFFFF : 0;
	return (struct herald__brackets){
		.opening = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{'))) &
			   ~inside,
		.closing = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}'))) &
			   ~inside,
		.backslashes = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))) != 0,
		.in_string = (inside >> 15 & 1) != 0,
	};
}
#endif

/* Not 0 when one of the bytes of a word is a quote, a backslash, a control character or not ASCII. */
static inline uint64_t
herald__special_word(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
	uint64_t quotes = word ^ ones * '"', backslashes = word ^ ones * '\\';

	return (((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes) |
		((word - ones * ' ') & ~word) | word) &
	       highs;
}

/* Copy a text of less than sixteen bytes when nothing in it is special. Returns whether it was. */
static inline bool
herald__copy_short(char *out, const char *text, size_t bytes)
{
	uint64_t first, last;

	if (bytes >= 8) {
		first = herald__load64(text);
		last = herald__load64(text + bytes - 8);
		memcpy(out, &first, 8);
		memcpy(out + bytes - 8, &last, 8);
		return (herald__special_word(first) | herald__special_word(last)) == 0;
	}
	if (bytes >= 4) {
		uint32_t left = herald__load32(text), right = herald__load32(text + bytes - 4);

		memcpy(out, &left, 4);
		memcpy(out + bytes - 4, &right, 4);
		return herald__special_word((uint64_t)left << 32 | right) == 0;
	}
	first = UINT64_C(0x2020202020202020);
	for (size_t i = 0; i < bytes; i++) {
		out[i] = text[i];
		first = first << 8 | (unsigned char)text[i];
	}
	return herald__special_word(first) == 0;
}

/*
 * Copy a text up to a place that is returned, and before which nothing is special: `end`, or else not
 * behind the first special byte. `out` has room for all of it.
 */
static inline const char *
herald__copy_plain(char *out, const char *text, const char *end)
{
	size_t bytes = (size_t)(end - text);
	const char *at = text;

	if (bytes < 16)
		return herald__copy_short(out, text, bytes) ? end : text;
#if HERALD__STEP == 16
	uint64_t mask;

	for (; end - at >= 16; at += 16) {
		mask = herald__special_mask(at);
		memcpy(out + (at - text), at, 16);
		if (mask != 0)
			return at + __builtin_ctzll(mask) / HERALD__STEP_BITS;
	}
	if (at == end)
		return end;
	mask = herald__special_mask(end - 16) >> (16 - (end - at)) * HERALD__STEP_BITS;
	memcpy(out + bytes - 16, end - 16, 16);
	return mask == 0 ? end : at + __builtin_ctzll(mask) / HERALD__STEP_BITS;
#else
	for (; at < end && *at != '"' && *at != '\\' && (signed char)*at >= ' '; at++)
		out[at - text] = *at;
	return at;
#endif
}

#endif
