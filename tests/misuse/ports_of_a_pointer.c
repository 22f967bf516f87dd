/* expect: expected an array, found a pointer */
/* A pointer does not know how many ports there are. */
#include <herald/delivery.h>

struct herald_deliverer_options
options(const struct herald_port_range *ports)
{
	return (struct herald_deliverer_options){HERALD_PORTS(ports)};
}
