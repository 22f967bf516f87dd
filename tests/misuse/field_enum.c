/* expect: user\.size is an enum: use HERALD_ENUM, with its names */
/* It would take any number. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, size));
