/* expect: the member must be a const char \*, because a name in JSON is a string */
#include <herald/herald.hpp>
struct e {
	int id;
	double v;
};
const herald::schema<e> s{herald::transparent("e"), herald::key("id", &e::id),
			  herald::field("v", &e::v)};
