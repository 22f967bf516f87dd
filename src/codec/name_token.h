/*
 * Comparing a member's name with a field's, in the form that names nearly always have in the text.
 * Private.
 */
#ifndef HERALD_SRC_CODEC_NAME_TOKEN_H
#define HERALD_SRC_CODEC_NAME_TOKEN_H

#include <string.h>

#include "base/attributes.h"
#include "base/words.h"
#include "codec/plan.h"
#include "json/reader/reader.h"

/* The number of bytes that can nearly always be read from a member's name on: a name of 16 bytes,
 * its quotes and its colon. */
#define HERALD__NEAR_BYTES 19

/* Whether the field's name is at `at`, with its quotes and colon. `left` bytes can be read, which
 * are at least HERALD__NEAR_BYTES. */
static inline bool
herald__is_token_near(const char *at, size_t left, const struct herald__field *field)
{
	size_t bytes = field->token_bytes;

	if (((herald__load64(at) ^ field->token_first) & field->token_mask) != 0)
		return false;
	if (bytes <= 8)
		return true;
	if (bytes > 16 && (left < bytes || memcmp(at + 8, field->token + 8, bytes - 16) != 0))
		return false;
	return herald__load64(at + bytes - 8) == field->token_last;
}

/* The same anywhere before the end. */
static inline bool
herald__is_token(const struct herald__reader *reader, const char *at,
		 const struct herald__field *field)
{
	size_t bytes = field->token_bytes, left = (size_t)(reader->end - at);

	if (!HERALD__LIKELY(left >= HERALD__NEAR_BYTES) && left < (bytes < 8 ? 8 : bytes))
		return false;
	return herald__is_token_near(at, left, field);
}

#endif
