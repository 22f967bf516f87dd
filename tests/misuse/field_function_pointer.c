/* expect: user\.call is a pointer that HERALD_FIELD does not support */
/* A function is not data. */
#include <herald/schema.h>

struct user {
	const char *name;
	void (*call)(void);
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, call));
