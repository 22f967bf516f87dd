/* expect: requierd */
/* The option's name is misspelt. */
#include <herald/schema.h>

struct user {
	const char *name;
	int32_t age;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, age, .requierd = true));
