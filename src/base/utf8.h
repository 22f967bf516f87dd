/*
 * Validation of UTF-8. Private.
 */
#ifndef HERALD_SRC_BASE_UTF8_H
#define HERALD_SRC_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The length of the UTF-8 sequence at `at`, whose first byte is 0x80 or more, or 0 if it is invalid
 * (RFC 3629: no surrogates, no overlong forms, nothing past U+10FFFF).
 */
size_t herald__utf8_sequence(const char *at, const char *end);

bool herald__is_utf8(const char *text, size_t bytes);

#endif
