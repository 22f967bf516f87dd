/*
 * JSON Pointers (RFC 6901) into documents that have not been decoded. Private.
 */
#ifndef HERALD_SRC_JSON_POINTER_H
#define HERALD_SRC_JSON_POINTER_H

#include <stddef.h>

#include <herald/arena.h>
#include <herald/status.h>
#include <herald/value.h>

/* A pointer and its reference tokens, unescaped. */
struct herald__pointer {
	const char *text; /* NULL: there is none */
	struct herald_text *tokens;
	size_t tokens_count;
};

/*
 * Copy and split a pointer to a member or an element; the whole document is refused.
 *
 * problem  on HERALD_BAD_VALUE a text that says what is wrong.
 * Errors   HERALD_BAD_VALUE, HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__pointer_parse(const char *text, struct herald_arena *arena, struct herald__pointer *out,
		      const char **problem);

/* Where a pointer leads. */
struct herald__pointed {
	struct herald_json json; /* data NULL: nowhere */
	size_t offset;           /* of the value; else of the innermost value on the way to it */
};

/*
 * Follow a pointer. The document need not be valid: what is found in one that is not means nothing, and only
 * who decodes it afterwards finds out. Of members of one name the first one counts.
 *
 * arena    for names with escapes.
 * Errors   HERALD_NO_MEMORY: the arena gave NULL.
 */
HERALD_MUST_CHECK enum herald_status
herald__pointer_find(const struct herald__pointer *pointer, const char *data, size_t bytes,
		     struct herald_arena *arena, struct herald__pointed *out);

/*
 * The text of a value, in the arena: of a string what it says, of a number, true or false its JSON. *out is
 * NULL for a null, an object, an array, and a string with a NUL in it or that is not valid.
 *
 * Errors   HERALD_NO_MEMORY: the arena gave NULL.
 */
HERALD_MUST_CHECK enum herald_status
herald__pointed_text(const struct herald_json *json, struct herald_arena *arena, const char **out);

#endif
