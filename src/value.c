/*
 * The value types' few functions. What they are decoded from and encoded to is json/'s.
 */
#include <string.h>

#include <herald/value.h>

const char *
herald_map_get(const struct herald_map *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key, key) == 0)
			return map->pairs[i].value;
	}
	return NULL;
}
