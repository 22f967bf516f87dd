/*
 * The resource api/events: which events it has, in which order, and when they are watched. The
 * service has the clock of the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <inttypes.h>
#include <pthread.h>

#include <cmocka.h>

#include <herald/admin.h>

#include "service/event_watch.h"

#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_clock.h"

#define TOKEN "0123456789abcdef"
#define RING HERALD__EVENT_WATCH_COUNT

struct order {
	int32_t total;
};
HERALD_SCHEMA(order, HERALD_FIELD(order, total, .required = true, HERALD_RANGE(0, 1000)));

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order)
{
	if (order->total == 1)
		return herald_retry(ctx, "the \x1b[31mstock\n is busy");
	if (order->total == 2)
		return herald_fail_status(ctx, 418, "no");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order);

static const struct herald_route routes[] = {
	HERALD_ROUTE("order", order, on_order, NULL),
	HERALD_ROUTE("order", order, on_order, NULL, .version = "2"),
};

static struct herald_service *service;
static struct herald_admin *admin;
static struct fake_clock fake;

static void
start_with(struct herald_service_options options)
{
	options.routes = routes;
	options.routes_count = COUNT(routes);
	service = create_service(&options);
	assert_int_equal(
		herald_admin_create(&HERALD_ADMIN_OPTIONS(.service = service, .token = TOKEN),
				    &admin, NULL),
		HERALD_OK);
	fake_clock_init(&fake, service);
}

static void
start(void)
{
	start_with(HERALD_SERVICE_OPTIONS(.unknown = HERALD_UNKNOWN_REJECT));
}

static void
stop(void)
{
	herald_admin_destroy(admin);
	herald_service_destroy(service);
}

static const char *
header_of(const char *name, void *state)
{
	(void)state;
	return strcmp(name, "Authorization") == 0 ? "Bearer " TOKEN : NULL;
}

/* Write NOW for the times of today that follow `key`. */
static void
replace_times(char *text, const char *key)
{
	for (char *at = text; (at = strstr(at, key));) {
		char *time = at + strlen(key) - 2, *end = strchr(time, '"');

		assert_int_equal(end[-1], 'Z');
		memmove(time + 3, end, strlen(end) + 1);
		memcpy(time, "NOW", 3);
		at = time;
	}
}

/* What is answered, NUL-terminated, with each time of today as "NOW"; NULL when out of memory. */
static char *
ask(const char *query)
{
	struct herald_admin_response response;
	const enum herald_status status =
		herald_admin_handle(admin,
				    &HERALD_ADMIN_REQUEST(.method = "GET", .path = "api/events",
							  .query = query, .header = header_of),
				    &response);

	if (status == HERALD_NO_MEMORY)
		return NULL;
	assert_int_equal(status, HERALD_OK);
	char *text = calloc(response.body.bytes + 1, 1);
	assert_non_null(text);
	memcpy(text, response.body.data, response.body.bytes);
	herald_admin_response_finish(&response);
	replace_times(text, "\"time\":\"20");
	replace_times(text, "\"began\":\"20");
	return text;
}

static void
assert_answer(const char *query, const char *expected)
{
	char *text = ask(query);

	assert_string_equal(text, expected);
	free(text);
}

/* The answer begins so, before its events. */
static void
assert_counts(const char *query, uint64_t last, uint64_t lost, uint64_t watch)
{
	char *text = ask(query), expected[128];

	snprintf(expected, sizeof(expected),
		 "{\"last\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"began\":\"NOW\",\"watch\":%" PRIu64
		 ",\"events\":[",
		 last, lost, watch);
	assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
	free(text);
}

static void
send_orders(size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(handle(service, EVENT("order", "{\"total\":5}")).verdict,
				 HERALD_DONE);
}

#define DONE                                                                                       \
	"\"time\":\"NOW\",\"verdict\":\"done\",\"event_type\":\"order\",\"version\":null,"         \
	"\"id\":null,\"duration_ns\":0,\"attempts\":1,\"status\":null,\"path\":null,"              \
	"\"reason\":null}"

