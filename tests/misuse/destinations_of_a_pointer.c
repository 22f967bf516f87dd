/* expect: expected an array, found a pointer */
/* A pointer does not know how many destinations there are. */
#include <herald/delivery.h>

struct herald_deliverer_options
options(const struct herald_destination *destinations)
{
	return (struct herald_deliverer_options){HERALD_DESTINATIONS(destinations)};
}
