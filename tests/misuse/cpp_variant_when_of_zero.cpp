/* expect: the value of a case must be the text of the tag in JSON or, for an enum, its name */
/* 0 would be a null pointer, and a case of all other tags. */
#include <herald/herald.hpp>

struct circle {
	double radius;
};

struct shape {
	const char *kind;
	union bodies {
		circle round;
		const char *other;
	} body;
};

const herald::schema<circle> circle_schema{
	"circle",
	herald::field("radius", &circle::radius),
};

const herald::schema<shape> shape_schema{
	"shape",
	herald::field("kind", &shape::kind).required(),
	herald::variant("body", &shape::body, &shape::kind,
			herald::when(0, &shape::bodies::round, circle_schema)),
};
