/* expect: user\.title is a pointer that HERALD_FIELD does not support */
/* A string is of char. */
#include <herald/schema.h>

struct user {
	const char *name;
	const unsigned char *title;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, title));
