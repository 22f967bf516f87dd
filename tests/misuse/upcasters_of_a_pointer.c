/* expect: expected an array, found a pointer */
/* A pointer does not know how many upcasters there are. */
#include <herald/service.h>

struct herald_service_options
options(const struct herald_upcaster *upcasters)
{
	return HERALD_SERVICE_OPTIONS(HERALD_UPCASTERS(upcasters));
}
