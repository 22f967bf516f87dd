/* expect: write_the_tag_without_quotes */
/* The tag is a member, not a string. */
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
	HERALD_STRUCT(shape, body.circle, circle, HERALD_WHEN_OTHER("kind")));
