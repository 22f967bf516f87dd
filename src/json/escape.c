/*
 * Escaping the text of a JSON string, sixteen bytes at a time where the machine can. Owns what an escape
 * looks like. A block's bytes are copied at once and its escapes written over the copy; the rest of the
 * block is copied again behind each, and the places of the next ones are known from the block's mask.
 */
#include "escape.h"

#include <stdint.h>
#include <string.h>

#include "simd.h"

/* Each escape and, as the last byte, its length. */
#define SHORT(LETTER) {'\\', LETTER, 0, 0, 0, 0, 0, 2}
#define LONG(FIRST, SECOND) {'\\', 'u', '0', '0', FIRST, SECOND, 0, 6}

static const char escapes[256][8] = {
	LONG('0', '0'), LONG('0', '1'), LONG('0', '2'), LONG('0', '3'), LONG('0', '4'),
	LONG('0', '5'), LONG('0', '6'), LONG('0', '7'), SHORT('b'),     SHORT('t'),
	SHORT('n'),     LONG('0', 'b'), SHORT('f'),     SHORT('r'),     LONG('0', 'e'),
	LONG('0', 'f'), LONG('1', '0'), LONG('1', '1'), LONG('1', '2'), LONG('1', '3'),
	LONG('1', '4'), LONG('1', '5'), LONG('1', '6'), LONG('1', '7'), LONG('1', '8'),
	LONG('1', '9'), LONG('1', 'a'), LONG('1', 'b'), LONG('1', 'c'), LONG('1', 'd'),
	LONG('1', 'e'), LONG('1', 'f'), ['"'] = SHORT('"'), ['\\'] = SHORT('\\'),
};

size_t
herald__write_escape(char byte, char *out)
{
	const char *escape = escapes[(unsigned char)byte];

	memcpy(out, escape, 8);
	return (size_t)escape[7];
}

#if defined(__SSE2__) && !defined(HERALD_NO_SIMD)
#define BLOCK 16

/* What a block may become, and what a copy may write behind it. */
#define BLOCK_ROOM (BLOCK * HERALD__ESCAPE_BYTES + BLOCK)

/* Copy a block, escaped. Behind it another one may be read. */
static inline char *
escape_block(char *out, const char *at)
{
	const char *end = at + BLOCK;
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	uint32_t mask = herald__stop_mask(bytes);

	_mm_storeu_si128((__m128i *)(void *)out, bytes);
	while (mask != 0) {
		unsigned plain = (unsigned)__builtin_ctz(mask);

		at += plain;
		out += plain;
		out += herald__write_escape(*at++, out);
		memcpy(out, at, BLOCK);
		mask = mask >> plain >> 1;
	}
	return out + (end - at);
}

char *
herald__copy_escaped(char *out, const char *room_end, const char **at, const char *end)
{
	const char *from = *at;
	char rest[3 * BLOCK];
	size_t left;

	for (; end - from >= 2 * BLOCK && room_end - out >= BLOCK_ROOM; from += BLOCK)
		out = escape_block(out, from);
	*at = from;
	left = (size_t)(end - from);
	if (left >= 2 * BLOCK || room_end - out < 2 * BLOCK_ROOM)
		return out;
	/* The last bytes from where more may be read, and spaces behind them. */
	memset(rest, ' ', sizeof(rest));
	memcpy(rest, from, left);
	*at = end;
	out = escape_block(out, rest);
	out = left > BLOCK ? escape_block(out, rest + BLOCK) : out + BLOCK;
	return out - (2 * BLOCK - left);
}
#else
char *
herald__copy_escaped(char *out, const char *room_end, const char **at, const char *end)
{
	(void)room_end;
	(void)at;
	(void)end;
	return out;
}
#endif
