/* expect: user\.scores_count must be a size_t */
/* scores_count must be a size_t. */
#include <herald/schema.h>

struct user {
	const char *name;
	const int32_t *scores;
	unsigned scores_count;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_VALUES(user, scores));
