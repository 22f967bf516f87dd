/* expect: the member of a variant must be a union */
#include <herald/herald.hpp>

struct circle {
	double radius;
};

struct shape {
	const char *kind;
	struct bodies {
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