/* Each outcome once, with everything that is known of it. */
static void
test_outcomes(void **state)
{
	(void)state;
	start();
	assert_answer(NULL, "{\"last\":0,\"lost\":0,\"began\":\"NOW\",\"watch\":1,\"events\":[]}");
	send_orders(1);
	(void)handle(service,
		     "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"order\","
		     "\"metadata\":{\"version\":\"2\",\"id\":\"e-1\"},\"payload\":{\"total\":1}}");
	(void)handle(service, EVENT("order", "{\"total\":2}"));
	(void)handle(service, EVENT("order", "{\"total\":1001}"));
	(void)handle(service, EVENT("other", "{}"));
	(void)handle(service, "[");
	char *text = ask("after=1");
	static const char *const parts[] = {
		"{\"last\":6,\"lost\":0,\"began\":\"NOW\",\"watch\":1,\"events\":[{\"number\":2,",
		"\"verdict\":\"retry\",\"event_type\":\"order\",\"version\":\"2\",\"id\":\"e-1\",",
		"\"status\":null,\"path\":null,\"reason\":\"the \\\\u001b[31mstock\\\\n is busy\"}",
		"\"number\":3,\"time\":\"NOW\",\"verdict\":\"fail\",",
		"\"http_status\":418,\"status\":null,\"path\":null,\"reason\":\"no\"}",
		"\"number\":4,\"time\":\"NOW\",\"verdict\":\"rejected\",\"event_type\":\"order\",",
		"\"status\":\"HERALD_OUT_OF_RANGE\",\"path\":\"/payload/total\",\"offset\":",
		"\"number\":5,\"time\":\"NOW\",\"verdict\":\"rejected\",\"event_type\":\"other\",",
		"\"status\":\"HERALD_UNKNOWN_TYPE\"",
		"\"number\":6,\"time\":\"NOW\",\"verdict\":\"rejected\",\"event_type\":null,",
		"\"status\":\"HERALD_BAD_JSON\"",
	};
	const char *at = text;

	for (size_t i = 0; i < COUNT(parts); i++) {
		if (!strstr(at, parts[i]))
			fail_msg("expected %s in %s", parts[i], at);
		at = strstr(at, parts[i]) + 1;
	}
	free(text);
	stop();
}

static void
test_ignored(void **state)
{
	(void)state;
	start_with(HERALD_SERVICE_OPTIONS(.unknown = HERALD_UNKNOWN_IGNORE));
	assert_counts(NULL, 0, 0, 1);
	(void)handle(service, EVENT("other", "{}"));
	char *text = ask("after=0");
	assert_non_null(strstr(text, "\"verdict\":\"ignored\",\"event_type\":\"other\""));
	free(text);
	stop();
}

/* Zero means all, a missing argument none, and a number that has not been reached none either. */
static void
test_what_comes_after(void **state)
{
	(void)state;
	start();
	assert_counts(NULL, 0, 0, 1);
	send_orders(2);
	assert_answer(NULL, "{\"last\":2,\"lost\":0,\"began\":\"NOW\",\"watch\":1,\"events\":[]}");
	assert_answer("after=2",
		      "{\"last\":2,\"lost\":0,\"began\":\"NOW\",\"watch\":1,\"events\":[]}");
	assert_answer("after=3",
		      "{\"last\":2,\"lost\":0,\"began\":\"NOW\",\"watch\":1,\"events\":[]}");
	assert_answer("after=1", "{\"last\":2,\"lost\":0,\"began\":\"NOW\",\"watch\":1,\"events\":["
				 "{\"number\":2," DONE "]}");
	assert_answer("after=0", "{\"last\":2,\"lost\":0,\"began\":\"NOW\",\"watch\":1,\"events\":["
				 "{\"number\":1," DONE ",{\"number\":2," DONE "]}");
	stop();
}

static size_t
count_events(const char *query, uint64_t first)
{
	char *text = ask(query), expected[64];
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, "\"number\":")); at++, count++) {
		snprintf(expected, sizeof(expected), "\"number\":%" PRIu64 ",", first + count);
		assert_int_equal(strncmp(at, expected, strlen(expected)), 0);
	}
	free(text);
	return count;
}

/* What was overwritten is counted, and the rest is in order. */
static void
test_ring_wraps(void **state)
{
	(void)state;
	start();
	assert_counts(NULL, 0, 0, 1);
	send_orders(RING);
	assert_counts("after=0", RING, 0, 1);
	assert_int_equal(count_events("after=0", 1), RING);
	send_orders(3);
	assert_counts("after=0", RING + 3, 3, 1);
	assert_int_equal(count_events("after=0", 4), RING);
	assert_counts("after=3", RING + 3, 0, 1);
	assert_counts("after=2", RING + 3, 1, 1);
	assert_int_equal(count_events("after=4", 5), RING - 1);
	stop();
}

/* It is off before the first request, and again 10 s after the last one. */
static void
test_goes_off(void **state)
{
	(void)state;
	start();
	send_orders(1);
	assert_false(herald__event_has_watch(service));
	assert_counts("after=0", 0, 0, 1);
	fake_clock_add_ms(&fake, HERALD__EVENT_WATCH_MS - 1);
	send_orders(1);
	assert_counts("after=0", 1, 0, 1);
	fake_clock_add_ms(&fake, HERALD__EVENT_WATCH_MS);
	send_orders(1);
	assert_counts("after=1", 1, 0, 2);
	send_orders(1);
	assert_counts("after=1", 2, 0, 2);
	stop();
}

