/*
 * Messages and their ends, step by step on a broker in memory: verdicts, attempts, delays, dead
 * letters, back-pressure, and connections that are lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/array.h>
#include <herald/cloudevents.h>

#include "support/consumer_fixture.h"

static struct consumer_fixture *f;
static char folder[64]; /* of in-flight files that outlive a consumer */

static int
setup(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	strcpy(folder, "/tmp/herald-consumer-XXXXXX");
	return f && mkdtemp(folder) ? 0 : 1;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	free(f);
	/* No file is left but the notes of stops. */
	snprintf(command, sizeof(command), "rm -f %s/herald-consumer-*-notes*", folder);
	return system(command) == 0 ? rmdir(folder) : 1;
}

static const struct fake_message *
message(size_t index)
{
	return &f->broker->messages[index];
}

/* Lanes: none, one, several. */
static const unsigned lanes[] = {0, 1, 4};

/* Verdicts. */

static const struct {
	const char *action;
	enum fake_state state;
	unsigned runs, attempts;
	const char *reason, *path, *event_id;
	unsigned http_status;
	enum herald_status status;
} ends[] = {
	{"done", FAKE_DONE, 1, 0, "", "", "", 0, HERALD_OK},
	{"retry 3", FAKE_DONE, 3, 0, "", "", "", 0, HERALD_OK},
	{"later 2", FAKE_DONE, 2, 0, "", "", "", 0, HERALD_OK},
	{"fail", FAKE_DEAD, 1, 1, "no good", "", "0", 0, HERALD_OK},
	{"fail 422", FAKE_DEAD, 1, 1, "no good", "", "0", 422, HERALD_OK},
	{"retry 99", FAKE_DEAD, 3, 3, "after 3 attempts: not yet", "", "0", 0, HERALD_OK},
	{"later 99", FAKE_DEAD, 3, 3, "after 3 attempts: in a while", "", "0", 0, HERALD_OK},
	{"bad", FAKE_DEAD, 0, 0, "id is required, but missing", "/payload/id", "0", 0,
	 HERALD_MISSING},
	{"unknown", FAKE_DEAD, 0, 0, "no route for event type \"other\"", "/event_type", "0", 0,
	 HERALD_UNKNOWN_TYPE},
};

static void
check_end(size_t i)
{
	const struct fake_message *end = message(0);
	const struct herald_consumer_statistics counts = consumer_counts(f);

	assert_int_equal(end->state, ends[i].state);
	assert_int_equal(end->runs, ends[i].runs);
	assert_string_equal(end->reason, ends[i].reason);
	assert_string_equal(end->path, ends[i].path);
	assert_string_equal(end->event_id, ends[i].event_id);
	assert_int_equal(end->dead_attempts, ends[i].attempts);
	assert_int_equal(end->http_status, ends[i].http_status);
	assert_int_equal(end->status, ends[i].status);
	assert_int_equal(counts.runs, ends[i].runs);
	assert_int_equal(counts.retries, ends[i].runs > 0 ? ends[i].runs - 1 : 0);
	assert_int_equal(counts.done, ends[i].state == FAKE_DONE);
	assert_int_equal(counts.dead, ends[i].state == FAKE_DEAD);
	assert_int_equal(counts.in_flight, 0);
	assert_int_equal(counts.parked, 0);
	assert_int_equal(consumer_logged(f, "warning event is a dead letter broker=fake "
					    "source=fake orders billing"),
			 ends[i].state == FAKE_DEAD);
}

static void
test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(ends); i++)
		for (size_t j = 0; j < HERALD_COUNT(lanes); j++)
			for (unsigned kinds = 0; kinds < 4; kinds++) {
				consumer_fixture_init(f, &(struct consumer_fixture_options){
								 .consumer = {.lanes = lanes[j],
									      .max_attempts = 3,
									      .order = kinds & 1},
								 .writes_attempts = kinds & 2});
				fake_broker_add(f->broker, ends[i].action, "key");
				consumer_settle(f);
				check_end(i);
				consumer_fixture_finish(f);
			}
}

