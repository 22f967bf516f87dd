/*
 * Functions of the value types. They are decoded and encoded in codec/.
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

static inline const struct herald_json_pair *
find(const struct herald_json_map *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->pairs[i].key, key) == 0)
			return &map->pairs[i];
	return NULL;
}

const struct herald_json_pair *
herald_json_map_find(const struct herald_json_map *map, const char *key)
{
	return find(map, key);
}

const char *
herald_json_map_get(const struct herald_json_map *map, const char *key)
{
	const struct herald_json_pair *pair = find(map, key);

	return pair ? pair->text : NULL;
}
