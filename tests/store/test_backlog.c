/*
 * Counting what is in the database for metrics, step by step: only if it is read, and at most a
 * hundredth of the time. Then the metrics of a store.
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

#include "support/metrics_text.h"
#include "support/store_fixture.h"

static struct store_fixture *f;

/* The database, whose counts take a while or fail. */
static struct {
	unsigned counts;
	uint32_t takes_ms;
	enum herald_status status;
} database;

static enum herald_status
on_call(struct model_call *call, void *state)
{
	(void)state;
	if (call->op != MODEL_COUNTS)
		return MODEL_GO_ON;
	database.counts++;
	f->wall_ms += database.takes_ms;
	return database.status;
}

static int
setup(void **state)
{
	(void)state;
	memset(&database, 0, sizeof(database));
	f = calloc(1, sizeof(*f));
	if (!f)
		return 1;
	store_fixture_init(f, &(struct store_fixture_options){.model_options = {.hook = on_call}});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_fixture_finish(f);
	free(f);
	return 0;
}

static struct herald_store_backlog
read_backlog(void)
{
	struct herald_store_backlog backlog;

	herald_store_backlog_read(f->store, &backlog);
	return backlog;
}

static void
test_nothing_is_counted_before_a_question(void **state)
{
	(void)state;
	herald__upkeep_step(f->store);
	f->wall_ms += 5000;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 0);
	assert_int_equal(read_backlog().counted_ms, 0);
	f->wall_ms += 5000;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 1);
	assert_int_equal(read_backlog().counted_ms, f->wall_ms);
}

static void
test_counts_and_ages(void **state)
{
	struct herald_store_backlog backlog = read_backlog();

	(void)state;
	assert_int_equal(backlog.events[HERALD_COUNT_READY].count, 0);
	store_submit(f, "1", "fail");
	store_settle(f);
	f->wall_ms += 4000;
	f->due_ms = f->wall_ms + 60000;
	store_submit(f, "2", "done");
	store_settle(f);
	f->wall_ms += 500;
	store_submit(f, "3", "done");
	store_settle(f);
	f->wall_ms += 1000;
	herald__upkeep_step(f->store);
	backlog = read_backlog();
	assert_int_equal(backlog.counted_ms, f->wall_ms);
	assert_int_equal(backlog.events[HERALD_COUNT_DELAYED].count, 2);
	assert_int_equal(backlog.events[HERALD_COUNT_DELAYED].oldest_age_ms, 1500);
	assert_int_equal(backlog.events[HERALD_COUNT_DEAD].count, 1);
	assert_int_equal(backlog.events[HERALD_COUNT_DEAD].oldest_age_ms, 5500);
	assert_int_equal(backlog.events[HERALD_COUNT_READY].count, 0);
	assert_int_equal(backlog.events[HERALD_COUNT_READY].oldest_age_ms, 0);
	for (size_t i = 0; i <= HERALD_COUNT_DEAD; i++)
		assert_int_equal(backlog.deliveries[i].count, 0);
}

/* Ten minutes after the last question. */
static void
test_counting_ends(void **state)
{
	(void)state;
	(void)read_backlog();
	for (unsigned i = 1; i <= 600; i++) {
		assert_in_range(herald__upkeep_step(f->store), f->wall_ms + 1, f->wall_ms + 1000);
		assert_int_equal(database.counts, i);
		/* A second time within the second. */
		f->wall_ms += 999;
		herald__upkeep_step(f->store);
		assert_int_equal(database.counts, i);
		f->wall_ms += 1;
	}
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 600);
	(void)read_backlog();
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 601);
}

/* A hundredth of the time. */
static void
test_slow_counts_are_rare(void **state)
{
	(void)state;
	database.takes_ms = 50;
	(void)read_backlog();
	herald__upkeep_step(f->store);
	f->wall_ms += 4999;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 1);
	f->wall_ms += 1;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 2);
}

static void
test_a_failure_keeps_the_last_counts(void **state)
{
	(void)state;
	f->due_ms = f->wall_ms + 60000;
	store_submit(f, "1", "done");
	store_settle(f);
	(void)read_backlog();
	herald__upkeep_step(f->store);
	const int64_t counted_ms = read_backlog().counted_ms;
	database.status = HERALD_UNAVAILABLE;
	f->wall_ms += 1000;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 2);
	assert_int_equal(read_backlog().counted_ms, counted_ms);
	assert_int_equal(read_backlog().events[HERALD_COUNT_DELAYED].count, 1);
	assert_true(store_logged(f, "warning upkeep failed what=counting for metrics"));
}

static struct herald_store_statistics
read_statistics(void)
{
	struct herald_store_statistics statistics;

	herald_store_statistics_read(f->store, &statistics);
	return statistics;
}

/* A count that fails after it has waited long, such as for a lock, comes again within a minute, and
 * does not count as a failed transaction. */
