/* expect: expected enum herald_verdict on_user\(struct herald_context \*, const struct user \*\) */
/* A payload is passed as a pointer. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

enum herald_verdict on_user(struct herald_context *ctx, struct user user);

HERALD_FUNCTION(on_user, user);
