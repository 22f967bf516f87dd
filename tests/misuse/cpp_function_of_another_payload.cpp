/* expect: the function must take \(herald::context &, const PAYLOAD &\) */
#include <herald/herald.hpp>

struct other {
	int id;
};

struct user {
	int age;
};

void
add(herald::service_options &options, const herald::schema<user> &schema)
{
	options.route("event", schema, [](const other &) {});
}
