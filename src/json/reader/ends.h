/*
 * Where objects and arrays end that have been skipped, so that they need not be read again to be
 * skipped again. Private.
 */
#ifndef HERALD_SRC_JSON_READER_ENDS_H
#define HERALD_SRC_JSON_READER_ENDS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>

/* Shorter values are not remembered: reading them again costs less. */
#define HERALD__ENDS_MIN_BYTES 128

/* An object or an array of at least that many bytes. */
struct herald__end {
	const char *begin;
	char *end; /* NULL: not closed */
};

struct herald__ends {
	char *recorded;            /* the ends of what begins before this place are known */
	struct herald__end *items; /* in the order of `begin`; in the arena */
	size_t count, capacity;
};

/* Begin without any. NULL if the arena has no memory. */
struct herald__ends *herald__ends_create(struct herald_arena *arena);

/* Add a value that begins at `begin`, after all others. Its number is the count before the call.
 * False if the arena has no memory. */
bool herald__ends_open(struct herald__ends *ends, struct herald_arena *arena, const char *begin);

/* Say where a value ends. All that were opened after it have been closed. */
void herald__ends_close(struct herald__ends *ends, size_t index, char *end);

/* The value that begins at `begin`. NULL: it is short, or not known. */
const struct herald__end *herald__ends_find(const struct herald__ends *ends, const char *begin);

#endif
