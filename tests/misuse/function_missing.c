/* expect in 20 lines: on_user_needs_HERALD_FUNCTION_with_payload_user */
/* HERALD_FUNCTION is missing. Inside of a function gcc says more. */
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

int count(void);

int
count(void)
{
	struct shop the_shop = {.orders = 0};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user", user, on_user, &the_shop),
	};

	return (int)HERALD_COUNT(routes);
}
