/* expect: on_user takes another state than the one of this route */
/* A pointer to it is expected. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

struct shop {
	int orders;
};

enum herald_verdict on_user(struct herald_context *ctx, const struct user *user, struct shop *shop);

HERALD_FUNCTION(on_user, user, shop);

struct herald_route route(struct shop shop);

struct herald_route
route(struct shop shop)
{
	return (struct herald_route)HERALD_ROUTE("user", user, on_user, shop);
}
