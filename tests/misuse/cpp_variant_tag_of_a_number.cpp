/* expect: the tag of a union must be a string or an enum */
#include <herald/herald.hpp>

struct circle {
	double radius;
};

struct shape {
	int kind;
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
			herald::when("circle", &shape::bodies::round, circle_schema)),
};
