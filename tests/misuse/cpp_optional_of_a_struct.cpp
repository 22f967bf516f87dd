/* expect: an optional struct is a pointer */
#include <herald/herald.hpp>
struct circle {
	double radius;
};
const herald::schema<circle> circle_schema{"circle", herald::field("radius", &circle::radius)};

struct e {
	bool has;
	circle m;
};
const herald::schema<e> s{"e", herald::optional("m", &e::m, &e::has, circle_schema)};
