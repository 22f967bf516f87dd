/* expect: user\.xs must be an array */
#include <herald/schema.h>

struct user {
	double xs;
};

HERALD_SCHEMA(user, HERALD_ARRAY(user, xs));
