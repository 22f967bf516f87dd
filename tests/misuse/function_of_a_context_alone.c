/* expect: expected enum herald_verdict on_user\(struct herald_context \*, const struct user \*\) */
/* It takes no payload. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

enum herald_verdict on_user(struct herald_context *ctx);

HERALD_FUNCTION(on_user, user);
