/* expect: no member named 'lines_count' */
/* HERALD_LIST needs a member lines_count. */
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
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_LIST(user, lines, line));
