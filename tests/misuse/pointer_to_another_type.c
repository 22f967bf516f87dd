/* expect: user\.line must be a pointer to struct other */
/* The member points to a struct line, the schema is of struct other. */
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
	HERALD_POINTER(user, line, other));
