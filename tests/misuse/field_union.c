/* expect: user\.id has a type that HERALD_FIELD does not support */
/* Nothing says which of the two it is. */
#include <herald/schema.h>

struct user {
	union {
		int64_t number;
		const char *text;
	} id;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, id));
