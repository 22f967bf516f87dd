/* expect: the elements of user\.xs have .* an array of structs is HERALD_STRUCT_ARRAY */
/* Structs need their schema. */
#include <herald/schema.h>

struct point {
	int32_t x;
};

HERALD_SCHEMA(point, HERALD_FIELD(point, x));

struct user {
	struct point xs[2];
};

HERALD_SCHEMA(user, HERALD_ARRAY(user, xs));