static void
test_odd_bodies(void **state)
{
	static const struct {
		struct herald_text data;
		enum herald_status status;
	} cases[] = {
		{{"", 0}, HERALD_BAD_JSON},
		{{"\0", 1}, HERALD_BAD_JSON},
		{{"{}", 2}, HERALD_MISSING},
		{{"\xff", 1}, HERALD_BAD_JSON},
	};

	(void)state;
	consumer_fixture_init(f, &(struct consumer_fixture_options){0});
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		fake_broker_add_data(f->broker, cases[i].data.data, cases[i].data.bytes, NULL);
	consumer_settle(f);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		assert_int_equal(message(i)->state, FAKE_DEAD);
		assert_int_equal(message(i)->status, cases[i].status);
		assert_memory_equal(message(i)->data, cases[i].data.data, cases[i].data.bytes);
	}
	consumer_fixture_finish(f);
}

/* A body is decoded in place; a copy of it is, so that a retry and a dead letter have all of it. */
static void
test_bodies_stay_unchanged(void **state)
{
	static const char data[] =
		"{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"task\","
		"\"payload\":{\"id\":\"\\u0030\",\"action\":\"retry\\u0020\\u0032\"}}";

	(void)state;
	consumer_fixture_init(f, &(struct consumer_fixture_options){0});
	fake_broker_add_data(f->broker, data, sizeof(data) - 1, "application/json");
	consumer_settle(f);
	assert_string_equal(f->runs, "0/1 0/2");
	assert_memory_equal(message(0)->data, data, sizeof(data) - 1);
	consumer_fixture_finish(f);
}

/* It is not split: its events have no acknowledgements of their own. None of them runs. */
static void
test_a_batch_is_a_dead_letter(void **state)
{
#define MEMBER                                                                                     \
	"{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":\"task\","                \
	"\"data\":{\"id\":\"1\",\"action\":\"done\"}}"
	static const char one[] = MEMBER, batch[] = "[" MEMBER "]";

	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){.format = &herald_format_cloudevents});
	fake_broker_add_data(f->broker, batch, sizeof(batch) - 1,
			     "application/cloudevents-batch+json");
	fake_broker_add_data(f->broker, one, sizeof(one) - 1, "application/cloudevents+json");
	consumer_settle(f);
	assert_string_equal(f->runs, "1/1");
	assert_int_equal(message(0)->state, FAKE_DEAD);
	assert_int_equal(message(0)->status, HERALD_BAD_MEDIA_TYPE);
	assert_string_equal(message(0)->reason, "batches are not accepted here");
	assert_memory_equal(message(0)->data, batch, sizeof(batch) - 1);
	consumer_fixture_finish(f);
}

/* Delays. */

static void
test_delays_grow_and_are_kept(void **state)
{
	static const uint64_t delays[] = {1000, 2000, 4000, 8000, 8000};

	(void)state;
	for (unsigned order = 0; order < 2; order++) {
		consumer_fixture_init(f,
				      &(struct consumer_fixture_options){
					      .consumer = {.order = order, .max_delay_ms = 8000}});
		fake_broker_add(f->broker, "retry 6", "key");
		for (size_t i = 0; i < HERALD_COUNT(delays); i++) {
			while (f->runs_count == i)
				consumer_turn(f);
			const uint64_t before_ms = f->broker->now_ms;
			while (f->runs_count == i + 1)
				consumer_turn(f);
			assert_true(f->broker->now_ms >= before_ms + delays[i]);
			assert_true(f->broker->now_ms <= before_ms + delays[i] + 1);
		}
		consumer_settle(f);
		consumer_fixture_finish(f);
	}
}

static void
test_a_delay_of_the_function_is_bounded(void **state)
{
	(void)state;
	consumer_fixture_init(f,
			      &(struct consumer_fixture_options){.consumer = {.max_delay_ms = 50}});
	fake_broker_add(f->broker, "later 2", NULL);
	f->broker->is_still = true;
	while (f->broker->retries == 0)
		consumer_turn(f);
	assert_int_equal(message(0)->due_ms - f->broker->now_ms, 50);
	f->broker->is_still = false;
	consumer_settle(f);
	consumer_fixture_finish(f);
}

/* Back-pressure. */

static void
test_in_flight_messages_are_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(lanes); i++)
		for (unsigned lag = 0; lag < 4; lag += 3) {
			consumer_fixture_init(
				f, &(struct consumer_fixture_options){
					   .consumer = {.lanes = lanes[i], .max_in_flight = 7}});
			f->broker->settle_lag = lag;
			for (size_t n = 0; n < 200; n++)
				fake_broker_add(f->broker, "done", NULL);
			consumer_settle(f);
			assert_int_equal(f->broker->max_out, 7);
			assert_int_equal(f->runs_count, 200);
			consumer_fixture_finish(f);
		}
}

