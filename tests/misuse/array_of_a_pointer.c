/* expect: user\.xs is a pointer: use HERALD_VALUES, with its count */
/* A fixed array has no count. */
#include <herald/schema.h>

struct user {
	const int32_t *xs;
};

HERALD_SCHEMA(user, HERALD_ARRAY(user, xs));
