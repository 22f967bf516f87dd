/* expect: expected an array, found a pointer */
/* A pointer does not know how many formats there are. */
#include <herald/service.h>

struct herald_service_options
options(const struct herald_format *const *formats)
{
	return (struct herald_service_options){HERALD_FORMATS(formats)};
}
