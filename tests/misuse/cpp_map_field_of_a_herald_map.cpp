/* expect: the member of a map is a herald::list of structs */
#include <herald/herald.hpp>
struct circle {
	double radius;
};
const herald::schema<circle> circle_schema{"circle", herald::field("radius", &circle::radius)};

struct e {
	herald_map m;
};
const herald::schema<e> s{"e", herald::map_field("m", &e::m, circle_schema)};
