/* expect: user\.xs must be a const char \* */
/* A key is a string. */
#include <herald/schema.h>

struct user {
	int32_t xs;
};

HERALD_SCHEMA(user, HERALD_KEY(user, xs));
