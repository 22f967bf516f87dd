/* expect: expected enum herald_verdict on_user\(.*, const struct user \*, struct bank \*\) */
/* The function's state is a struct shop. */
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
HERALD_FUNCTION(on_user, user, bank);
