/* expect: the elements of user\.sizes are enums: use HERALD_ENUMS, with their names */
/* They would take any number. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

struct user {
	const enum size *sizes;
	size_t sizes_count;
};

HERALD_SCHEMA(user, HERALD_VALUES(user, sizes));
