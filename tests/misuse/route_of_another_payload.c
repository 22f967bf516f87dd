/* expect: on_user_needs_HERALD_FUNCTION_with_payload_order */
/* The function takes a struct user. */
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
on_user(struct herald_context *ctx, const struct user *user, struct shop *shop)
{
	(void)ctx;
	shop->orders += user->age;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user, user, shop);

static struct shop the_shop;

const struct herald_route routes[1] = {
	HERALD_ROUTE("user", order, on_user, &the_shop),
};
