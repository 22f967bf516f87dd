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
#include "trace.h"
#include "utf8.h"

/* The most that limits.max_depth can be: a bit each on the stack. */
#define HERALD__MAX_DEPTH 1024

/* A document being read. */
struct herald__reader {
	char *begin;
	char *end;       /* where reading ends */
	char *whole_end; /* where the input ends: after white space that is not read */
	struct herald_arena *arena;
	const char *window; /* where `special` was looked at, see herald__find_near_end() */
	uint64_t special;
	const struct herald_limits *limits;
	char *deferred;     /* a value of which only the brackets were checked, or NULL */
	size_t depth;       /* arrays and objects open now */
	size_t base_offset; /* of `begin` in the document that errors are about */
	struct herald__trace trace;
};

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
char *herald__fail(struct herald__reader *reader, const char *at, enum herald_status status,
		   const char *format, ...);

/* Record that the value at `at` is not what was expected: BAD_TYPE, or BAD_JSON if it is no value. */
void herald__record_type(struct herald__reader *reader, const char *at, const char *expected);

/* Record that the grammar does not allow what is at `at`, which may be the end. */
void herald__record_syntax(struct herald__reader *reader, const char *at, const char *expected);

/* The same, returning NULL as herald__fail() does. */
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

/*
 * The closing quote of a string that begins at `at`, if all before it is plain and it is near; else NULL.
 *
 * What is special in a window of 64 bytes is kept, so that the next strings in it are found by a shift:
 * the place of one string waits for the place of the one before it, and looking at bytes takes three
 * times as long.
 */
static inline char *
herald__find_near_end(struct herald__reader *reader, char *at)
{
	uint64_t mask;
#ifdef HERALD__WINDOW
	uintptr_t in = (uintptr_t)at - (uintptr_t)reader->window;

	if (in >= HERALD__WINDOW || (mask = reader->special >> in) == 0) {
		if (reader->end - at < HERALD__WINDOW)
			goto last;
		reader->window = at;
		mask = reader->special = herald__special_window(at);
		if (mask == 0)
			return NULL;
	}
	at += __builtin_ctzll(mask);
	return *at == '"' ? at : NULL;
last:
#endif
	if (reader->end - at < HERALD__STEP || (mask = herald__special_mask(at)) == 0)
		return NULL;
	at += __builtin_ctzll(mask) / HERALD__STEP_BITS;
	return *at == '"' ? at : NULL;
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

/*
 * Read the string whose opening quote is before `at`: check it, unescape it in
 * place, put a NUL after it. Returns the place after its closing quote, or
 * NULL.
 */
char *herald__read_string(struct herald__reader *reader, char *at, struct herald__string *out);

/* Check a string whose opening quote is before `at`. Returns the place after its closing quote, or NULL. */
char *herald__skip_string(struct herald__reader *reader, char *at);

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

/* Check that `data` is one JSON value with nothing but white space around it.
 */
enum herald_status
herald__check_json(const char *data, size_t bytes, const struct herald_limits *limits);

#endif
