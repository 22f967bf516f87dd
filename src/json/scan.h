/*
 * The lexical level of the JSON reader: strings, values to skip, and the errors
 * that say where. Private.
 *
 * The decoder relies on one invariant, so that it need not ask for the end at
 * every byte: the last byte of the document is '}'. No loop over digits, white
 * space or letters passes it, so the end can only be reached inside a string or
 * after a closing bracket, and there it is checked. What is here checks always,
 * unless it says otherwise.
 */
#ifndef HERALD_SRC_JSON_SCAN_H
#define HERALD_SRC_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/codec.h>

#include "simd.h"
#include "text.h"
#include "trace.h"
#include "utf8.h"

/* The most that limits.max_depth can be: a bit each on the stack. */
#define HERALD__MAX_DEPTH 1024

/* Whether the strings of a document that have not been read are UTF-8. */
enum herald__text {
	HERALD__UNKNOWN,
	HERALD__UTF8,
	HERALD__INVALID, /* not all of them */
};

struct herald__reader;
struct herald__resolver;

/* Looks for stops from `at` on, which is not the end: see herald__next_stop(). */
typedef void herald__look_function(struct herald__reader *reader, char *at);

/* The one for this processor. */
herald__look_function *herald__choose_look(void);

/* A document being read. */
struct herald__reader {
	char *begin;
	char *end;       /* where reading ends */
	char *whole_end; /* where the input ends: after white space that is not read */
	struct herald_arena *arena;
	const struct herald_limits *limits;
	size_t depth;       /* arrays and objects open now */
	size_t base_offset; /* of `begin` in the document that errors are about */
	char *deferred;     /* a value of which only the brackets were checked, or NULL */
	const struct herald__resolver *resolver; /* of such values, or NULL */

	/* Strings. */
	enum herald__text text;
	unsigned sequences_count; /* of those that are not ASCII, while `text` is unknown */
	char *window;             /* 64 bytes; NULL before */
	uint64_t stops;           /* in the window: a bit for each byte */
	char *ahead_begin;        /* what was looked at in advance */
	size_t ahead_bytes;
	const uint64_t *next;      /* in `ahead`: the stops after the window */
	const uint64_t *ahead_end; /* in `ahead`: after the last ones */
	herald__look_function *look_ahead;
	uint64_t ahead[16];

	struct herald__trace trace;
};

/* Look again: what is a stop has changed. */
static inline void
herald__forget_stops(struct herald__reader *reader)
{
	reader->window = NULL;
	reader->ahead_bytes = 0;
}

/* Begin with a document. Not an initialiser: the trace is large, and wanted only after a failure. */
static inline void
herald__reader_begin(struct herald__reader *reader, char *data, size_t bytes,
		     const struct herald_limits *limits)
{
	reader->begin = data;
	reader->end = reader->whole_end = data + bytes;
	reader->arena = NULL;
	reader->limits = limits;
	reader->depth = 0;
	reader->base_offset = 0;
	reader->deferred = NULL;
	reader->resolver = NULL;
	reader->text = HERALD__UNKNOWN;
	reader->sequences_count = 0;
	reader->ahead_begin = data;
	reader->look_ahead = herald__choose_look();
	herald__forget_stops(reader);
}

/* A string as it stands in the document, without its quotes. */
struct herald__string {
	char *data;
	size_t bytes;
	const char *nul; /* the first \u0000 in it, or NULL */
};

/* Where a byte of the document is in the one that errors are about. */
static inline size_t
herald__offset(const struct herald__reader *reader, const char *at)
{
	return reader->base_offset + (size_t)(at - reader->begin);
}

/* Record a failure at a byte of the document. Returns NULL, to be passed on. */
HERALD_PRINTF(4, 5)
HERALD__COLD char *herald__fail(struct herald__reader *reader, const char *at,
				enum herald_status status, const char *format, ...);

/* Record that the value at `at` is not what was expected: BAD_TYPE, or BAD_JSON if it is no value. */
HERALD__COLD void
herald__record_type(struct herald__reader *reader, const char *at, const char *expected);

/* Record that the grammar does not allow what is at `at`, which may be the end. */
HERALD__COLD void
herald__record_syntax(struct herald__reader *reader, const char *at, const char *expected);

