/* expect: a payload is a plain struct */
/* Decoding would overwrite the string. */
#include <herald/herald.hpp>

struct user {
	std::string name;
};

void
add(herald::service_options &options, const herald_schema &schema)
{
	options.route("event", schema, [](const user &) {});
}
