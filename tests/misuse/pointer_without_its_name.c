/* expect later: after user.circle comes the name of its struct, the one that has a schema */
#include <herald/schema.h>

struct circle {
	double radius;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct user {
	const struct circle *circle;
};

HERALD_SCHEMA(user, HERALD_POINTER(user, circle));
