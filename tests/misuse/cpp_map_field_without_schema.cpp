/* expect: then comes the schema of the struct */
#include <herald/herald.hpp>
struct circle {
	double radius;
};

struct e {
	herald::list<circle> m;
};
const herald::schema<e> s{"e", herald::map_field("m", &e::m)};
