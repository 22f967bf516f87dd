/* expect: expected .* user_to_order\(.*, const struct order \*, struct user \*\) */
/* The function makes a struct order from a struct user. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

struct order {
	int32_t cents;
};

HERALD_SCHEMA(order, HERALD_FIELD(order, cents));

struct shop {
	int orders;
};

struct bank {
	int accounts;
};

static enum herald_verdict
user_to_order(struct herald_context *ctx, const struct user *from, struct order *to)
{
	(void)ctx;
	to->cents = from->age;
	return HERALD_DONE;
}
HERALD_UPCASTER(user_to_order, order, user);
