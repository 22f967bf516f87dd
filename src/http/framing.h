/*
 * Header names and values, for those who read them besides framing.c.
 */
#ifndef HERALD_SRC_HTTP_FRAMING_H
#define HERALD_SRC_HTTP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/value.h>

/* A body that is not wanted is read and dropped up to this size, so that its sender sees the
 * response. */
#define HERALD__HTTP_MAX_DROPPED_BYTES (16u << 20)

/* Eight bytes, ignoring case. */
static inline bool
herald__http_are_same_eight(const char *bytes, const char *wanted)
{
	uint64_t left, right;

	memcpy(&left, bytes, sizeof(left));
	memcpy(&right, wanted, sizeof(right));
	/* Letters have bit 0x40; it is moved to where case makes the difference. */
	return ((left ^ right) & ~(right >> 1 & UINT64_C(0x2020202020202020))) == 0;
}

/* Whether a header has this name, of lower case letters and hyphens, ignoring case. */
static inline bool
herald__http_is_named(struct herald_text name, const char *wanted, size_t bytes)
{
	if (name.bytes != bytes)
		return false;
	if (bytes < 8) {
		for (size_t i = 0; i < bytes; i++)
			if (((name.data[i] ^ wanted[i]) & ~(wanted[i] >> 1 & 0x20)) != 0)
				return false;
		return true;
	}
	/* The last eight overlap. */
	for (size_t i = 0; i + 8 < bytes; i += 8)
		if (!herald__http_are_same_eight(name.data + i, wanted + i))
			return false;
	return herald__http_are_same_eight(name.data + bytes - 8, wanted + bytes - 8);
}

/* `WANTED` is a literal in lower case. */
#define HERALD__HTTP_IS_NAMED(NAME, WANTED) herald__http_is_named(NAME, WANTED, sizeof(WANTED) - 1)

/*
 * herald_http_framing_add() for a header whose name is a token, and whose value has no blanks
 * around it, no control characters, and a NUL after it.
 */
void herald__http_framing_add(struct herald_http_framing *framing, struct herald_text name,
			      struct herald_text value);

/* Take the next element off a list such as "a, b"; empty ones are skipped (RFC 9110 section 5.6.1).
 * False: there is no other. */
bool herald__http_list_next(struct herald_text *list, struct herald_text *element);

/* The version of herald_http_framing_request_line(), which is HTTP/1.0 or later. */
void herald__http_framing_end(struct herald_http_framing *framing, bool is_http10);

#endif
