/* expect: bit-field|bit field */
/* A bit field has no address. */
#include <herald/schema.h>

struct user {
	const char *name;
	unsigned flag : 1;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, flag));
