/* expect: ('user_schema' undeclared|undeclared identifier 'user_schema') */
/* Who else would know of it? */
#include <herald/schema.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA_DEFINE(user, HERALD_FIELD(user, age));
