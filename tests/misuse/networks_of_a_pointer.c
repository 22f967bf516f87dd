/* expect: this must be an array, and is a pointer */
/* A pointer does not know how many networks there are. */
#include <herald/array.h>
#if __has_include(<herald/delivery.h>) && __has_include(<curl/curl.h>)
#include <herald/delivery.h>
#else
#define HERALD_NETWORKS(ARRAY) .networks_count = HERALD_COUNT(ARRAY)
struct herald_deliverer_options {
	size_t networks_count;
};
#endif

struct herald_deliverer_options
options(const char *const *networks)
{
	return (struct herald_deliverer_options){HERALD_NETWORKS(networks)};
}
