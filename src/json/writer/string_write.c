/*
 * Encoding of a JSON string with AVX2 (if the processor has it, found out at run time): checks,
 * escapes and copies in one pass. Only a fast path: on invalid UTF-8 or too little room, encode.c
 * starts again with utf8.c and escape.c, which report the error.
 *
 * How it works. Each block of 32 bytes is loaded once and used three times. It is stored unchanged.
 * It is compared to find the bytes that need an escape. If it or the block before has a non-ASCII
 * byte, it is checked for UTF-8. For each byte that needs one, the escape is written over the copy,
 * and the bytes that follow in its half of the block are stored again behind the escape, from the
 * register. A long text ends with a block of which some bytes are stored again, a short one with a
 * block that is padded with NULs. So nothing outside of the text is read.
 */
#include "json/writer/string_write.h"

#ifdef HERALD__AVX2
#include <immintrin.h>

#include "base/utf8_vector.h"
#include "json/writer/escape.h"
#include "json/writer/shift.h"

#define BLOCK 32
#define HALF 16
#define TWO_BLOCKS 64

/* The most that a block with its escapes takes, plus what a store may write after it. */
#define BLOCK_ROOM (BLOCK * HERALD__ESCAPE_BYTES + BLOCK)

/* By the lower four bits: the quote, the backslash, and otherwise a byte that matches no ASCII
 * byte. */
static const uint8_t quotes[HALF] = {0xFF, 0xFF, '"',  0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
				     0xFF, 0xFF, 0xFF, 0xFF, '\\', 0xFF, 0xFF, 0xFF};

HERALD__AVX2 static inline __m128i
load_half(const void *at)
{
	return _mm_loadu_si128((const __m128i *)at);
}

HERALD__AVX2 static inline __m256i
load_block(const void *at)
{
	return _mm256_loadu_si256((const __m256i *)at);
}

/* The constants of a loop, in registers. */
struct constants {
	struct herald__utf8_tables utf8;
	__m256i quotes, controls;
};

HERALD__AVX2 static inline struct constants
load_constants(void)
{
	return (struct constants){
		.utf8 = herald__load_utf8_tables(),
		.quotes = herald__load_table(quotes),
		.controls = herald__in_register(_mm256_set1_epi8(0x1F)),
	};
}

/* A bit for each byte that is a quote, a backslash or a control character. */
HERALD__AVX2 static inline uint32_t
find_special(__m256i bytes, const struct constants *constants)
{
	/* The lookup gives 0 for a non-ASCII byte. */
	__m256i quotes_there =
		_mm256_cmpeq_epi8(_mm256_shuffle_epi8(constants->quotes, bytes), bytes);
	__m256i controls = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, constants->controls), bytes);

	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(quotes_there, controls));
}

/* Load the last bytes of a text, fewer than a half, followed by NULs. Without a copy in memory: a
 * load right after its stores would stall. */
HERALD__AVX2 static inline __m128i
load_few(const char *text, const char *at, const char *end)
{
	size_t bytes = (size_t)(end - at);
	uint64_t low = 0, high = 0;

	if (end - text >= HALF)
		return herald__shift_down(load_half(end - HALF), HALF - bytes);
	if (bytes >= 8) {
		low = herald__load64(at);
		high = bytes > 8 ? herald__load64(end - 8) >> 8 * (16 - bytes) : 0;
	} else if (bytes >= 4) {
		low = herald__load32(at) | (uint64_t)herald__load32(end - 4) << 8 * (bytes - 4);
	} else if (bytes > 0) {
		low = (unsigned char)at[0] |
		      (uint64_t)(unsigned char)at[bytes / 2] << 8 * (bytes / 2) |
		      (uint64_t)(unsigned char)end[-1] << 8 * (bytes - 1);
	}
	return _mm_set_epi64x((long long)high, (long long)low);
}

/* Load the last bytes, fewer than a block, followed by NULs. */
HERALD__AVX2 static inline __m256i
load_last(const char *text, const char *at, const char *end)
{
	if (end - at >= HALF)
		return _mm256_set_m128i(load_few(text, at + HALF, end), load_half(at));
	return _mm256_zextsi128_si256(load_few(text, at, end));
}

/* Write half a block with escapes; `special` has a bit for each byte that needs one. Returns `out`,
 * moved by the bytes that the escapes added. */
