/*
 * The metrics of consumers and producers: zero at first, then what happened; and their names, which
 * are options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/metrics.h>
#include <herald/producer.h>

#include "support/consumer_fixture.h"
#include "support/failing_allocator.h"
#include "support/fake_publisher.h"
#include "support/metrics_text.h"
#include "support/option_error.h"

#define OF(NAME) NAME "{consumer=\"billing\"}"
#define STATE(NAME) "herald_consumer_state{consumer=\"billing\",state=\"" NAME "\"}"
#define OF_PRODUCER(NAME) NAME "{producer=\"orders-1\"}"

struct expected {
	const char *sample;
	double number;
};

static void
check(const struct herald_metrics_options *options, const struct expected *all, size_t count)
{
	struct herald_metrics *metrics;

	assert_int_equal(herald_metrics_create(options, &metrics, NULL), HERALD_OK);
	for (int format = 0; format < 2; format++) {
		char *text = metrics_text(metrics, (enum herald_metrics_format)format);

		for (size_t i = 0; i < count; i++)
			if (metrics_number(text, all[i].sample) != all[i].number)
				fail_msg("%s is %g, not %g", all[i].sample,
					 metrics_number(text, all[i].sample), all[i].number);
		free(text);
	}
	herald_metrics_destroy(metrics);
}

#define CHECK(OPTIONS, ...)                                                                        \
	check(OPTIONS, (const struct expected[]){__VA_ARGS__},                                     \
	      sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))

static void
test_consumer(void **state)
{
	struct consumer_fixture *f = calloc(1, sizeof(*f));

	(void)state;
	assert_non_null(f);
	consumer_fixture_init(f, &(struct consumer_fixture_options){0});
	const struct herald_named_consumer consumers[] = {{"billing", f->consumer}};
	const struct herald_metrics_options options =
		HERALD_METRICS_OPTIONS(HERALD_CONSUMERS(consumers));
	CHECK(&options, {OF("herald_consumer_received_messages_total"), 0},
	      {OF("herald_consumer_redelivered_messages_total"), 0},
	      {OF("herald_consumer_runs_total"), 0}, {OF("herald_consumer_retries_total"), 0},
	      {OF("herald_consumer_done_messages_total"), 0},
	      {OF("herald_consumer_dead_letters_total"), 0},
	      {OF("herald_consumer_released_messages_total"), 0},
	      {OF("herald_consumer_lost_ends_total"), 0},
	      {OF("herald_consumer_interrupted_messages_total"), 0},
	      {OF("herald_consumer_connection_failures_total"), 0},
	      {OF("herald_consumer_in_flight_messages"), 0},
	      {OF("herald_consumer_parked_messages"), 0});
	fake_broker_add(f->broker, "done", NULL);
	fake_broker_add(f->broker, "retry 2", NULL);
	fake_broker_add(f->broker, "fail", NULL);
	fake_broker_add(f->broker, "bad", NULL);
	consumer_settle(f);
	struct herald_consumer_statistics counts;
	herald_consumer_statistics_read(f->consumer, &counts);
	assert_int_equal(counts.dead, 2);
	CHECK(&options, {OF("herald_consumer_received_messages_total"), (double)counts.received},
	      {OF("herald_consumer_redelivered_messages_total"), (double)counts.redelivered},
	      {OF("herald_consumer_runs_total"), (double)counts.runs},
	      {OF("herald_consumer_retries_total"), (double)counts.retries},
	      {OF("herald_consumer_done_messages_total"), (double)counts.done},
	      {OF("herald_consumer_dead_letters_total"), 2},
	      {OF("herald_consumer_connections_total"), (double)counts.connections},
	      {OF("herald_consumer_in_flight_messages"), (double)counts.in_flight},
	      {STATE("running"), counts.state == HERALD_CONSUMER_RUNNING},
	      {STATE("connecting"), counts.state == HERALD_CONSUMER_CONNECTING},
	      {STATE("stopping"), 0}, {STATE("stopped"), 0});
	consumer_fixture_finish(f);
	free(f);
}

static void
test_producer(void **state)
{
	struct fake_publisher *publisher = fake_publisher_create();
	struct herald_named_producer producers[] = {{.name = "orders-1"}};

	(void)state;
	publisher->is_threaded = true;
	assert_int_equal(
		herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &publisher->base),
				       &producers[0].producer, NULL),
		HERALD_OK);
	const struct herald_metrics_options options =
		HERALD_METRICS_OPTIONS(HERALD_PRODUCERS(producers));
	CHECK(&options, {OF_PRODUCER("herald_producer_submitted_messages_total"), 0},
	      {OF_PRODUCER("herald_producer_confirmed_messages_total"), 0},
	      {OF_PRODUCER("herald_producer_failed_messages_total"), 0},
	      {OF_PRODUCER("herald_producer_repeated_messages_total"), 0},
	      {OF_PRODUCER("herald_producer_connection_failures_total"), 0},
	      {OF_PRODUCER("herald_producer_pending_messages"), 0},
	      {OF_PRODUCER("herald_producer_pending_bytes"), 0});
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			herald_producer_publish(producers[0].producer,
						&(struct herald_publication){.topic = "orders",
									     HERALD_BODY("x", 1)},
						NULL),
			HERALD_OK);
	/* publish() may return before its message is counted. */
	assert_int_equal(herald_producer_flush(producers[0].producer, 30000), 0);
	CHECK(&options, {OF_PRODUCER("herald_producer_submitted_messages_total"), 3},
	      {OF_PRODUCER("herald_producer_confirmed_messages_total"), 3},
	      {OF_PRODUCER("herald_producer_connections_total"), 1},
	      {OF_PRODUCER("herald_producer_up"), 1});
	herald_producer_destroy(producers[0].producer);
}

