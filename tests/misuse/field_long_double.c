/* expect: user\.height has a type that HERALD_FIELD does not support */
/* JSON has no more than a double. */
#include <herald/schema.h>

struct user {
	const char *name;
	long double height;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, height));
