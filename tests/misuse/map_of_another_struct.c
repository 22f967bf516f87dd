/* expect: user\.xs must be a pointer to struct price */
/* The members are of another struct. */
#include <herald/schema.h>

struct price {
	const char *key;
	int32_t x;
};

struct other {
	int32_t x;
};

HERALD_SCHEMA(price, HERALD_KEY(price, key), HERALD_FIELD(price, x));

struct user {
	const struct other *xs;
	size_t xs_count;
};

HERALD_SCHEMA(user, HERALD_MAP(user, xs, price));
