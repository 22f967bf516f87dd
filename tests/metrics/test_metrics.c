/*
 * The metrics of a service, without a server: what is there from the start, what each event
 * changes, labels, options, and memory. The path of a server is in test_metrics_path.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include <herald/handler.h>
#include <herald/metrics.h>
#include <herald/version.h>

#include "service/service.h"

#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_clock.h"
#include "support/metrics_text.h"
#include "support/option_error.h"

/* A service whose events say what happens. */

struct item {
	const char *verdict;
	uint32_t takes_ms;
};
struct old_item {
	const char *verdict;
};
HERALD_SCHEMA(item, HERALD_FIELD(item, verdict, .required = true), HERALD_FIELD(item, takes_ms));
HERALD_SCHEMA(old_item, HERALD_FIELD(old_item, verdict));

static struct fake_clock fake;

/* What the threads of test_counters_never_fall() have handled. */
static atomic_bool is_over;
static atomic_uint ignored;

static enum herald_verdict
on_item(struct herald_context *ctx, const struct item *item)
{
	fake_clock_add_ms(&fake, item->takes_ms);
	if (strcmp(item->verdict, "retry") == 0)
		return herald_retry(ctx, "later");
	if (strcmp(item->verdict, "fail") == 0)
		return herald_fail(ctx, "no");
	if (strcmp(item->verdict, "unauthorized") == 0)
		return herald_unauthorized(ctx, "who?");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_item, item);

static enum herald_verdict
modernize(struct herald_context *ctx, const struct old_item *from, struct item *to)
{
	(void)ctx;
	*to = (struct item){.verdict = from->verdict, .takes_ms = 0};
	return HERALD_DONE;
}
HERALD_UPCASTER(modernize, old_item, item);

static struct herald_metrics *
create_metrics(const struct herald_metrics_options *options)
{
	struct herald_metrics *metrics = NULL;
	struct herald_error error;

	if (herald_metrics_create(options, &metrics, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return metrics;
}

static struct herald_metrics *
metrics_of(const struct herald_service *service)
{
	return create_metrics(&HERALD_METRICS_OPTIONS(.service = service));
}

static struct herald_service *
create_items(enum herald_unknown_policy unknown)
{
	static const uint64_t bounds[] = {1000, 1500000};
	const struct herald_route routes[] = {
		HERALD_ROUTE("item", item, on_item, NULL, .version = "2"),
		HERALD_ROUTE("item", item, on_item, NULL, .version = "9.x"),
		HERALD_ROUTE("other", item, on_item, NULL),
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("item", "1", old_item, "2", item, modernize),
	};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
					HERALD_DURATION_BOUNDS(bounds), .unknown = unknown));

	fake_clock_init(&fake, service);
	return service;
}

