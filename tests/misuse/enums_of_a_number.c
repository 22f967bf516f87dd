/* expect: user\.size must be a pointer to enums */
/* A single enum is HERALD_ENUM. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

static const struct herald_name sizes[] = {{"small", SMALL}, {"large", LARGE}};

struct user {
	enum size size;
	size_t size_count;
};

HERALD_SCHEMA(user, HERALD_ENUMS(user, size, sizes));
