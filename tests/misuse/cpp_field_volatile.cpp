/* expect: the member is const or volatile: decoding could not set it */
#include <herald/herald.hpp>
struct e {
	volatile int m;
};
const herald::schema<e> s{"e", herald::field("m", &e::m)};
