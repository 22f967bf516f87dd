/* expect: a case of a const void \* is a schema: herald::when\(..?circle..?, circle_schema\) */
#include <herald/herald.hpp>
struct circle {
	double radius;
};
const herald::schema<circle> circle_schema{"circle", herald::field("radius", &circle::radius)};

struct shape {
	const char *kind;
	const void *body;
	union u {
		circle c;
	} x;
};
const herald::schema<shape> s{"shape", herald::field("kind", &shape::kind).required(),
			      herald::variant("body", &shape::body, &shape::kind,
					      herald::when("circle", &shape::u::c, circle_schema))};
