/* expect: expected enum herald_verdict on_user\(.*, struct shop \*\) */
/* The state is the function's to change. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

struct shop {
	int orders;
};

enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user, const struct shop *shop);

HERALD_FUNCTION(on_user, user, shop);
