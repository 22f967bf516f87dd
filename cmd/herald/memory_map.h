/*
 * A hash table in the memory of a command. Its order is not visible, so that output is stable.
 */
#ifndef HERALD_CMD_MEMORY_MAP_H
#define HERALD_CMD_MEMORY_MAP_H

#include <stdint.h>

#include "tool_memory.h"

struct memory_slot {
	struct herald_text key;
	uint64_t hash;
	const void *value; /* NULL: the slot is free */
};

/* Zeros are an empty map. */
struct memory_map {
	struct memory_slot *slots;
	size_t count, capacity;
};

/* The value of a key, which is any bytes; NULL if there is none. */
const void *memory_map_get(const struct memory_map *map, struct herald_text key);

/* Set the value of a key, which must be kept. */
void memory_map_set(struct herald_arena *arena, struct memory_map *map, struct herald_text key,
		    const void *value);

#endif
