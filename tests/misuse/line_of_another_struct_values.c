/* expect: (no member named|field designator) 'line_of_struct_key' */
/* The line is of struct key, the schema of struct user. */
#include <herald/schema.h>

struct key {
	const int32_t *ids;
	size_t ids_count;
};

struct user {
	const char *name;
};

HERALD_SCHEMA(user, HERALD_VALUES(key, ids));
