/*
 * Base64 (RFC 4648 section 4): the alphabet with '+' and '/', padded with '='.
 */
#ifndef HERALD_BASE64_H
#define HERALD_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The number of characters that encode `bytes` bytes. */
static inline size_t
herald_base64_bytes(size_t bytes)
{
	return (bytes + 2) / 3 * 4;
}

/**
 * Encode bytes.
 *
 * data  may be NULL if `bytes` is 0.
 * out   room for herald_base64_bytes(bytes) characters. No NUL is added.
 */
HERALD_API void herald_base64_encode(const void *data, size_t bytes, char *out);

/**
 * Decode a text in place. Strict: only characters of the alphabet, with padding, and without bits
 * that belong to no byte. So two texts never mean the same bytes. The time depends on the text: not
 * for secrets.
 *
 * out_bytes  set on success: the number of bytes, at the beginning of `text`.
 * wrong      set on failure: the first wrong character, or `bytes` if characters are missing. The
 *            text is then undefined.
 * Returns    whether the text is valid.
 */
HERALD_API bool herald_base64_decode(char *text, size_t bytes, size_t *out_bytes, size_t *wrong);

#ifdef __cplusplus
}
#endif
#endif
