/* expect: (no member named|field designator) 'line_of_struct_key' */
/* The line is of struct key, the schema of struct user. */
#include <herald/schema.h>

struct key {
	void *own;
};

struct user {
	const char *name;
};

HERALD_SCHEMA(user, HERALD_PRIVATE(key, own));
