/* expect: the payload is not known: use a schema of C\+\+ */
/* The C schema does not say which struct it is of. */
#include <herald/herald.hpp>

struct user {
	int age;
};

void
add(herald::service_options &options, const herald_schema &schema)
{
	options.route("event", schema, [](const auto &) {});
}
