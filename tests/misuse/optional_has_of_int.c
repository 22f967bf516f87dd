/* expect: user\.has_age must be a bool */
/* has_age must be a bool. */
#include <herald/schema.h>

struct user {
	const char *name;
	int has_age;
	int32_t age;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_OPTIONAL(user, age));
