/* expect: no member named 'sizes_count' */
#include <herald/schema.h>

enum size { SMALL, LARGE };

static const struct herald_name sizes[] = {{"small", SMALL}, {"large", LARGE}};

struct user {
	const enum size *sizes;
};

HERALD_SCHEMA(user, HERALD_ENUMS(user, sizes, sizes));
