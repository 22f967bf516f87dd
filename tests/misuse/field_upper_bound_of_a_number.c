/* expect warning: HERALD_MIN_or_HERALD_MAX_ ?\*. */
/* A bound is set by HERALD_MAX. gcc 14 and clang 15 refuse it, without -Werror too. */
#include <herald/schema.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age, .upper_bound = 5));
