/* expect: the function must return herald_verdict or void */
/* Whether true is good, nobody knows. */
#include <herald/herald.hpp>

struct user {
	int age;
};

void
add(herald::service_options &options, const herald::schema<user> &schema)
{
	options.route("event", schema, [](const user &) { return true; });
}
