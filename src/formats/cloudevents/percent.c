/*
 * Quoting and percent-encoding of values of headers. Knows bytes only: whether the result is UTF-8
 * is checked by the caller.
 */
#include "formats/cloudevents/percent.h"

#include <string.h>

#include <herald/adapter/text.h>

bool
herald__header_is_plain(const char *value, size_t bytes)
{
	return bytes == 0 || (*value != '"' && !memchr(value, '%', bytes));
}

size_t
herald__header_unquote(const char *value, size_t bytes, char *out)
{
	size_t count = 0, at = 1;

	if (bytes < 2 || value[0] != '"' || value[bytes - 1] != '"')
		goto copy;
	for (; at < bytes - 1; at++) {
		/* A quote inside must be escaped, and so the last one must not be. */
		if (value[at] == '"')
			goto copy;
		if (value[at] == '\\' && ++at == bytes - 1)
			goto copy;
		out[count++] = value[at];
	}
	return count;
copy:
	memcpy(out, value, bytes);
	return bytes;
}

static unsigned
hex_value(char digit)
{
	return herald_ascii_is_digit(digit) ? (unsigned)(digit - '0')
					    : (unsigned)(herald_ascii_lower(digit) - 'a') + 10;
}

/* Whether an escape begins at the text. */
static bool
is_escape(const char *text, size_t bytes)
{
	return bytes >= 3 && text[0] == '%' && herald_ascii_is_hex_digit(text[1]) &&
	       herald_ascii_is_hex_digit(text[2]);
}

size_t
herald__percent_decode(char *text, size_t bytes)
{
	size_t count = 0;

	for (size_t at = 0; at < bytes; at++) {
		char byte = text[at];

		if (is_escape(text + at, bytes - at)) {
			byte = (char)(hex_value(text[at + 1]) << 4 | hex_value(text[at + 2]));
			at += 2;
		}
		text[count++] = byte;
	}
	return count;
}

size_t
herald__percent_check(const char *text, size_t bytes)
{
	for (size_t at = 0; at < bytes; at++)
		if ((unsigned char)text[at] >= 0x80 ||
		    (text[at] == '%' && !is_escape(text + at, bytes - at)))
			return at;
	return bytes;
}

static bool
must_encode(char byte)
{
	return byte < '!' || byte > '~' || byte == '"' || byte == '%';
}

size_t
herald__percent_bytes(struct herald_text text)
{
	size_t count = text.bytes;

	for (size_t i = 0; i < text.bytes; i++)
		count += must_encode(text.data[i]) ? 2 : 0;
	return count;
}

char *
herald__percent_encode(struct herald_text text, char *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if (!must_encode(text.data[i])) {
			*out++ = text.data[i];
			continue;
		}
		*out++ = '%';
		*out++ = digits[byte >> 4];
		*out++ = digits[byte & 15];
	}
	return out;
}
