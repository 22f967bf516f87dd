/* expect: user\.data must be a pointer to values that HERALD_VALUES supports */
/* What a void pointer points to, nobody knows. */
#include <herald/schema.h>

struct user {
	const char *name;
	const void *data;
	size_t data_count;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_VALUES(user, data));
