/*
 * The memory of events: no allocation in the steady state, a limit for idle memory, and every
 * failing allocation ends one event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/service.h>

#include "service/order_events.h"
#include "service/user_events.h"
#include "support/events.h"
#include "support/failing_allocator.h"

/* Every kind of end that an event can have, with upcasting, an `after` that fails, and logs. */
static const char *const all_events[] = {
	VERSIONED("order", "1", "{\"sku\":\"a\"}"),
	VERSIONED("order", "3", "{\"sku\":\"a\",\"count\":1}"),
	VERSIONED("order", "1", "{}"),
	VERSIONED("order", "7", "{}"),
	EVENT("nobody", "{}"),
	EVENT("fail", "{\"a\":[1,2,3]}"),
	"{",
};

static enum herald_verdict
complain(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)handler;
	return result == HERALD_DONE ? HERALD_DONE : herald_fail(ctx, "and more");
}

static const struct herald_handler_ops complain_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "complain",
	.after = complain,
};

static struct herald_service *
create_all(struct herald_allocator allocator, struct shop *shop)
{
	static struct herald_handler handler = {.ops = &complain_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order_v3, on_order, shop, .version = "3"),
		{.event_type = "fail", .schema = &herald_json_schema, .function = only_fail},
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "2", order_v2, "3", order_v3, order_2_to_3),
		HERALD_UPCAST("order", "1", order_v1, "2", order_v2, order_1_to_2),
	};

	upcaster_says = 'D';
	return create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters), HERALD_HANDLERS(handlers),
		.log = debug_log, .allocator = allocator));
}

static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct failing_allocator memory;
	struct shop shop = {0};
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_all(memory.allocator, &shop);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < COUNT(all_events); i++) {
			trace[0] = '\0';
			logged[0] = '\0';
			handle(service, all_events[i]);
		}
		if (round == 1)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_service_destroy(service);
	assert_all_released(&memory);
}

/* Handles further events from within an event, each within the one before. */
struct nest {
	struct herald_service *service;
	int left;
};

static enum herald_verdict
handle_within(struct herald_context *ctx, const void *payload, void *state)
{
	struct nest *nest = state;
	const char *type = herald_context_message(ctx)->event_type;

	(void)payload;
	if (nest->left-- > 0)
		assert_int_equal(handle(nest->service, EVENT("deep", "1")).verdict, HERALD_DONE);
	assert_string_equal(type, "deep");
	return HERALD_DONE;
}

static void
test_idle_contexts_are_bounded(void **state)
{
	struct failing_allocator memory;
	struct nest nest;
	const struct herald_route routes[] = {{.event_type = "deep",
					       .schema = &herald_json_schema,
					       .function = handle_within,
					       .state = &nest}};

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	nest.service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = memory.allocator));
	size_t before = memory.blocks;
	nest.left = 0;
	handle(nest.service, EVENT("deep", "1"));
	size_t each = memory.blocks - before;
	nest.left = 99;
	handle(nest.service, EVENT("deep", "1"));
	assert_int_equal(memory.blocks, before + 64 * each);
	herald_service_destroy(nest.service);
	assert_all_released(&memory);
}

static void
test_every_allocation_of_an_event_fails(void **state)
{
	(void)state;
	for (size_t n = 0; n < COUNT(all_events); n++) {
		for (size_t at = 1;; at++) {
			struct failing_allocator memory;
			struct shop shop = {0};

			trace[0] = '\0';
			logged[0] = '\0';
			failing_allocator_init(&memory, FAIL_NEVER, 0);
			struct herald_service *service = create_all(memory.allocator, &shop);
			memory.mode = at % 2 ? FAIL_ONLY : FAIL_FROM;
			memory.fail_at = memory.calls + (at + 1) / 2;
			struct herald_result result = handle(service, all_events[n]);
			size_t failures = memory.failures;
			if (failures > 0) {
				struct herald_statistics all;

				assert_int_equal(result.verdict, HERALD_RETRY);
				assert_int_equal(result.status, HERALD_NO_MEMORY);
				assert_int_equal(result.error.status, HERALD_NO_MEMORY);
				assert_string_equal(result.error.message, "out of memory");
				assert_int_equal(shop.orders, 0);
				assert_non_null(strstr(logged, "HERALD_NO_MEMORY"));
				herald_service_statistics(service, &all);
				assert_int_equal(all.retry, 1);
				assert_int_equal(all.events, 1);
			}
			/* The service still works. */
			memory.mode = FAIL_NEVER;
			result = handle(service, VERSIONED("order", "2", "{\"skus_count\":5}"));
			assert_int_equal(result.status, HERALD_OK);
			herald_service_destroy(service);
			assert_all_released(&memory);
			if (failures == 0) {
				assert_true(at > 4);
				break;
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_allocation_in_the_steady_state, events_setup),
		cmocka_unit_test_setup(test_idle_contexts_are_bounded, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_an_event_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
