/* expect: a handler is an object of a class with functions such as before\(\) */
/* A single function is a hook. */
#include <herald/herald.hpp>

void
guard(herald::context &)
{
}

void
add(herald::service_options &options)
{
	options.handler("guard", guard);
}
