/* expect: user\.maps must be a pointer to values that HERALD_VALUES supports */
/* A list of maps is not supported. */
#include <herald/schema.h>

struct user {
	const char *name;
	const struct herald_map *maps;
	size_t maps_count;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_VALUES(user, maps));
