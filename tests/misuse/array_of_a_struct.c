/* expect: user\.xs must be an array */
#include <herald/schema.h>

struct point {
	int32_t x;
};

struct user {
	struct point xs;
};

HERALD_SCHEMA(user, HERALD_ARRAY(user, xs));
