/*
 * An error on its way up: the code and the message are set where it happens, and the path is built
 * from the inside out as the callers return. The success path pays nothing for it. Private.
 */
#ifndef HERALD_SRC_BASE_ERROR_PATH_H
#define HERALD_SRC_BASE_ERROR_PATH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/export.h>
#include <herald/status.h>

#include "base/attributes.h"

/* No member is valid before herald__trace_fail(). */
struct herald__trace {
	struct herald_error error;
	size_t path_begin; /* the path is built backwards from the end of error.path */
	bool path_cut;
};

/*
 * Record an error; its path is empty so far. Returns false, for the caller to return.
 *
 * The text says what was expected and what was found, but not where: herald__trace_finish()
 * prepends the value's name. If the text begins with "is ", that name is its subject.
 */
HERALD_PRINTF(4, 5)
HERALD__COLD bool herald__trace_fail(struct herald__trace *trace, size_t offset,
				     enum herald_status status, const char *format, ...);

HERALD_PRINTF(4, 0)
HERALD__COLD void
herald__trace_vfail(struct herald__trace *trace, size_t offset, enum herald_status status,
		    const char *format, va_list arguments);

/* Prepend a member's name, or an element's index, to the path. */
HERALD__COLD void herald__trace_key(struct herald__trace *trace, const char *key, size_t bytes);
HERALD__COLD void herald__trace_index(struct herald__trace *trace, size_t index);

/* Prepend a JSON Pointer, such as "/items/0". */
HERALD__COLD void
herald__trace_pointer(struct herald__trace *trace, const char *pointer, size_t bytes);

/*
 * Set the path of an error; `path` may be the error's own. If it is too long, only its end is used.
 * Characters that struct herald_error does not allow are escaped.
 */
void herald__path_set(struct herald_error *error, const char *path, size_t bytes);

/*
 * A JSON Pointer as an error's path, that is, as it is written in a JSON string (RFC 6901 section
 * 5). In the arena; NULL if the arena gave NULL.
 */
const char *herald__path_of_pointer(const char *pointer, struct herald_arena *arena);

/* The end of a path that names the value: the last name and the indices after it. */
const char *herald__path_subject(const char *path);

/* Finish an error: prepend base_path to the path. Copies the error to `out`, unless that is
 * NULL. */
enum herald_status
herald__trace_finish(struct herald__trace *trace, const char *base_path, struct herald_error *out);

/* Clear an error without clearing all bytes of its texts, which are large: this is done for every
 * event. */
static inline void
herald__error_clear(struct herald_error *error)
{
	error->status = HERALD_OK;
	error->offset = HERALD_NO_OFFSET;
	error->path[0] = '\0';
	error->message[0] = '\0';
}

#endif
