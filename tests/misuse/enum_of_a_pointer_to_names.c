/* expect: expected an array, found a pointer */
/* A pointer does not know how many names there are. */
#include <herald/schema.h>

extern const struct herald_name *const names;

enum size { SMALL, LARGE };

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_ENUM(user, size, names));