static void
test_in_flight_bytes_are_bounded(void **state)
{
	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){.consumer = {.max_in_flight_bytes = 500}});
	for (size_t n = 0; n < 100; n++)
		fake_broker_add(f->broker, "done", NULL);
	consumer_settle(f);
	assert_true(f->broker->max_out_bytes > 250);
	assert_true(f->broker->max_out_bytes <= 500);
	consumer_fixture_finish(f);
}

/* A message that is larger than all that may be in flight is received alone. */
static void
test_a_large_message_is_alone(void **state)
{
	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){.consumer = {.max_in_flight_bytes = 10}});
	for (size_t n = 0; n < 10; n++)
		fake_broker_add(f->broker, "done", NULL);
	consumer_settle(f);
	assert_int_equal(f->broker->max_out, 1);
	consumer_fixture_finish(f);
}

/* Extension. */

static void
test_held_messages_are_extended(void **state)
{
	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){.consumer = {.order = HERALD_ORDER_KEY},
						      .visibility_ms = 300,
						      .checks_order = true});
	fake_broker_add(f->broker, "retry 4", "a");
	fake_broker_add(f->broker, "done", "a");
	consumer_settle(f);
	/* 7 s in delays of 1, 2 and 4 s: held, and never delivered again. */
	assert_int_equal(message(0)->deliveries, 1);
	assert_int_equal(message(1)->deliveries, 1);
	assert_true(f->broker->extends >= 2 * 60);
	assert_true(f->broker->extends <= 2 * 100);
	consumer_fixture_finish(f);
}

/* Without lanes, slow functions run on the thread that receives. They do not keep it for long: what
 * has ended is settled, and the others are extended. */
static void
test_slow_functions_without_lanes(void **state)
{
	static const char *const keys[] = {NULL, "a"};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(keys); i++) {
		consumer_fixture_init(
			f, &(struct consumer_fixture_options){.consumer = {.order = i > 0},
							      .visibility_ms = 300});
		for (unsigned n = 0; n < 40; n++)
			fake_broker_add(f->broker, "take 30", keys[i]);
		consumer_turn(f); /* receives */
		assert_int_equal(f->runs_count, 0);
		for (unsigned turns = 1; turns <= 10; turns++) {
			const unsigned receives = f->broker->receives;

			consumer_turn(f);
			assert_int_equal(f->runs_count, 4 * turns);
			assert_int_equal(f->broker->done, 4 * turns);
			assert_int_equal(f->broker->receives, receives + 1);
		}
		for (size_t n = 0; n < 40; n++)
			assert_int_equal(message(n)->deliveries, 1);
		assert_int_equal(f->broker->late, 0);
		consumer_fixture_finish(f);
	}
}

/* Connections. */

static void
test_a_broker_that_is_absent_at_first(void **state)
{
	struct herald_error error;
	static struct fake_broker broker;

	(void)state;
	fake_broker_init(&broker);
	broker.is_down = true;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){.consumer = {.lanes = 1}, .broker = &broker});
	fake_broker_add(f->broker, "done", NULL);
	assert_int_equal(consumer_counts(f).state, HERALD_CONSUMER_CONNECTING);
	assert_int_equal(herald_consumer_health(f->consumer, &error), HERALD_UNAVAILABLE);
	assert_string_equal(error.message, "the broker is not connected: the fake broker is down");
	while (f->broker->now_ms < FAKE_FIRST_MS + 1000000)
		consumer_turn(f);
	/* With pauses of 100 ms to 750 ms: in the end 425 ms on average. */
	assert_in_range(f->broker->opens, 2000, 2800);
	broker.is_down = false;
	const uint64_t back_ms = broker.now_ms;
	while (f->runs_count == 0)
		consumer_turn(f);
	assert_in_range(broker.now_ms - back_ms, 0, 750);
	consumer_settle(f);
	assert_int_equal(herald_consumer_health(f->consumer, &error), HERALD_OK);
	assert_int_equal(consumer_counts(f).state, HERALD_CONSUMER_RUNNING);
	assert_int_equal(consumer_counts(f).connections, 1);
	assert_int_equal(consumer_counts(f).failures, f->broker->opens - 1);
	/* The same error is logged once. */
	char *first = strstr(f->log, "error consumer is not connected");
	assert_non_null(first);
	assert_null(strstr(first + 1, "error consumer is not connected"));
	assert_true(consumer_logged(f, "info consumer is connected"));
	consumer_fixture_finish(f);
	fake_broker_finish(&broker);
}

