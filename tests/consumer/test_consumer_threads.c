/*
 * A consumer with its threads: lanes, hooks, and stops in every state. Messages that run alone are
 * in test_consumer_crash.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include <herald/array.h>

#include "support/consumer_fixture.h"
#include "support/thread_hooks.h"

/* Of a stop: the longest function, and this. */
#define STOP_MS 250

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

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t
settled(void)
{
	return fake_broker_count(f->broker, FAKE_DONE) + fake_broker_count(f->broker, FAKE_DEAD);
}

static void
init(unsigned lanes, enum herald_consumer_order order)
{
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){.consumer = {.lanes = lanes,
								   .order = order,
								   .max_delay_ms = 20,
								   .first_delay_ms = 1},
						      .has_threads = true,
						      .checks_order = order == HERALD_ORDER_KEY});
}

static void
test_many(void **state)
{
	static const unsigned lanes[] = {0, 1, 8};

	(void)state;
	for (unsigned order = 0; order < 2; order++)
		for (size_t i = 0; i < HERALD_COUNT(lanes); i++) {
			init(lanes[i], order);
			for (unsigned n = 0; n < 1000; n++) {
				char key[8];

				snprintf(key, sizeof(key), "%u", n % 13);
				fake_broker_add(f->broker, n % 10 ? "done" : "retry 2", key);
			}
			CONSUMER_WAIT(f, settled() == 1000);
			assert_int_equal(f->runs_count, 1100);
			consumer_fixture_finish(f);
		}
}

static void
test_lanes_run_abreast(void **state)
{
	(void)state;
	init(4, HERALD_ORDER_NONE);
	consumer_block(f);
	for (unsigned n = 0; n < 4; n++)
		fake_broker_add(f->broker, "wait", NULL);
	CONSUMER_WAIT(f, consumer_waiting(f) == 4);
	assert_int_equal(consumer_counts(f).in_flight, 4);
	consumer_release(f);
	CONSUMER_WAIT(f, settled() == 4);
	assert_int_equal(f->abreast, 4);
	consumer_fixture_finish(f);
}

/* A message that comes while the consumer waits is settled at once, not when it receives again. */
static void
test_ends_are_settled_at_once(void **state)
{
	(void)state;
	for (unsigned lanes = 0; lanes < 2; lanes++) {
		init(lanes, HERALD_ORDER_NONE);
		const uint64_t begin_ms = now_ms();
		for (unsigned n = 0; n < 20; n++) {
			fake_broker_add(f->broker, "done", NULL);
			CONSUMER_WAIT(f, settled() == n + 1);
		}
		assert_true(now_ms() - begin_ms < 5000);
		consumer_fixture_finish(f);
	}
}

static void
test_stop_waits_for_functions(void **state)
{
	(void)state;
	init(2, HERALD_ORDER_NONE);
	consumer_block(f);
	for (unsigned n = 0; n < 2; n++)
		fake_broker_add(f->broker, "wait", NULL);
	CONSUMER_WAIT(f, consumer_waiting(f) == 2);
	for (unsigned n = 0; n < 50; n++)
		fake_broker_add(f->broker, "done", NULL);
	CONSUMER_WAIT(f, consumer_counts(f).in_flight == 52);

	uint64_t begin_ms = now_ms();
	size_t left = herald_consumer_stop(f->consumer, 50);
	assert_true(now_ms() - begin_ms >= 50);
	assert_true(now_ms() - begin_ms < 50 + STOP_MS);
	assert_true(left >= 2);
	assert_int_equal(consumer_counts(f).state, HERALD_CONSUMER_STOPPING);
	CONSUMER_WAIT(f, herald_consumer_stop(f->consumer, 1) == left || left > 2);
	consumer_release(f);
	begin_ms = now_ms();
	assert_int_equal(herald_consumer_stop(f->consumer, 10000), 0);
	assert_true(now_ms() - begin_ms < STOP_MS);
	assert_int_equal(consumer_counts(f).state, HERALD_CONSUMER_STOPPED);
	assert_int_equal(settled(), 2);
	assert_int_equal(f->runs_count, 2);
	assert_int_equal(f->broker->releases, 50);
	consumer_fixture_finish(f);
}

