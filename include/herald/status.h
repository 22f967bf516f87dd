/*
 * Status codes, and the struct that describes an error and its place.
 */
#ifndef HERALD_STATUS_H
#define HERALD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * All status codes: X(name, text, retry).
 *
 * text   one line for people.
 * retry  true if the same call may succeed later without changes.
 */
#define HERALD_STATUS_LIST(X)                                                                      \
	X(OK, "ok", false)                                                                         \
	X(NO_MEMORY, "out of memory", true)                                                        \
	X(SYSTEM, "a system call failed", true)                                                    \
	X(UNAVAILABLE, "not available now", true)                                                  \
	X(UNKNOWN_OUTCOME, "unknown whether it took place", true)                                  \
	X(LEASE_LOST, "another process has taken over", false)                                     \
	X(STORE_FAILED, "the store has failed", true)                                              \
	X(BAD_OPTION, "an option is not valid", false)                                             \
	X(BAD_SCHEMA, "a schema or route is not valid", false)                                     \
	X(BAD_FORMAT, "not in the expected format", false)                                         \
	X(BAD_JSON, "not valid JSON", false)                                                       \
	X(BAD_UTF8, "not valid UTF-8", false)                                                      \
	X(BAD_TYPE, "wrong JSON type", false)                                                      \
	X(BAD_VALUE, "value not allowed", false)                                                   \
	X(BAD_TIME, "not an RFC 3339 timestamp", false)                                            \
	X(OUT_OF_RANGE, "number out of range", false)                                              \
	X(BAD_LENGTH, "too short or too long", false)                                              \
	X(MISSING, "required member is missing", false)                                            \
	X(DUPLICATE, "duplicate member", false)                                                    \
	X(UNKNOWN_MEMBER, "unknown member", false)                                                 \
	X(LIMIT, "limit exceeded", false)                                                          \
	X(TOO_LARGE, "event too large", false)                                                     \
	X(UNKNOWN_TYPE, "no route for this event type", false)                                     \
	X(UNKNOWN_VERSION, "no route for this version", false)                                     \
	X(BAD_MEDIA_TYPE, "media type not supported", false)                                       \
	X(UNAUTHORIZED, "the sender is not authenticated", false)

/** The status of a call. HERALD_OK is 0; other values may change in minor versions. */
enum herald_status {
#define HERALD_STATUS_ENUM_(name, text, retry) HERALD_##name,
	HERALD_STATUS_LIST(HERALD_STATUS_ENUM_)
#undef HERALD_STATUS_ENUM_
		HERALD_STATUS_COUNT /**< The number of codes. Not a code. */
};

/** The `offset` of an error without a place in the input. */
#define HERALD_NO_OFFSET SIZE_MAX

/**
 * An error and its place. The caller owns it; functions write it only on failure.
 *
 * Both texts are NUL-terminated UTF-8, on one line. If too long, a path loses its beginning and a
 * message its end, marked by "...". Both are safe to print, even with names from the sender:
 * control characters (C0, DEL, C1), U+2028, U+2029, U+FEFF and bidirectional controls are escaped
 * as in JSON, such as `\n` or `\u009b`.
 *
 * A path is a JSON Pointer as written in a JSON string (RFC 6901 section 5): a backslash is `\\`
 * and a quote `\"`. To get the pointer itself, put the path in quotes and parse it as JSON.
 */
struct herald_error {
	enum herald_status status; /**< The kind of error. */
	size_t offset;             /**< Byte in the input, from 0, or HERALD_NO_OFFSET. */
	char path[256];            /**< JSON Pointer (RFC 6901); "" is the whole document. */
	char message[256];         /**< The value, what was expected and what was found. */
};

/** The name, such as "HERALD_BAD_JSON"; "HERALD_?" for an unknown value. Static storage. */
HERALD_API const char *herald_status_name(enum herald_status status);

/** The text, such as "not valid JSON". Static storage. */
HERALD_API const char *herald_status_text(enum herald_status status);

/** Whether the same call may succeed later without changes. */
HERALD_API bool herald_status_may_retry(enum herald_status status);

/**
 * Fill in an error, for example in a format. The path is set to "".
 *
 * error    may be NULL; then nothing is written.
 * Returns  `status`, so that you can write `return herald_error_set(...)`.
 */
HERALD_API HERALD_PRINTF(4, 5) enum herald_status
	herald_error_set(struct herald_error *error, enum herald_status status, size_t offset,
			 const char *format, ...);

/**
 * Print an error as one line of up to 1 KiB:
 *
 *	shop: threads: must be at most 1024, not 5000
 *	shop: /payload/user_id: user_id is required, but missing (byte 84)
 *
 * The path is omitted if the message begins with it, and the byte if the error has no offset or
 * status HERALD_OK. An empty message is replaced by the status's text. Unprintable characters are
 * escaped.
 *
 * stream   the line is written by one fprintf().
 * program  the beginning of the line; NULL: none.
 * error    from a function that failed; not NULL.
 */
HERALD_API void
herald_error_print(FILE *stream, const char *program, const struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
