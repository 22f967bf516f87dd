/* expect: 'sizes' undeclared|undeclared identifier 'sizes' */
/* There is no table of this name. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_ENUM(user, size, sizes));
