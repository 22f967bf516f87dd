/* expect: an array of enums, which is not supported: use herald::list */
#include <herald/herald.hpp>
enum class size { small, large };
const herald_name sizes[] = {{"small", 0}, {"large", 1}};

struct e {
	size m[2];
};
const herald::schema<e> s{"e", herald::field("m", &e::m, sizes)};
