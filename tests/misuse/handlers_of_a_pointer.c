/* expect: expected an array, found a pointer */
/* A pointer does not know how many handlers there are. */
#include <herald/service.h>

struct herald_service_options
options(struct herald_handler *const *handlers)
{
	return HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(handlers));
}
