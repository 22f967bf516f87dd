/* expect: expected ';' */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user)
{
	(void)ctx;
	(void)user;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user, user)

static int next;
