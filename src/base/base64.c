/*
 * Base64. Allocates nothing.
 */
#include <herald/base64.h>

#include <stdint.h>

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of a character of the alphabet plus 1; 0 for others. */
#define FOUR(C, VALUE)                                                                             \
	[C] = (VALUE) + 1, [(C) + 1] = (VALUE) + 2, [(C) + 2] = (VALUE) + 3, [(C) + 3] = (VALUE) + 4
static const unsigned char values[256] = {
	FOUR('A', 0),  FOUR('E', 4),  FOUR('I', 8),  FOUR('M', 12), FOUR('Q', 16), FOUR('U', 20),
	['Y'] = 25,    ['Z'] = 26,    FOUR('a', 26), FOUR('e', 30), FOUR('i', 34), FOUR('m', 38),
	FOUR('q', 42), FOUR('u', 46), ['y'] = 51,    ['z'] = 52,    FOUR('0', 52), FOUR('4', 56),
	['8'] = 61,    ['9'] = 62,    ['+'] = 63,    ['/'] = 64,
};
#undef FOUR

void
herald_base64_encode(const void *data, size_t bytes, char *out)
{
	const unsigned char *at = data;

	for (; bytes >= 3; bytes -= 3, at += 3, out += 4) {
		out[0] = alphabet[at[0] >> 2];
		out[1] = alphabet[(at[0] & 3) << 4 | at[1] >> 4];
		out[2] = alphabet[(at[1] & 15) << 2 | at[2] >> 6];
		out[3] = alphabet[at[2] & 63];
	}
	if (bytes == 0)
		return;
	out[0] = alphabet[at[0] >> 2];
	out[1] = alphabet[(at[0] & 3) << 4 | (bytes == 2 ? at[1] >> 4 : 0)];
	out[2] = bytes == 2 ? alphabet[(at[1] & 15) << 2] : '=';
	out[3] = '=';
}

/* The number of characters before the padding. */
static size_t
without_padding(const char *text, size_t bytes)
{
	if (bytes == 0 || bytes % 4 != 0 || text[bytes - 1] != '=')
		return bytes;
	return text[bytes - 2] == '=' ? bytes - 2 : bytes - 1;
}

/* Decode up to four characters. Returns how many are of the alphabet. */
static size_t
decode_group(const unsigned char *at, size_t count, uint32_t *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned value = values[at[i]];

		if (value == 0)
			return i;
		*out |= (value - 1) << (18 - 6 * i);
	}
	return count;
}

bool
herald_base64_decode(char *text, size_t bytes, size_t *out_bytes, size_t *wrong)
{
	size_t count = without_padding(text, bytes), at = 0, written = 0, left;
	uint32_t group;

	for (; at < count; at += left) {
		left = count - at < 4 ? count - at : 4;
		*wrong = at + decode_group((const unsigned char *)text + at, left, &group);
		if (*wrong < at + left)
			return false;
		/* Two characters are one byte, three are two: the bits after them must be zero. */
		if (left < 4) {
			*wrong = at + left - 1;
			if (left >= 2 && (group & (left == 2 ? 0xFFFFu : 0xFFu)) != 0)
				return false;
		}
		text[written++] = (char)(group >> 16);
		if (left > 2)
			text[written++] = (char)(group >> 8);
		if (left > 3)
			text[written++] = (char)group;
	}
	*wrong = bytes;
	if (bytes % 4 != 0)
		return false;
	*out_bytes = written;
	return true;
}
