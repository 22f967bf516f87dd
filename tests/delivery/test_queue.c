/*
 * What a deliverer does with a queue: the order of its calls, threads that push while others do
 * something else, and who destroys it. That a queue keeps its contract is in tests/contract/queue/.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/queue.h>
#include <herald/delivery.h>
#include <herald/producer.h>

#include "delivery/memory_queue.h"
#include "support/delivering.h"
#include "support/fake_publisher.h"
#include "support/fake_transport.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* The memory queue, and what it was asked. */
struct journal {
	struct herald_delivery_queue base;
	struct herald_delivery_queue *memory;
	enum herald_status open_status, push_status;
	/* Before and after the record is pushed; NULL: nothing. */
	void (*before_push)(struct journal *journal);
	void (*in_push)(struct journal *journal);
	size_t opens, begins, reschedules, completes, destroys;
	_Atomic size_t pushes;
	unsigned begun_attempts; /* as counted when the last attempt began */
	unsigned rescheduled_attempts;
	uint64_t delay_ms;
	char error[128];
	enum herald_delivery_outcome outcome;
	struct herald_delivery_queue_settings settings;
};

struct fixture {
	struct journal journal;
	struct fake_transport transport;
	struct test_clock clock;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
};

static enum herald_status
journal_open(struct herald_delivery_queue *base,
	     const struct herald_delivery_queue_settings *settings, struct herald_error *error)
{
	struct journal *journal = (struct journal *)base;

	journal->opens++;
	journal->settings = *settings;
	if (journal->open_status == HERALD_OK)
		return HERALD_OK;
	return herald_error_set(error, journal->open_status, HERALD_NO_OFFSET, "no such table");
}

static enum herald_status
journal_push(struct herald_delivery_queue *base, struct herald_delivery_record *record)
{
	struct journal *journal = (struct journal *)base;

	if (journal->push_status != HERALD_OK)
		return journal->push_status;
	journal->pushes++;
	if (journal->before_push)
		journal->before_push(journal);
	if (journal->memory->ops->push(journal->memory, record) != HERALD_OK)
		return HERALD_SYSTEM;
	if (journal->in_push)
		journal->in_push(journal);
	return HERALD_OK;
}

static struct herald_delivery_record *
journal_claim(struct herald_delivery_queue *base, const struct herald_delivery_time *now,
	      uint64_t *wait_ms)
{
	struct journal *journal = (struct journal *)base;

	return journal->memory->ops->claim(journal->memory, now, wait_ms);
}

static bool
journal_begin(struct herald_delivery_queue *base, struct herald_delivery_record *record)
{
	struct journal *journal = (struct journal *)base;

	journal->begins++;
	journal->begun_attempts = record->attempts;
	return true;
}

static void
journal_reschedule(struct herald_delivery_queue *base, struct herald_delivery_record *record,
		   const struct herald_delivery_time *now, uint64_t delay_ms,
		   const struct herald_delivery_report *report)
{
	struct journal *journal = (struct journal *)base;

	journal->reschedules++;
	journal->rescheduled_attempts = record->attempts;
	journal->delay_ms = delay_ms;
	snprintf(journal->error, sizeof(journal->error), "%s", report->error);
	journal->memory->ops->reschedule(journal->memory, record, now, delay_ms, report);
}

static void
journal_complete(struct herald_delivery_queue *base, const struct herald_delivery_record *record,
		 const struct herald_delivery_report *report)
{
	struct journal *journal = (struct journal *)base;

	(void)record;
	journal->completes++;
	journal->outcome = report->outcome;
}

static struct herald_delivery_record *
journal_claim_left(struct herald_delivery_queue *base)
{
	struct journal *journal = (struct journal *)base;

	return journal->memory->ops->claim_left(journal->memory);
}

static void
journal_destroy(struct herald_delivery_queue *base)
{
	struct journal *journal = (struct journal *)base;

	journal->destroys++;
	journal->memory->ops->destroy(journal->memory);
}

static const struct herald_delivery_queue_ops journal_ops = {
	.name = "journal",
	.open = journal_open,
	.push = journal_push,
	.claim = journal_claim,
	.begin = journal_begin,
	.reschedule = journal_reschedule,
	.complete = journal_complete,
	.claim_left = journal_claim_left,
	.destroy = journal_destroy,
};

