/* expect: on_user has no state: its route takes NULL */
/* The function has no state, and a void pointer is not NULL. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

struct shop {
	int orders;
};

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user)
{
	(void)ctx;
	(void)user;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user, user);

static struct shop the_shop;

const struct herald_route routes[1] = {
	HERALD_ROUTE("user", user, on_user, (void *)&the_shop),
};
