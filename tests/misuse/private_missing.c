/* expect: no member named 'owned' */
/* There is no such member. */
#include <herald/schema.h>

struct user {
	const char *name;
	void *own;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_PRIVATE(user, owned));
