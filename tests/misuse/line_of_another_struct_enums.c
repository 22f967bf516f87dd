/* expect: (no member named|field designator) 'line_of_struct_other' */
/* The line is of struct other, the schema of struct user. */
#include <herald/schema.h>

enum size { SMALL, LARGE };

static const struct herald_name sizes[] = {{"small", SMALL}, {"large", LARGE}};

struct other {
	enum size *sizes;
	size_t sizes_count;
};

struct user {
	enum size *sizes;
	size_t sizes_count;
};

HERALD_SCHEMA(user, HERALD_ENUMS(other, sizes, sizes));
