/* expect warning: integer to pointer|makes pointer from integer|incompatible */
/* A key is a string. */
#include <herald/schema.h>

struct user {
	const char *name;
	int32_t age;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, age, .key = 5));
