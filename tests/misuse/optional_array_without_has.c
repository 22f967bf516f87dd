/* expect: no member named 'has_xs' */
/* HERALD_OPTIONAL_ARRAY needs a member has_xs. */
#include <herald/schema.h>

struct user {
	double xs[2];
};

HERALD_SCHEMA(user, HERALD_OPTIONAL_ARRAY(user, xs));
