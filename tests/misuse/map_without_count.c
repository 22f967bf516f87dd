/* expect: no member named 'xs_count' */
/* HERALD_MAP needs a member xs_count. */
#include <herald/schema.h>

struct price {
	const char *key;
	int32_t x;
};

HERALD_SCHEMA(price, HERALD_KEY(price, key), HERALD_FIELD(price, x));

struct user {
	const struct price *xs;
};

HERALD_SCHEMA(user, HERALD_MAP(user, xs, price));