static void
prepare(struct fixture *fixture, const struct fake_step *steps, size_t count)
{
	memset(&fixture->journal, 0, sizeof(fixture->journal));
	fixture->journal.base.ops = &journal_ops;
	fixture->journal.memory = herald__memory_queue_create(&herald_allocator_libc, 10);
	assert_non_null(fixture->journal.memory);
	fake_transport_init(&fixture->transport, steps, count);
	test_clock_init(&fixture->clock);
	recorder_init(&fixture->recorder);
}

static void
start(struct fixture *fixture, const struct fake_step *steps, size_t count)
{
	prepare(fixture, steps, count);
	assert_int_equal(
		herald__deliverer_create(&RECORDED_OPTIONS(&fixture->recorder,
							   .queue = &fixture->journal.base,
							   .transport = &fixture->transport.base,
							   .slots = 20, .max_delay_ms = 200000,
							   .backoff = HERALD_BACKOFF_NO_JITTER),
					 &fixture->clock.clock, &fixture->deliverer, NULL),
		HERALD_OK);
}

static void
finish(struct fixture *fixture)
{
	herald_deliverer_stop(fixture->deliverer, 0);
	assert_all_settled(fixture->deliverer);
	assert_int_equal(fixture->journal.destroys, 0);
	herald_deliverer_destroy(fixture->deliverer);
	recorder_finish(&fixture->recorder);
	assert_int_equal(fixture->journal.destroys, 1);
	assert_int_equal(fixture->transport.destroys, 1);
}

static enum herald_status
submit(struct fixture *fixture, struct herald_error *error)
{
	return herald_deliverer_submit(
		fixture->deliverer,
		&(struct herald_delivery){.url = "http://a.example/", HERALD_BODY("body", 4)},
		error);
}

#define STATUS(CODE)                                                                               \
	{                                                                                          \
		.result = {.http_status = CODE }                                                   \
	}

static void
test_order_of_calls(void **state)
{
	static const struct fake_step steps[] = {STATUS(503), STATUS(500), STATUS(200)};
	struct fixture fixture;
	const struct journal *journal = &fixture.journal;

	(void)state;
	start(&fixture, steps, COUNT(steps));
	assert_int_equal(journal->opens, 1);
	assert_int_equal(journal->settings.max_attempts, 20);
	assert_int_equal(journal->settings.max_attempts_per_origin, 16);
	assert_int_equal(journal->settings.max_claimed, 160);
	assert_int_equal(journal->settings.max_claimed_bytes, 64 << 20);
	assert_int_equal(journal->settings.max_delay_ms, 200000);
	assert_int_equal(submit(&fixture, NULL), HERALD_OK);
	recorder_wait(&fixture.recorder, 1);
	herald_deliverer_stop(fixture.deliverer, 0);
	assert_int_equal(journal->pushes, 1);
	assert_int_equal(journal->begins, 3);
	assert_int_equal(journal->begun_attempts, 3);
	assert_int_equal(journal->reschedules, 2);
	assert_int_equal(journal->rescheduled_attempts, 2);
	assert_int_equal(journal->delay_ms, 4000);
	assert_string_equal(journal->error, "HTTP status 500");
	assert_int_equal(journal->completes, 1);
	assert_int_equal(journal->outcome, HERALD_DELIVERY_DELIVERED);
	finish(&fixture);
}

/* The record is given back with the attempts that it had. */
static void
test_no_memory_for_an_attempt(void **state)
{
	static const struct fake_step steps[] = {{.no_memory = true}, STATUS(200)};
	struct fixture fixture;

	(void)state;
	start(&fixture, steps, COUNT(steps));
	assert_int_equal(submit(&fixture, NULL), HERALD_OK);
	recorder_wait(&fixture.recorder, 1);
	herald_deliverer_stop(fixture.deliverer, 0);
	assert_int_equal(fixture.journal.reschedules, 1);
	assert_int_equal(fixture.journal.rescheduled_attempts, 0);
	assert_int_equal(fixture.journal.delay_ms, 1000);
	assert_string_equal(fixture.journal.error, "out of memory");
	assert_int_equal(fixture.journal.begun_attempts, 1);
	finish(&fixture);
}

