/* expect: expected .*';' */
#include <herald/schema.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age))

static int next;
