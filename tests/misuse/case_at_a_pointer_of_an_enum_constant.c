/* expect: the value of a case must be the text of the tag in JSON or, for an enum, its name */
/* The tag is an enum, whose names are in JSON. */
#include <herald/schema.h>

enum shape_kind { CIRCLE, SQUARE };

static const struct herald_name kinds[] = {{"circle", CIRCLE}, {"square", SQUARE}};

struct circle {
	double radius;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct shape {
	enum shape_kind kind;
	const void *at;
	union {
		struct circle circle;
	} body;
};

HERALD_SCHEMA(shape,
	HERALD_ENUM(shape, kind, kinds, .required = true),
	HERALD_PRIVATE(shape, body),
	HERALD_POINTER_VARIANT(shape, at, kind, HERALD_CASE(CIRCLE, circle)));
