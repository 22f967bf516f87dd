/* expect: the members of a list are a pointer and a std::size_t */
#include <herald/herald.hpp>
struct e {
	const int *m;
	int m_count;
};
const herald::schema<e> s{"e", herald::list_field("m", &e::m, &e::m_count)};
