/* expect: no member named 'scores_count' */
/* HERALD_VALUES needs a member scores_count. */
#include <herald/schema.h>

struct user {
	const char *name;
	const int32_t *scores;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_VALUES(user, scores));
