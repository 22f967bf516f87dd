/* expect: is_adult_check.? undeclared|undeclared identifier 'is_adult_check' */
/* HERALD_CHECK(is_adult, user) is missing. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA_WITH(user, (.check = &is_adult_check), HERALD_FIELD(user, age));
