/* expect: the options of the variant shape\.body must be in parentheses */
/* Options of the lines are one argument. */
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
	HERALD_VARIANT_WITH(shape, body, kind, .key = "b", HERALD_CASE("circle", circle)));
