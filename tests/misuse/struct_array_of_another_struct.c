/* expect: user\.xs must be an array of struct point */
/* The elements are of another struct. */
#include <herald/schema.h>

struct point {
	int32_t x;
};

struct other {
	int32_t x;
};

HERALD_SCHEMA(point, HERALD_FIELD(point, x));

struct user {
	struct other xs[2];
};

HERALD_SCHEMA(user, HERALD_STRUCT_ARRAY(user, xs, point));