static void
test_options_that_the_broker_refuses(void **state)
{
	struct herald_error error;
	static struct fake_broker broker;

	(void)state;
	fake_broker_init(&broker);
	broker.open_failures = 1;
	broker.open_status = HERALD_BAD_OPTION;
	assert_int_equal(consumer_fixture_try(
				 f, &(struct consumer_fixture_options){.broker = &broker}, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.message, "the fake broker is down");
	consumer_fixture_free(f);

	/* Later, it is tried again. */
	consumer_fixture_init(f, &(struct consumer_fixture_options){.broker = &broker});
	fake_broker_cut(&broker);
	broker.open_failures = 3;
	fake_broker_add(f->broker, "done", NULL);
	consumer_settle(f);
	consumer_fixture_finish(f);
	fake_broker_finish(&broker);
}

/* A message that has not begun when its connection is lost does not run. */
static void
test_lost_before_they_run(void **state)
{
	(void)state;
	consumer_fixture_init(f, &(struct consumer_fixture_options){.consumer = {.lanes = 1}});
	for (size_t n = 0; n < 10; n++)
		fake_broker_add(f->broker, "done", NULL);
	herald__intake_turn(f->consumer);
	assert_int_equal(consumer_counts(f).in_flight, 10);
	fake_broker_cut(f->broker);
	herald__intake_turn(f->consumer);
	consumer_settle(f);
	assert_int_equal(f->runs_count, 10);
	assert_int_equal(f->broker->late, 10);
	assert_int_equal(consumer_counts(f).redelivered, 10);
	assert_int_equal(consumer_counts(f).lost, 0);
	/* They did not run in their first delivery: all are attempt 1. */
	assert_int_equal(message(9)->last_attempt, 1);
	consumer_fixture_finish(f);
}

/* Its end comes too late: it is delivered again, and runs again. A run that was done is not an
 * attempt. */
static void
test_lost_after_they_run(void **state)
{
	(void)state;
	consumer_fixture_init(f, &(struct consumer_fixture_options){.consumer = {.lanes = 1},
								    .allows_repeats = true});
	fake_broker_add(f->broker, "done", NULL);
	herald__intake_turn(f->consumer);
	while (herald__lane_step(&f->consumer->lanes[0]))
		;
	fake_broker_cut(f->broker);
	consumer_settle(f);
	assert_string_equal(f->runs, "0/1 0/1");
	assert_int_equal(f->broker->late, 1);
	consumer_fixture_finish(f);
}

/* Parked messages of a lost connection wait for nothing, and make room. */
static void
test_lost_while_parked(void **state)
{
	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){.consumer = {.lanes = 1,
								   .order = HERALD_ORDER_KEY,
								   .max_in_flight = 3,
								   .first_delay_ms = 3600000},
						      .checks_order = true});
	fake_broker_add(f->broker, "retry 2", "a");
	fake_broker_add(f->broker, "done", "a");
	fake_broker_add(f->broker, "done", "a");
	fake_broker_add(f->broker, "done", "b");
	while (consumer_counts(f).parked < 3)
		consumer_turn(f);
	fake_broker_cut(f->broker);
	f->broker->is_still = true;
	for (unsigned i = 0; i < 10; i++)
		consumer_turn(f);
	f->broker->is_still = false;
	/* Message 0 has run again; in an hour it would have had to, without the cut. */
	assert_true(f->broker->now_ms < FAKE_FIRST_MS + 60000);
	consumer_settle(f);
	assert_int_equal(message(0)->last_attempt, 2);
	assert_int_equal(consumer_counts(f).lost, 1);
	consumer_fixture_finish(f);
}

/* The broker has given one message to another consumer, which the subscriber finds out. */
static void
test_a_single_loss(void **state)
{
	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){
			   .consumer = {.order = HERALD_ORDER_KEY, .first_delay_ms = 3600000}});
	fake_broker_add(f->broker, "retry 2", "a");
	fake_broker_add(f->broker, "done", "b");
	while (consumer_counts(f).parked < 1)
		consumer_turn(f);
	fake_broker_take_away(f->broker, 0);
	for (struct herald__held *held = f->consumer->intake.memory.oldest; held;
	     held = held->newer)
		herald_received_lose(f->consumer->subscriber, held->message);
	while (consumer_counts(f).in_flight > 0)
		consumer_turn(f);
	assert_true(f->broker->now_ms < FAKE_FIRST_MS + 10000);
	assert_int_equal(consumer_counts(f).lost, 1);
	assert_string_equal(f->runs, "0/1 1/1");
	consumer_fixture_finish(f);
}

