/* expect: shape\.body\.circle must be a struct circle, or a pointer to one: other types .*_FIELD */
#include <herald/schema.h>

struct circle {
	double radius;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct shape {
	const char *kind;
	union {
		double circle;
	} body;
};

HERALD_SCHEMA(shape,
	HERALD_FIELD(shape, kind, .required = true),
	HERALD_VARIANT(shape, body, kind, HERALD_CASE("circle", circle)));
