/* expect: the answer must be a pointer to struct receipt */
/* The schema belongs to struct receipt. */
#include <herald/herald.h>

struct receipt {
	int32_t number;
};

HERALD_SCHEMA(receipt, HERALD_FIELD(receipt, number));

struct order {
	int32_t cents;
};

enum herald_verdict on_order(struct herald_context *ctx, const struct order *order);

enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order)
{
	return HERALD_DONE_JSON(ctx, 201, receipt, order);
}
