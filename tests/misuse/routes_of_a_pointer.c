/* expect: this must be an array, and is a pointer */
/* A pointer does not know how many routes there are. */
#include <herald/service.h>

struct herald_service_options
options(const struct herald_route *routes)
{
	return HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes));
}
