/*
 * A service for orders in three versions, which are upcast. Include cmocka.h before this header.
 */
#ifndef HERALD_TESTS_SERVICE_ORDER_EVENTS_H
#define HERALD_TESTS_SERVICE_ORDER_EVENTS_H

#include <herald/service.h>

#include "support/events.h"

struct order_v1 {
	const char *sku;
};
struct order_v2 {
	const char *skus[2];
	size_t skus_count;
};
struct order_v3 {
	const char *sku;
	struct order_v2 *before;
	uint32_t zero;
	uint32_t count;
};
HERALD_SCHEMA(order_v1, HERALD_FIELD(order_v1, sku, .required = true));
HERALD_SCHEMA(order_v2, HERALD_PRIVATE(order_v2, skus), HERALD_FIELD(order_v2, skus_count));
HERALD_SCHEMA(order_v3, HERALD_FIELD(order_v3, sku), HERALD_PRIVATE(order_v3, before),
	      HERALD_FIELD(order_v3, zero), HERALD_FIELD(order_v3, count, .key = "count"));

/* What the first upcaster is to answer. */
static char upcaster_says;

static inline enum herald_verdict
order_1_to_2(struct herald_context *ctx, const struct order_v1 *from, struct order_v2 *to)
{
	note("1-2(%s)", ((const struct order_v1 *)herald_context_payload(ctx))->sku);
	assert_null(to->skus[1]);
	to->skus[0] = from->sku;
	to->skus_count = 1;
	switch (upcaster_says) {
	case 'F':
		return herald_fail_status(ctx, 409, "taken");
	case 'R':
		return herald_retry_after(ctx, 1500, "busy now");
	case 'f':
		return HERALD_FAIL;
	case '?':
		return (enum herald_verdict)7;
	default:
		return HERALD_DONE;
	}
}
HERALD_UPCASTER(order_1_to_2, order_v1, order_v2);

static inline enum herald_verdict
order_2_to_3(struct herald_context *ctx, const struct order_v2 *from, struct order_v3 *to)
{
	note("2-3(%zu)", from->skus_count);
	assert_null(to->sku);
	assert_int_equal(to->zero, 0);
	to->before = herald_context_alloc(ctx, sizeof(*to->before));
	*to->before = *from;
	to->sku = from->skus[0];
	to->count = (uint32_t)from->skus_count;
	return HERALD_DONE;
}
HERALD_UPCASTER(order_2_to_3, order_v2, order_v3);

struct shop {
	int orders;
};

static inline enum herald_verdict
on_order(struct herald_context *ctx, const struct order_v3 *order, struct shop *shop)
{
	assert_ptr_equal(herald_context_payload(ctx), order);
	note("f(%s,%u)", order->sku ? order->sku : "NULL", order->count);
	shop->orders++;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order_v3, shop);

#endif
