/* expect warning: unused.result */
/* The verdict has to be returned. */
#include <herald/herald.h>

struct order {
	int32_t cents;
};

enum herald_verdict on_order(struct herald_context *ctx, const struct order *order);

enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order)
{
	(void)order;
	herald_done_status(ctx, 202);
	return HERALD_DONE;
}