static void
test_failed_counts_come_again_soon(void **state)
{
	(void)state;
	(void)read_backlog();
	database.takes_ms = 30000;
	database.status = HERALD_UNAVAILABLE;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 1);
	f->wall_ms += 59999;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 1);
	database.takes_ms = 10;
	f->wall_ms += 1;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 2);
	database.status = HERALD_OK;
	f->wall_ms += 1000;
	herald__upkeep_step(f->store);
	assert_int_equal(database.counts, 3);
	assert_int_equal(read_backlog().counted_ms, f->wall_ms - 10);
	assert_int_equal(read_statistics().failures, 0);
}

static void
test_a_failure_for_good(void **state)
{
	(void)state;
	(void)read_backlog();
	database.status = HERALD_STORE_FAILED;
	herald__upkeep_step(f->store);
	assert_int_equal(herald_store_health(f->store, NULL), HERALD_STORE_FAILED);
	assert_int_equal(read_statistics().failures, 1);
}

/* The metrics of a store. */

#define ROWS(KIND, STATE) "herald_store_rows{kind=\"" KIND "\",state=\"" STATE "\"}"
#define AGE(KIND, STATE) "herald_store_oldest_age_seconds{kind=\"" KIND "\",state=\"" STATE "\"}"

static char *
text_of(const struct herald_metrics_options *options, enum herald_metrics_format format)
{
	struct herald_metrics *metrics;

	assert_int_equal(herald_metrics_create(options, &metrics, NULL), HERALD_OK);
	char *text = metrics_text(metrics, format);
	herald_metrics_destroy(metrics);
	return text;
}

static void
test_metrics_are_zero_at_first(void **state)
{
	static const char *const samples[] = {
		"herald_store_arrivals_total{result=\"accepted\"}",
		"herald_store_arrivals_total{result=\"duplicate\"}",
		"herald_store_arrivals_total{result=\"refused\"}",
		"herald_store_runs_total",
		"herald_store_retries_total",
		"herald_store_done_events_total",
		"herald_store_dead_letters_total",
		"herald_store_interrupted_events_total",
		"herald_store_lost_outcomes_total",
		"herald_store_commit_failures_total",
		"herald_store_running_events",
		"herald_store_claimed_events",
		"herald_store_counted_timestamp_seconds",
		ROWS("event", "ready"),
		ROWS("event", "delayed"),
		ROWS("event", "blocked"),
		ROWS("event", "running"),
		ROWS("event", "dead"),
		ROWS("delivery", "ready"),
		ROWS("delivery", "dead"),
		AGE("event", "ready"),
		AGE("delivery", "dead"),
	};

	(void)state;
	/* The store of the service. */
	char *text =
		text_of(&HERALD_METRICS_OPTIONS(.service = f->service), HERALD_METRICS_OPENMETRICS);
	for (size_t i = 0; i < HERALD_COUNT(samples); i++)
		if (metrics_number(text, samples[i]) != 0)
			fail_msg("%s is not 0", samples[i]);
	assert_true(metrics_number(text, "herald_store_up") == 1);
	assert_true(metrics_has(text, "herald_accept_duration_seconds_count{event_type=\"\","
				      "version=\"\"}"));
	free(text);
	text = text_of(&HERALD_METRICS_OPTIONS(.store = f->store), HERALD_METRICS_PROMETHEUS);
	assert_true(metrics_number(text, "herald_store_up") == 1);
	assert_null(strstr(text, "herald_events_total"));
	free(text);
}

static void
test_metrics_of_a_store(void **state)
{
	static const struct {
		const char *sample;
		double number;
	} expected[] = {
		{"herald_store_arrivals_total{result=\"accepted\"}", 4},
		{"herald_store_arrivals_total{result=\"duplicate\"}", 1},
		{"herald_store_runs_total", 3},
		{"herald_store_retries_total", 1},
		{"herald_store_done_events_total", 1},
		{"herald_store_dead_letters_total", 1},
		{ROWS("event", "ready"), 1},
		{AGE("event", "ready"), 0.25},
		{ROWS("event", "delayed"), 1},
		{AGE("event", "delayed"), 0.25},
		{ROWS("event", "dead"), 1},
		{AGE("event", "dead"), 0.25},
	};

	(void)state;
	(void)read_backlog();
	store_submit(f, "1", "done");
	store_submit(f, "2", "fail");
	store_submit(f, "3", "later");
	store_settle(f);
	store_submit(f, "1", "done");
	f->due_ms = f->wall_ms + 60000;
	store_submit(f, "4", "done");
	store_settle(f);
	/* The event "3" is due again after 70 ms. */
	f->wall_ms += 250;
	herald__upkeep_step(f->store);
	char *text =
		text_of(&HERALD_METRICS_OPTIONS(.service = f->service), HERALD_METRICS_PROMETHEUS);
	for (size_t i = 0; i < HERALD_COUNT(expected); i++)
		if (metrics_number(text, expected[i].sample) != expected[i].number)
			fail_msg("%s is %g, not %g", expected[i].sample,
				 metrics_number(text, expected[i].sample), expected[i].number);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_is_counted_before_a_question, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_counts_and_ages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counting_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_counts_are_rare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_failure_keeps_the_last_counts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_failed_counts_come_again_soon, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_failure_for_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_metrics_are_zero_at_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_metrics_of_a_store, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
