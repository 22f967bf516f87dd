/* expect: user\.xs is an array of enums, which is not supported: use HERALD_ENUMS */
/* They would take any number. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

struct user {
	enum size xs[2];
};

HERALD_SCHEMA(user, HERALD_ARRAY(user, xs));
