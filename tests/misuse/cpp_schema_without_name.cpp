/* expect: a schema begins with the name of its struct */
#include <herald/herald.hpp>
struct e {
	int m;
};
const herald::schema<e> s{herald::field("m", &e::m)};
