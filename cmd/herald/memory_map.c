/*
 * A hash table with open addressing. Nothing is removed from it.
 */
#include "memory_map.h"

#include <string.h>

/* FNV-1a; the last line lets all bits of the hash depend on all bytes. */
static uint64_t
hash_of(struct herald_text key)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	for (size_t i = 0; i < key.bytes; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001B3);
	return (hash ^ hash >> 29) * UINT64_C(0xBF58476D1CE4E5B9) >> 16;
}

/* The slot of a key, or the free one where it belongs. */
static struct memory_slot *
find_slot(const struct memory_map *map, struct herald_text key, uint64_t hash)
{
	size_t i = (size_t)hash & (map->capacity - 1);

	for (;; i = (i + 1) & (map->capacity - 1)) {
		struct memory_slot *slot = &map->slots[i];

		if (!slot->value || (slot->hash == hash && slot->key.bytes == key.bytes &&
				     memcmp(slot->key.data, key.data, key.bytes) == 0))
			return slot;
	}
}

static void
grow(struct herald_arena *arena, struct memory_map *map)
{
	struct memory_map old = *map;

	map->capacity = old.capacity > 0 ? 2 * old.capacity : 16;
	map->slots = memory_take_array(arena, map->capacity, sizeof(*map->slots));
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].value)
			*find_slot(map, old.slots[i].key, old.slots[i].hash) = old.slots[i];
}

const void *
memory_map_get(const struct memory_map *map, struct herald_text key)
{
	return map->count > 0 ? find_slot(map, key, hash_of(key))->value : NULL;
}

void
memory_map_set(struct herald_arena *arena, struct memory_map *map, struct herald_text key,
	       const void *value)
{
	uint64_t hash = hash_of(key);

	if (2 * map->count >= map->capacity)
		grow(arena, map);
	struct memory_slot *slot = find_slot(map, key, hash);
	map->count += slot->value == NULL;
	*slot = (struct memory_slot){key, hash, value};
}
