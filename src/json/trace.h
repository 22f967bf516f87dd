/*
 * An error on its way up: code and text where it happened, the path from the
 * inside out as the callers return. The way that succeeds keeps no path and
 * pays nothing. Private.
 */
#ifndef HERALD_SRC_JSON_TRACE_H
#define HERALD_SRC_JSON_TRACE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/export.h>
#include <herald/status.h>

/*
 * Called only when something is wrong. The compiler keeps what leads there apart from what succeeds, which is
 * then smaller: 3 to 5 % of a decode.
 */
#define HERALD__COLD __attribute__((cold))

/* Nothing in it is valid before herald__trace_fail(). */
struct herald__trace {
	struct herald_error error;
	size_t path_begin; /* the path is built from the end of error.path to its front */
	bool path_cut;
};

/*
 * Record a failure; the path is empty so far. Returns false, to be passed on.
 *
 * The text says what was expected and what was found, and not where: herald__trace_finish() puts the
 * value's name before it. One that begins with "is " has that name as its subject.
 */
HERALD_PRINTF(4, 5)
HERALD__COLD bool herald__trace_fail(struct herald__trace *trace, size_t offset,
				     enum herald_status status, const char *format, ...);

HERALD_PRINTF(4, 0)
HERALD__COLD void
herald__trace_vfail(struct herald__trace *trace, size_t offset, enum herald_status status,
		    const char *format, va_list arguments);

/* Put a member's name, or an element's index, before the path so far. */
HERALD__COLD void herald__trace_key(struct herald__trace *trace, const char *key, size_t bytes);
HERALD__COLD void herald__trace_index(struct herald__trace *trace, size_t index);

/*
 * Give an error a path; it may be the error's own. Its end, where there is no room for all of it; what is not
 * as struct herald_error promises is escaped.
 */
void herald__path_set(struct herald_error *error, const char *path, size_t bytes);

/*
 * The path that a JSON Pointer is: as it stands in a JSON string (RFC 6901 section 5). In the arena; NULL: it
 * gave NULL.
 */
const char *herald__path_of_pointer(const char *pointer, struct herald_arena *arena);

/* The end of a path that says which value is meant: the last name, with the indices behind it. */
const char *herald__path_subject(const char *path);

/* The error is complete: base_path goes first. Copies it to `out` unless that
 * is NULL. */
enum herald_status
herald__trace_finish(struct herald__trace *trace, const char *base_path, struct herald_error *out);

#endif