#define ITEM(VERSION, VERDICT, MS)                                                                 \
	VERSIONED("item", VERSION, "{\"verdict\":\"" VERDICT "\",\"takes_ms\":" #MS "}")
#define EVENTS(TYPE, VERSION, VERDICT)                                                             \
	"herald_events_total{event_type=\"" TYPE "\",version=\"" VERSION "\",verdict=\"" VERDICT   \
	"\"}"
#define BUCKET(TYPE, VERSION, BOUND)                                                               \
	"herald_event_duration_seconds_bucket{event_type=\"" TYPE "\",version=\"" VERSION          \
	"\",le=\"" BOUND "\"}"
#define DURATION(NAME, TYPE, VERSION)                                                              \
	"herald_event_duration_seconds_" NAME "{event_type=\"" TYPE "\",version=\"" VERSION "\"}"

/* Each sample, and how much of it there is. */
struct expected {
	const char *sample;
	double number;
};

static void
check_numbers(const char *text, const struct expected *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (metrics_number(text, all[i].sample) != all[i].number)
			fail_msg("%s is %g, not %g", all[i].sample,
				 metrics_number(text, all[i].sample), all[i].number);
}

/* Before the first event. */
static void
test_all_series_are_zero_at_first(void **state)
{
	static const char *const samples[] = {
		EVENTS("item", "2", "done"),
		EVENTS("item", "2", "retry"),
		EVENTS("item", "2", "fail"),
		EVENTS("item", "2", "invalid"),
		EVENTS("item", "2", "unauthorized"),
		EVENTS("item", "9.x", "done"),
		EVENTS("other", "*", "unauthorized"),
		EVENTS("", "", "unknown"),
		EVENTS("", "", "ignored"),
		BUCKET("item", "2", "0.001"),
		BUCKET("item", "2", "1.5"),
		BUCKET("item", "2", "+Inf"),
		DURATION("sum", "other", "*"),
		DURATION("count", "", ""),
		"herald_upcaster_events_total{event_type=\"item\",from=\"1\",to=\"2\"}",
	};
	struct herald_service *service = create_items(HERALD_UNKNOWN_REJECT);
	struct herald_metrics *metrics = metrics_of(service);

	(void)state;
	for (int format = 0; format < 2; format++) {
		char *text = metrics_text(metrics, (enum herald_metrics_format)format);

		for (size_t i = 0; i < COUNT(samples); i++)
			check_numbers(text, &(struct expected){samples[i], 0}, 1);
		assert_true(metrics_number(text, "herald_build_info{version=\"" HERALD_VERSION
						 "\"}") == 1);
		assert_false(metrics_has(text, EVENTS("item", "2", "unknown")));
		/* There is neither a store nor a server nor a pool. */
		assert_null(strstr(text, "herald_accept"));
		assert_null(strstr(text, "herald_server"));
		assert_null(strstr(text, "herald_pool"));
		free(text);
	}
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
}

static void
test_events_are_counted_once(void **state)
{
	static const char *const events[] = {
		ITEM("2", "done", 1),
		ITEM("2", "done", 1500),
		ITEM("2", "done", 1501),
		ITEM("2", "retry", 0),
		ITEM("2", "fail", 0),
		ITEM("2", "unauthorized", 0),
		ITEM("1", "fail", 0),
		ITEM("1", "fail", 0),
		ITEM("9.5", "done", 0),
		ITEM("3", "done", 0),
		VERSIONED("item", "2", "{\"verdict\":7}"),
		EVENT("other", "{\"verdict\":\"done\"}"),
		EVENT("unknown", "{}"),
		"nonsense",
	};
	static const struct expected numbers[] = {
		{EVENTS("item", "2", "done"), 3},
		{EVENTS("item", "2", "retry"), 1},
		{EVENTS("item", "2", "fail"), 3},
		{EVENTS("item", "2", "invalid"), 1},
		{EVENTS("item", "2", "unauthorized"), 1},
		{EVENTS("item", "9.x", "done"), 1},
		{EVENTS("other", "*", "done"), 1},
		{EVENTS("", "", "done"), 0},
		{EVENTS("", "", "invalid"), 1},
		{EVENTS("", "", "unknown"), 2},
		{EVENTS("", "", "ignored"), 0},
		{BUCKET("item", "2", "0.001"), 7},
		{BUCKET("item", "2", "1.5"), 8},
		{BUCKET("item", "2", "+Inf"), 9},
		{DURATION("count", "item", "2"), 9},
		{DURATION("sum", "item", "2"), 3.002},
		{DURATION("count", "", ""), 3},
		{"herald_upcaster_events_total{event_type=\"item\",from=\"1\",to=\"2\"}", 2},
	};
	struct herald_service *service = create_items(HERALD_UNKNOWN_REJECT);
	struct herald_metrics *metrics = metrics_of(service);
	struct herald_statistics statistics;

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++)
		handle(service, events[i]);
	for (int format = 0; format < 2; format++) {
		char *text = metrics_text(metrics, (enum herald_metrics_format)format);

		check_numbers(text, numbers, COUNT(numbers));
		free(text);
	}
	/* The statistics say the same. */
	herald_service_statistics(service, &statistics);
	assert_int_equal(statistics.events, COUNT(events));
	assert_int_equal(statistics.nanoseconds, 3002 * HERALD__MS_NS);
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
}

static void
test_ignored_events_are_not_done(void **state)
{
	struct herald_service *service = create_items(HERALD_UNKNOWN_IGNORE);
	struct herald_metrics *metrics = metrics_of(service);
	struct herald_statistics statistics;

	(void)state;
	handle(service, EVENT("unknown", "{}"));
	/* No counter is part of another one: a difference of two that are read one after the other
	 * may fall. */
	assert_int_equal(atomic_load(&service->counters.done), 0);
	herald_service_statistics(service, &statistics);
	assert_int_equal(statistics.done, 1);
	assert_int_equal(statistics.ignored, 1);
	assert_int_equal(statistics.events, 1);
	char *text = metrics_text(metrics, HERALD_METRICS_PROMETHEUS);
	check_numbers(text,
		      (const struct expected[]){{EVENTS("", "", "ignored"), 1},
						{EVENTS("", "", "unknown"), 0},
						{EVENTS("", "", "done"), 0}},
		      3);
	free(text);
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
}

/* Handles events that are ignored, until it is told to stop. */
static void *
run_ignored(void *state)
{
	struct herald_service *service = state;

	while (!atomic_load(&is_over)) {
		handle(service, EVENT("unknown", "{}"));
		atomic_fetch_add(&ignored, 1);
	}
	return NULL;
}