/* At a stop the queue gets all records back, and the deliverer reports those that are lost. */
static void
test_stop_gives_back(void **state)
{
	static const struct fake_step silent[] = {{.is_silent = true}};
	struct fixture fixture;
	struct herald_delivery_statistics counts;

	(void)state;
	start(&fixture, silent, COUNT(silent));
	assert_int_equal(submit(&fixture, NULL), HERALD_OK);
	do {
		sched_yield();
		herald_deliverer_statistics(fixture.deliverer, &counts);
	} while (counts.in_flight == 0);
	assert_int_equal(herald_deliverer_stop(fixture.deliverer, 0), 1);
	assert_int_equal(fixture.journal.reschedules, 1);
	assert_int_equal(fixture.journal.rescheduled_attempts, 1);
	assert_int_equal(fixture.journal.delay_ms, 0);
	assert_string_equal(fixture.journal.error, "the deliverer stopped during an attempt");
	assert_int_equal(fixture.journal.completes, 1);
	assert_int_equal(fixture.journal.outcome, HERALD_DELIVERY_LEFT);
	assert_string_equal(fixture.recorder.outcome_reports[0].error,
			    "the deliverer stopped during an attempt");
	finish(&fixture);
}

static void
test_refused_push(void **state)
{
	static const struct {
		enum herald_status status;
		const char *message;
	} rows[] = {
		{HERALD_SYSTEM, "the queue (journal) refused it: a system call failed"},
		{HERALD_LIMIT, "the queue (journal) refused it: limit exceeded"},
		{HERALD_NO_MEMORY, "the queue (journal) refused it: out of memory"},
	};
	struct fixture fixture;
	struct herald_delivery_statistics counts;

	(void)state;
	start(&fixture, NULL, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_error error;

		fixture.journal.push_status = rows[i].status;
		assert_int_equal(submit(&fixture, &error), rows[i].status);
		assert_int_equal(error.status, rows[i].status);
		assert_string_equal(error.message, rows[i].message);
	}
	herald_deliverer_statistics(fixture.deliverer, &counts);
	assert_int_equal(counts.content_bytes, 0);
	assert_int_equal(counts.reserved, 0);
	assert_int_equal(counts.accepted, 0);
	assert_int_equal(counts.refused, COUNT(rows));
	finish(&fixture);
}

/* Threads that push. */

static struct fixture *pushing;

/* Wait for the outcome, while the thread that submits is still in push(). */
static void
wait_for_outcome(struct journal *journal)
{
	struct herald_delivery_statistics counts;

	herald_delivery_queue_wake(&journal->base);
	recorder_wait(&pushing->recorder, 1);
	herald_deliverer_statistics(pushing->deliverer, &counts);
	assert_int_equal(counts.accepted, 1);
	assert_int_equal(counts.delivered, 1);
	assert_int_equal(counts.pending, 0);
	assert_int_equal(counts.reserved, 0);
	assert_int_equal(counts.content_bytes, 0);
}

static void
test_outcome_before_the_push_ends(void **state)
{
	static const struct fake_step steps[] = {STATUS(200)};
	struct fixture fixture;
	struct herald_delivery_statistics counts;

	(void)state;
	start(&fixture, steps, COUNT(steps));
	pushing = &fixture;
	fixture.journal.in_push = wait_for_outcome;
	assert_int_equal(submit(&fixture, NULL), HERALD_OK);
	herald_deliverer_statistics(fixture.deliverer, &counts);
	assert_int_equal(counts.accepted, 1);
	assert_int_equal(counts.pending, 0);
	finish(&fixture);
}

/* Wait until both threads are in push(). */
static void
wait_for_both(struct journal *journal)
{
	while (atomic_load(&journal->pushes) < 2)
		sched_yield();
}

static void *
submit_on_thread(void *state)
{
	assert_int_equal(submit(state, NULL), HERALD_OK);
	return NULL;
}

static void
test_pushes_at_once(void **state)
{
	static const struct fake_step steps[] = {STATUS(200), STATUS(200)};
	struct fixture fixture;
	pthread_t thread;

	(void)state;
	start(&fixture, steps, COUNT(steps));
	fixture.journal.in_push = wait_for_both;
	assert_int_equal(pthread_create(&thread, NULL, submit_on_thread, &fixture), 0);
	assert_int_equal(submit(&fixture, NULL), HERALD_OK);
	pthread_join(thread, NULL);
	recorder_wait(&fixture.recorder, 2);
	finish(&fixture);
}

/* Wait until the stop waits only for this push. */
static void
wait_until_closed(struct journal *journal)
{
	struct herald_deliverer *deliverer = journal->base.deliverer;
	bool is_closed;

	do {
		sched_yield();
		pthread_mutex_lock(&deliverer->mutex);
		is_closed = deliverer->is_closed;
		pthread_mutex_unlock(&deliverer->mutex);
	} while (!is_closed);
}

