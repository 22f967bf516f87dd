/* expect later: user\.xs must be an array of struct point: a pointer to them is HERALD_LIST */
#include <herald/schema.h>

struct point {
	int32_t x;
};

HERALD_SCHEMA(point, HERALD_FIELD(point, x));

struct user {
	const struct point *xs;
};

HERALD_SCHEMA(user, HERALD_STRUCT_ARRAY(user, xs, point));
