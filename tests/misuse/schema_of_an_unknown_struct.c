/* expect: (incomplete|undefined) (type|struct)|offsetof of incomplete type */
/* The struct is defined below, or not at all. */
#include <herald/schema.h>

HERALD_SCHEMA(user, HERALD_FIELD(user, age));
