/* expect: HERALD_ONE_OF lists texts: HERALD_ONE_OF */
#include <herald/schema.h>

static const char *const sizes[] = {"small", "large", NULL};

struct user {
	const char *size;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, size, HERALD_ONE_OF(sizes)));