/* The number at `at` for a message, as far as it looks like one. */
HERALD__COLD const char *herald__show_number(const struct herald__reader *reader, const char *at,
					     struct herald__shown *shown);

/* Fail at the leading zero of a number. */
HERALD__COLD char *herald__fail_zero(struct herald__reader *reader, const char *at);

/* What is said of a bracket that is one level too deep; takes limits.max_depth. */
#define HERALD__TOO_DEEP                                                                           \
	"expected at most %zu arrays and objects within each other (limits.max_depth), found more"

/* As herald__record_type() and herald__record_syntax(), returning NULL as herald__fail() does. */
static inline char *
herald__fail_type(struct herald__reader *reader, const char *at, const char *expected)
{
	herald__record_type(reader, at, expected);
	return NULL;
}

static inline char *
herald__fail_syntax(struct herald__reader *reader, const char *at, const char *expected)
{
	herald__record_syntax(reader, at, expected);
	return NULL;
}

static inline bool
herald__is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* herald__next_stop() when there is none in the window. */
char *herald__next_stop_further(struct herald__reader *reader, char *at);

/*
 * The first byte at or after `at`, which is not the end, at which a string may end: a quote, a backslash,
 * a control character; one that is not ASCII, as long as the document is not known to be UTF-8. If there
 * is none, the last byte of the document.
 *
 * The stops of 1 KB are found at once, a bit for each byte; those of the 64 bytes that are being read are
 * in one word, so that the next stop is a shift away. The place of one string waits for the place of the
 * one before it, and to look at bytes takes five times as long as a shift.
 */
static inline char *
herald__next_stop(struct herald__reader *reader, char *at)
{
	uintptr_t in = (uintptr_t)at - (uintptr_t)reader->window;
	uint64_t stops;

	if (in >= 64 || (stops = reader->stops >> in) == 0)
		return herald__next_stop_further(reader, at);
	return at + (unsigned)__builtin_ctzll(stops);
}

/* White space, by the invariant: it stops at '}' at the latest. */
static inline char *
herald__skip_blank(char *at)
{
	while ((unsigned char)*at <= ' ' && herald__is_space(*at))
		at++;
	return at;
}

/* The words true, false and null; the document may end within one. */
static inline bool
herald__is_word(const struct herald__reader *reader, const char *at, const char *word, size_t bytes)
{
	return (size_t)(reader->end - at) >= bytes && memcmp(at, word, bytes) == 0;
}

/* The first byte at or after `at` that is not white space. May return the end.
 */
static inline char *
herald__skip_space(const struct herald__reader *reader, char *at)
{
	while (at < reader->end && herald__is_space(*at))
		at++;
	return at;
}

/* What a string is, and so which limit is its. */
enum herald__string_role { HERALD__VALUE, HERALD__NAME };

/* The most bytes that may stand between its quotes. */
static inline size_t
herald__max_bytes(const struct herald__reader *reader, enum herald__string_role role)
{
	return role == HERALD__NAME ? reader->limits->max_key_bytes
				    : reader->limits->max_string_bytes;
}

/*
 * Read the string whose opening quote is before `at`: check it, unescape it in
 * place, put a NUL after it. Returns the place after its closing quote, or
 * NULL.
 */
char *herald__read_string(struct herald__reader *reader, char *at, enum herald__string_role role,
			  struct herald__string *out);

/* Check a string whose opening quote is before `at`. Returns the place after its closing quote, or NULL. */
char *herald__skip_string(struct herald__reader *reader, char *at, enum herald__string_role role);

/* Check the value at `at` and leave it as it is. Returns the place after it, or
 * NULL. */
char *herald__skip_value(struct herald__reader *reader, char *at);

/*
 * The place after the bracket that closes the one at `at`, or NULL. Sees brackets, quotes and
 * backslashes only: whether the value is valid is for somebody else to check.
 */
char *herald__skip_brackets(char *at, char *end);

/* The same as herald__skip_value(), faster, in a document for which the invariant holds. */
char *herald__skip_unwanted(struct herald__reader *reader, char *at);

/*
 * Check that `data` is one JSON value with nothing but white space around it. If it is not, records
 * that in `trace` and returns false.
 */
bool herald__check_json(const char *data, size_t bytes, const struct herald_limits *limits,
			struct herald__trace *trace);

#endif
