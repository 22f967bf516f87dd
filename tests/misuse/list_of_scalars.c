/* expect: user\.scores must be a pointer to struct line */
/* A list of numbers is HERALD_VALUES. */
#include <herald/schema.h>

struct line {
	int32_t quantity;
};

HERALD_SCHEMA(line, HERALD_FIELD(line, quantity));

struct other {
	int32_t quantity;
};

HERALD_SCHEMA(other, HERALD_FIELD(other, quantity));

struct user {
	const char *name;
	const int32_t *scores;
	size_t scores_count;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_LIST(user, scores, line));
