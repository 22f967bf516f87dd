/*
 * Shared functions for checking and copying options.
 */
#ifndef HERALD_SRC_BASE_OPTIONS_H
#define HERALD_SRC_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/adapter/options.h>
#include <herald/allocator.h>
#include <herald/arena.h>
#include <herald/export.h>
#include <herald/status.h>

/* The option that an error refers to: "routes[2].version". */
struct herald__option {
	const char *list;
	size_t index;       /* HERALD__NO_INDEX: `list` is not a list, or all of it is meant */
	const char *member; /* NULL: the whole element */
};

#define HERALD__NO_INDEX ((size_t)-1)

/* An option outside a list, or a whole list; and an element of a list. */
#define HERALD__OPTION(NAME) ((struct herald__option){NAME, HERALD__NO_INDEX, NULL})
#define HERALD__OPTION_ELEMENT(LIST, INDEX) ((struct herald__option){LIST, INDEX, NULL})

/* As herald_option_refuse(), with any status and the place in a list. */
HERALD_PRINTF(4, 5)
enum herald_status herald__option_error(struct herald_error *error, enum herald_status status,
					struct herald__option option, const char *format, ...);

/* As herald_option_array_check(), with the place in a list. */
enum herald_status
herald__option_array_check(struct herald__option option, const char *macro, const void *array,
			   size_t count, struct herald_error *error);

/* A zeroed array from the arena. NULL if the arena gave NULL or the size overflows. */
void *herald__arena_array(struct herald_arena *arena, size_t count, size_t bytes);

/* Copy a string into *copy; NULL gives NULL. Returns false when out of memory. */
bool herald__arena_string(struct herald_arena *arena, const char *text, const char **copy);

#endif
