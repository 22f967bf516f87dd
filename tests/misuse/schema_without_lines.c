/* expect later: the schema of struct user needs a line for each member */
/* First, -Wpedantic has something to say about the arguments of the macro. */
#include <herald/schema.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user);
