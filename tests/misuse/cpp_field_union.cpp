/* expect: the member is a union: use herald::variant() */
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
	herald::field("body", &shape::body),
};
