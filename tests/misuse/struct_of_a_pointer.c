/* expect: user\.line must be a struct line: a pointer to one is HERALD_POINTER */
/* A pointer to a struct is HERALD_POINTER. */
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
	const struct line *line;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_STRUCT(user, line, line));
