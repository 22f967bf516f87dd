/*
 * Comparing the strings of JSON text without undoing their escapes in memory. Private.
 */
#ifndef HERALD_SRC_JSON_READER_TOKEN_H
#define HERALD_SRC_JSON_READER_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* A reference token of a JSON Pointer, or any text. */
struct herald__token {
	const char *data;
	size_t bytes;
	bool escaped; /* "~0" stands for '~' and "~1" for '/' (RFC 6901 section 4) */
};

/*
 * Whether the string from its opening quote at `at` to after its closing quote, `end`, has the
 * token's text as its content. False for a string with an invalid escape.
 */
bool herald__name_equals(const char *at, const char *end, const struct herald__token *token);

#endif
