/* expect: attributes must be public */
/* A list is expected, not functions. */
#include <herald/herald.hpp>

struct guard {
	static const char *const *attributes();
	static const char *const *attributes(int count);
	void before(herald::context &) {}
};

void
add(herald::service_options &options)
{
	options.handler("guard", guard());
}
