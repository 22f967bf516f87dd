/* expect: (no member named|field designator) 'line_of_struct_key' */
/* The line is of struct key, the schema of struct user. */
#include <herald/schema.h>

struct inner {
	int32_t age;
};

HERALD_SCHEMA(inner, HERALD_FIELD(inner, age));

struct key {
	struct inner inner;
};

struct user {
	const char *name;
};

HERALD_SCHEMA(user, HERALD_STRUCT(key, inner, inner));