/* A counter that falls, even by one, is a restart of the process for Prometheus. */
static void
test_counters_never_fall(void **state)
{
	const unsigned events = 100000;
	struct herald_service *service = create_items(HERALD_UNKNOWN_IGNORE);
	struct herald_metrics *metrics = metrics_of(service);
	pthread_t threads[2];
	double last = 0;

	(void)state;
	atomic_store(&is_over, false);
	atomic_store(&ignored, 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_ignored, service), 0);
	while (atomic_load(&ignored) < events) {
		char *text = metrics_text(metrics, HERALD_METRICS_PROMETHEUS);
		double number = metrics_number(text, EVENTS("", "", "ignored"));

		check_numbers(text, &(struct expected){EVENTS("", "", "done"), 0}, 1);
		assert_true(number >= last);
		last = number;
		free(text);
	}
	atomic_store(&is_over, true);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
}

/* An event without a version is of version "" for such a route. */
static void
test_any_version_is_not_no_version(void **state)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("item", item, on_item, NULL, .version = ""),
		HERALD_ROUTE("item", item, on_item, NULL),
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));
	struct herald_metrics *metrics = metrics_of(service);

	(void)state;
	handle(service, EVENT("item", "{\"verdict\":\"done\"}"));
	handle(service, ITEM("7", "done", 0));
	handle(service, ITEM("8", "done", 0));
	char *text = metrics_text(metrics, HERALD_METRICS_OPENMETRICS);
	check_numbers(text,
		      (const struct expected[]){{EVENTS("item", "", "done"), 1},
						{EVENTS("item", "*", "done"), 2},
						{EVENTS("", "", "done"), 0}},
		      3);
	free(text);
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
}

/* A sender that makes up types and versions makes no series. */
static void
test_no_label_comes_from_an_event(void **state)
{
	struct herald_service *service = create_items(HERALD_UNKNOWN_REJECT);
	struct herald_metrics *metrics = metrics_of(service);
	char *before = metrics_text(metrics, HERALD_METRICS_OPENMETRICS);
	size_t lines = 0, lines_now = 0;

	(void)state;
	handle(service, EVENT("evil", "{\"verdict\":\"evil\"}"));
	handle(service, ITEM("evil", "done", 0));
	handle(service, ITEM("9.evil", "evil", 0));
	char *text = metrics_text(metrics, HERALD_METRICS_OPENMETRICS);
	assert_null(strstr(text, "evil"));
	for (const char *at = before; (at = strchr(at, '\n')); at++)
		lines++;
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines_now++;
	assert_int_equal(lines_now, lines);
	free(before);
	free(text);
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
}

/* The type of a route may be any bytes. */
static void
test_label_values_are_escaped(void **state)
{
	static const struct {
		const char *event_type, *label;
	} cases[] = {
		{"a\"b", "a\\\"b"},
		{"a\\b", "a\\\\b"},
		{"a\nb", "a\\nb"},
		{"\"} 7\nx 1", "\\\"} 7\\nx 1"},
		{"\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac"},
		{"a\xff\xe2\x82", "a\\\\xff\\\\xe2\\\\x82"},
		{"*", "*"},
	};
	struct herald_route routes[COUNT(cases)];
	char sample[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		routes[i] = (struct herald_route)HERALD_ROUTE("replaced", item, on_item, NULL);
	for (size_t i = 0; i < COUNT(cases); i++)
		routes[i].event_type = cases[i].event_type;
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));
	struct herald_metrics *metrics = metrics_of(service);
	for (int format = 0; format < 2; format++) {
		char *text = metrics_text(metrics, (enum herald_metrics_format)format);

		for (size_t i = 0; i < COUNT(cases); i++) {
			snprintf(sample, sizeof(sample),
				 "herald_events_total{event_type=\"%s\",version=\"*\","
				 "verdict=\"done\"}",
				 cases[i].label);
			assert_true(metrics_number(text, sample) == 0);
		}
		free(text);
	}
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
}

static void
do_nothing(struct herald_pool_task *task)
{
	(void)task;
}

