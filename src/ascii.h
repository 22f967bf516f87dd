/*
 * ASCII letters without their case. strcasecmp() and toupper() follow the process's locale, in which "i"
 * may not be "I": protocols do not.
 */
#ifndef HERALD_SRC_ASCII_H
#define HERALD_SRC_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline char
herald__ascii_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* Whether the first `bytes` bytes are the same but for case; neither may be shorter than that. */
static inline bool
herald__ascii_same_bytes(const char *a, const char *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (herald__ascii_lower(a[i]) != herald__ascii_lower(b[i]))
			return false;
	return true;
}

/* The same of two strings. */
static inline bool
herald__ascii_same(const char *a, const char *b)
{
	size_t bytes = strlen(a);

	return bytes == strlen(b) && herald__ascii_same_bytes(a, b, bytes);
}

#endif
