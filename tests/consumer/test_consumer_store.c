/*
 * A consumer in front of a service with a store: messages go into the store, and are acknowledged
 * after its commit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/array.h>

#include "support/consumer_fixture.h"
#include "support/fake_inbox.h"

static struct consumer_fixture *f;
static struct fake_inbox inbox;

static int
setup(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	fake_inbox_init(&inbox);
	return f ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	fake_inbox_finish(&inbox);
	free(f);
	return 0;
}

static void
init(unsigned lanes, bool has_threads)
{
	static const char *const attributes[] = {"X-Key", NULL};

	consumer_fixture_init(f, &(struct consumer_fixture_options){
					 .consumer = {.lanes = lanes, .max_attempts = 2},
					 .store = fake_inbox_store(&inbox),
					 .attributes = attributes,
					 .has_threads = has_threads});
}

static void
test_acknowledged_after_the_commit(void **state)
{
	(void)state;
	fake_inbox_set(&inbox, false, HERALD_OK);
	init(1, false);
	fake_broker_add(f->broker, "fail", "a");
	for (unsigned i = 0; i < 5; i++)
		consumer_turn(f);
	assert_int_equal(inbox.waiting_count, 1);
	assert_int_equal(f->broker->done, 0);
	assert_int_equal(consumer_counts(f).in_flight, 1);
	assert_int_equal(fake_inbox_commit(&inbox), 1);
	consumer_settle(f);
	assert_int_equal(f->broker->done, 1);
	assert_int_equal(f->runs_count, 0);
	assert_int_equal(inbox.stored_count, 1);
	assert_string_equal(inbox.stored[0].id, "0");
	assert_string_equal(inbox.stored[0].content_type, "application/json");
	assert_memory_equal(inbox.stored[0].attributes, "X-Key\0a", 8);
	assert_memory_equal(inbox.stored[0].data, f->broker->messages[0].data,
			    f->broker->messages[0].bytes);
	consumer_fixture_finish(f);
}

/* An event that the store would never run is a dead letter of the broker. */
static void
test_refused_events(void **state)
{
	(void)state;
	inbox.answers_at_once = true;
	init(1, false);
	fake_broker_add(f->broker, "bad", NULL);
	fake_broker_add(f->broker, "unknown", NULL);
	consumer_settle(f);
	assert_int_equal(f->broker->dead, 2);
	assert_string_equal(f->broker->messages[0].path, "/payload/id");
	assert_int_equal(inbox.stored_count, 0);
	consumer_fixture_finish(f);
}

/* A store that is full or has failed costs no event: it is tried again without a limit. */
static void
test_a_store_that_fails(void **state)
{
	static const enum herald_status statuses[] = {HERALD_LIMIT, HERALD_UNAVAILABLE,
						      HERALD_STORE_FAILED};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(statuses); i++) {
		fake_inbox_set(&inbox, true, statuses[i]);
		init(0, false);
		fake_broker_add(f->broker, "done", NULL);
		while (f->broker->retries < 50)
			consumer_turn(f);
		fake_inbox_set(&inbox, true, HERALD_OK);
		consumer_settle(f);
		assert_int_equal(f->broker->done, 1);
		assert_int_equal(f->broker->dead, 0);
		consumer_fixture_finish(f);
	}
}

/* Committed by another thread, under load; then a stop waits for commits. */
static void
test_threads(void **state)
{
	(void)state;
	fake_inbox_start_committer(&inbox);
	init(4, true);
	for (unsigned n = 0; n < 500; n++)
		fake_broker_add(f->broker, "done", "a");
	CONSUMER_WAIT(f, fake_broker_count(f->broker, FAKE_DONE) == 500);
	assert_int_equal(inbox.stored_count, 500);
	for (unsigned n = 0; n < 500; n++)
		fake_broker_add(f->broker, "done", "a");
	assert_int_equal(herald_consumer_stop(f->consumer, 10000), 0);
	assert_int_equal(inbox.stored_count, fake_broker_count(f->broker, FAKE_DONE));
	consumer_fixture_finish(f);
	fake_inbox_stop_committer(&inbox);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_acknowledged_after_the_commit),
		TEST(test_refused_events),
		TEST(test_a_store_that_fails),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
