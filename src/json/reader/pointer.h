/*
 * JSON Pointers (RFC 6901) into documents that have not been decoded. Private.
 */
#ifndef HERALD_SRC_JSON_READER_POINTER_H
#define HERALD_SRC_JSON_READER_POINTER_H

#include <stddef.h>

#include <herald/arena.h>
#include <herald/status.h>
#include <herald/value.h>

/* A pointer and its reference tokens, unescaped. */
struct herald__pointer {
	const char *text; /* NULL: no pointer */
	struct herald_text *tokens;
	size_t tokens_count;
};

/*
 * Copy and split a pointer to a member or an element. "", the whole document, is refused.
 *
 * problem  set on HERALD_BAD_VALUE: a text that says what is wrong.
 * Errors   HERALD_BAD_VALUE, HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__pointer_parse(const char *text, struct herald_arena *arena, struct herald__pointer *out,
		      const char **problem);

/* What a pointer refers to. */
struct herald__pointed {
	struct herald_json json; /* data NULL: not found */
	size_t offset;           /* of the value, or of the innermost value found on the way */
};

/*
 * Follow a pointer. The document need not be valid: the result in an invalid one is meaningless,
 * and decoding it reports the error. If a member is duplicated, the first one is used.
 */
void herald__pointer_find(const struct herald__pointer *pointer, const char *data, size_t bytes,
			  struct herald__pointed *out);

/*
 * The text of a value, in the arena: a string's content, or the JSON of a number, true or false.
 * *out is NULL for null, objects, arrays, invalid strings, and strings with a NUL.
 *
 * Errors   HERALD_NO_MEMORY, HERALD_LIMIT: the arena gave NULL.
 */
HERALD_MUST_CHECK enum herald_status
herald__pointed_text(const struct herald_json *json, struct herald_arena *arena, const char **out);

#endif
