/* expect: user\.xs must be an array */
#include <herald/schema.h>

struct user {
	bool has_xs;
	double xs;
};

HERALD_SCHEMA(user, HERALD_OPTIONAL_ARRAY(user, xs));
