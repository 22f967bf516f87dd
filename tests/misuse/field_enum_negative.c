/* expect: user\.size is an enum: use HERALD_ENUM, with its names */
/* An enum with a negative value has the type int. */
#include <herald/schema.h>

enum size { SMALL = -1, LARGE };

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, size));
