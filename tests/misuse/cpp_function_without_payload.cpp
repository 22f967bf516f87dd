/* expect: last parameter must be the payload */
/* The payload would be read as a context. */
#include <herald/herald.hpp>

void
add(herald::service_options &options, const herald_schema &schema)
{
	options.route("event", schema, [](herald::context &) {});
}
