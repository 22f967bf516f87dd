/*
 * What an event publishes to a broker is stored with it, and sent by a deliverer that has the
 * producer: the relay.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/producer.h>

#include "support/fake_publisher.h"
#include "support/outbox_process.h"

struct fixture {
	struct model *model;
	struct outbox_process process;
	struct fake_publisher *fake;
	struct herald_producer *producer;
	atomic_uint given_back; /* times that deliveries were given back to the store */
};

static enum herald_status
count_ends(struct model_call *call, void *state)
{
	struct fixture *fixture = state;

	fixture->given_back += call->op == MODEL_DELIVERY_COMPLETE;
	return MODEL_GO_ON;
}

static int
setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.given_back = 0};
	fixture.model = model_create(
		&(struct model_options){.secret = 1, .hook = count_ends, .state = &fixture});
	fixture.fake = fake_publisher_create();
	fixture.fake->is_threaded = true;
	assert_int_equal(
		herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &fixture.fake->base),
				       &fixture.producer, NULL),
		HERALD_OK);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	herald_producer_destroy(fixture->producer);
	model_destroy(fixture->model);
	return 0;
}

static void
begin(struct fixture *fixture, struct herald_deliverer_options options)
{
	outbox_process_begin(&fixture->process, fixture->model, HERALD_STORE_OPTIONS(.workers = 1),
			     options);
}

/* Published by a process without the producer, whose deliverer then has nothing to send it with. */
static void
publish(struct fixture *fixture, const char *id)
{
	outbox_publish(fixture->process.store, fixture->process.database,
		       &(struct herald_delivery){.producer = "main",
						 .topic = "orders",
						 .key = "a/b",
						 .id = id,
						 .event_type = "order_paid",
						 HERALD_BODY("paid", 4)});
}

static void
test_sent(void **state)
{
	struct fixture *fixture = *state;
	const struct herald_named_producer producers[] = {{"main", fixture->producer}};

	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1, HERALD_PRODUCERS(producers)));
	publish(fixture, "d-1");
	recorder_wait(&fixture->process.recorder, 1);
	assert_int_equal(fixture->process.recorder.delivered, 1);
	assert_string_equal(fixture->process.recorder.outcome_reports[0].url,
			    "broker://main/orders?key=a%2Fb");
	outbox_await_none(fixture->process.store);
	outbox_process_end(&fixture->process);
	assert_int_equal(fake_publisher_count(fixture->fake, "d-1"), 1);
	assert_string_equal(fixture->fake->arrivals[0].topic, "orders");
	assert_string_equal(fixture->fake->arrivals[0].key, "a/b");
	assert_string_equal(fixture->fake->arrivals[0].data, "paid");
}

/* The process dies while the message is on its way: the next one sends it, with the same id. */
static void
test_process_dies(void **state)
{
	struct fixture *fixture = *state;
	const struct herald_named_producer producers[] = {{"main", fixture->producer}};
	struct herald_producer_statistics counts;

	pthread_mutex_lock(&fixture->fake->mutex);
	fixture->fake->is_silent = true;
	pthread_mutex_unlock(&fixture->fake->mutex);
	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 5, HERALD_PRODUCERS(producers)));
	publish(fixture, "d-1");
	do
		herald_producer_statistics_read(fixture->producer, &counts);
	while (counts.submitted == 0);
	outbox_process_kill(&fixture->process);
	pthread_mutex_lock(&fixture->fake->mutex);
	fixture->fake->is_silent = false;
	pthread_mutex_unlock(&fixture->fake->mutex);
	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 5, HERALD_PRODUCERS(producers)));
	outbox_await_none(fixture->process.store);
	assert_string_equal(outbox_dead(fixture->process.store), "");
	outbox_process_end(&fixture->process);
	assert_int_equal(herald_producer_flush(fixture->producer, 60000), 0);
	assert_in_range(fake_publisher_count(fixture->fake, "d-1"), 1, 2);
}

/* A deliverer that cannot send it leaves it to others that share the store. */
static void
assert_left_to_others(struct fixture *fixture, struct herald_deliverer_options options)
{
	const struct herald_named_producer producers[] = {{"main", fixture->producer}};

	begin(fixture, options);
	publish(fixture, "d-1");
	while (fixture->given_back < 2)
		sched_yield();
	assert_int_equal(fixture->process.recorder.attempts, 0);
	assert_string_equal(outbox_dead(fixture->process.store), "");
	outbox_process_end(&fixture->process);
	const struct model_row *row = model_committed(fixture->model)->rows[0];
	assert_string_equal(row->texts[MODEL_LAST_ERROR],
			    "this deliverer cannot send it now: the producer is not connected, or "
			    "not here");
	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1, HERALD_PRODUCERS(producers)));
	recorder_wait(&fixture->process.recorder, 1);
	assert_int_equal(fixture->process.recorder.delivered, 1);
	outbox_await_none(fixture->process.store);
	outbox_process_end(&fixture->process);
	assert_int_equal(fake_publisher_count(fixture->fake, "d-1"), 1);
}

static void
test_without_producers(void **state)
{
	assert_left_to_others(*state, HERALD_DELIVERER_OPTIONS(.attempts = 1));
}

static void
test_with_another_producer(void **state)
{
	struct fixture *fixture = *state;
	const struct herald_named_producer others[] = {{"other", fixture->producer}};

	assert_left_to_others(fixture,
			      HERALD_DELIVERER_OPTIONS(.attempts = 1, HERALD_PRODUCERS(others)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_process_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_producers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_with_another_producer, setup, teardown),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
