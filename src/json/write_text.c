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
 * a block filled up with NULs, so that nothing behind them is read. With it the benchmark `text` takes
 * 000 ns instead of 000.
 */
#include "write_text.h"

#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
#include <immintrin.h>

#include "escape.h"

#define AVX2 __attribute__((target("avx2")))
#define BLOCK 32
#define HALF 16

/* What a block may become, and what a store may write behind it. */
#define BLOCK_ROOM (BLOCK * HERALD__ESCAPE_BYTES + BLOCK)

/*
 * What can be wrong with a byte after the one before it: as in utf8.c, for blocks of 32 bytes. (John Keiser and
 * Daniel Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte", 2021.)
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
#define TWICE(...) __VA_ARGS__, __VA_ARGS__

/* By the upper and the lower four bits of the first byte, and the upper four of the second. */
static const uint8_t first_upper[BLOCK] = {TWICE(EIGHT(TOO_LONG), FOUR(CONTINUATIONS),
						 TOO_SHORT | OVERLONG_2, TOO_SHORT,
						 TOO_SHORT | OVERLONG_3 | SURROGATE,
						 TOO_SHORT | TOO_LARGE | OVERLONG_4)};
static const uint8_t first_lower[BLOCK] = {
	TWICE(ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4, ANY | OVERLONG_2, ANY, ANY,
	      ANY | TOO_LARGE, EIGHT(ANY | TOO_LARGE | OVERLONG_4),
	      ANY | TOO_LARGE | OVERLONG_4 | SURROGATE, ANY | TOO_LARGE | OVERLONG_4,
	      ANY | TOO_LARGE | OVERLONG_4)};
static const uint8_t second_upper[BLOCK] = {
	TWICE(EIGHT(TOO_SHORT), TOO_LONG | OVERLONG_2 | CONTINUATIONS | OVERLONG_3 | OVERLONG_4,
	      TOO_LONG | OVERLONG_2 | CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
	      TOO_LONG | OVERLONG_2 | CONTINUATIONS | SURROGATE | TOO_LARGE,
	      TOO_LONG | OVERLONG_2 | CONTINUATIONS | SURROGATE | TOO_LARGE, FOUR(TOO_SHORT))};

/* By the lower four bits: the quote and the backslash, and what is no byte of ASCII. */
static const uint8_t quotes[BLOCK] = {TWICE(0xFF, 0xFF, '"', 0xFF, EIGHT(0xFF), '\\', 0xFF, 0xFF,
					    0xFF)};

/* Shuffling by the sixteen bytes from n on moves what is in a register n bytes down, NULs behind it. */
static const uint8_t downwards[2 * HALF] = {
	0,           1,           2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	EIGHT(0x80), EIGHT(0x80),
};

AVX2 static inline __m128i
load_half(const void *at)
{
	return _mm_loadu_si128((const __m128i *)at);
}

AVX2 static inline __m256i
load_block(const void *at)
{
	return _mm256_loadu_si256((const __m256i *)at);
}

/*
 * What the blocks are compared with. They are kept in registers by hand: gcc 12 makes them again for each
 * block, which took 00 ns of the benchmark `text`.
 */
struct constants {
	__m256i first_upper, first_lower, second_upper, quotes;
	__m256i four_bits, three_leads, four_leads, high_bits, controls;
};

#define KEEP(VECTOR) __asm__("" : "+x"(VECTOR))

AVX2 static inline struct constants
load_constants(void)
{
	struct constants constants = {
		.first_upper = load_block(first_upper),
		.first_lower = load_block(first_lower),
		.second_upper = load_block(second_upper),
		.quotes = load_block(quotes),
		.four_bits = _mm256_set1_epi8(0x0F),
		.three_leads = _mm256_set1_epi8((char)(0xE0 - 0x80)),
		.four_leads = _mm256_set1_epi8((char)(0xF0 - 0x80)),
		.high_bits = _mm256_set1_epi8((char)0x80),
		.controls = _mm256_set1_epi8(0x1F),
	};

	KEEP(constants.three_leads);
	KEEP(constants.four_leads);
	KEEP(constants.controls);
	return constants;
}

