/* expect later: after user.circle comes the name of its struct, the one that has a schema */
#include <herald/schema.h>

struct circle {
	double radius;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct user {
	struct circle circle[2];
};

HERALD_SCHEMA(user, HERALD_STRUCT_ARRAY(user, circle));
