/* expect: the function must take \(herald::context &, const PAYLOAD &\) */
/* The payload is not the function's to change. */
#include <herald/herald.hpp>

struct user {
	int age;
};

void
add(herald::service_options &options, const herald::schema<user> &schema)
{
	options.route("event", schema, [](user &) {});
}
