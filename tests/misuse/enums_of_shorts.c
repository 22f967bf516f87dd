/* expect: user\.sizes must be a pointer to enums, as large as an int */
/* The elements must be as large as an int. */
#include <herald/schema.h>

static const struct herald_name sizes[] = {{"small", 0}};

struct user {
	const short *sizes;
	size_t sizes_count;
};

HERALD_SCHEMA(user, HERALD_ENUMS(user, sizes, sizes));
