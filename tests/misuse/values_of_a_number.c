/* expect: user\.age must be a pointer to values that HERALD_VALUES supports */
/* A single value is HERALD_FIELD. */
#include <herald/schema.h>

struct user {
	int32_t age;
	size_t age_count;
};

HERALD_SCHEMA(user, HERALD_VALUES(user, age));
