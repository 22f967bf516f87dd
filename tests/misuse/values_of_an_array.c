/* expect: user\.scores must be a pointer to values that HERALD_VALUES supports */
#include <herald/schema.h>

struct user {
	int32_t scores[4];
	size_t scores_count;
};

HERALD_SCHEMA(user, HERALD_VALUES(user, scores));
