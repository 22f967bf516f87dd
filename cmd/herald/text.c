/*
 * Text from senders. Knows what terminals obey.
 */
#include "text.h"

#include <string.h>

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
