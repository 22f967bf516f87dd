/* expect: no member named 'min'|field designator 'min' does not refer */
/* A bound is set by HERALD_MIN. */
#include <herald/schema.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age, .min = 5));