/* The call that loses messages returns them again: their runs are noted in between. */
static void
test_a_loss_and_a_return_in_one_call(void **state)
{
	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){
			   .consumer = {.order = HERALD_ORDER_KEY, .lanes = 1, .max_attempts = 5}});
	fake_broker_add(f->broker, "retry 9", "a");
	fake_broker_add(f->broker, "done", "a");
	while (message(0)->runs < 3)
		consumer_turn(f);
	f->broker->reassigns = true;
	consumer_settle(f);
	assert_string_equal(f->runs, "0/1 0/2 0/3 0/4 0/5 1/1");
	assert_int_equal(message(0)->deliveries, 2);
	assert_int_equal(message(0)->dead_attempts, 5);
	assert_int_equal(consumer_counts(f).lost, 1);
	consumer_fixture_finish(f);
}

/* Another machine had them, and perhaps has not run them. They are not dead letters without a run;
 * but each may be their last, and there is a limit. */
static void
test_deliveries_without_known_runs(void **state)
{
	static const char *const actions[] = {"done", "retry 9", "done"};

	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){
			   .consumer = {.lanes = 1, .max_attempts = 3, .max_unknown_deliveries = 4},
			   .allows_gaps = true});
	for (size_t i = 0; i < HERALD_COUNT(actions); i++) {
		fake_broker_add(f->broker, actions[i], NULL);
		f->broker->messages[i].deliveries = i < 2 ? 6 : 7;
	}
	consumer_settle(f);
	assert_string_equal(f->runs, "0/7 1/7");
	assert_int_equal(message(0)->state, FAKE_DONE);
	assert_string_equal(message(1)->reason, "after 7 attempts: not yet");
	assert_string_equal(message(2)->reason, "after 7 attempts: the last one had no verdict");
	assert_true(consumer_logged(f, "deliveries without a known run, and now runs alone"));
	assert_int_equal(consumer_counts(f).interrupted, 0);
	consumer_fixture_finish(f);
}

/* Releases cost no attempts, whether or not the broker counts them. */
static void
test_releases_do_not_count(void **state)
{
	(void)state;
	for (unsigned keeps = 0; keeps < 2; keeps++) {
		static struct fake_broker broker;

		fake_broker_init(&broker);
		broker.ops.counts_releases = !keeps;
		fake_broker_add(&broker, "retry 3", NULL);
		for (unsigned i = 0; i < 5; i++) {
			consumer_fixture_init(f, &(struct consumer_fixture_options){
							 .consumer = {.lanes = 1,
								      .in_flight_folder = folder,
								      .max_attempts = 3},
							 .broker = &broker});
			herald__intake_turn(f->consumer);
			consumer_fixture_finish(f);
			fake_broker_recover(&broker);
		}
		assert_int_equal(broker.releases, 5);
		assert_int_equal(broker.messages[0].deliveries, keeps ? 0 : 5);
		consumer_fixture_init(
			f, &(struct consumer_fixture_options){
				   .consumer = {.in_flight_folder = folder, .max_attempts = 3},
				   .broker = &broker});
		consumer_settle(f);
		assert_string_equal(f->runs, "0/1 0/2 0/3");
		consumer_fixture_finish(f);
		fake_broker_finish(&broker);
	}
}

/* Stopping. */

static void
test_stop(void **state)
{
	(void)state;
	consumer_fixture_init(f, &(struct consumer_fixture_options){.consumer = {.lanes = 1}});
	for (size_t n = 0; n < 10; n++)
		fake_broker_add(f->broker, "done", NULL);
	herald__intake_turn(f->consumer);
	f->broker->settle_lag = 1000;
	assert_int_equal(herald_consumer_stop(f->consumer, 0), 10);
	assert_int_equal(consumer_counts(f).state, HERALD_CONSUMER_STOPPING);
	consumer_stop(f);
	assert_int_equal(herald_consumer_stop(f->consumer, 0), 0);
	assert_int_equal(consumer_counts(f).state, HERALD_CONSUMER_STOPPED);
	assert_int_equal(f->runs_count, 0);
	assert_int_equal(f->broker->releases, 10);
	assert_int_equal(f->broker->flushes, 1);
	assert_int_equal(consumer_counts(f).released, 10);
	assert_true(consumer_logged(f, "info consumer has stopped broker=fake source=fake orders "
				       "billing left=0"));
	consumer_fixture_finish(f);
}