static void
test_the_pool(void **state)
{
	struct herald_pool *pool;

	(void)state;
	assert_int_equal(herald_pool_create(&HERALD_POOL_OPTIONS(.threads = 1), &pool, NULL),
			 HERALD_OK);
	struct herald_metrics *metrics = create_metrics(&HERALD_METRICS_OPTIONS(.pool = pool));
	struct herald_pool_task task = {.run = do_nothing, .cancelled = do_nothing};
	struct herald_pool_task late = task;
	assert_int_equal(herald_pool_submit(pool, &task), HERALD_OK);
	assert_int_equal(herald_pool_stop(pool, 60000), 0);
	assert_int_equal(herald_pool_submit(pool, &late), HERALD_LIMIT);
	char *text = metrics_text(metrics, HERALD_METRICS_OPENMETRICS);
	check_numbers(text,
		      (const struct expected[]){
			      {"herald_pool_queued_tasks", 0},
			      {"herald_pool_running_tasks", 0},
			      {"herald_pool_tasks_total{result=\"done\"}", 1},
			      {"herald_pool_tasks_total{result=\"refused\"}", 1},
			      {"herald_pool_tasks_total{result=\"cancelled\"}", 0},
		      },
		      5);
	assert_null(strstr(text, "herald_events"));
	free(text);
	herald_metrics_destroy(metrics);
	herald_pool_destroy(pool);
}

/* Misuse. */

static void
test_bad_options(void **state)
{
	struct herald_metrics *metrics = NULL;
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_metrics_create(&(struct herald_metrics_options){.service = NULL},
					       &metrics, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "struct_size");
	assert_int_equal(
		herald_metrics_create(
			&HERALD_METRICS_OPTIONS(.allocator.state = NULL,
						.allocator.release = herald_allocator_libc.release),
			&metrics, &error),
		HERALD_BAD_OPTION);
	assert_string_equal(error.path, "allocator");
	assert_null(metrics);
	herald_metrics_destroy(NULL);
}

static void
test_bad_formats(void **state)
{
	struct herald_metrics *metrics = create_metrics(NULL);
	struct herald_buffer text;

	(void)state;
	herald_buffer_init(&text, NULL, 0);
	assert_int_equal(herald_metrics_write(metrics, (enum herald_metrics_format)2, &text),
			 HERALD_BAD_VALUE);
	assert_int_equal(text.bytes, 0);
	assert_null(herald_metrics_content_type((enum herald_metrics_format) - 1));
	herald_buffer_finish(&text);
	herald_metrics_destroy(metrics);
}

static void
test_a_buffer_that_is_too_small_is_unchanged(void **state)
{
	struct herald_service *service = create_items(HERALD_UNKNOWN_REJECT);
	struct herald_metrics *metrics = metrics_of(service);
	struct herald_buffer text;

	(void)state;
	herald_buffer_init(&text, NULL, 1000);
	assert_int_equal(herald_buffer_append(&text, "before", 6), HERALD_OK);
	assert_int_equal(herald_metrics_write(metrics, HERALD_METRICS_PROMETHEUS, &text),
			 HERALD_TOO_LARGE);
	assert_int_equal(text.bytes, 6);
	assert_memory_equal(text.data, "before", 6);
	herald_buffer_finish(&text);
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
}

/* Returns whether an allocation failed. */
static bool
write_without_memory(const struct herald_service *service, size_t n)
{
	struct failing_allocator memory;
	struct herald_metrics *metrics = NULL;
	struct herald_buffer text;

	failing_allocator_init(&memory, FAIL_FROM, n);
	herald_buffer_init(&text, &memory.allocator, 0);
	enum herald_status status = herald_metrics_create(
		&HERALD_METRICS_OPTIONS(.service = service, .allocator = memory.allocator),
		&metrics, NULL);
	if (status == HERALD_OK)
		status = herald_metrics_write(metrics, HERALD_METRICS_OPENMETRICS, &text);
	assert_int_equal(status, memory.failures > 0 ? HERALD_NO_MEMORY : HERALD_OK);
	assert_true(memory.failures == 0 || text.bytes == 0);
	herald_buffer_finish(&text);
	herald_metrics_destroy(metrics);
	assert_all_released(&memory);
	return memory.failures > 0;
}

static void
test_every_allocation_fails(void **state)
{
	struct herald_service *service = create_items(HERALD_UNKNOWN_REJECT);
	size_t n = 1;

	(void)state;
	while (write_without_memory(service, n))
		n++;
	assert_true(n > 3);
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_series_are_zero_at_first),
		cmocka_unit_test(test_events_are_counted_once),
		cmocka_unit_test(test_ignored_events_are_not_done),
		cmocka_unit_test(test_counters_never_fall),
		cmocka_unit_test(test_any_version_is_not_no_version),
		cmocka_unit_test(test_no_label_comes_from_an_event),
		cmocka_unit_test(test_label_values_are_escaped),
		cmocka_unit_test(test_the_pool),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_bad_formats),
		cmocka_unit_test(test_a_buffer_that_is_too_small_is_unchanged),
		cmocka_unit_test(test_every_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
