/* expect: after an optional member comes the bool that says whether there is a value */
#include <herald/herald.hpp>
struct e {
	int m;
};
const herald::schema<e> s{"e", herald::optional("m", &e::m)};
