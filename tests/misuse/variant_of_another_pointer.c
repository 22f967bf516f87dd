/* expect: shape\.body must be a const void \* */
/* The pointer must be a const void *, because it points to different structs. */
#include <herald/schema.h>

struct circle {
	double radius;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct shape {
	const char *kind;
	const struct circle *body;
};

HERALD_SCHEMA(shape,
	HERALD_FIELD(shape, kind, .required = true),
	HERALD_POINTER_VARIANT(shape, body, kind, HERALD_CASE("circle", circle)));
