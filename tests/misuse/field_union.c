/* expect: user\.id is a union: use HERALD_VARIANT */
/* Nothing says which of the two it is. */
#include <herald/schema.h>

struct user {
	union {
		int64_t number;
		const char *text;
	} id;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, id));
