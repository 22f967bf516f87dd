/* expect: after the member comes nothing, a schema, or an array of herald_name */
#include <herald/herald.hpp>
enum class size { small, large };

#include <vector>
struct e {
	size m;
};
const std::vector<herald_name> names{{"small", 0}};
const herald::schema<e> s{"e", herald::field("m", &e::m, names)};
