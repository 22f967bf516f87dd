/* expect: this must be an array, and is a pointer */
/* A pointer does not know how many handlers there are. */
#include <herald/service.h>

struct herald_service_options
options(struct herald_handler *const *handlers)
{
	return HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(handlers));
}
