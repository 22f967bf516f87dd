/* expect: no member named 'has_size' */
#include <herald/schema.h>

enum size { SMALL, LARGE };

static const struct herald_name sizes[] = {{"small", SMALL}, {"large", LARGE}};

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_OPTIONAL_ENUM(user, size, sizes));
