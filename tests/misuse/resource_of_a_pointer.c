/* expect: expected an array, found a pointer */
/* A pointer does not know how many attributes there are. */
#include <herald/otlp.h>

struct herald_otlp_options
options(const struct herald_span_attribute *attributes)
{
	return (struct herald_otlp_options){HERALD_OTLP_RESOURCE(attributes)};
}
