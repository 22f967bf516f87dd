/*
 * Writing the text of a JSON string: copying plain text, and a fast path for the rest. Private.
 */
#ifndef HERALD_SRC_JSON_WRITER_STRING_WRITE_H
#define HERALD_SRC_JSON_WRITER_STRING_WRITE_H

#include "base/simd.h"

#ifdef HERALD__SSE2
/* A bit for each byte that is a quote, a backslash, a control character or not ASCII. */
static inline uint32_t
herald__mask_special(__m128i bytes)
{
	/* For those two, either the byte or the difference is negative: cheaper than
	 * comparisons. */
	__m128i others = _mm_or_si128(bytes, _mm_sub_epi8(bytes, _mm_set1_epi8(' ')));

	return (uint32_t)_mm_movemask_epi8(
		_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
					  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
			     others));
}

/*
 * Copy a text shorter than sixteen bytes. Returns whether all of it is plain. Vector registers are
 * faster here than words.
 */
static inline bool
herald__write_short(char *out, const char *text, size_t bytes)
{
	uint32_t word;

	/* Two overlapping copies are faster than a loop. */
	if (bytes >= 8) {
		__m128i first = _mm_loadl_epi64((const __m128i *)(const void *)text);
		__m128i last = _mm_loadl_epi64((const __m128i *)(const void *)(text + bytes - 8));

		_mm_storel_epi64((__m128i *)(void *)out, first);
		_mm_storel_epi64((__m128i *)(void *)(out + bytes - 8), last);
		return herald__mask_special(_mm_unpacklo_epi64(first, last)) == 0;
	}
	if (bytes >= 4) {
		uint32_t last = herald__load32(text + bytes - 4);

		word = herald__load32(text);
		memcpy(out, &word, 4);
		memcpy(out + bytes - 4, &last, 4);
		return (herald__mask_special(_mm_unpacklo_epi32(_mm_cvtsi32_si128((int)word),
								_mm_cvtsi32_si128((int)last))) &
			0xFF) == 0;
	}
	if (bytes == 0)
		return true;

	unsigned char first = (unsigned char)text[0], middle = (unsigned char)text[bytes / 2],
		      last = (unsigned char)text[bytes - 1];

	out[0] = (char)first;
	out[bytes / 2] = (char)middle;
	out[bytes - 1] = (char)last;
	word = first | (uint32_t)middle << 8 | (uint32_t)last << 16;
	return (herald__mask_special(_mm_cvtsi32_si128((int)word)) & 7) == 0;
}

/*
 * Copy a text until a special byte is met. Returns the place up to which the text is known to be
 * plain: `end`, or a place at or before the first special byte. `out` must have room for all of it.
 */
static inline const char *
herald__write_plain(char *out, const char *text, const char *end)
{
	const char *at = text;
	__m128i bytes;
	uint32_t mask;

	if (end - text < 16)
		return herald__write_short(out, text, (size_t)(end - text)) ? end : text;
	for (; end - at >= 16; at += 16, out += 16) {
		bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		_mm_storeu_si128((__m128i *)(void *)out, bytes);
		if ((mask = herald__mask_special(bytes)) != 0)
			return at + __builtin_ctz(mask);
	}
	/* The last sixteen bytes, some of them for the second time. */
	out -= 16 - (end - at);
	bytes = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
	_mm_storeu_si128((__m128i *)(void *)out, bytes);
	mask = herald__mask_special(bytes);
	return mask == 0 ? end : end - 16 + __builtin_ctz(mask);
}
#else
/* Not 0 if a byte of the word is a quote, a backslash, a control character or not ASCII. */
static inline uint64_t
herald__special_word(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
	uint64_t quotes = word ^ ones * '"', backslashes = word ^ ones * '\\';

	return (((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes) |
		((word - ones * ' ') & ~word) | word) &
	       highs;
}

/* Copy a text shorter than sixteen bytes. Returns whether all of it is plain. */
static inline bool
herald__write_short(char *out, const char *text, size_t bytes)
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
 * Copy a text until a special byte is met. Returns the place up to which the text is known to be
 * plain: `end`, or a place at or before the first special byte. `out` must have room for all of it.
 */
static inline const char *
herald__write_plain(char *out, const char *text, const char *end)
{
	const char *at = text;
	uint64_t special;

	if (end - text < 16)
		return herald__write_short(out, text, (size_t)(end - text)) ? end : text;
	for (; end - at >= 16; at += 16, out += 16) {
		memcpy(out, at, 16);
		if ((special = herald__special_in_16(at, true)) != 0)
			return at + (unsigned)__builtin_ctzll(special);
	}
	/* The last sixteen bytes, some of them for the second time. */
	memcpy(out - (16 - (end - at)), end - 16, 16);
	special = herald__special_in_16(end - 16, true);
	return special == 0 ? end : end - 16 + (unsigned)__builtin_ctzll(special);
}
#endif

/* From this length on, herald__write_blocks() is worth its call. */
#define HERALD__LONG_TEXT 256

/*
 * Copy whole blocks of plain bytes, as herald__write_plain() does, faster. Returns the place after
 * the last one that was copied; `text` if the processor has no AVX2.
 */
const char *herald__write_blocks(char *out, const char *text, const char *end);

/*
 * Write the text from `at` to `end`, escaped. The text begins at `text`; all before `at` is ASCII.
 * Returns the place after what was written. Returns NULL, with `out` partly overwritten, if the
 * text is not UTF-8, there may be too little room, or the processor has no AVX2.
 */
char *herald__write_text(char *out, const char *room_end, const char *text, const char *at,
			 const char *end);

#endif
