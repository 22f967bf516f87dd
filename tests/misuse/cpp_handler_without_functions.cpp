/* expect: the class has none of the functions of a handler */
/* The function's name is misspelt. */
#include <herald/herald.hpp>

struct guard {
	void bevore(herald::context &) {}
};

void
add(herald::service_options &options)
{
	options.handler("guard", guard());
}
