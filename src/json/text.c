/*
 * Unchecked text made fit to be written: lossy UTF-8, JSON escapes, and printf
 * into one line. Not the encoder's strings, which must be right or fail
 * (json/encode.c), and no reading of JSON.
 */
#include <stdio.h>
#include <string.h>

#include "text.h"

#define DELETE 0x7F

size_t
herald__utf8_next(const char *text, size_t bytes, bool *valid)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned lead = byte[0];
	unsigned low = 0x80, high = 0xBF; /* Of the next byte. */

	*valid = lead < 0x80;
	if (lead < 0xC2 || lead > 0xF4)
		return 1;

	size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	/* Of the second byte: no form longer than need be, no surrogates, nothing past U+10FFFF. */
	if (lead == 0xE0)
		low = 0xA0;
	else if (lead == 0xED)
		high = 0x9F;
	else if (lead == 0xF0)
		low = 0x90;
	else if (lead == 0xF4)
		high = 0x8F;
	for (size_t i = 1; i < length; i++) {
		if (i == bytes || byte[i] < low || byte[i] > high)
			return i;
		low = 0x80;
		high = 0xBF;
	}
	*valid = true;
	return length;
}

/*
 * The control characters of a valid sequence's beginning: ASCII's (C0 and DEL),
 * and those of U+0080 to U+009F (C1), with which a log line could steer a
 * terminal as well.
 */
static bool
is_control(const char *text)
{
	unsigned char lead = (unsigned char)text[0];

	return lead < ' ' || lead == DELETE || (lead == 0xC2 && (unsigned char)text[1] < 0xA0);
}

/* The length of the first character when it may stand in a JSON string as it
 * is, else 0. */
static size_t
plain_character(const char *text, size_t bytes)
{
	bool valid;
	size_t length = herald__utf8_next(text, bytes, &valid);

	return valid && !is_control(text) && text[0] != '"' && text[0] != '\\' ? length : 0;
}

/* The letter of the escapes that have one, or 0. */
static char
short_escape(char character)
{
	switch (character) {
	case '"':
	case '\\':
		return character;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return '\0';
	}
}

static void
escape_character(const char *text, size_t bytes, struct herald__json_piece *out)
{
	bool valid;
	unsigned char lead = (unsigned char)text[0];

	out->taken = herald__utf8_next(text, bytes, &valid);
	out->data = out->escape;
	if (!valid) {
		memcpy(out->escape, "\xEF\xBF\xBD", 4); /* U+FFFD */
		out->bytes = 3;
	} else if (short_escape(text[0])) {
		out->escape[0] = '\\';
		out->escape[1] = short_escape(text[0]);
		out->bytes = 2;
	} else {
		/* Two bytes: a C1 character, whose code is that of its second byte. */
		unsigned code = lead == 0xC2 ? (unsigned char)text[1] : lead;

		snprintf(out->escape, sizeof(out->escape), "\\u%04x", code & 0xFF);
		out->bytes = 6;
	}
}

void
herald__json_text_next(const char *text, size_t bytes, struct herald__json_piece *out)
{
	size_t run = 0;

	while (run < bytes) {
		size_t length = plain_character(text + run, bytes - run);

		if (!length)
			break;
		run += length;
	}
	if (!run) {
		escape_character(text, bytes, out);
		return;
	}
	out->data = text;
	out->bytes = run;
	out->taken = run;
}

enum herald_status
herald__json_append_bytes(struct herald_buffer *out, const char *text, size_t bytes)
{
	size_t bytes_before = out->bytes;
	struct herald__json_piece piece;
	enum herald_status status = herald_buffer_append(out, "\"", 1);

	for (size_t i = 0; status == HERALD_OK && i < bytes; i += piece.taken) {
		herald__json_text_next(text + i, bytes - i, &piece);
		status = herald_buffer_append(out, piece.data, piece.bytes);
	}
	if (status == HERALD_OK)
		status = herald_buffer_append(out, "\"", 1);
	if (status != HERALD_OK)
		out->bytes = bytes_before;
	return status;
}

enum herald_status
herald__json_append_text(struct herald_buffer *out, const char *text)
{
	if (!text)
		return herald_buffer_append(out, "null", 4);
	return herald__json_append_bytes(out, text, strlen(text));
}

void
herald__text_format(char *out, size_t size, const char *format, va_list arguments)
{
	int wanted = vsnprintf(out, size, format, arguments);
	bool is_cut = wanted >= 0 && (size_t)wanted >= size;
	size_t bytes = wanted < 0 ? 0 : is_cut ? size - 1 : (size_t)wanted;

	for (size_t i = 0, length; i < bytes; i += length) {
		bool valid;

		length = herald__utf8_next(out + i, bytes - i, &valid);
		if (!valid && is_cut && i + length == bytes) {
			bytes = i;
			break;
		}
		if (!valid || is_control(out + i))
			memset(out + i, '?', length);
	}
	out[bytes] = '\0';
}
