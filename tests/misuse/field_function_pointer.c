/* expect: not compatible with any (generic )?association */
/* A function is no data. */
#include <herald/schema.h>

struct user {
	const char *name;
	void (*call)(void);
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, call));