/* In every state a stop takes no longer than the functions. */
static void
test_stops(void **state)
{
	enum { IDLE, WORKING, DISCONNECTED, ABSENT, PARKED, STATES };

	(void)state;
	for (unsigned lanes = 0; lanes < 3; lanes += 2)
		for (unsigned what = IDLE; what < STATES; what++) {
			static struct fake_broker broker;

			fake_broker_init(&broker);
			broker.is_threaded = true;
			broker.is_down = what == ABSENT;
			consumer_fixture_init(
				f, &(struct consumer_fixture_options){
					   .consumer = {.lanes = lanes, .order = HERALD_ORDER_KEY},
					   .broker = &broker,
					   .has_threads = true});
			for (unsigned n = 0; what == WORKING && n < FAKE_MESSAGES; n++)
				fake_broker_add(&broker, "done", NULL);
			for (unsigned n = 0; what == PARKED && n < 10; n++)
				fake_broker_add(&broker, "retry 2", "a");
			if (what == PARKED)
				CONSUMER_WAIT(f, consumer_counts(f).parked == 10);
			if (what == DISCONNECTED) {
				fake_broker_cut(&broker);
				CONSUMER_WAIT(f, consumer_counts(f).failures > 0);
			}
			const uint64_t begin_ms = now_ms();
			assert_int_equal(herald_consumer_stop(f->consumer, 10000), 0);
			assert_int_equal(herald_consumer_stop(f->consumer, 10000), 0);
			assert_true(now_ms() - begin_ms < STOP_MS);
			assert_int_equal(consumer_counts(f).in_flight, 0);
			consumer_fixture_finish(f);
			fake_broker_finish(&broker);
		}
}

/* A connection that is lost and comes back, again and again, under load. */
static void
test_cuts_under_load(void **state)
{
	(void)state;
	for (unsigned lanes = 0; lanes < 5; lanes += 4) {
		consumer_fixture_init(f, &(struct consumer_fixture_options){
						 .consumer = {.lanes = lanes,
							      .order = HERALD_ORDER_KEY,
							      .max_delay_ms = 3},
						 .has_threads = true,
						 .allows_repeats = true,
						 .allows_gaps = true});
		for (unsigned n = 0; n < 400; n++)
			fake_broker_add(f->broker, n % 10 ? "done" : "retry 3", n % 3 ? "a" : NULL);
		for (unsigned cuts = 0; cuts < 5; cuts++) {
			const size_t before = settled();

			CONSUMER_WAIT(f, settled() > before || settled() == f->broker->count);
			fake_broker_cut(f->broker);
		}
		CONSUMER_WAIT(f, settled() == f->broker->count);
		consumer_fixture_finish(f);
	}
}

static void
test_hooks(void **state)
{
	static const unsigned lanes[] = {0, 3};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(lanes); i++) {
		struct counted_hooks hooks = {0};

		consumer_fixture_init(f,
				      &(struct consumer_fixture_options){
					      .consumer = {.lanes = lanes[i],
							   .thread_hooks = COUNTED_HOOKS(&hooks)},
					      .has_threads = true});
		fake_broker_add(f->broker, "done", NULL);
		CONSUMER_WAIT(f, settled() == 1);
		consumer_fixture_finish(f);
		assert_hooks(&hooks, lanes[i] > 0 ? lanes[i] : 1);
	}
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_many),
		TEST(test_lanes_run_abreast),
		TEST(test_ends_are_settled_at_once),
		TEST(test_stop_waits_for_functions),
		TEST(test_stops),
		TEST(test_cuts_under_load),
		TEST(test_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
