/* expect: expected an array, found a pointer */
/* A pointer does not know how many keys there are. */
#include "../../adapters/signature/nettle/include/herald/signature.h"

struct herald_signature_options
options(const char *const *keys)
{
	return (struct herald_signature_options){HERALD_SIGNATURE_KEYS(keys)};
}
