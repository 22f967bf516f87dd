/* expect: expected an array, found a pointer */
/* A pointer does not know how many names there are. */
#include "../../adapters/tls/openssl/include/herald/openssl.h"

struct herald_openssl_options
options(const char *const *names)
{
	return (struct herald_openssl_options){HERALD_OPENSSL_CLIENT_NAMES(names)};
}
