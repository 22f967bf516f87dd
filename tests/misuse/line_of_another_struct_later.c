/* expect: (no member named|field designator) 'line_of_struct_key' */
/* The second line is of struct key, and would fit. */
#include <herald/schema.h>

struct key {
	int64_t id;
	int64_t also;
};

struct user {
	int64_t id;
	int64_t also;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, id), HERALD_FIELD(key, also));