static void
test_stop_without_a_confirmation(void **state)
{
	(void)state;
	consumer_fixture_init(f, &(struct consumer_fixture_options){0});
	f->broker->settle_lag = 1000;
	f->broker->never_confirms = true;
	fake_broker_add(f->broker, "done", NULL);
	while (f->broker->pending == 0)
		consumer_turn(f);
	herald_consumer_stop(f->consumer, 0);
	while (consumer_turn(f))
		;
	assert_int_equal(herald_consumer_stop(f->consumer, 0), 1);
	assert_int_equal(herald_consumer_stop(f->consumer, 0), 1);
	assert_true(consumer_logged(f, "warning consumer has stopped"));
	herald_consumer_destroy(f->consumer);
	f->consumer = NULL;
	assert_string_equal(f->broker->fault, "");
	consumer_fixture_free(f);
}

/* Nothing is in flight, but the broker does not know all ends. */
static void
test_stop_before_a_confirmation(void **state)
{
	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(lanes); i++) {
		consumer_fixture_init(
			f, &(struct consumer_fixture_options){.consumer = {.lanes = lanes[i]}});
		f->broker->settle_lag = 1000;
		for (unsigned n = 0; n < 3; n++)
			fake_broker_add(f->broker, "done", NULL);
		while (consumer_counts(f).in_flight > 0 || f->broker->pending < 3)
			consumer_turn(f);
		assert_int_equal(herald_consumer_stop(f->consumer, 0), 3);
		consumer_stop(f);
		assert_int_equal(herald_consumer_stop(f->consumer, 0), 0);
		consumer_fixture_finish(f);
	}
}

static size_t left_in_flush;

static void
stop_in_flush(void *state)
{
	left_in_flush = herald_consumer_stop(state, 0);
}

/* The broker is slow to confirm, and the time of the stop is over meanwhile. */
static void
test_stop_while_the_broker_confirms(void **state)
{
	(void)state;
	consumer_fixture_init(f, &(struct consumer_fixture_options){.consumer = {.lanes = 1}});
	for (size_t n = 0; n < 10; n++)
		fake_broker_add(f->broker, "done", NULL);
	herald__intake_turn(f->consumer);
	f->broker->settle_lag = 1000;
	f->broker->on_flush = stop_in_flush;
	f->broker->on_flush_state = f->consumer;
	fake_broker_take_away(f->broker, 0);
	assert_int_equal(herald_consumer_stop(f->consumer, 0), 10);
	left_in_flush = 0;
	consumer_stop(f);
	assert_int_equal(left_in_flush, 9);
	assert_int_equal(f->broker->flushes, 1);
	consumer_fixture_finish(f);
}

static void
test_stop_while_disconnected(void **state)
{
	(void)state;
	consumer_fixture_init(f, &(struct consumer_fixture_options){.consumer = {.lanes = 1}});
	fake_broker_add(f->broker, "done", NULL);
	herald__intake_turn(f->consumer);
	f->broker->is_down = true;
	herald__intake_turn(f->consumer);
	const unsigned opens = f->broker->opens;
	consumer_stop(f);
	assert_int_equal(f->broker->opens, opens);
	assert_int_equal(f->runs_count, 0);
	consumer_fixture_finish(f);
}

/* A retry keeps its delay, and its attempt. */
static void
test_stop_with_parked_messages(void **state)
{
	(void)state;
	for (unsigned writes = 0; writes < 2; writes++) {
		static struct fake_broker broker;
		const struct consumer_fixture_options options = {
			.consumer = {.order = HERALD_ORDER_KEY,
				     .in_flight_folder = folder,
				     .first_delay_ms = 10000},
			.broker = &broker};

		fake_broker_init(&broker);
		broker.writes_attempts = writes;
		fake_broker_add(&broker, "retry 4", "a");
		fake_broker_add(&broker, "done", "a");
		consumer_fixture_init(f, &options);
		uint64_t begun_ms = 0;
		while (f->runs_count < 2) {
			begun_ms = broker.now_ms;
			consumer_turn(f);
		}
		consumer_stop(f);
		assert_int_equal(broker.retries, 1);
		assert_int_equal(broker.releases, 1);
		assert_true(broker.messages[0].due_ms >= begun_ms + 20000);
		consumer_fixture_finish(f);
		fake_broker_recover(&broker);

		consumer_fixture_init(f, &options);
		consumer_settle(f);
		assert_string_equal(f->runs, "1/1 0/3 0/4");
		consumer_fixture_finish(f);
		fake_broker_finish(&broker);
	}
}

