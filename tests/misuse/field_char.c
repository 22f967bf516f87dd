/* expect: not compatible with any (generic )?association */
/* A single char is neither a number nor a string. */
#include <herald/schema.h>

struct user {
	const char *name;
	char initial;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, initial));
