/* expect: shape\.body\.circle must be a struct circle, or a pointer to one */
/* The union's member is of another struct than the case says. */
#include <herald/schema.h>

struct circle {
	double radius;
};

struct box {
	double width;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct shape {
	const char *kind;
	union {
		struct box circle;
	} body;
};

HERALD_SCHEMA(shape,
	HERALD_FIELD(shape, kind, .required = true),
	HERALD_VARIANT(shape, body, kind, HERALD_CASE("circle", circle)));
