/* expect: the elements of user\.xs have a type that HERALD_ARRAY does not support */
/* char[N] is a string: use HERALD_FIELD. */
#include <herald/schema.h>

struct user {
	char xs[2];
};

HERALD_SCHEMA(user, HERALD_ARRAY(user, xs));
