/*
 * Escaping the text of a JSON string. Private. Whether it is UTF-8 is for the caller to check.
 */
#ifndef HERALD_SRC_JSON_ESCAPE_H
#define HERALD_SRC_JSON_ESCAPE_H

#include <stddef.h>
#include <string.h>

/* The longest escape, such as that of byte 0x1F. */
#define HERALD__ESCAPE_BYTES 6

/* By byte: its escape, of a quote, a backslash or a control character, and as the last byte how long it is. */
extern const char herald__escapes[256][8];

/* Write the escape of such a byte: eight bytes, of which as many count as are returned. */
static inline size_t
herald__write_escape(char byte, char *out)
{
	const char *escape = herald__escapes[(unsigned char)byte];

	memcpy(out, escape, 8);
	return (size_t)escape[7];
}

/*
 * Copy the text from *at on, escaped, as far as there is room for the worst that it can become; *at
 * moves to what is left, which has to be copied with a look at the room for every piece. The bytes from
 * the returned place up to `room_end` are no longer what they were.
 */
char *herald__copy_escaped(char *out, const char *room_end, const char **at, const char *end);

#endif
