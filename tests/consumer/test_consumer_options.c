/*
 * The options of a consumer, who owns the subscriber, and what happens without memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/array.h>

#include "support/consumer_fixture.h"
#include "support/failing_allocator.h"
#include "support/option_error.h"

static struct consumer_fixture *f;

static int
setup(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	return f ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	free(f);
	return 0;
}

static void
test_refused(void **state)
{
	static char long_folder[202];
	static const struct {
		struct herald_consumer_options options;
		const char *path, *text;
	} cases[] = {
		{{.lanes = 1025}, "lanes", "must be at most 1024, not 1025"},
		{{.max_in_flight = 1000001},
		 "max_in_flight",
		 "must be at most 1000000, not 1000001"},
		{{.max_attempts = 10001}, "max_attempts", "must be at most 10000, not 10001"},
		{{.max_interrupted = 10001}, "max_interrupted", "must be at most 10000, not 10001"},
		{{.max_unknown_deliveries = 10001},
		 "max_unknown_deliveries",
		 "must be at most 10000, not 10001"},
		{{.max_reconnect_delay_ms = 60001},
		 "max_reconnect_delay_ms",
		 "must be at most 60000, not 60001"},
		{{.order = (enum herald_consumer_order)2}, "order", "not a valid order: 2"},
		{{.key_attribute = "a"}, "key_attribute", "has no effect without HERALD_ORDER_KEY"},
		{{.order = HERALD_ORDER_KEY, .key_attribute = ""},
		 "key_attribute",
		 "must be the name of a header, not \"\""},
		{{.order = HERALD_ORDER_KEY, .key_attribute = "a b"},
		 "key_attribute",
		 "must be the name of a header, not \"a b\""},
		{{.order = HERALD_ORDER_KEY, .lanes = 100, .max_in_flight = 160001},
		 "max_in_flight",
		 "must be at most 160000 with HERALD_ORDER_KEY and 100 lanes, not 160001"},
		{{.in_flight_folder = long_folder},
		 "in_flight_folder",
		 "must be at most 200 bytes long, not 201"},
		{{.first_delay_ms = 2, .max_delay_ms = 1},
		 "first_delay_ms",
		 "2 is more than max_delay_ms, 1"},
		{{.factor = 0.5}, "factor", "expected 1 to 1000, found 0.5"},
		{{.allocator = {.state = &f}}, NULL, NULL},
	};

	(void)state;
	memset(long_folder, 'x', sizeof(long_folder) - 1);
	for (size_t i = 0; i < HERALD_COUNT(cases) && cases[i].path; i++) {
		struct herald_error error;
		struct consumer_fixture_options options = {.consumer = cases[i].options};

		assert_int_equal(consumer_fixture_try(f, &options, &error), HERALD_BAD_OPTION);
		assert_option_error(&error, cases[i].path, cases[i].text);
		assert_null(f->consumer);
		/* The subscriber was freed, unopened. */
		assert_int_equal(f->broker->opens, 0);
		consumer_fixture_free(f);
	}
}

/* At the limit. */
static void
test_allowed(void **state)
{
	static const struct herald_consumer_options cases[] = {
		{.lanes = 1024},
		{.max_attempts = 10000, .max_interrupted = 10000},
		{.order = HERALD_ORDER_KEY, .lanes = 100, .max_in_flight = 16000},
		{.max_in_flight = 1000000, .max_in_flight_bytes = SIZE_MAX / 2},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		consumer_fixture_init(f, &(struct consumer_fixture_options){.consumer = cases[i]});
		fake_broker_add(f->broker, "done", NULL);
		consumer_settle(f);
		consumer_fixture_finish(f);
	}
}

static void
test_required(void **state)
{
	static struct fake_broker broker;
	struct herald_consumer *consumer = NULL;
	struct herald_error error;
	struct herald_service *service;

	(void)state;
	fake_broker_init(&broker);
	assert_int_equal(herald_consumer_create(NULL, &consumer, &error), HERALD_BAD_OPTION);
	assert_int_equal(
		herald_consumer_create(&HERALD_CONSUMER_OPTIONS(.lanes = 1), &consumer, &error),
		HERALD_BAD_OPTION);
	assert_option_error(&error, "subscriber",
			    "missing: create one, such as by herald_redis_subscriber_create()");
	assert_int_equal(
		herald_consumer_create(
			&HERALD_CONSUMER_OPTIONS(.subscriber = fake_subscriber_create(&broker)),
			&consumer, &error),
		HERALD_BAD_OPTION);
	assert_option_error(&error, "service", "missing");
	assert_int_equal(
		herald_service_create(&HERALD_SERVICE_OPTIONS(.tracing = false), &service, &error),
		HERALD_OK);

	/* One subscriber for two: it stays with the first. */
	struct herald_consumer_options options =
		HERALD_CONSUMER_OPTIONS(.service = service,
					.subscriber = fake_subscriber_create(&broker));
	broker.is_threaded = true;
	assert_int_equal(herald_consumer_create(&options, &consumer, &error), HERALD_OK);
	struct herald_consumer *second = NULL;
	assert_int_equal(herald_consumer_create(&options, &second, NULL), HERALD_BAD_OPTION);
	assert_int_equal(herald_consumer_create(&options, &second, &error), HERALD_BAD_OPTION);
	assert_string_equal(error.path, "subscriber");
	assert_null(second);
	herald_consumer_destroy(consumer);
	herald_service_destroy(service);
	assert_string_equal(broker.fault, "");
	fake_broker_finish(&broker);
}

/* The n-th allocation fails: either there is no consumer, or all messages end all the same. */
static void
test_memory(void **state)
{
	struct herald_error error;

	(void)state;
	for (unsigned order = 0; order < 2; order++)
		for (size_t n = 1;; n++) {
			struct failing_allocator memory;

			failing_allocator_init(&memory, FAIL_ONLY, n);
			const struct consumer_fixture_options options = {
				.consumer = {.lanes = 2,
					     .order = order,
					     .max_attempts = 3,
					     .allocator = memory.allocator}};
			enum herald_status status = consumer_fixture_try(f, &options, &error);
			if (status != HERALD_OK) {
				assert_int_equal(status, HERALD_NO_MEMORY);
				consumer_fixture_free(f);
				assert_all_released(&memory);
				continue;
			}
			fake_broker_add(f->broker, "retry 2", "a");
			fake_broker_add(f->broker, "fail", "a");
			fake_broker_add(f->broker, "done", NULL);
			consumer_settle(f);
			assert_int_equal(fake_broker_count(f->broker, FAKE_DEAD), 1);
			const struct fake_message *dead = &f->broker->messages[1];
			assert_true(strcmp(dead->reason, "no good") == 0 ||
				    strstr(dead->reason, "no memory for the reason"));
			consumer_fixture_finish(f);
			assert_all_released(&memory);
			if (memory.failures == 0)
				break;
		}
}

static void
test_memory_with_threads(void **state)
{
	struct herald_error error;

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_FROM, n);
		const struct consumer_fixture_options options = {
			.consumer = {.lanes = 2, .allocator = memory.allocator},
			.has_threads = true};
		enum herald_status status = consumer_fixture_try(f, &options, &error);
		if (status == HERALD_OK) {
			consumer_fixture_finish(f);
			assert_all_released(&memory);
			break;
		}
		assert_int_equal(status, HERALD_NO_MEMORY);
		assert_string_equal(f->broker->fault, "");
		consumer_fixture_free(f);
		assert_all_released(&memory);
	}
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_refused),
		TEST(test_allowed),
		TEST(test_required),
		TEST(test_memory),
		TEST(test_memory_with_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
