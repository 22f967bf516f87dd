/* expect: user\.size is an enum: use HERALD_ENUM, with its names */
/* An enum whose values need it has the type unsigned long. */
#include <herald/schema.h>

__extension__ enum size { SMALL, LARGE = UINT64_MAX };

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, size));
