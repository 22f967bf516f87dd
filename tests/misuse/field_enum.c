/* expect: the member is an enum: HERALD_ENUM takes it, with its names */
/* It would take any number. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, size));
