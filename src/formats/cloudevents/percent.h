/*
 * Values of headers in binary mode (HTTP Protocol Binding for CloudEvents, section 3.1.3.2).
 * Private.
 */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_PERCENT_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/value.h>

/* Whether decoding would not change a value: it has no '%', and is not quoted. */
bool herald__header_is_plain(const char *value, size_t bytes);

/* Undo a quoted-string (RFC 7230 section 3.2.6). Returns the length, which is `bytes` if the value
 * is not one; then `out` is a copy. Writes at most `bytes` bytes. */
size_t herald__header_unquote(const char *value, size_t bytes, char *out);

/* Undo percent-encoding in place, one round. A '%' without two hexadecimal digits is left as it is.
 * Returns the new length. */
size_t herald__percent_decode(char *text, size_t bytes);

/* The first byte that percent-encoding does not allow: a '%' without two hexadecimal digits, or
 * one outside ASCII. `bytes` if there is none. */
size_t herald__percent_check(const char *text, size_t bytes);

/* The length of a text when it is percent-encoded. */
size_t herald__percent_bytes(struct herald_text text);

/* Percent-encode: space, '"', '%', and all bytes outside U+0021 to U+007E. Returns the place after
 * what was written. */
char *herald__percent_encode(struct herald_text text, char *out);

#endif
