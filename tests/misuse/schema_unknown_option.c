/* expect: rejct_unknown */
/* The option's name is misspelt. */
#include <herald/schema.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA_WITH(user, (.rejct_unknown = true), HERALD_FIELD(user, age));
