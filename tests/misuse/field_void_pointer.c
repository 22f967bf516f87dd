/* expect: user\.data is a pointer that HERALD_FIELD does not support */
/* What a void pointer points to, nobody knows. */
#include <herald/schema.h>

struct user {
	const char *name;
	void *data;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, data));
