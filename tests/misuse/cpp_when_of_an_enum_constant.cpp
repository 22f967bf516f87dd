/* expect: the value of a case must be the text of the tag in JSON or, for an enum, its name */
/* The tag is an enum, whose names are in JSON. */
#include <herald/herald.hpp>

enum shape_kind { CIRCLE, SQUARE };

static const herald_name kinds[] = {{"circle", CIRCLE}, {"square", SQUARE}};

struct shape {
	shape_kind kind;
	double radius;
};

const herald::schema<shape> shapes{
	"shape",
	herald::field("kind", &shape::kind, kinds).required(),
	herald::field("radius", &shape::radius).when("kind", CIRCLE),
};
