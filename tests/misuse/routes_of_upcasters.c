/* expect warning: incompatible.*herald_upcaster */
/* The arrays are mixed up. gcc 14 refuses it, without -Werror too. */
#include <herald/herald.h>

extern const struct herald_upcaster upcasters[2];

struct herald_service_options options(void);

struct herald_service_options
options(void)
{
	return HERALD_SERVICE_OPTIONS(HERALD_ROUTES(upcasters));
}
