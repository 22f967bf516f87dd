/* expect in 20 lines: user_to_order_needs_HERALD_UPCASTER_from_user_to_order */
/* HERALD_UPCASTER is missing. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

struct order {
	int32_t cents;
};

HERALD_SCHEMA(order, HERALD_FIELD(order, cents));

enum herald_verdict
user_to_order(struct herald_context *ctx, const struct user *from, struct order *to);

const struct herald_upcaster upcasters[1] = {
	HERALD_UPCAST("order", "1", user, "2", order, user_to_order),
};
