/* expect: not compatible with any (generic )?association */
/* Of arrays, only those of char are supported. */
#include <herald/schema.h>

struct user {
	const char *name;
	int32_t scores[3];
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_FIELD(user, scores));
