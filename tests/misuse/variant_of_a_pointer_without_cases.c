/* expect later: the variant shape\.at needs its tag, and then cases: HERALD_CASE */
/* Which struct is it? */
#include <herald/schema.h>

struct circle {
	double radius;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct shape {
	const char *kind;
	const void *at;
	union {
		struct circle circle;
	} body;
};

HERALD_SCHEMA(shape,
	HERALD_FIELD(shape, kind, .required = true),
	HERALD_PRIVATE(shape, body),
	HERALD_POINTER_VARIANT(shape, at, kind));
