/* expect: the member is const or volatile|members of a payload cannot be const */
#include <herald/herald.hpp>
struct e {
	const int m;
};
const herald::schema<e> s{"e", herald::field("m", &e::m)};
