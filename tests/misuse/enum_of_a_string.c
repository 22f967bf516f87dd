/* expect: user\.size must be an enum, as large as an int */
/* The member is a string; its allowed values are HERALD_ONE_OF. */
#include <herald/schema.h>

static const struct herald_name sizes[] = {{"small", 0}};

struct user {
	const char *name;
	const char *size;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_ENUM(user, size, sizes));
