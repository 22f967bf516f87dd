/* expect later: the variant shape\.body needs its tag, and then cases: HERALD_CASE */
/* Which member is the tag? */
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
	HERALD_VARIANT(shape, body, HERALD_CASE("circle", circle)));
