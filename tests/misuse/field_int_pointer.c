/* expect: user\.scores is a pointer that HERALD_FIELD does not support */
/* A list is HERALD_VALUES, with a count. */
#include <herald/schema.h>

struct user {
	const char *name;
	const int32_t *scores;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, scores));
