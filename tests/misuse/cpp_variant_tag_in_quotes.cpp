/* expect: after the union comes its tag, a member such as &shape::kind */
#include <herald/herald.hpp>
struct circle {
	double radius;
};
const herald::schema<circle> circle_schema{"circle", herald::field("radius", &circle::radius)};

struct shape {
	const char *kind;
	union u {
		circle c;
	} body;
};
const herald::schema<shape> s{"shape", herald::field("kind", &shape::kind).required(),
			      herald::variant("body", &shape::body, "kind",
					      herald::when("circle", &shape::u::c, circle_schema))};
