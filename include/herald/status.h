/*
 * Status codes, and the error struct that says what was wrong and where.
 */
#ifndef HERALD_STATUS_H
#define HERALD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * All status codes: X(name, text, retry).
 *
 * text   one line for people.
 * retry  true when the same call may succeed later with nothing changed by the caller.
 */
#define HERALD_STATUS_LIST(X)                                                                      \
	X(OK, "ok", false)                                                                         \
	X(NO_MEMORY, "out of memory", true)                                                        \
	X(SYSTEM, "the operating system refused", true)                                            \
	X(BAD_OPTION, "an option is not valid", false)                                             \
	X(BAD_SCHEMA, "a schema or route is not valid", false)                                     \
	X(BAD_FORMAT, "the bytes are not of the expected format", false)                           \
	X(BAD_JSON, "not valid JSON", false)                                                       \
	X(BAD_UTF8, "not valid UTF-8", false)                                                      \
	X(BAD_TYPE, "a value of the wrong JSON type", false)                                       \
	X(BAD_VALUE, "a value that is not allowed", false)                                         \
	X(BAD_TIME, "not an RFC 3339 timestamp", false)                                            \
	X(OUT_OF_RANGE, "a number out of range", false)                                            \
	X(BAD_LENGTH, "too short or too long", false)                                              \
	X(MISSING, "a required member is missing", false)                                          \
	X(DUPLICATE, "a duplicate member", false)                                                  \
	X(UNKNOWN_MEMBER, "a member that the schema does not know", false)                         \
	X(LIMIT, "a limit is exceeded", false)                                                     \
	X(TOO_LARGE, "the event is too large", false)                                              \
	X(UNKNOWN_TYPE, "no route for this event type", false)                                     \
	X(UNKNOWN_VERSION, "no route for this version", false)

/** How a call ended. HERALD_OK is 0; the other values may be renumbered between minor versions. */
enum herald_status {
#define HERALD_STATUS_ENUM_(name, text, retry) HERALD_##name,
	HERALD_STATUS_LIST(HERALD_STATUS_ENUM_)
#undef HERALD_STATUS_ENUM_
		HERALD_STATUS_COUNT /**< The number of codes; no code itself. */
};

/** The `offset` of an error that belongs to no byte of the input. */
#define HERALD_NO_OFFSET ((size_t)-1)

/**
 * What was wrong, and where. The caller owns it; a function writes it only when it fails.
 *
 * Both texts are NUL-terminated UTF-8 and cut to size: a path loses its beginning, a message its end,
 * and "..." says so. Both are safe to print: one line without control characters, whatever names the
 * sender chose. A path has its pointer as it stands in a JSON string (RFC 6901 section 5): a backslash
 * is `\\`, a quote `\"`, and what is unprintable `\n` or `\u009b`; to get the pointer itself, put it in
 * quotes and parse it as JSON. Unprintable are control characters (C0, DEL, C1), U+2028, U+2029, U+FEFF
 * and the controls of bidirectional text. In a message they are escaped in the same way.
 */
struct herald_error {
	enum herald_status status; /**< What was wrong. */
	size_t offset;             /**< Byte of the input, from 0, or HERALD_NO_OFFSET. */
	char path[256];            /**< JSON Pointer (RFC 6901), "" for the whole document. */
	char message[256];         /**< One line: which value, what was expected, what was found. */
};

/** The code's name, such as "HERALD_BAD_JSON"; "HERALD_?" for a value that is none. Static storage. */
HERALD_API const char *herald_status_name(enum herald_status status);

/** The code's text, such as "not valid JSON". Static storage. */
HERALD_API const char *herald_status_text(enum herald_status status);

/** Whether the same call may succeed later with nothing changed by the caller. */
HERALD_API bool herald_status_may_retry(enum herald_status status);

/**
 * Fill in an error of one's own, for a `decode` handler: path "", the offset as given.
 *
 * error    may be NULL; then nothing is written.
 * Returns  `status`, so that `return herald_error_set(...)` reads straight.
 */
HERALD_API HERALD_PRINTF(4, 5) enum herald_status
	herald_error_set(struct herald_error *error, enum herald_status status, size_t offset,
			 const char *format, ...);

/**
 * Print an error for the people who run a program, as one line of at most 1 KiB:
 *
 *	shop: routes[1].version: expected "1" or "1.x", found "one"
 *	shop: /payload/user_id: user_id is required, but missing (byte 84)
 *
 * The path is left out where the message begins with it, and the byte where the error has none
 * or HERALD_OK for its status; after a path its last name is not repeated. An empty message becomes
 * the status's text; what is unprintable, by whoever filled the error in, is escaped.
 *
 * stream   gets the line by one call of fprintf().
 * program  the line's beginning; NULL: it begins with the path.
 * error    as a function that failed left it; not NULL.
 */
HERALD_API void
herald_error_print(FILE *stream, const char *program, const struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
