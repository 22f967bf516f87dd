/* expect: the value of a case must be the text of the tag in JSON or, for an enum, its name */
/* 0 would be a null pointer, and a case of all other tags. */
#include <herald/schema.h>

enum shape_kind { CIRCLE, SQUARE };

static const struct herald_name kinds[] = {{"circle", CIRCLE}, {"square", SQUARE}};

struct circle {
	double radius;
};

HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct shape {
	enum shape_kind kind;
	union {
		struct circle circle;
	} body;
};

HERALD_SCHEMA(shape,
	HERALD_ENUM(shape, kind, kinds, .required = true),
	HERALD_VARIANT(shape, body, kind, HERALD_CASE(CIRCLE, circle)));