/* Not zero where something is wrong in `bytes`, which follow `before`. */
AVX2 static inline __m256i
find_faults(const struct constants *constants, __m256i bytes, __m256i before)
{
	__m256i across = _mm256_permute2x128_si256(before, bytes, 0x21);
	__m256i first = _mm256_alignr_epi8(bytes, across, 15);
	__m256i second = _mm256_alignr_epi8(bytes, across, 14);
	__m256i third = _mm256_alignr_epi8(bytes, across, 13);
	__m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), constants->four_bits);
	__m256i first_up = _mm256_and_si256(_mm256_srli_epi16(first, 4), constants->four_bits);
	__m256i first_low = _mm256_and_si256(first, constants->four_bits);
	__m256i faults =
		_mm256_and_si256(_mm256_and_si256(_mm256_shuffle_epi8(constants->first_upper, first_up),
						  _mm256_shuffle_epi8(constants->first_lower, first_low)),
				 _mm256_shuffle_epi8(constants->second_upper, upper));
	/* The third byte of a sequence of three, and the third and fourth of four, have to be there. */
	__m256i long_leads = _mm256_or_si256(_mm256_subs_epu8(second, constants->three_leads),
					     _mm256_subs_epu8(third, constants->four_leads));

	return _mm256_xor_si256(_mm256_and_si256(long_leads, constants->high_bits), faults);
}

/* A bit for each byte that is a quote, a backslash or a control character. */
AVX2 static inline uint32_t
find_stops(const struct constants *constants, __m256i bytes)
{
	/* What is looked up for a byte that is not ASCII is 0. */
	__m256i quotes_there = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(constants->quotes, bytes), bytes);
	__m256i controls = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, constants->controls), bytes);

	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(quotes_there, controls));
}

/* The last bytes of a text, less than a half, and NULs behind them; in registers, as a copy would be read
 * before it is written. */
AVX2 static inline __m128i
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
AVX2 static inline __m256i
load_last(const char *text, const char *at, const char *end)
{
	if (end - at >= HALF)
		return _mm256_set_m128i(load_few(text, at + HALF, end), load_half(at));
	return _mm256_zextsi128_si256(load_few(text, at, end));
}

/* Write half a block, escaped; `stops` has the bits of its bytes that need it. Returns the place from which the
 * half began, moved by what the escapes added. */
AVX2 static inline char *
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

AVX2 static inline char *
write_halves(char *out, const char *at, __m256i bytes, uint32_t stops)
{
	out = write_half(out, at, _mm256_castsi256_si128(bytes), stops & 0xFFFF);
	return write_half(out + HALF, at + HALF, _mm256_extracti128_si256(bytes, 1), stops >> HALF) - HALF;
}

AVX2 static char *
write_text(char *out, const char *room_end, const char *text, const char *at, const char *end)
{
	const struct constants constants = load_constants();
	const char *last_out = room_end - BLOCK_ROOM;
	__m256i before = _mm256_setzero_si256(), faults = before, bytes;
	uint32_t stops;

	for (; end - at >= BLOCK; at += BLOCK, out += BLOCK) {
		if (out > last_out)
			return NULL;
		bytes = load_block(at);
		/* Where all is ASCII, and was before, nothing can be wrong. */
		if (_mm256_movemask_epi8(_mm256_or_si256(bytes, before)) != 0)
			faults = _mm256_or_si256(faults, find_faults(&constants, bytes, before));
		before = bytes;
		if ((stops = find_stops(&constants, bytes)) == 0)
			_mm256_storeu_si256((__m256i *)(void *)out, bytes);
		else
			out = write_halves(out, at, bytes, stops);
	}
	if (out > last_out)
		return NULL;
	bytes = load_last(text, at, end);
	faults = _mm256_or_si256(faults, find_faults(&constants, bytes, before));
	stops = find_stops(&constants, bytes) & ((UINT32_C(1) << (end - at)) - 1);
	out = write_halves(out, at, bytes, stops) + (end - at);
	return _mm256_testz_si256(faults, faults) ? out : NULL;
}

char *
herald__write_text(char *out, const char *room_end, const char *text, const char *at, const char *end)
{
	if (room_end - out < BLOCK_ROOM || !__builtin_cpu_supports("avx2"))
		return NULL;
	return write_text(out, room_end, text, at, end);
}
#else
char *
herald__write_text(char *out, const char *room_end, const char *text, const char *at, const char *end)
{
	(void)out;
	(void)room_end;
	(void)text;
	(void)at;
	(void)end;
	return NULL;
}
#endif
