/* expect: the value of a case must be the text of the tag in JSON or, for an enum, its name */
/* All other tags are when_other(). */
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
			herald::when(nullptr, &shape::bodies::round, circle_schema)),
};
