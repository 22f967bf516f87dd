/*
 * The engine with results of a fake transport, without a network: retries and their delays,
 * timeouts, stops, lack of memory, and freeing the transport. Most cases run with the memory queue
 * and with a queue that stores deliveries.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/fake_transport.h"
#include "support/stored_queue.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct fixture {
	struct fake_transport fake;
	struct test_clock clock;
	struct recorder recorder;
	struct stored_queue_store *store; /* NULL: the memory queue */
	struct herald_deliverer *deliverer;
};

/* The state of a case: how the deliveries are kept. */
enum queue_kind { IN_MEMORY, STORED };

static enum queue_kind
kind_of(void **state)
{
	return *(const enum queue_kind *)*state;
}

static void
start(struct fixture *fixture, enum queue_kind kind, const struct fake_step *steps, size_t count)
{
	static const struct herald_delivery delivery = {.url = "http://a.example/"};

	fake_transport_init(&fixture->fake, steps, count);
	test_clock_init(&fixture->clock);
	recorder_init(&fixture->recorder);
	fixture->store = kind == STORED ? stored_queue_store_create() : NULL;
	struct herald_delivery_queue *queue =
		fixture->store ? stored_queue_create(fixture->store) : NULL;
	assert_int_equal(
		herald__deliverer_create(
			&RECORDED_OPTIONS(&fixture->recorder, .transport = &fixture->fake.base,
					  .queue = queue, .backoff = HERALD_BACKOFF_NO_JITTER),
			&fixture->clock.clock, &fixture->deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
}

static void
finish(struct fixture *fixture)
{
	herald_deliverer_stop(fixture->deliverer, 0);
	assert_all_settled(fixture->deliverer);
	herald_deliverer_destroy(fixture->deliverer);
	recorder_finish(&fixture->recorder);
	assert_int_equal(fixture->fake.destroys, 1);
	if (fixture->store)
		stored_queue_store_destroy(fixture->store);
}

#define STATUS(CODE)                                                                               \
	{                                                                                          \
		.result = {.http_status = CODE }                                                   \
	}
#define FAILURE(MAY_RETRY)                                                                         \
	{                                                                                          \
		.result = {.may_retry = MAY_RETRY, .error = "cut" }                                \
	}

static void
test_schedules(void **state)
{
	static const struct {
		struct fake_step steps[4];
		size_t begins, attempts;
		enum herald_delivery_outcome outcome;
		uint64_t retries_in_ms[3];
		const char *error;
		bool opens_connection; /* the last one */
	} rows[] = {
		{{STATUS(200)}, 1, 1, HERALD_DELIVERY_DELIVERED, {0}, "", false},
		{{STATUS(299)}, 1, 1, HERALD_DELIVERY_DELIVERED, {0}, "", false},
		{{STATUS(300)}, 1, 1, HERALD_DELIVERY_FAILED, {0}, "HTTP status 300", false},
		{{STATUS(503), STATUS(204)}, 2, 2, HERALD_DELIVERY_DELIVERED, {2000}, "", false},
		{{STATUS(408), STATUS(425), STATUS(429)},
		 3,
		 3,
		 HERALD_DELIVERY_FAILED,
		 {2000, 4000},
		 "HTTP status 429",
		 false},
		{{FAILURE(true), FAILURE(true), FAILURE(true)},
		 3,
		 3,
		 HERALD_DELIVERY_FAILED,
		 {2000, 4000},
		 "cut",
		 true},
		{{FAILURE(false)}, 1, 1, HERALD_DELIVERY_FAILED, {0}, "cut", false},
		{{FAILURE(true), STATUS(200)}, 2, 2, HERALD_DELIVERY_DELIVERED, {2000}, "", true},
		/* If there is a status, may_retry does not count. */
		{{{.result = {.http_status = 404, .may_retry = true, .error = "no"}}},
		 1,
		 1,
		 HERALD_DELIVERY_FAILED,
		 {0},
		 "HTTP status 404",
		 false},
		{{{.result = {.http_status = 429, .retry_after = "7"}}, STATUS(200)},
		 2,
		 2,
		 HERALD_DELIVERY_DELIVERED,
		 {7000},
		 "",
		 false},
		/* Ten seconds after the beginning of the tests' wall clock. */
		{{{.result = {.http_status = 503, .retry_after = "Tue, 14 Nov 2023 22:13:30 GMT"}},
		  STATUS(200)},
		 2,
		 2,
		 HERALD_DELIVERY_DELIVERED,
		 {10000},
		 "",
		 false},
		{{{.no_memory = true}, STATUS(200)},
		 2,
		 1,
		 HERALD_DELIVERY_DELIVERED,
		 {0},
		 "",
		 false},
		{{{.no_memory = true}, {.no_memory = true}, STATUS(500), STATUS(200)},
		 4,
		 2,
		 HERALD_DELIVERY_DELIVERED,
		 {2000},
		 "",
		 false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture fixture;
		const struct recorded_report *last = &fixture.recorder.outcome_reports[0];

		start(&fixture, kind_of(state), rows[i].steps, COUNT(rows[i].steps));
		recorder_wait(&fixture.recorder, 1);
		finish(&fixture);
		if (fixture.fake.begins != rows[i].begins ||
		    fixture.recorder.attempts != rows[i].attempts ||
		    last->outcome != rows[i].outcome || last->attempt != rows[i].attempts ||
		    strcmp(last->error, rows[i].error) != 0)
			fail_msg("row %zu: %zu begun, %zu attempts, %s", i, fixture.fake.begins,
				 fixture.recorder.attempts, last->error);
		for (size_t j = 0; j < rows[i].attempts; j++)
			assert_int_equal(fixture.recorder.attempt_reports[j].retry_in_ms,
					 rows[i].retries_in_ms[j]);
		assert_int_equal(fixture.fake.opens_connection[rows[i].begins - 1],
				 rows[i].opens_connection);
		assert_int_equal(fixture.fake.cancels, 0);
	}
}

/* Wait until the attempt has begun. */
static void
wait_in_flight(struct herald_deliverer *deliverer)
{
	struct herald_delivery_statistics counts;

	do {
		sched_yield();
		herald_deliverer_statistics(deliverer, &counts);
	} while (counts.in_flight == 0);
}

static void
test_timeout_cancels(void **state)
{
	static const struct fake_step steps[] = {{.is_silent = true}, STATUS(200)};
	struct fixture fixture;

	start(&fixture, kind_of(state), steps, COUNT(steps));
	wait_in_flight(fixture.deliverer);
	test_clock_advance(&fixture.clock, fixture.deliverer, 9999);
	assert_int_equal(fixture.recorder.attempts, 0);
	test_clock_advance(&fixture.clock, fixture.deliverer, 1);
	recorder_wait(&fixture.recorder, 1);
	finish(&fixture);
	assert_string_equal(fixture.recorder.attempt_reports[0].error,
			    "no complete answer within 10000 ms");
	assert_int_equal(fixture.recorder.delivered, 1);
	assert_int_equal(fixture.fake.cancels, 1);
	assert_true(fixture.fake.opens_connection[1]);
}

static void
test_stop_cancels(void **state)
{
	static const struct fake_step steps[] = {{.is_silent = true}};
	const size_t left = kind_of(state) == STORED ? 0 : 1;
	struct fixture fixture;

	start(&fixture, kind_of(state), steps, COUNT(steps));
	wait_in_flight(fixture.deliverer);
	assert_int_equal(herald_deliverer_stop(fixture.deliverer, 0), left);
	assert_int_equal(herald_deliverer_stop(fixture.deliverer, 0), left);
	if (fixture.store)
		assert_int_equal(stored_queue_count(fixture.store), 1);
	finish(&fixture);
	assert_int_equal(fixture.fake.cancels, 1);
	assert_int_equal(fixture.recorder.left, left);
	assert_int_equal(fixture.recorder.attempts, 0);
}

/* The deliverer owns the transport, even if it cannot be created. */
static void
test_creation_that_fails(void **state)
{
	struct fake_transport fake;
	struct herald_deliverer *deliverer = NULL;
	struct herald_error error;

	(void)state;
	fake_transport_init(&fake, NULL, 0);
	fake.open_status = HERALD_SYSTEM;
	assert_int_equal(herald_deliverer_create(&HERALD_DELIVERER_OPTIONS(.transport = &fake.base),
						 &deliverer, &error),
			 HERALD_SYSTEM);
	assert_string_equal(error.message, "cannot be opened");
	assert_null(deliverer);
	assert_int_equal(fake.destroys, 1);

	fake_transport_init(&fake, NULL, 0);
	assert_int_equal(herald_deliverer_create(&HERALD_DELIVERER_OPTIONS(.transport = &fake.base,
									   .attempts = 1001),
						 &deliverer, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "attempts");
	assert_null(deliverer);
	assert_int_equal(fake.destroys, 1);
}

#define STORED_TEST(NAME)                                                                          \
	{                                                                                          \
		.name = #NAME " (stored)", .test_func = NAME, .initial_state = &stored             \
	}

/* What belongs to another deliverer is refused, and is neither used nor freed, whatever else is
 * wrong. What does not belong to another one is freed. */
static void
test_parts_of_another_deliverer(void **state)
{
	static const struct {
		bool shares_transport, shares_queue;
		unsigned slots;
		const char *path;
	} rows[] = {
		{true, false, 0, "transport"},  {true, true, 0, "transport"},
		{false, true, 0, "queue"},      {true, true, 100000, "slots"},
		{true, false, 100000, "slots"}, {false, true, 100000, "slots"},
	};
	struct stored_queue_store *store = stored_queue_store_create();
	struct herald_delivery_queue *queue = stored_queue_create(store);
	struct herald_deliverer *deliverer = NULL, *other = NULL;
	static struct fake_transport transport, own;

	(void)state;
	fake_transport_init(&transport, NULL, 0);
	assert_int_equal(
		herald_deliverer_create(
			&HERALD_DELIVERER_OPTIONS(.transport = &transport.base, .queue = queue),
			&deliverer, NULL),
		HERALD_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_delivery_queue *own_queue =
			rows[i].shares_queue ? NULL : stored_queue_create(store);
		struct herald_deliverer_options options =
			HERALD_DELIVERER_OPTIONS(.transport = rows[i].shares_transport
								      ? &transport.base
								      : &own.base,
						 .queue = own_queue ? own_queue : queue,
						 .slots = rows[i].slots);
		struct herald_error error;

		fake_transport_init(&own, NULL, 0);
		assert_int_equal(herald_deliverer_create(&options, &other, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		if (rows[i].slots == 0)
			assert_non_null(strstr(error.message, "is another deliverer's already"));
		assert_null(other);
		assert_int_equal(transport.destroys, 0);
		assert_int_equal(own.destroys, !rows[i].shares_transport);
		if (rows[i].shares_transport)
			own.base.ops->destroy(&own.base);
	}
	assert_int_equal(
		herald_deliverer_submit(
			deliverer, &(struct herald_delivery){.url = "http://a.example/200"}, NULL),
		HERALD_OK);
	herald_deliverer_stop(deliverer, 5000);
	herald_deliverer_destroy(deliverer);
	assert_int_equal(transport.destroys, 1);
	stored_queue_store_destroy(store);
}

int
main(void)
{
	static enum queue_kind in_memory = IN_MEMORY, stored = STORED;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_schedules, &in_memory),
		cmocka_unit_test_prestate(test_timeout_cancels, &in_memory),
		cmocka_unit_test_prestate(test_stop_cancels, &in_memory),
		STORED_TEST(test_schedules),
		STORED_TEST(test_timeout_cancels),
		STORED_TEST(test_stop_cancels),
		cmocka_unit_test(test_creation_that_fails),
		cmocka_unit_test(test_parts_of_another_deliverer),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
