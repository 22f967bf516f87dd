/* expect: the elements of user\.xs have a type that HERALD_ARRAY does not support */
/* Use a struct whose schema is transparent. */
#include <herald/schema.h>

struct user {
	double xs[2][2];
};

HERALD_SCHEMA(user, HERALD_ARRAY(user, xs));
