/* expect: expected an array, found a pointer */
/* A pointer does not know how many networks there are. */
#include <herald/delivery.h>

struct herald_deliverer_options
options(const char *const *networks)
{
	return (struct herald_deliverer_options){HERALD_NETWORKS(networks)};
}
