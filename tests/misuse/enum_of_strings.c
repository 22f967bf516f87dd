/* expect: sizes must be an array of struct herald_name */
/* The names must be struct herald_name. */
#include <herald/schema.h>

static const char *const sizes[] = {"small"};

struct user {
	const char *name;
	enum { SMALL } size;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, name),
	HERALD_ENUM(user, size, sizes));
