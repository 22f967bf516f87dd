/* expect: user\.sizes must be an enum, as large as an int: a list is HERALD_ENUMS */
#include <herald/schema.h>

enum size { SMALL, LARGE };

static const struct herald_name sizes[] = {{"small", SMALL}, {"large", LARGE}};

struct user {
	const enum size *sizes;
	size_t sizes_count;
};

HERALD_SCHEMA(user, HERALD_ENUM(user, sizes, sizes));
