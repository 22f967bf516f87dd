/*
 * Reading and checking of JSON strings. Private.
 */
#ifndef HERALD_SRC_JSON_READER_STRING_READ_H
#define HERALD_SRC_JSON_READER_STRING_READ_H

#include "json/reader/reader.h"

/* The content of a string, in the document. */
struct herald__string {
	char *data;
	size_t bytes;
	const char *nul; /* the first \u0000 in it, or NULL */
};

/* The kind of a string, which decides its limit. */
enum herald__string_role { HERALD__VALUE, HERALD__NAME };

/* The maximum number of bytes between the quotes. */
static inline size_t
herald__max_bytes(const struct herald__reader *reader, enum herald__string_role role)
{
	return role == HERALD__NAME ? reader->limits->max_key_bytes
				    : reader->limits->max_string_bytes;
}

/*
 * Read the string whose opening quote is before `at`: check it, undo its escapes in place, and put
 * a NUL after it. Returns the place after its closing quote, or NULL.
 */
char *herald__read_string(struct herald__reader *reader, char *at, enum herald__string_role role,
			  struct herald__string *out);

/* Check a string whose opening quote is before `at`. Returns the place after its closing quote, or
 * NULL. */
char *herald__skip_string(struct herald__reader *reader, char *at, enum herald__string_role role);

/*
 * Undo the escape whose backslash is at `at`: write its bytes to `out` and their number, 1 to 4, to
 * *written. Returns the place after it, or NULL.
 */
const char *
herald__read_escape(struct herald__reader *reader, const char *at, char out[4], size_t *written);

#endif