HERALD__AVX2 static inline char *
write_half(char *out, const char *at, __m128i bytes, uint32_t special)
{
	_mm_storeu_si128((__m128i *)(void *)out, bytes);
	for (; special != 0; special &= special - 1) {
		unsigned place = (unsigned)__builtin_ctz(special);

		out += herald__write_escape(at[place], out + place) - 1;
		_mm_storeu_si128((__m128i *)(void *)(out + place + 1),
				 herald__shift_down(bytes, (size_t)place + 1));
	}
	return out;
}

HERALD__AVX2 static inline char *
write_halves(char *out, const char *at, __m256i bytes, uint32_t special)
{
	out = write_half(out, at, _mm256_castsi256_si128(bytes), special & 0xFFFF);
	return write_half(out + HALF, at + HALF, _mm256_extracti128_si256(bytes, 1),
			  special >> HALF) -
	       HALF;
}

/* Write the last bytes, fewer than a block. */
HERALD__AVX2 static HERALD__INLINE char *
write_last(char *out, const char *text, const char *at, const char *end, __m256i before,
	   __m256i faults, const struct constants *constants)
{
	__m256i bytes = load_last(text, at, end);
	uint32_t special = find_special(bytes, constants) & ((UINT32_C(1) << (end - at)) - 1);

	faults = _mm256_or_si256(faults, herald__find_utf8_faults(bytes, before, &constants->utf8));
	out = write_halves(out, at, bytes, special) + (end - at);
	return _mm256_testz_si256(faults, faults) ? out : NULL;
}

HERALD__AVX2 static char *
write_text(char *out, const char *room_end, const char *text, const char *at, const char *end)
{
	const struct constants constants = load_constants();
	const char *last_out = room_end - BLOCK_ROOM;
	__m256i before = _mm256_setzero_si256(), faults = before, bytes;
	uint32_t special;

	for (size_t left = (size_t)(end - at) / BLOCK; left > 0;
	     left--, at += BLOCK, out += BLOCK) {
		if (out > last_out)
			return NULL;
		bytes = load_block(at);
		/* Without a non-ASCII byte here or in the block before, all is valid. */
		if (_mm256_movemask_epi8(_mm256_or_si256(bytes, before)) != 0)
			faults = _mm256_or_si256(
				faults, herald__find_utf8_faults(bytes, before, &constants.utf8));
		before = bytes;
		if ((special = find_special(bytes, &constants)) == 0)
			_mm256_storeu_si256((__m256i *)(void *)out, bytes);
		else
			out = write_halves(out, at, bytes, special);
	}
	if (out > last_out)
		return NULL;
	/* If none of the last bytes needs an escape, the loop has stored some of them as they are,
	 * and they can be stored again. */
	if (end - text < TWO_BLOCKS ||
	    find_special(bytes = load_block(end - BLOCK), &constants) != 0)
		return write_last(out, text, at, end, before, faults, &constants);
	out += end - at;
	_mm256_storeu_si256((__m256i *)(void *)(out - BLOCK), bytes);
	before = load_block(end - TWO_BLOCKS);
	faults = _mm256_or_si256(faults, herald__find_utf8_faults(bytes, before, &constants.utf8));
	faults = _mm256_or_si256(faults, herald__find_unfinished(bytes));
	return _mm256_testz_si256(faults, faults) ? out : NULL;
}

char *
herald__write_text(char *out, const char *room_end, const char *text, const char *at,
		   const char *end)
{
	if (room_end - out < BLOCK_ROOM || !herald__has_avx2())
		return NULL;
	return write_text(out, room_end, text, at, end);
}

HERALD__AVX2 static const char *
write_blocks(char *out, const char *at, const char *end)
{
	const struct constants constants = load_constants();

	for (; end - at >= TWO_BLOCKS; at += TWO_BLOCKS, out += TWO_BLOCKS) {
		__m256i first = load_block(at), next = load_block(at + BLOCK);

		if ((find_special(first, &constants) | find_special(next, &constants)) != 0 ||
		    _mm256_movemask_epi8(_mm256_or_si256(first, next)) != 0)
			break;
		_mm256_storeu_si256((__m256i *)(void *)out, first);
		_mm256_storeu_si256((__m256i *)(void *)(out + BLOCK), next);
	}
	return at;
}

const char *
herald__write_blocks(char *out, const char *text, const char *end)
{
	return herald__has_avx2() ? write_blocks(out, text, end) : text;
}
#else
const char *
herald__write_blocks(char *out, const char *text, const char *end)
{
	(void)out;
	(void)end;
	return text;
}

char *
herald__write_text(char *out, const char *room_end, const char *text, const char *at,
		   const char *end)
{
	(void)out;
	(void)room_end;
	(void)text;
	(void)at;
	(void)end;
	return NULL;
}
#endif
