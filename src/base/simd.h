/*
 * Vector code to find the special bytes of JSON and to move plain ones, sixteen at a time if the
 * machine can. Reads no byte outside of what it is given. Private.
 */
#ifndef HERALD_SRC_BASE_SIMD_H
#define HERALD_SRC_BASE_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"
#include "base/words.h"

/* The vector instructions to use. HERALD_NO_SIMD selects plain C; HERALD_NO_AVX2 selects SSE2,
 * which every x86-64 has. */
#if defined(__SSE2__) && !defined(HERALD_NO_SIMD)
#define HERALD__SSE2
#if defined(__x86_64__) && !defined(HERALD_NO_AVX2)
/* Put before functions that may be called only if herald__has_avx2(). */
#define HERALD__AVX2 __attribute__((target("avx2,bmi,bmi2")))
#endif
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(HERALD_NO_SIMD)
#define HERALD__NEON
#endif

#ifdef HERALD__SSE2
#include <emmintrin.h>
#elif defined(HERALD__NEON)
#include <arm_neon.h>
#endif

#ifdef HERALD__AVX2
/* A virtual machine may have AVX2 without the others. */
static inline bool
herald__has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2");
}
#endif

#ifdef HERALD__SSE2
/* A bit for each of 16 bytes that is a quote, a backslash or a control character, and, if `high`,
 * not ASCII. */
static inline uint64_t
herald__special_in_16(const char *at, bool high)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
	__m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
	/* In a signed comparison, control characters and non-ASCII bytes are less than a space. */
	__m128i others = high ? _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '))
			      : _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), others));
}
#elif defined(HERALD__NEON)
static inline uint64_t
herald__special_in_16(const char *at, bool high)
{
	static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128,
					   1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t bytes = vld1q_u8((const uint8_t *)at);
	uint8x16_t special = vorrq_u8(
		vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('"')), vceqq_u8(bytes, vdupq_n_u8('\\'))),
		vcltq_u8(bytes, vdupq_n_u8(' ')));

	if (high)
		special = vorrq_u8(special, vcgeq_u8(bytes, vdupq_n_u8(0x80)));
	/* NEON has no movemask; weight the bytes by their bit and add them up. */
	special = vandq_u8(special, vld1q_u8(places));
	return vaddv_u8(vget_low_u8(special)) | (uint64_t)vaddv_u8(vget_high_u8(special)) << 8;
}
#else
static inline uint64_t
herald__special_in_16(const char *at, bool high)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint64_t)(at[i] == '"' || at[i] == '\\' || (unsigned char)at[i] < ' ' ||
				   (high && (unsigned char)at[i] >= 0x80))
			<< i;
	return mask;
}
#endif

#ifdef HERALD__SSE2
#define HERALD__VECTORS

/* A bit for each of 16 bytes that is white space. */
static inline uint32_t
herald__find_spaces(const char *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i blanks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
				      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
	__m128i ends = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')),
				    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(blanks, ends));
}

/* The number of bytes of white space before the first other one, of 16. */
static inline unsigned
herald__count_spaces(const char *at)
{
	return (unsigned)__builtin_ctz(~herald__find_spaces(at));
}
#elif defined(HERALD__NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HERALD__VECTORS

static inline unsigned
herald__count_spaces(const char *at)
{
	uint8x16_t bytes = vld1q_u8((const uint8_t *)at);
	uint8x16_t blanks =
		vorrq_u8(vceqq_u8(bytes, vdupq_n_u8(' ')), vceqq_u8(bytes, vdupq_n_u8('\t')));
	uint8x16_t ends =
		vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('\n')), vceqq_u8(bytes, vdupq_n_u8('\r')));
	/* Four bits for each byte: NEON has no movemask. */
	uint16x8_t spaces = vreinterpretq_u16_u8(vorrq_u8(blanks, ends));
	uint64_t others = ~vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(spaces, 4)), 0);

	return others == 0 ? 16 : (unsigned)__builtin_ctzll(others) / 4;
}
#endif

/* herald__special_in_16() for a window. */
static inline uint64_t
herald__special_in_64(const char *at, bool high)
{
	return herald__special_in_16(at, high) | herald__special_in_16(at + 16, high) << 16 |
	       herald__special_in_16(at + 32, high) << 32 |
	       herald__special_in_16(at + 48, high) << 48;
}

