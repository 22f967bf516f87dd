/*
 * Names and values of HTML forms and of queries (application/x-www-form-urlencoded): '+' is a
 * blank, and %XY a byte. Private.
 */
#ifndef HERALD_SRC_BASE_FORM_TEXT_H
#define HERALD_SRC_BASE_FORM_TEXT_H

#include <stddef.h>

#include <herald/value.h>

/* A name and its value, still encoded. */
struct herald__form_pair {
	struct herald_text name, value;
};

/* Read the pair at `at`, which is not `end`. The value of a pair without '=' is "". Returns the
 * place of the next pair, or `end`. */
const char *herald__form_next(const char *at, const char *end, struct herald__form_pair *out);

/*
 * Decode a name or a value. A '%' that is not followed by two hexadecimal digits stays as it is.
 *
 * to       room for `text.bytes` bytes. Not terminated.
 * bad      set to the place of the first such '%', or NULL.
 * Returns  how many bytes were written.
 */
size_t herald__form_decode(struct herald_text text, char *to, const char **bad);

#endif
