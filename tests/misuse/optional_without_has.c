/* expect: no member named 'has_age' */
/* HERALD_OPTIONAL needs a member has_age. */
#include <herald/schema.h>

struct user {
	const char *name;
	int32_t age;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_OPTIONAL(user, age));
