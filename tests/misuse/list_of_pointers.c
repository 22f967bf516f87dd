/* expect: user\.lines must be a pointer to struct line */
/* A list is of structs, not of pointers to structs. */
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
	const struct line *const *lines;
	size_t lines_count;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_LIST(user, lines, line));
