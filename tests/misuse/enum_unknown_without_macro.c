/* expect warning: use_HERALD_UNKNOWN_ ?\*. */
/* The value is set by HERALD_UNKNOWN. gcc 14 and clang 15 refuse it, without -Werror too. */
#include <herald/schema.h>

enum size { OTHER, SMALL };

static const struct herald_name sizes[] = {{"small", SMALL}};

struct user {
	enum size size;
};

HERALD_SCHEMA(user, HERALD_ENUM(user, size, sizes, .unknown = 5));
