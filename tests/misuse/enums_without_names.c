/* expect later: the names of the enum are missing */
/* First, -Wpedantic has something to say about the arguments of the macro. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

struct user {
	const enum size *sizes;
	size_t sizes_count;
};

HERALD_SCHEMA(user, HERALD_ENUMS(user, sizes));