/* Names. */

/* Refused before it is used. */
static struct herald_consumer *const any = (struct herald_consumer *)&(char){0};

static void
test_bad_names(void **state)
{
	static const struct {
		const char *first, *second, *path, *text;
	} cases[] = {
		{NULL, "b", "consumers[0].name", "is missing"},
		{"a", "", "consumers[1].name", "is missing"},
		{"a", "b c", "consumers[1].name",
		 "expected 1 to 63 letters, digits, '-', '.' and '_', not \"b c\""},
		{"a", "a", "consumers[1].name", "consumers[0] has the same name"},
	};
	char longest[65];

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		const struct herald_named_consumer consumers[] = {{cases[i].first, any},
								  {cases[i].second, any}};
		struct herald_metrics *metrics = NULL;
		struct herald_error error;

		assert_int_equal(
			herald_metrics_create(&HERALD_METRICS_OPTIONS(HERALD_CONSUMERS(consumers)),
					      &metrics, &error),
			HERALD_BAD_OPTION);
		assert_null(metrics);
		assert_option_error(&error, cases[i].path, cases[i].text);
	}
	memset(longest, 'x', sizeof(longest));
	for (size_t bytes = 63; bytes <= 64; bytes++) {
		const struct herald_named_consumer consumer = {longest, any};
		struct herald_metrics *metrics = NULL;

		longest[bytes] = '\0';
		assert_int_equal(
			herald_metrics_create(&HERALD_METRICS_OPTIONS(.consumers = &consumer,
								      .consumers_count = 1),
					      &metrics, NULL),
			bytes == 63 ? HERALD_OK : HERALD_BAD_OPTION);
		herald_metrics_destroy(metrics);
		longest[bytes] = 'x';
	}
}

static void
assert_refused(const struct herald_metrics_options *options, const char *path)
{
	struct herald_metrics *metrics = NULL;
	struct herald_error error;

	assert_int_equal(herald_metrics_create(options, &metrics, &error), HERALD_BAD_OPTION);
	assert_null(metrics);
	assert_string_equal(error.path, path);
}

static void
test_bad_lists(void **state)
{
	const struct herald_named_consumer nothing[] = {{"a", NULL}};
	const struct herald_named_producer producers[] = {{"a", NULL}};

	(void)state;
	assert_refused(&HERALD_METRICS_OPTIONS(HERALD_CONSUMERS(nothing)), "consumers[0].consumer");
	assert_refused(&HERALD_METRICS_OPTIONS(HERALD_PRODUCERS(producers)),
		       "producers[0].producer");
	assert_refused(&HERALD_METRICS_OPTIONS(.consumers = nothing), "consumers");
	assert_refused(&HERALD_METRICS_OPTIONS(.producers_count = 1), "producers");
	assert_refused(&HERALD_METRICS_OPTIONS(.consumers = nothing, .consumers_count = 1025),
		       "consumers_count");
}

static void
test_every_allocation_fails(void **state)
{
	const struct herald_named_consumer consumers[] = {{"a", any}, {"b", any}};
	const struct herald_named_producer producers[] = {{"a", (struct herald_producer *)any}};
	size_t failures = 0;

	(void)state;
	for (int mode = FAIL_ONLY; mode <= FAIL_FROM; mode++)
		for (size_t n = 1;; n++) {
			struct herald_metrics *metrics = NULL;
			struct failing_allocator memory;

			failing_allocator_init(&memory, (enum failing_mode)mode, n);
			enum herald_status status = herald_metrics_create(
				&HERALD_METRICS_OPTIONS(HERALD_CONSUMERS(consumers),
							HERALD_PRODUCERS(producers),
							.allocator = memory.allocator),
				&metrics, NULL);
			assert_int_equal(status,
					 memory.failures > 0 ? HERALD_NO_MEMORY : HERALD_OK);
			herald_metrics_destroy(metrics);
			assert_all_released(&memory);
			if (memory.failures == 0)
				break;
			failures++;
		}
	assert_true(failures > 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consumer),
		cmocka_unit_test(test_producer),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_bad_lists),
		cmocka_unit_test(test_every_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
