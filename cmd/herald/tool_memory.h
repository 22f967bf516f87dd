/*
 * Memory of a command that reads whole documents: from an arena, until the command ends.
 */
#ifndef HERALD_CMD_TOOL_MEMORY_H
#define HERALD_CMD_TOOL_MEMORY_H

#include <stddef.h>

#include <herald/arena.h>
#include <herald/export.h>
#include <herald/value.h>

/* All memory of a command. */
#define MEMORY_MAX_BYTES ((size_t)4 << 30)

struct herald_arena *memory_create(void);

/* Cleared memory. If there is none, a message is printed and the process ends with status 1. */
void *memory_take(struct herald_arena *arena, size_t bytes);

/* The same for `count` elements of an array. */
void *memory_take_array(struct herald_arena *arena, size_t count, size_t bytes);

char *memory_copy(struct herald_arena *arena, const char *text, size_t bytes);

HERALD_PRINTF(2, 3) char *memory_print(struct herald_arena *arena, const char *format, ...);

/* A list that grows. An element is a pointer. */
struct memory_list {
	const void **items;
	size_t count, capacity;
};

void memory_list_add(struct herald_arena *arena, struct memory_list *list, const void *item);

#endif
