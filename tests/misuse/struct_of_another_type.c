/* expect: user\.line must be a struct other: a pointer to one is HERALD_POINTER */
/* The member is a struct line, the schema of struct other. */
#include <herald/schema.h>

struct line {
	int32_t quantity;
};

HERALD_SCHEMA(line, HERALD_FIELD(line, quantity));

struct other {
	int32_t quantity;
};

HERALD_SCHEMA(other, HERALD_FIELD(other, quantity));

struct user {
	const char *name;
	struct line line;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_STRUCT(user, line, other));
