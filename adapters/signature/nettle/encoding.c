/*
 * Encodings of signatures and keys. Owns nothing. Keys are decoded here and not by herald/base64.h,
 * so that the time does not tell their bytes.
 */
#include "encoding.h"

#include <stdint.h>

size_t
herald__hex_encode(const unsigned char *data, size_t bytes, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	return 2 * bytes;
}

/* All bits if first <= byte <= last, else 0; without a branch, because the byte is of a key. */
static uint32_t
in_range(uint32_t byte, uint32_t first, uint32_t last)
{
	return ((byte - first) >> 31 | (last - byte) >> 31) - 1;
}

/* The value of a character, or 64. */
static uint32_t
value_of(char character)
{
	uint32_t byte = (unsigned char)character;
	uint32_t value = 64;

	value ^= in_range(byte, 'A', 'Z') & (64 ^ (byte - 'A'));
	value ^= in_range(byte, 'a', 'z') & (64 ^ (byte - 'a' + 26));
	value ^= in_range(byte, '0', '9') & (64 ^ (byte - '0' + 52));
	value ^= in_range(byte, '+', '+') & (64 ^ 62);
	value ^= in_range(byte, '/', '/') & (64 ^ 63);
	return value;
}

/* Decode up to 4 characters without padding to 1 less bytes. */
static bool
decode_group(const char *text, size_t count, unsigned char *out, size_t *wrong)
{
	uint32_t group = 0;

	for (size_t i = 0; i < 4; i++) {
		uint32_t value = i < count ? value_of(text[i]) : 0;

		if (value == 64) {
			*wrong = i;
			return false;
		}
		group = group << 6 | value;
	}
	for (size_t i = 0; i + 1 < count; i++)
		out[i] = (unsigned char)(group >> (16 - 8 * i));
	/* Bits that no byte has. */
	*wrong = count - 1;
	return count == 4 || (group & (count == 3 ? 0xff : 0xffff)) == 0;
}

bool
herald__base64_decode(const char *text, size_t bytes, unsigned char *out, size_t *decoded,
		      size_t *wrong)
{
	size_t padding = 0, used = 0;

	if (bytes > 0 && text[bytes - 1] == '=')
		padding = bytes > 1 && text[bytes - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < bytes - padding; i += 4) {
		size_t count = bytes - padding - i < 4 ? bytes - padding - i : 4;

		if (!decode_group(text + i, count, out + used, wrong)) {
			*wrong += i;
			return false;
		}
		used += count - 1;
	}
	*wrong = bytes;
	if (bytes % 4 != 0)
		return false;
	*decoded = used;
	return true;
}
