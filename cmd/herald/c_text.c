/*
 * Writes the text of C programs. What comes from a schema can neither end a comment or a string,
 * nor change how the line before it reads.
 */
#include "c_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>

#define SENTENCE_BYTES 200

static _Noreturn void
end_without_memory(void)
{
	fprintf(stderr, "herald: out of memory\n");
	exit(1);
}

static void
append(struct herald_buffer *out, const char *text, size_t bytes)
{
	if (herald_buffer_append(out, text, bytes) != HERALD_OK)
		end_without_memory();
}

void
c_put(struct herald_buffer *out, const char *format, ...)
{
	va_list arguments, again;

	va_start(arguments, format);
	va_copy(again, arguments);
	int bytes = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (bytes > 0) {
		if (herald_buffer_reserve(out, (size_t)bytes + 1) != HERALD_OK)
			end_without_memory();
		vsnprintf(out->data + out->bytes, (size_t)bytes + 1, format, arguments);
		out->bytes += (size_t)bytes;
	}
	va_end(arguments);
}

/* Bytes of a character that a reader sees; 0 of control characters, of what changes the direction
 * of a text (U+200E to U+202E, U+2066 to U+2069), and of what is not UTF-8. */
static size_t
visible_bytes(const char *text, size_t bytes)
{
	size_t count = herald_utf8_sequence_bytes(text, bytes);
	unsigned char first = (unsigned char)text[0],
		      second = bytes > 1 ? (unsigned char)text[1] : 0;

	if ((count == 1 && (first < ' ' || first == 0x7F)) ||
	    (count == 2 && first == 0xC2 && second < 0xA0) ||
	    (count == 3 && first == 0xE2 && (second == 0x80 || second == 0x81)) ||
	    (count == 3 && first == 0xEF && second == 0xBB))
		return 0;
	return count;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Append one word so that it neither ends the comment nor begins another. Returns its columns. */
static size_t
append_word(struct herald_buffer *out, const char *word, size_t bytes)
{
	size_t columns = 0;

	for (size_t i = 0; i < bytes; columns++) {
		size_t count = visible_bytes(word + i, bytes - i);
		bool is_mark = i > 0 && ((word[i - 1] == '*' && word[i] == '/') ||
					 (word[i - 1] == '/' && word[i] == '*') ||
					 (word[i - 1] == '?' && word[i] == '?'));

		if (is_mark) {
			append(out, " ", 1);
			columns++;
		}
		if (count == 0)
			append(out, "?", 1);
		else
			append(out, word + i, count);
		i += count > 0 ? count : 1;
	}
	return columns;
}

/* Append the words of a paragraph; lines begin with `margin`. Returns the columns of the last. */
static size_t
append_paragraph(struct herald_buffer *out, const char *text, const char *margin, size_t left,
		 size_t column)
{
	bool is_first = true;

	for (;;) {
		while (is_blank(*text))
			text++;
		if (*text == '\0')
			return column;
		size_t bytes = 0;
		while (text[bytes] != '\0' && !is_blank(text[bytes]))
			bytes++;
		if (!is_first && column + 1 + bytes > C_COLUMNS - 3) {
			append(out, "\n", 1);
			append(out, margin, strlen(margin));
			column = left;
			is_first = true;
		}
		if (!is_first) {
			append(out, " ", 1);
			column++;
		}
		column += append_word(out, text, bytes);
		is_first = false;
		text += bytes;
	}
}

/* Whether a comment fits on one line. */
static bool
is_short(const struct memory_list *paragraphs, size_t tabs)
{
	return paragraphs->count == 1 &&
	       8 * tabs + 6 + 2 * strlen(paragraphs->items[0]) < (size_t)2 * C_COLUMNS &&
	       8 * tabs + 6 + strlen(paragraphs->items[0]) < C_COLUMNS;
}

void
c_put_comment(struct herald_buffer *out, size_t tabs, const struct memory_list *paragraphs)
{
	static const char tab[] = "\t\t\t\t";
	char margin[8];

	if (paragraphs->count == 0)
		return;
	if (is_short(paragraphs, tabs)) {
		c_put(out, "%.*s/* ", (int)tabs, tab);
		append_paragraph(out, paragraphs->items[0], "", 0, 0);
		c_put(out, " */\n");
		return;
	}
	snprintf(margin, sizeof(margin), "%.*s * ", (int)tabs, tab);
	c_put(out, "%.*s/*\n", (int)tabs, tab);
	for (size_t i = 0; i < paragraphs->count; i++) {
		if (i > 0)
			c_put(out, "%.*s *\n", (int)tabs, tab);
		c_put(out, "%s", margin);
		append_paragraph(out, paragraphs->items[i], margin, 8 * tabs + 3, 8 * tabs + 3);
		c_put(out, "\n");
	}
	c_put(out, "%.*s */\n", (int)tabs, tab);
}

char *
c_string(struct herald_arena *arena, struct herald_text text)
{
	char *out = memory_take(arena, 4 * text.bytes + 3), *at = out;

	*at++ = '"';
	for (size_t i = 0; i < text.bytes;) {
		size_t count = visible_bytes(text.data + i, text.bytes - i);
		char c = text.data[i];

		if (count == 0)
			at += sprintf(at, "\\%03o", (unsigned)(unsigned char)c);
		else if (c == '"' || c == '\\' || (c == '?' && i > 0 && text.data[i - 1] == '?'))
			at += sprintf(at, "\\%c", c);
		else
			at = (char *)memcpy(at, text.data + i, count) + count;
		i += count > 0 ? count : 1;
	}
	*at++ = '"';
	return out;
}

char *
c_string_in_comment(struct herald_arena *arena, struct herald_text text)
{
	const char *string = c_string(arena, text);
	char *out = memory_take(arena, 4 * strlen(string) + 1), *at = out;

	for (size_t i = 0; string[i] != '\0'; i++) {
		bool is_mark = at > out && ((at[-1] == '*' && string[i] == '/') ||
					    (at[-1] == '/' && string[i] == '*'));

		if (is_mark)
			at += sprintf(at, "\\%03o", (unsigned)(unsigned char)string[i]);
		else
			*at++ = string[i];
	}
	return out;
}

/* Whether a byte is inside a character of UTF-8, not its first one. */
static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

char *
c_sentence(struct herald_arena *arena, const char *text)
{
	char *out = memory_copy(arena, text, strlen(text));
	size_t bytes = 0, end = 0;
	const char *at = text;

	for (; *at != '\0' && bytes < SENTENCE_BYTES; at++) {
		bool is_begin = bytes == 0 || out[bytes - 1] == ' ';

		if (is_blank(*at) ? !is_begin : true)
			out[bytes++] = is_blank(*at) ? ' ' : *at;
		if (*at == '.' && (is_blank(at[1]) || at[1] == '\0')) {
			end = bytes - 1;
			break;
		}
		if (*at == '\n' && at[1] == '\n')
			break;
	}
	/* A whole character, and no blank at the end. */
	if (end == 0 && is_continuation(*at)) {
		while (bytes > 0 && is_continuation(out[bytes - 1]))
			bytes--;
		bytes -= bytes > 0;
	}
	while (end == 0 && bytes > 0 && out[bytes - 1] == ' ')
		bytes--;
	out[end > 0 ? end : bytes] = '\0';
	return out;
}

size_t
c_columns(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++)
		columns = *text == '\t' ? (columns / 8 + 1) * 8 : columns + 1;
	return columns;
}

void
c_put_call(struct herald_buffer *out, size_t tabs, const char *before,
	   const struct memory_list *words, const char *after)
{
	static const char tab[] = "\t\t\t\t";
	size_t column = 8 * tabs + strlen(before) + 1;

	c_put(out, "%.*s%s(", (int)tabs, tab, before);
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		size_t bytes = strlen(word) + (i + 1 == words->count ? strlen(after) + 1 : 1);

		if (i > 0 && column + 1 + bytes > C_COLUMNS) {
			c_put(out, "\n%.*s", (int)tabs + 1, tab);
			column = 8 * (tabs + 1);
		} else if (i > 0) {
			c_put(out, " ");
			column++;
		}
		c_put(out, "%s%s", word, i + 1 == words->count ? ")" : ",");
		column += bytes;
	}
	c_put(out, "%s", after);
}
