/* expect: user\.lines must be a pointer to struct other */
/* The list is of struct line, the schema of struct other. */
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
	const struct line *lines;
	size_t lines_count;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_LIST(user, lines, other));
