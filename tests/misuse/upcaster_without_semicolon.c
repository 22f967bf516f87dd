/* expect: expected ';' */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

static enum herald_verdict
copy(struct herald_context *ctx, const struct user *from, struct user *to)
{
	(void)ctx;
	*to = *from;
	return HERALD_DONE;
}
HERALD_UPCASTER(copy, user, user)

static int next;
