/* expect: expected an array, found a pointer */
/* A pointer does not know how many routes there are. */
#include <herald/service.h>

struct herald_service_options
options(const struct herald_route *routes)
{
	return HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes));
}
