/*
 * Fast skipping of members that no field of a schema has as its key, and of members before the tag
 * of a union. They are checked to be valid all the same. ends.c remembers where values end.
 *
 * The fast way handles valid values of the usual form and is four times as fast. On anything else
 * it gives up without an error; herald__skip_value() in scan.c then starts again at the beginning
 * of the value, and reports the error if there is one.
 */
#include "json/reader/skip.h"

#include "json/reader/ends.h"
#include "json/reader/gap.h"
#include "json/reader/number_scan.h"
#include "json/reader/scan.h"
#include "json/reader/string_read.h"
#include "json/reader/string_scan.h"

/* Relies on the invariant of reader.h. */
static inline char *
skip_usual_number(char *at)
{
	char *unused;

	return herald__scan_number(at, NULL, &unused);
}

static inline char *
skip_usual_string(struct herald__reader *reader, char *at, enum herald__string_role role)
{
	char *close = herald__next_special(reader, at + 1);

	if (*close != '"')
		return herald__skip_string(reader, at + 1, role);
	return (size_t)(close - at) - 1 <= herald__max_bytes(reader, role) ? close + 1 : NULL;
}

/* Skip a member's name, its colon, and the white space around it. */
static inline char *
skip_usual_key(struct herald__reader *reader, char *at)
{
	if (*at != '"' || !(at = skip_usual_string(reader, at, HERALD__NAME)))
		return NULL;
	at = herald__skip_blank(reader, at);
	return *at == ':' ? herald__skip_blank(reader, at + 1) : NULL;
}

/* A value without brackets. */
static inline char *
skip_usual_scalar(struct herald__reader *reader, char *at)
{
	switch (*at) {
	case '"':
		return skip_usual_string(reader, at, HERALD__VALUE);
	case 't':
		return herald__is_word(reader, at, "true", 4) ? at + 4 : NULL;
	case 'f':
		return herald__is_word(reader, at, "false", 5) ? at + 5 : NULL;
	case 'n':
		return herald__is_word(reader, at, "null", 4) ? at + 4 : NULL;
	default:
		return skip_usual_number(at);
	}
}

/* A function that skips an object or an array; `at` is its opening bracket. */
typedef char *skip_brackets(struct herald__reader *reader, char *at, size_t depth);

/* The same, with the function for brackets within. Inline, so that `inner` is called directly. */
static HERALD__INLINE char *
skip_between(struct herald__reader *reader, char *at, size_t depth, skip_brackets *inner)
{
	char close = *at == '{' ? '}' : ']';

	if (depth > reader->limits->max_depth)
		return NULL;
	at = herald__skip_gap(reader, at + 1, depth);
	if (*at == close)
		return at + 1;
	for (;; at = herald__skip_gap(reader, at + 1, depth)) {
		if (close == '}' && !(at = skip_usual_key(reader, at)))
			return NULL;
		at = *at == '{' || *at == '[' ? inner(reader, at, depth + 1)
					      : skip_usual_scalar(reader, at);
		if (!at || at >= reader->end)
			return NULL;
		at = herald__skip_gap(reader, at, depth - 1);
		if (*at != ',')
			return *at == close ? at + 1 : NULL;
	}
}

static char *
skip_usual_brackets(struct herald__reader *reader, char *at, size_t depth)
{
	return skip_between(reader, at, depth, skip_usual_brackets);
}

char *
herald__skip_unwanted(struct herald__reader *reader, char *at)
{
	char *after = *at == '{' || *at == '[' ? skip_usual_brackets(reader, at, reader->depth + 1)
					       : skip_usual_scalar(reader, at);

	return after ? after : herald__skip_value(reader, at);
}

/* skip_usual_brackets() that records where everything within ends. */
static char *
record_brackets(struct herald__reader *reader, char *at, size_t depth)
{
	struct herald__ends *ends = reader->ends;
	size_t index = ends->count;
	char *after;

	if (!herald__ends_open(ends, reader->arena, at)) {
		reader->out_of_memory = true;
		return NULL;
	}
	if ((after = skip_between(reader, at, depth, record_brackets)))
		herald__ends_close(ends, index, after);
	return after;
}

/* Whether ends can be recorded. */
static bool
prepare_ends(struct herald__reader *reader)
{
	if (!reader->ends)
		reader->ends = herald__ends_create(reader->arena);
	reader->out_of_memory = !reader->ends;
	return reader->ends;
}

/* Skip brackets, and record where everything in them ends. */
static char *
skip_recording(struct herald__reader *reader, char *at)
{
	char *after = record_brackets(reader, at, reader->depth + 1);

	/* After an error, decoding will not get further. What contains the error has no end. */
	reader->ends->recorded = after ? after : reader->end;
	return after;
}

char *
herald__skip_again(struct herald__reader *reader, char *at)
{
	const struct herald__end *found;

	if (*at != '{' && *at != '[')
		return herald__skip_unwanted(reader, at);
	if (!prepare_ends(reader))
		return NULL;
	if (at >= reader->ends->recorded)
		return skip_recording(reader, at);
	found = herald__ends_find(reader->ends, at);
	return found ? found->end : herald__skip_unwanted(reader, at);
}
