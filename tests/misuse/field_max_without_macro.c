/* expect: no member named 'max'|field designator 'max' does not refer */
/* A bound is set by HERALD_MAX. */
#include <herald/schema.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age, .max = 5));
