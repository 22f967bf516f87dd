/*
 * Output of unchecked text: lossy UTF-8, JSON escapes, and printf() into one line. The encoder's
 * strings, which must be valid, are written by encode.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/c_locale.h"
#include "base/safe_text.h"

#define DELETE 0x7F

size_t
herald__utf8_next(const char *text, size_t bytes, bool *valid)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned lead = byte[0];
	unsigned low = 0x80, high = 0xBF; /* The range of the next byte. */

	*valid = lead < 0x80;
	if (lead < 0xC2 || lead > 0xF4)
		return 1;

	size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	/* The second byte excludes overlong forms, surrogates, and code points past U+10FFFF. */
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

unsigned
herald__utf8_code(const char *text, size_t length)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned code = length == 1 ? byte[0] : byte[0] & (0xFFu >> (length + 1));

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (byte[i] & 0x3F);
	return code;
}

static bool
is_unprintable(unsigned code)
{
	if (code < 0xA0)
		return code < ' ' || code >= DELETE;
	/* Arabic letter mark; marks, separators, embeddings and overrides; isolates; byte order
	 * mark. */
	return code == 0x061C || code == 0x200E || code == 0x200F ||
	       (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xFEFF;
}

/* The length of the first character, valid or not. *printable: it may be written to a line
 * unchanged. */
static size_t
next_character(const char *text, size_t bytes, bool *printable)
{
	size_t length = herald__utf8_next(text, bytes, printable);

	*printable = *printable && !is_unprintable(herald__utf8_code(text, length));
	return length;
}

/* The length of the first character if it may be written to a JSON string unchanged, otherwise
 * 0. */
static size_t
plain_character(const char *text, size_t bytes)
{
	bool printable;
	size_t length = next_character(text, bytes, &printable);

	return printable && text[0] != '"' && text[0] != '\\' ? length : 0;
}

/* The letter of a short escape, or 0. */
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
		/* No unprintable character needs more than four digits. */
		snprintf(out->escape, sizeof(out->escape), "\\u%04x",
			 herald__utf8_code(text, out->taken) & 0xFFFF);
		out->bytes = 6;
	}
}

size_t
herald__json_character(const char *text, size_t bytes, struct herald__json_piece *out)
{
	out->data = text;
	out->bytes = out->taken = plain_character(text, bytes);
	if (!out->taken)
		escape_character(text, bytes, out);
	return out->taken;
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

/* A line under construction. The first `bytes` bytes remain valid even if all that follows is
 * cut. */
struct line {
	char *out;
	size_t size, used, bytes;
};

#define CUT_MARK "..."
#define CUT_BYTES (sizeof(CUT_MARK) - 1)

/* Returns false if it does not fit. */
static bool
line_add(struct line *line, const char *data, size_t bytes)
{
	if (bytes >= line->size - line->used)
		return false;
	memcpy(line->out + line->used, data, bytes);
	line->used += bytes;
	if (line->used + CUT_BYTES < line->size)
		line->bytes = line->used;
	return true;
}

void
herald__text_line(char *out, size_t size, const char *text, size_t bytes, bool is_cut)
{
	struct line line = {.out = out, .size = size};

	for (size_t i = 0; i < bytes;) {
		struct herald__json_piece piece;
		bool printable;
		size_t length = next_character(text + i, bytes - i, &printable);

		if (printable) {
			piece.data = text + i;
			piece.bytes = length;
		} else {
			escape_character(text + i, bytes - i, &piece);
			/* A text that was cut may end within a character. */
			if (is_cut && i + length == bytes && piece.escape[0] != '\\')
				break;
		}
		if (!line_add(&line, piece.data, piece.bytes)) {
			is_cut = true;
			break;
		}
		i += length;
	}
	if (is_cut) {
		size_t mark_bytes = size > CUT_BYTES ? CUT_BYTES : size - 1;

		memcpy(out + line.bytes, CUT_MARK, mark_bytes);
		line.used = line.bytes + mark_bytes;
	}
	out[line.used] = '\0';
}

void
herald__text_format(char *out, size_t size, const char *format, va_list arguments)
{
	char text[HERALD__LINE_BYTES];
	/* Format numbers as in the "C" locale, whatever the process's locale. */
	locale_t before = uselocale(herald__c_locale());
	int wanted = vsnprintf(text, sizeof(text), format, arguments);

	uselocale(before);
	bool is_cut = wanted >= (int)sizeof(text);
	size_t bytes = wanted < 0 ? 0 : is_cut ? sizeof(text) - 1 : (size_t)wanted;

	herald__text_line(out, size, text, bytes, is_cut);
}

const char *
herald__show_string(struct herald__shown *shown, const char *text, size_t bytes)
{
	size_t used = 1, i = 0;
	struct herald__json_piece piece;

	shown->text[0] = '"';
	while (i < bytes && used <= HERALD__SHOWN_BYTES) {
		i += herald__json_character(text + i, bytes - i, &piece);
		memcpy(shown->text + used, piece.data, piece.bytes);
		used += piece.bytes;
	}
	memcpy(shown->text + used, i < bytes ? "\"..." : "\"", i < bytes ? 5 : 2);
	return shown->text;
}

const char *
herald__show_word(struct herald__shown *shown, const char *text, size_t bytes)
{
	bool is_cut = bytes > HERALD__SHOWN_BYTES;
	size_t used = is_cut ? HERALD__SHOWN_BYTES : bytes;

	memcpy(shown->text, text, used);
	memcpy(shown->text + used, is_cut ? CUT_MARK : "", is_cut ? CUT_BYTES + 1 : 1);
	return shown->text;
}
