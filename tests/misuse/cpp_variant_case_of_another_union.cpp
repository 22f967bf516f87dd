/* expect: a case is of another union than the member */
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

union others {
	circle round;
};

const herald::schema<shape> shape_schema{
	"shape",
	herald::field("kind", &shape::kind).required(),
	herald::variant("body", &shape::body, &shape::kind,
			herald::when("circle", &others::round, circle_schema)),
};
