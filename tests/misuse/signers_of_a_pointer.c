/* expect: expected an array, found a pointer */
/* A pointer does not know how many signers there are. */
#include <herald/delivery.h>

struct herald_deliverer_options
options(const struct herald_named_signer *signers)
{
	return (struct herald_deliverer_options){HERALD_SIGNERS(signers)};
}
