/*
 * The text of a JSON string, from a program's bytes: checked, escaped and copied in one pass, for processors
 * that have AVX2 (asked at run time). Owns nothing that others could not do slowly: where it gives up, as at
 * invalid UTF-8 and where the room is short, encode.c begins again with utf8.c and escape.c, which say what is
 * right.
 *
 * How it works. 32 bytes at a time are loaded once, for three purposes: they are stored as they are; those that
 * need an escape become the bits of a mask; and where one of them, or of those before, is not ASCII, they are
 * looked up in the tables of the UTF-8 check. For each bit of the mask the escape is written over the copy, and
 * what follows it in its half of the block, which is still in a register, behind the escape. The last bytes are
 * a block filled up with NULs, so that nothing behind them is read. 542 -> 422 ns for the benchmark `text`.
 */
#include "write_text.h"

#ifdef HERALD__AVX2
#include <immintrin.h>

#include "escape.h"
#include "utf8_vector.h"

#define BLOCK 32
#define HALF 16

/* What a block may become, and what a store may write behind it. */
#define BLOCK_ROOM (BLOCK * HERALD__ESCAPE_BYTES + BLOCK)

/* By the lower four bits: the quote and the backslash, and what is no byte of ASCII. */
static const uint8_t quotes[HALF] = {0xFF, 0xFF, '"',  0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
				     0xFF, 0xFF, 0xFF, 0xFF, '\\', 0xFF, 0xFF, 0xFF};

/* Shuffling by the sixteen bytes from n on moves what is in a register n bytes down, NULs behind it. */
static const uint8_t downwards[2 * HALF] = {
	0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,
	11,   12,   13,   14,   15,   0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
	0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
};

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

/* A bit for each byte that is a quote, a backslash or a control character. */
HERALD__AVX2 static inline uint32_t
find_stops(__m256i bytes)
{
	/* What is looked up for a byte that is not ASCII is 0. */
	__m256i quotes_there = _mm256_cmpeq_epi8(herald__look_up(quotes, bytes), bytes);
	__m256i controls = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1F)), bytes);

	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(quotes_there, controls));
}

/* The last bytes of a text, less than a half, and NULs behind them; in registers, as a copy would be read
 * before it is written. */
HERALD__AVX2 static inline __m128i
load_few(const char *text, const char *at, const char *end)
{
	size_t bytes = (size_t)(end - at);
	uint64_t low = 0, high = 0;

	if (end - text >= HALF)
		return _mm_shuffle_epi8(load_half(end - HALF), load_half(downwards + HALF - bytes));
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

/* The last bytes, less than a block. */
HERALD__AVX2 static inline __m256i
load_last(const char *text, const char *at, const char *end)
{
	if (end - at >= HALF)
		return _mm256_set_m128i(load_few(text, at + HALF, end), load_half(at));
	return _mm256_zextsi128_si256(load_few(text, at, end));
}

/* Write half a block, escaped; `stops` has the bits of its bytes that need it. Returns the place from which the
 * half began, moved by what the escapes added. */
HERALD__AVX2 static inline char *
write_half(char *out, const char *at, __m128i bytes, uint32_t stops)
{
	_mm_storeu_si128((__m128i *)(void *)out, bytes);
	for (; stops != 0; stops &= stops - 1) {
		unsigned place = (unsigned)__builtin_ctz(stops);

		out += herald__write_escape(at[place], out + place) - 1;
		_mm_storeu_si128((__m128i *)(void *)(out + place + 1),
				 _mm_shuffle_epi8(bytes, load_half(downwards + place + 1)));
	}
	return out;
}

HERALD__AVX2 static inline char *
write_halves(char *out, const char *at, __m256i bytes, uint32_t stops)
{
	out = write_half(out, at, _mm256_castsi256_si128(bytes), stops & 0xFFFF);
	return write_half(out + HALF, at + HALF, _mm256_extracti128_si256(bytes, 1),
			  stops >> HALF) -
	       HALF;
}

HERALD__AVX2 static char *
write_text(char *out, const char *room_end, const char *text, const char *at, const char *end)
{
	const char *last_out = room_end - BLOCK_ROOM;
	__m256i before = _mm256_setzero_si256(), faults = before, bytes;
	uint32_t stops;

	for (; end - at >= BLOCK; at += BLOCK, out += BLOCK) {
		if (out > last_out)
			return NULL;
		bytes = load_block(at);
		/* Where all is ASCII, and was before, nothing can be wrong. */
		if (_mm256_movemask_epi8(_mm256_or_si256(bytes, before)) != 0)
			faults = _mm256_or_si256(faults, herald__find_utf8_faults(bytes, before));
		before = bytes;
		if ((stops = find_stops(bytes)) == 0)
			_mm256_storeu_si256((__m256i *)(void *)out, bytes);
		else
			out = write_halves(out, at, bytes, stops);
	}
	if (out > last_out)
		return NULL;
	bytes = load_last(text, at, end);
	faults = _mm256_or_si256(faults, herald__find_utf8_faults(bytes, before));
	stops = find_stops(bytes) & ((UINT32_C(1) << (end - at)) - 1);
	out = write_halves(out, at, bytes, stops) + (end - at);
	return _mm256_testz_si256(faults, faults) ? out : NULL;
}

char *
herald__write_text(char *out, const char *room_end, const char *text, const char *at,
		   const char *end)
{
	if (room_end - out < BLOCK_ROOM || !__builtin_cpu_supports("avx2"))
		return NULL;
	return write_text(out, room_end, text, at, end);
}
#else
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