/* Order. */

static void
test_order_of_keys(void **state)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e"};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(lanes); i++)
		for (unsigned header = 0; header < 2; header++) {
			consumer_fixture_init(
				f, &(struct consumer_fixture_options){
					   .consumer = {.lanes = lanes[i],
							.order = HERALD_ORDER_KEY,
							.key_attribute = header ? "x-key" : NULL},
					   .checks_order = true});
			for (size_t n = 0; n < 200; n++)
				fake_broker_add(f->broker, n % 7 == 0 ? "retry 3" : "done",
						n % 11 == 0 ? NULL : keys[n % 5]);
			consumer_settle(f);
			assert_int_equal(f->runs_count, 200 + 2 * 29);
			assert_int_equal(f->broker->retries, 3 * 2); /* without a key */
			consumer_fixture_finish(f);
		}
}

/* A retry blocks its key, and no other. */
static void
test_a_retry_blocks_its_key_alone(void **state)
{
	(void)state;
	consumer_fixture_init(
		f, &(struct consumer_fixture_options){.consumer = {.order = HERALD_ORDER_KEY}});
	fake_broker_add(f->broker, "retry 2", "a");
	fake_broker_add(f->broker, "done", "a");
	fake_broker_add(f->broker, "done", "b");
	fake_broker_add(f->broker, "done", NULL);
	consumer_settle(f);
	assert_string_equal(f->runs, "0/1 2/1 3/1 0/2 1/1");
	consumer_fixture_finish(f);
}

/* With HERALD_ORDER_NONE it blocks nobody, and takes no room. */
static void
test_without_an_order(void **state)
{
	(void)state;
	consumer_fixture_init(f,
			      &(struct consumer_fixture_options){.consumer = {.max_in_flight = 1}});
	fake_broker_add(f->broker, "retry 2", "a");
	fake_broker_add(f->broker, "done", "a");
	consumer_settle(f);
	assert_string_equal(f->runs, "0/1 1/1 0/2");
	consumer_fixture_finish(f);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(herald_consumer_state_name(HERALD_CONSUMER_CONNECTING), "connecting");
	assert_string_equal(herald_consumer_state_name(HERALD_CONSUMER_STOPPED), "stopped");
	assert_string_equal(herald_consumer_state_name((enum herald_consumer_state)4), "?");
	assert_int_equal(herald_consumer_stop(NULL, 0), 0);
	herald_consumer_destroy(NULL);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_verdicts),
		TEST(test_odd_bodies),
		TEST(test_a_batch_is_a_dead_letter),
		TEST(test_bodies_stay_unchanged),
		TEST(test_delays_grow_and_are_kept),
		TEST(test_a_delay_of_the_function_is_bounded),
		TEST(test_in_flight_messages_are_bounded),
		TEST(test_in_flight_bytes_are_bounded),
		TEST(test_a_large_message_is_alone),
		TEST(test_held_messages_are_extended),
		TEST(test_slow_functions_without_lanes),
		TEST(test_a_broker_that_is_absent_at_first),
		TEST(test_options_that_the_broker_refuses),
		TEST(test_lost_before_they_run),
		TEST(test_lost_after_they_run),
		TEST(test_lost_while_parked),
		TEST(test_a_single_loss),
		TEST(test_a_loss_and_a_return_in_one_call),
		TEST(test_deliveries_without_known_runs),
		TEST(test_releases_do_not_count),
		TEST(test_stop),
		TEST(test_stop_without_a_confirmation),
		TEST(test_stop_before_a_confirmation),
		TEST(test_stop_while_the_broker_confirms),
		TEST(test_stop_while_disconnected),
		TEST(test_stop_with_parked_messages),
		TEST(test_order_of_keys),
		TEST(test_a_retry_blocks_its_key_alone),
		TEST(test_without_an_order),
		TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
