/*
 * Upcasting: from version to version, and an upcaster that fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/service.h>

#include "service/order_events.h"
#include "support/events.h"

static enum herald_verdict
see_order(struct herald_handler *handler, struct herald_context *ctx)
{
	const struct order_v3 *order = herald_context_payload(ctx);

	(void)handler;
	note("b(%u)", order->count);
	return HERALD_DONE;
}

static enum herald_verdict
see_order_after(struct herald_handler *handler, struct herald_context *ctx,
		enum herald_verdict result)
{
	(void)handler;
	(void)ctx;
	note("a(%s)", herald_verdict_name(result));
	return HERALD_DONE;
}

static const struct herald_handler_ops see_order_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "see_order",
	.before = see_order,
	.after = see_order_after,
};

static void
test_upcasters(void **state)
{
	struct shop shop = {0};
	struct herald_handler handler = {.ops = &see_order_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order_v3, on_order, &shop, .version = "3")};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "2", order_v2, "3", order_v3, order_2_to_3),
		HERALD_UPCAST("order", "1", order_v1, "2", order_v2, order_1_to_2),
	};
	static const struct {
		const char *json, *trace;
	} rows[] = {
		{VERSIONED("order", "1", "{\"sku\":\"a\"}"), "1-2(a) 2-3(1) b(1) f(a,1) a(done)"},
		{VERSIONED("order", "2", "{\"skus_count\":5}"), "2-3(5) b(5) f(NULL,5) a(done)"},
		{VERSIONED("order", "3", "{\"sku\":\"c\",\"count\":9}"), "b(9) f(c,9) a(done)"},
	};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
					HERALD_HANDLERS(handlers), .log = debug_log));

	(void)state;
	upcaster_says = 'D';
	for (size_t i = 0; i < COUNT(rows); i++) {
		trace[0] = '\0';
		struct herald_result result = handle(service, rows[i].json);
		check_verdict(&result, HERALD_DONE, "");
		assert_string_equal(trace, rows[i].trace);
		assert_int_equal(shop.orders, i + 1);
	}

	/* The payload must be of the version's own struct. */
	struct herald_result result =
		handle(service, VERSIONED("order", "1", "{\"skus_count\":5}"));
	check_rejected(&result, HERALD_MISSING, "/payload/sku", 94);
	herald_service_destroy(service);
}

static void
test_upcaster_that_fails(void **state)
{
	static const struct {
		char saying;
		enum herald_verdict verdict;
		const char *reason;
		unsigned http_status;
		uint32_t retry_after_ms;
	} rows[] = {
		{'F', HERALD_FAIL, "taken", 409, 0},
		{'R', HERALD_RETRY, "busy now", 0, 1500},
		{'f', HERALD_FAIL, "the event failed", 0, 0},
		{'?', HERALD_FAIL, "the event failed", 0, 0},
	};
	struct shop shop = {0};
	struct herald_handler handler = {.ops = &see_order_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order_v3, on_order, &shop, .version = "3")};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "2", order_v2, "3", order_v3, order_2_to_3),
		HERALD_UPCAST("order", "1", order_v1, "2", order_v2, order_1_to_2),
	};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
					HERALD_HANDLERS(handlers), .log = debug_log));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		upcaster_says = rows[i].saying;
		trace[0] = '\0';
		struct herald_result result =
			handle(service, VERSIONED("order", "1", "{\"sku\":\"a\"}"));
		check_verdict(&result, rows[i].verdict, rows[i].reason);
		assert_int_equal(result.http_status, rows[i].http_status);
		assert_int_equal(result.retry_after_ms, rows[i].retry_after_ms);
		assert_string_equal(trace, "1-2(a)");
	}
	assert_non_null(strstr(logged, "error: a function returned a value that is not a verdict "
				       "event_type=order version=1 value=7 "
				       "upcaster=order_1_to_2\n"));
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_upcasters, events_setup),
		cmocka_unit_test_setup(test_upcaster_that_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
