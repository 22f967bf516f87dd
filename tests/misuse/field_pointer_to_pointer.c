/* expect: user\.table is a pointer that HERALD_FIELD does not support */
/* Lists of lists are not supported. */
#include <herald/schema.h>

struct user {
	const char *name;
	int **table;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, table));
