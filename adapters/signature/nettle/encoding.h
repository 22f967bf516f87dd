/*
 * Bytes as text: lower-case hexadecimal digits, and base64 (RFC 4648 section 4, padded).
 */
#ifndef HERALD_SIGNATURE_ENCODING_H
#define HERALD_SIGNATURE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

/* The length of `bytes` bytes in base64. */
#define HERALD__BASE64_BYTES(BYTES) (((size_t)(BYTES) + 2) / 3 * 4)

/* Write lower-case hexadecimal digits without a NUL. Returns their number. */
size_t herald__hex_encode(const unsigned char *data, size_t bytes, char *out);

/*
 * Decode base64. Only the one text that herald_base64_encode() writes is right for some bytes: no
 * blanks, no missing padding, no unused bits. The time does not depend on the characters of a right
 * text.
 *
 * out      room for 3 bytes for each 4 of the text.
 * wrong    the offset of the first wrong character; set on failure.
 * Returns  whether it was right; *decoded is then set.
 */
bool herald__base64_decode(const char *text, size_t bytes, unsigned char *out, size_t *decoded,
			   size_t *wrong);

#endif
