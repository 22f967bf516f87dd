/* expect: 'user_schema' undeclared|undeclared identifier 'user_schema' */
/* There is no HERALD_SCHEMA(user, ...). */
#include <herald/herald.h>

struct user {
	int32_t age;
};

enum herald_verdict on_user(struct herald_context *ctx, const struct user *user);

HERALD_FUNCTION(on_user, user);

const struct herald_route routes[1] = {
	HERALD_ROUTE("user", user, on_user, NULL),
};
