/* expect: user\.initial has a type that HERALD_FIELD does not support */
/* A single char is neither a number nor a string. */
#include <herald/schema.h>

struct user {
	const char *name;
	char initial;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, initial));
