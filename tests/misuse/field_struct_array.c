/* expect: user\.points is an array: use HERALD_ARRAY, or HERALD_STRUCT_ARRAY */
#include <herald/schema.h>

struct point {
	int32_t x;
};

struct user {
	struct point points[2];
};

HERALD_SCHEMA(user, HERALD_FIELD(user, points));
