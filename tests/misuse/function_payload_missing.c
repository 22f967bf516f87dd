/* expect later: HERALD_FUNCTION of on_user needs the struct of the payload */
/* First, -Wpedantic has something to say about the arguments of the macro. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

enum herald_verdict on_user(struct herald_context *ctx, const struct user *user);

HERALD_FUNCTION(on_user);
