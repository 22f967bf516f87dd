/* expect: the value of a case must be the text of the tag.*HERALD_CASE_OTHER */
/* All other tags are HERALD_CASE_OTHER. */
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
	HERALD_FLAT_VARIANT(shape, body, kind, HERALD_CASE(NULL, circle)));
