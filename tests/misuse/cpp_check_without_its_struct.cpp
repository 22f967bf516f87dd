/* expect: a check names its struct: herald::check<STRUCT> */
#include <herald/herald.hpp>
struct e {
	int m;
};
const herald::schema<e> s{"e", herald::field("m", &e::m),
			  herald::check([](const e &, herald_refusal *) { return true; })};