/* A delivery whose push is in progress during the stop is left, not lost. */
static void
test_stop_waits_for_a_push(void **state)
{
	static const struct fake_step silent[] = {{.is_silent = true}};
	struct fixture fixture;
	pthread_t thread;

	(void)state;
	start(&fixture, silent, COUNT(silent));
	fixture.journal.before_push = wait_until_closed;
	assert_int_equal(pthread_create(&thread, NULL, submit_on_thread, &fixture), 0);
	while (atomic_load(&fixture.journal.pushes) == 0)
		sched_yield();
	herald_deliverer_stop(fixture.deliverer, 0);
	pthread_join(thread, NULL);
	assert_int_equal(fixture.recorder.outcomes, 1);
	assert_all_settled(fixture.deliverer);
	finish(&fixture);
}

/* The deliverer owns the queue, also if it cannot be created. */
static void
test_creation_that_fails(void **state)
{
	static const struct {
		unsigned attempts;
		enum herald_status transport_status, queue_status, status;
		size_t opens;
		const char *message;
	} rows[] = {
		{1, HERALD_OK, HERALD_SYSTEM, HERALD_SYSTEM, 1, "no such table"},
		{1, HERALD_SYSTEM, HERALD_OK, HERALD_SYSTEM, 0, "cannot be opened"},
		{1001, HERALD_OK, HERALD_OK, HERALD_BAD_OPTION, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture fixture = {.deliverer = NULL};
		struct herald_error error;

		prepare(&fixture, NULL, 0);
		fixture.transport.open_status = rows[i].transport_status;
		fixture.journal.open_status = rows[i].queue_status;
		assert_int_equal(
			herald_deliverer_create(
				&HERALD_DELIVERER_OPTIONS(.transport = &fixture.transport.base,
							  .queue = &fixture.journal.base,
							  .attempts = rows[i].attempts),
				&fixture.deliverer, &error),
			rows[i].status);
		if (rows[i].message)
			assert_string_equal(error.message, rows[i].message);
		assert_null(fixture.deliverer);
		assert_int_equal(fixture.journal.opens, rows[i].opens);
		assert_int_equal(fixture.journal.destroys, 1);
		assert_int_equal(fixture.transport.destroys, 1);
		recorder_finish(&fixture.recorder);
	}
}

/* Until its producer is connected, a delivery is not begun in the queue. */
static void
test_producer_not_connected(void **state)
{
	struct fake_publisher *fake = fake_publisher_create();
	struct herald_producer *producer;
	struct fixture fixture;

	(void)state;
	fake->is_threaded = true;
	fake->open_status = HERALD_UNAVAILABLE;
	assert_int_equal(herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &fake->base),
						&producer, NULL),
			 HERALD_OK);
	const struct herald_named_producer producers[] = {{"main", producer}};
	prepare(&fixture, NULL, 0);
	assert_int_equal(
		herald_deliverer_create(&RECORDED_OPTIONS(&fixture.recorder,
							  .queue = &fixture.journal.base,
							  .transport = &fixture.transport.base,
							  HERALD_PRODUCERS(producers)),
					&fixture.deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_submit(
				 fixture.deliverer,
				 &(struct herald_delivery){.producer = "main", .topic = "t"}, NULL),
			 HERALD_OK);
	struct herald_producer_statistics counts;
	do
		herald_producer_statistics_read(producer, &counts);
	while (counts.failures < 4);
	herald_deliverer_destroy(fixture.deliverer);
	assert_int_equal(fixture.journal.begins, 0);
	assert_true(fixture.journal.reschedules > 0);
	assert_int_equal(fixture.journal.rescheduled_attempts, 0);
	herald_producer_destroy(producer);
	recorder_finish(&fixture.recorder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_calls),
		cmocka_unit_test(test_no_memory_for_an_attempt),
		cmocka_unit_test(test_stop_gives_back),
		cmocka_unit_test(test_refused_push),
		cmocka_unit_test(test_outcome_before_the_push_ends),
		cmocka_unit_test(test_pushes_at_once),
		cmocka_unit_test(test_stop_waits_for_a_push),
		cmocka_unit_test(test_creation_that_fails),
		cmocka_unit_test(test_producer_not_connected),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
