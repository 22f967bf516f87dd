/* expect: HERALD_MIN_or_HERALD_MAX_ ?\*. */
/* A bound is set by HERALD_MIN. */
#include <herald/schema.h>

struct user {
	double height;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, height, .lower_bound = 0.5));
