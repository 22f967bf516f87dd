/*
 * The escapes that Herald writes in JSON strings. Private.
 */
#ifndef HERALD_SRC_JSON_WRITER_ESCAPE_H
#define HERALD_SRC_JSON_WRITER_ESCAPE_H

#include <stddef.h>
#include <string.h>

/* The length of the longest escape: "\u001F". */
#define HERALD__ESCAPE_BYTES 6

/* By byte: the escape of a quote, a backslash or a control character. The last byte is its
 * length. */
extern const char herald__escapes[256][8];

/* Write the escape of such a byte. Writes eight bytes and returns the length of the escape. */
static inline size_t
herald__write_escape(char byte, char *out)
{
	const char *escape = herald__escapes[(unsigned char)byte];

	memcpy(out, escape, 8);
	return (size_t)escape[7];
}

#endif
