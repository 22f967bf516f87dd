/*
 * What is common to checking and copying options.
 */
#ifndef HERALD_SRC_OPTIONS_H
#define HERALD_SRC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>
#include <herald/arena.h>
#include <herald/export.h>
#include <herald/status.h>

/* Which option an error is about: "routes[2].version". */
struct herald__option {
	const char *list;
	size_t index;       /* HERALD__NO_INDEX: `list` is not a list, or all of it is meant */
	const char *member; /* NULL: the whole element */
};

#define HERALD__NO_INDEX ((size_t)-1)

/* herald_error_set() with the option as the path. */
HERALD_PRINTF(4, 5)
enum herald_status herald__option_error(struct herald_error *error, enum herald_status status,
					struct herald__option option, const char *format, ...);

/*
 * Whether an option that is an array and its count, NAME_count, are both set or both not. `macro` is
 * what sets both.
 */
enum herald_status
herald__option_array_check(struct herald__option option, const char *macro, const void *array,
			   size_t count, struct herald_error *error);

/*
 * Take of the caller's options what is there; the rest of the `bytes` of *out is zero. They begin with
 * their struct_size; NULL means the defaults. `macro` is what sets it.
 */
enum herald_status herald__options_read(const void *options, void *out, size_t bytes,
					const char *macro, struct herald_error *error);

/* Whether the option `allocator` is complete, or zeroed. */
enum herald_status
herald__allocator_check(const struct herald_allocator *allocator, struct herald_error *error);

/* An array from the arena, cleared; NULL as herald_arena_alloc(), and when its size overflows. */
void *herald__arena_array(struct herald_arena *arena, size_t count, size_t bytes);

/* A copy of a string, NULL for NULL, in *copy. Returns false when memory is out. */
bool herald__arena_string(struct herald_arena *arena, const char *text, const char **copy);

/* Fills in the error and returns HERALD_NO_MEMORY. */
enum herald_status herald__out_of_memory(struct herald_error *error);

#endif
