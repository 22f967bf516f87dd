/*
 * Text from senders. Knows what terminals obey.
 */
#include "text.h"

#include <string.h>

#include <herald/array.h>

#include <herald/adapter/text.h>

/* C0, DEL, and C1, which is 0xC2 0x80 to 0xC2 0x9F in UTF-8. */
static bool
is_control(const char *text, size_t bytes)
{
	unsigned char first = (unsigned char)text[0];

	return (bytes == 1 && (first < ' ' || first == 0x7F)) ||
	       (bytes == 2 && first == 0xC2 && (unsigned char)text[1] < 0xA0);
}

void
text_print_safe(FILE *out, struct herald_text text)
{
	for (size_t i = 0; i < text.bytes;) {
		size_t bytes = herald_utf8_sequence_bytes(text.data + i, text.bytes - i);

		if (bytes == 0 || is_control(text.data + i, bytes))
			putc('?', out);
		else
			fwrite(text.data + i, 1, bytes, out);
		i += bytes > 0 ? bytes : 1;
	}
}

void
text_print_lines(FILE *out, struct herald_text text)
{
	size_t begin = 0;

	for (size_t at = 0; at <= text.bytes; at++) {
		if (at < text.bytes && text.data[at] != '\n' && text.data[at] != '\t')
			continue;
		if (at > begin)
			text_print_safe(out, (struct herald_text){text.data + begin, at - begin});
		if (at < text.bytes)
			putc(text.data[at], out);
		begin = at + 1;
	}
}

/* Those below U+0020 are white space between tokens, since JSON allows them nowhere else. */
void
text_print_json(FILE *out, struct herald_text json)
{
	for (size_t i = 0, bytes; i < json.bytes; i += bytes) {
		const unsigned char *at = (const unsigned char *)json.data + i;

		bytes = *at == 0xC2 && json.bytes - i > 1 ? 2 : 1;
		if (*at >= ' ' && is_control(json.data + i, bytes))
			fprintf(out, "\\u%04x", bytes == 1 ? at[0] : at[1]);
		else
			fwrite(at, 1, bytes, out);
	}
}

/* The code point of a valid sequence. */
static unsigned
code_of(const char *text, size_t bytes)
{
	unsigned code = (unsigned char)text[0];

	if (bytes > 1)
		code &= 0xFFu >> (bytes + 1);
	for (size_t i = 1; i < bytes; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3F);
	return code;
}

/* Whether a terminal may print a character in two columns: East Asian ones, and pictures. */
static bool
is_wide(unsigned code)
{
	static const struct {
		unsigned first, last;
	} wide[] = {
		{0x1100, 0x115F},   {0x231A, 0x23FF},   {0x25FD, 0x27BF},   {0x2B1B, 0x2B55},
		{0x2E80, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
		{0xFE10, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18CFF},
		{0x1AFF0, 0x1B2FF}, {0x1F000, 0x1FAFF}, {0x20000, 0x3FFFD},
	};

	for (size_t i = 0; i < HERALD_COUNT(wide); i++)
		if (code >= wide[i].first && code <= wide[i].last)
			return true;
	return false;
}

size_t
text_cut(struct herald_text text, size_t columns, size_t *used)
{
	size_t at = 0;

	*used = 0;
	while (at < text.bytes) {
		const size_t bytes = herald_utf8_sequence_bytes(text.data + at, text.bytes - at);
		const size_t width = bytes > 0 && is_wide(code_of(text.data + at, bytes)) ? 2 : 1;

		if (width > columns - *used)
			break;
		*used += width;
		at += bytes > 0 ? bytes : 1;
	}
	return at;
}

bool
text_is_utf8(struct herald_text text)
{
	for (size_t i = 0, bytes; i < text.bytes; i += bytes)
		if (!(bytes = herald_utf8_sequence_bytes(text.data + i, text.bytes - i)))
			return false;
	return true;
}

struct herald_text
text_of(const char *string)
{
	return (struct herald_text){string, string ? strlen(string) : 0};
}

bool
tool_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	fprintf(stderr, "herald: could not write to stdout\n");
	return false;
}
