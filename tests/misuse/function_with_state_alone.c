/* expect: expected enum herald_verdict on_user\(struct herald_context \*, const struct user \*\) */
/* A function with a state names it: HERALD_FUNCTION(on_user, user, shop). */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

struct shop {
	int orders;
};

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user, struct shop *shop)
{
	(void)ctx;
	shop->orders += user->age;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user, user);
