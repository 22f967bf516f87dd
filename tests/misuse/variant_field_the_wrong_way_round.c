/* expect: shape\.kind must be a union; after it comes its tag */
/* The union comes first, then its tag. */
#include <herald/schema.h>

struct circle {
	double radius;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct shape {
	const char *kind;
	union {
		struct circle circle;
	} body;
};

HERALD_SCHEMA(shape,
	HERALD_FIELD(shape, kind, .required = true),
	HERALD_VARIANT(shape, kind, body, HERALD_CASE_FIELD("circle", circle)));
