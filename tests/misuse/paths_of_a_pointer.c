/* expect: expected an array, found a pointer */
/* A pointer does not know how many paths there are. */
#include <herald/server.h>

struct herald_server_options
options(const struct herald_server_path *paths)
{
	return (struct herald_server_options){HERALD_SERVER_PATHS(paths)};
}