/* The first quote, backslash or control character at or after `at`, or `end`. */
static inline const char *
herald__find_special(const char *at, const char *end)
{
	uint64_t special;

	for (; end - at >= 16; at += 16)
		if ((special = herald__special_in_16(at, false)) != 0)
			return at + (unsigned)__builtin_ctzll(special);
	while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
		at++;
	return at;
}

/* Move fewer than sixteen bytes; the places may overlap. */
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
	} else if (bytes > 0) {
		/* One to three bytes, some of them twice: a loop would be unpredictable. */
		char first = at[0], middle = at[bytes / 2], last = at[bytes - 1];

		out[0] = first;
		out[bytes / 2] = middle;
		out[bytes - 1] = last;
	}
}

/*
 * Move bytes towards the front of a document that ends at `document_end`; the places may overlap.
 * Returns the place after the copy. Moves sixteen bytes at a time, also at the end if that neither
 * overwrites unread bytes nor reads past the document. Always inlined: the checks of
 * _FORTIFY_SOURCE make it look large, but are optimized away.
 */
static HERALD__INLINE char *
herald__move_plain(char *out, const char *at, size_t bytes, const char *document_end)
{
	char *end = out + bytes;
	char step[16], last[16];

	if (at - out >= 16 && document_end - at >= (ptrdiff_t)bytes + 16) {
		do {
			memcpy(out, at, 16);
			out += 16;
			at += 16;
		} while (out < end);
		return end;
	}
	if (out == at)
		return end;
	if (bytes < 16) {
		herald__move_short(out, at, bytes);
		return end;
	}
	/* Load the last bytes first, because the loop may overwrite them. */
	memcpy(last, at + bytes - 16, 16);
	for (; end - out > 16; out += 16, at += 16) {
		memcpy(step, at, 16);
		memcpy(out, step, 16);
	}
	memcpy(end - 16, last, 16);
	return end;
}

#ifdef HERALD__SSE2
/* The bytes that herald__find_brackets() takes; not defined without vector code. */
#define HERALD__BLOCK 64

/* The state at the beginning of a block of a value. */
struct herald__block_state {
	bool in_string;
	bool escaped; /* the byte before is a backslash that escapes */
};

/* The brackets of a block: a bit for each that is not in a string. */
struct herald__brackets {
	uint64_t opening, closing;
};

/* The bytes of a block that are escaped: those after a backslash that is not escaped itself. Sets
 * `state` to the one after the block. */
static inline uint64_t
herald__find_escaped(uint64_t backslashes, struct herald__block_state *state)
{
	uint64_t escaped = state->escaped;

	state->escaped = false;
	for (uint64_t left = backslashes & ~escaped; left != 0;) {
		uint64_t last = left & -left, next = last << 1;

		state->escaped = next == 0;
		escaped |= next;
		left &= (left - 1) & ~next;
	}
	return escaped;
}

/* A bit for each of 16 bytes that is `byte`. */
static inline uint64_t
herald__find_in_16(__m128i bytes, char byte)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte)));
}

/* Find the brackets of a block, and set `state` to the state after it. */
static inline struct herald__brackets
herald__find_brackets(const char *at, struct herald__block_state *state)
{
	struct herald__brackets brackets = {0, 0};
	uint64_t inside = 0, backslashes = 0;

	for (unsigned i = 0; i < HERALD__BLOCK; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
		/* '[' and '{', and ']' and '}', differ only in bit 0x20. */
		__m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));

		inside |= herald__find_in_16(bytes, '"') << i;
		backslashes |= herald__find_in_16(bytes, '\\') << i;
		brackets.opening |= herald__find_in_16(folded, '{') << i;
		brackets.closing |= herald__find_in_16(folded, '}') << i;
	}
	if (backslashes != 0 || state->escaped)
		inside &= ~herald__find_escaped(backslashes, state);
	/* Replace each bit by the parity of the quotes up to it, so that bits within strings are
	 * set. */
	for (unsigned shift = 1; shift < HERALD__BLOCK; shift *= 2)
		inside ^= inside << shift;
	inside ^= state->in_string ? UINT64_MAX : 0;
	state->in_string = inside >> (HERALD__BLOCK - 1) != 0;
	brackets.opening &= ~inside;
	brackets.closing &= ~inside;
	return brackets;
}
#endif

#endif
