/*
 * The escapes of JSON strings, as Herald writes them. Private.
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

#endif
