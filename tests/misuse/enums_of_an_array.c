/* expect: user\.sizes must be a pointer to enums, as large as an int */
/* A list is a pointer and a count. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

static const struct herald_name sizes[] = {{"small", SMALL}, {"large", LARGE}};

struct user {
	enum size sizes[2];
	size_t sizes_count;
};

HERALD_SCHEMA(user, HERALD_ENUMS(user, sizes, sizes));