/* A text that is too long is cut between two characters. */
static void
test_long_texts(void **state)
{
	struct herald__event_entry *entries = calloc(RING, sizeof(*entries));
	struct herald__event_read read;
	char event[1024], type[512] = "";

	(void)state;
	assert_non_null(entries);
	start();
	assert_int_equal(herald__event_watch_read(service, HERALD__EVENT_WATCH_NOW, entries, &read),
			 HERALD_OK);
	for (size_t i = 0; i < 90; i++)
		strcat(type, "\xE6\xBC\xA2");
	snprintf(event, sizeof(event),
		 "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"%s\"}", type);
	(void)handle(service, event);
	assert_int_equal(herald__event_watch_read(service, 0, entries, &read), HERALD_OK);
	assert_int_equal(read.count, 1);
	const char *text = entries[0].event_type;
	const size_t bytes = strlen(text);
	assert_in_range(bytes, sizeof(entries[0].event_type) - 4,
			sizeof(entries[0].event_type) - 1);
	assert_string_equal(text + bytes - 3, "...");
	assert_int_equal((bytes - 3) % 3, 0);
	assert_int_equal(strncmp(text, type, bytes - 3), 0);
	free(entries);
	stop();
}

static void
test_what_is_refused(void **state)
{
	(void)state;
	start();
	assert_answer("after=x", "{\"error\":\"after: expected a number from 0, not \\\"x\\\"\"}");
	assert_answer("before=1", "{\"error\":\"there is no argument \\\"before\\\"\"}");
	assert_false(herald__event_has_watch(service));
	stop();
	assert_int_equal(herald_admin_create(&HERALD_ADMIN_OPTIONS(.token = TOKEN), &admin, NULL),
			 HERALD_OK);
	assert_answer(NULL, "{\"error\":\"there is no service\"}");
	herald_admin_destroy(admin);
}

/* Nothing is watched, events are handled, and the next request succeeds. */
static void
test_no_memory(void **state)
{
	struct failing_allocator memory;

	(void)state;
	failing_allocator_init(&memory, FAIL_ONLY, SIZE_MAX);
	start_with(HERALD_SERVICE_OPTIONS(.allocator = memory.allocator));
	memory.fail_at = memory.calls + 1;
	assert_null(ask("after=0"));
	assert_int_equal(memory.failures, 1);
	send_orders(1);
	assert_counts("after=0", 0, 0, 1);
	send_orders(1);
	assert_counts("after=0", 1, 0, 1);
	stop();
	assert_all_released(&memory);
}

/* Threads. */

enum { SENDERS = 3, READERS = 3, EVENTS = 2000 };

static void *
send_some(void *state)
{
	(void)state;
	for (size_t i = 0; i < EVENTS; i++) {
		char data[] = EVENT("order", "{\"total\":5}");
		struct herald_result result;

		herald_service_handle(service, data, sizeof(data) - 1, &result);
	}
	return NULL;
}

/* Counts what it reads or what was lost: all that there was. */
static void *
read_some(void *state)
{
	struct herald__event_entry *entries = calloc(RING, sizeof(*entries));
	struct herald__event_read read = {.last = 0};
	uint64_t next = 1;

	while (entries && next <= *(const uint64_t *)state) {
		if (herald__event_watch_read(service, next - 1, entries, &read) != HERALD_OK)
			break;
		next += read.lost;
		for (size_t i = 0; i < read.count; i++)
			if (entries[i].number == next &&
			    strcmp(entries[i].event_type, "order") == 0)
				next++;
	}
	free(entries);
	return (void *)(uintptr_t)next;
}

static void
test_threads(void **state)
{
	pthread_t threads[SENDERS + READERS];
	uint64_t count = (uint64_t)SENDERS * EVENTS;
	void *next;

	(void)state;
	start();
	/* The first thread that asks makes the ring, so each reader tries; then events are sent. */
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[SENDERS + i], NULL, read_some, &count), 0);
	while (!herald__event_has_watch(service))
		sched_yield();
	assert_counts(NULL, 0, 0, 1);
	for (size_t i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_some, NULL), 0);
	for (size_t i = 0; i < SENDERS + READERS; i++) {
		assert_int_equal(pthread_join(threads[i], &next), 0);
		if (i >= SENDERS)
			assert_int_equal((uintptr_t)next, count + 1);
	}
	stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),         cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_what_comes_after), cmocka_unit_test(test_ring_wraps),
		cmocka_unit_test(test_goes_off),         cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_what_is_refused),  cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
