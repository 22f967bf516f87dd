/*
 * The exporter to OpenTelemetry collectors: what it sends, when, and what it does when the
 * collector is away, slow, busy or refuses. tests/interop/otlp.py has a real collector.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <herald/adapter/transport.h>
#include <herald/curl.h>
#include <herald/otlp.h>

#include "support/delivering.h"
#include "support/failing_allocator.h"
#include "support/misbehaving_server.h"

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define WAIT_MS 60000

struct fixture {
	struct misbehaving_server server;
	struct herald_otlp_exporter *exporter;
	struct herald_span_hook hook;
	atomic_size_t records; /* of the log */
	char log[1024];        /* the last record */
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	misbehaving_server_init(&fixture->server, "127.0.0.1");
	misbehaving_server_start(&fixture->server);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	herald_otlp_exporter_destroy(fixture->exporter);
	misbehaving_server_stop(&fixture->server);
	free(fixture);
	return 0;
}

static void
keep_log(const struct herald_log_record *record, void *state)
{
	struct fixture *fixture = state;
	size_t used = (size_t)snprintf(fixture->log, sizeof(fixture->log), "%s %s",
				       herald_log_level_name(record->level), record->message);

	for (size_t i = 0; i < record->fields_count; i++)
		used += (size_t)(record->fields[i].text
					 ? snprintf(fixture->log + used,
						    sizeof(fixture->log) - used, " %s=%s",
						    record->fields[i].key, record->fields[i].text)
					 : snprintf(fixture->log + used,
						    sizeof(fixture->log) - used, " %s=%lld",
						    record->fields[i].key,
						    (long long)record->fields[i].number));
	atomic_fetch_add(&fixture->records, 1);
}

/* An exporter to a path of the server; NULL: to a port where nobody listens. */
static void
start(struct fixture *fixture, const char *path, struct herald_otlp_options options)
{
	char url[128];
	struct herald_error error;
	uint16_t port = path ? fixture->server.port : 1;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path ? path : "/");
	options.transport = curl_transport(NULL);
	options.url = url;
	options.first_delay_ms = options.first_delay_ms ? options.first_delay_ms : 1;
	options.log = (struct herald_log){keep_log, fixture, HERALD_LOG_DEBUG};
	if (herald_otlp_exporter_create(&options, &fixture->exporter, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	fixture->hook = herald_otlp_exporter_hook(fixture->exporter);
}

static const struct herald_trace sampled = {
	.trace_id = TRACE_ID,
	.span_id = "b7ad6b7169203331",
	.parent_id = "",
	.flags = HERALD_TRACE_SAMPLED,
	.state = "",
};

static void
end_spans(struct fixture *fixture, size_t count)
{
	const struct herald_span span = {
		.trace = &sampled,
		.name = "process a",
		.kind = HERALD_SPAN_CONSUMER,
		.begin_ns = 1,
		.end_ns = 2,
		.error = "",
	};

	for (size_t i = 0; i < count; i++)
		fixture->hook.end(&span, fixture->hook.state);
}

static struct herald_otlp_statistics
counts_of(struct fixture *fixture)
{
	struct herald_otlp_statistics counts;

	herald_otlp_exporter_statistics(fixture->exporter, &counts);
	assert_int_equal(counts.sampled, counts.exported + counts.dropped + counts.queued);
	return counts;
}

static void
check_counts(struct fixture *fixture, size_t exported, size_t dropped, size_t batches)
{
	const struct herald_otlp_statistics counts = counts_of(fixture);

	assert_int_equal(counts.exported, exported);
	assert_int_equal(counts.dropped, dropped);
	assert_int_equal(counts.queued, 0);
	assert_int_equal(counts.batches, batches);
}

/* What is sent. */

#define SPAN_1                                                                                     \
	"{\"traceId\":\"" TRACE_ID "\",\"spanId\":\"b7ad6b7169203331\",\"traceState\":\"a=1\","    \
	"\"parentSpanId\":\"00f067aa0ba902b7\",\"flags\":3,\"name\":\"process a\",\"kind\":5,"     \
	"\"startTimeUnixNano\":\"1700000000123456789\","                                           \
	"\"endTimeUnixNano\":\"1700000000999999999\",\"attributes\":["                             \
	"{\"key\":\"text\",\"value\":{\"stringValue\":\"a \\\"b\\\"\"}},"                          \
	"{\"key\":\"empty\",\"value\":{\"stringValue\":\"\"}},"                                    \
	"{\"key\":\"number\",\"value\":{\"intValue\":\"-9223372036854775808\"}}],"                 \
	"\"droppedAttributesCount\":1,\"links\":[{\"traceId\":\"" TRACE_ID "\","                   \
	"\"spanId\":\"1111111111111111\",\"traceState\":\"b=2\",\"flags\":1}],"                    \
	"\"droppedLinksCount\":0,\"status\":{\"code\":2,\"message\":\"it failed\"}}"
#define SPAN_2                                                                                     \
	"{\"traceId\":\"" TRACE_ID "\",\"spanId\":\"b7ad6b7169203331\",\"flags\":1,"               \
	"\"name\":\"process a\",\"kind\":5,\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\"," \
	"\"droppedAttributesCount\":0,\"droppedLinksCount\":0}"

static void
test_request(void **state)
{
	static const struct herald_span_attribute resource[] = {
		{"deployment.environment.name", "test", 0},
		{"host.cpus", NULL, 8},
	};
	static const char *const headers[] = {"Authorization: Bearer t"};
	static const struct herald_span_attribute attributes[] = {
		{"text", "a \"b\"", 0},
		{"not.utf8", "\xff", 0},
		{"empty", "", 0},
		{"number", NULL, INT64_MIN},
	};
	struct fixture *fixture = *state;
	struct herald_trace trace = sampled, link = sampled;
	const struct herald_span span = {
		.trace = &trace,
		.name = "process a",
		.kind = HERALD_SPAN_CONSUMER,
		.begin_ns = INT64_C(1700000000123456789),
		.end_ns = INT64_C(1700000000999999999),
		.attributes = attributes,
		.attributes_count = HERALD_COUNT(attributes),
		.links = &link,
		.links_count = 1,
		.is_error = true,
		.error = "it failed",
	};

	strcpy(trace.parent_id, "00f067aa0ba902b7");
	trace.state = "a=1";
	trace.flags = HERALD_TRACE_SAMPLED | HERALD_TRACE_RANDOM;
	strcpy(link.span_id, "1111111111111111");
	link.state = "b=2";
	start(fixture, "/200",
	      HERALD_OTLP_OPTIONS(HERALD_HEADERS(headers), .service_name = "shop",
				  .resource = resource, .resource_count = 2));
	assert_null(fixture->hook.start);
	fixture->hook.end(&span, fixture->hook.state);
	end_spans(fixture, 1);
	trace.flags = HERALD_TRACE_RANDOM;
	fixture->hook.end(&span, fixture->hook.state);
	assert_true(herald_otlp_exporter_flush(fixture->exporter, WAIT_MS));
	check_counts(fixture, 2, 0, 1);
	assert_int_equal(counts_of(fixture).unsampled, 1);

	const char *text = misbehaving_server_text(&fixture->server, 0);
	assert_has(text, "POST /200 HTTP/1.1\r\n");
	assert_has(text, "\r\nContent-Type: application/json\r\n");
	assert_has(text, "\r\nAuthorization: Bearer t\r\n");
	assert_string_equal(
		strstr(text, "\r\n\r\n") + 4,
		"{\"resourceSpans\":[{\"resource\":{\"attributes\":["
		"{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}},"
		"{\"key\":\"deployment.environment.name\",\"value\":{\"stringValue\":\"test\"}},"
		"{\"key\":\"host.cpus\",\"value\":{\"intValue\":\"8\"}}]},"
		"\"scopeSpans\":[{\"scope\":{\"name\":\"herald\",\"version\":\"0.1.0\"},"
		"\"spans\":[" SPAN_1 "," SPAN_2 "]}]}]}");
	/* A span that cannot be written is dropped. */
	const struct herald_span bad = {.trace = &sampled, .name = "\xff", .error = ""};
	fixture->hook.end(&bad, fixture->hook.state);
	assert_int_equal(counts_of(fixture).dropped, 1);
}

/* More than fits one span. */
static void
test_many_attributes(void **state)
{
	struct herald_span_attribute attributes[40];
	struct herald_trace links[10];
	struct fixture *fixture = *state;
	struct herald_span span = {
		.trace = &sampled,
		.name = "a",
		.kind = HERALD_SPAN_CLIENT,
		.attributes = attributes,
		.attributes_count = HERALD_COUNT(attributes),
		.links = links,
		.links_count = HERALD_COUNT(links),
		.error = "",
	};

	for (size_t i = 0; i < HERALD_COUNT(attributes); i++)
		attributes[i] = (struct herald_span_attribute){"k", NULL, (int64_t)i};
	for (size_t i = 0; i < HERALD_COUNT(links); i++)
		links[i] = sampled;
	start(fixture, "/200", HERALD_OTLP_OPTIONS(.max_batch_spans = 1));
	fixture->hook.end(&span, fixture->hook.state);
	assert_true(herald_otlp_exporter_flush(fixture->exporter, WAIT_MS));
	const char *text = misbehaving_server_text(&fixture->server, 0);
	assert_has(text, "{\"intValue\":\"31\"}}],\"droppedAttributesCount\":8,");
	assert_has(text, "],\"droppedLinksCount\":2}");
	assert_has(text, "\"stringValue\":\"unknown_service\"");
}

/* When. */

static void
wait_exported(struct fixture *fixture, size_t count)
{
	while (counts_of(fixture).exported < count)
		sched_yield();
}

/* A full batch goes at once, another one after the interval, and the rest at a stop. */
static void
test_when_it_is_sent(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "/200", HERALD_OTLP_OPTIONS(.max_batch_spans = 3, .interval_ms = 3600000));
	end_spans(fixture, 7);
	wait_exported(fixture, 6);
	assert_int_equal(counts_of(fixture).queued, 1);
	assert_int_equal(herald_otlp_exporter_stop(fixture->exporter, WAIT_MS), 0);
	check_counts(fixture, 7, 0, 3);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 3);
	/* Stopped: further ones are dropped. */
	end_spans(fixture, 2);
	assert_int_equal(herald_otlp_exporter_stop(fixture->exporter, 0), 2);
	herald_otlp_exporter_destroy(fixture->exporter);

	start(fixture, "/200", HERALD_OTLP_OPTIONS(.interval_ms = 10));
	end_spans(fixture, 1);
	wait_exported(fixture, 1);
	assert_true(herald_otlp_exporter_flush(fixture->exporter, 0));
}

/* A batch that is full in bytes. */
static void
test_bytes(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "/200", HERALD_OTLP_OPTIONS(.max_batch_bytes = 500, .interval_ms = 3600000));
	end_spans(fixture, 4);
	assert_true(herald_otlp_exporter_flush(fixture->exporter, WAIT_MS));
	check_counts(fixture, 4, 0, 2);

	/* A span that never fits. */
	char name[600];
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	const struct herald_span large = {.trace = &sampled, .name = name, .error = ""};
	fixture->hook.end(&large, fixture->hook.state);
	assert_int_equal(counts_of(fixture).dropped, 1);
	end_spans(fixture, 1);
	assert_true(herald_otlp_exporter_flush(fixture->exporter, WAIT_MS));
	check_counts(fixture, 5, 1, 3);
	assert_int_equal(herald_otlp_exporter_stop(fixture->exporter, WAIT_MS), 1);
	assert_has(fixture->log, "reason=a span is larger than a batch");
}

/* Collectors that do not take it. */

static void
test_answers(void **state)
{
	static const struct {
		const char *path;
		size_t requests;
		bool is_taken;
		const char *reason;
	} rows[] = {
		{"/503,429,502,504,200", 5, true, NULL},
		{"/close,reset,200", 3, true, NULL},
		{"/202", 1, true, NULL},
		{"/400", 1, false, "HTTP status 400"},
		{"/401", 1, false, "HTTP status 401"},
		{"/408,200", 1, false, "HTTP status 408"},
		{"/500,200", 1, false, "HTTP status 500"},
		{"/302,200", 1, false, "HTTP status 302"},
	};

	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		struct fixture *fixture;
		char wanted[200];

		teardown(state);
		setup(state);
		fixture = *state;
		start(fixture, rows[i].path, HERALD_OTLP_OPTIONS(.interval_ms = 1));
		end_spans(fixture, 2);
		assert_true(herald_otlp_exporter_flush(fixture->exporter, WAIT_MS));
		herald_otlp_exporter_stop(fixture->exporter, WAIT_MS);
		check_counts(fixture, rows[i].is_taken ? 2 : 0, rows[i].is_taken ? 0 : 2,
			     counts_of(fixture).batches);
		assert_true(misbehaving_server_requests(&fixture->server) >= rows[i].requests);
		if (rows[i].is_taken) {
			assert_int_equal(fixture->records, 0);
			continue;
		}
		assert_true(misbehaving_server_requests(&fixture->server) <= 2);
		snprintf(wanted, sizeof(wanted), "reason=%s", rows[i].reason);
		assert_has(fixture->log, "warning spans were dropped spans=");
		assert_has(fixture->log, wanted);
	}
}

/* Retry-After is waited for, up to the deadline. */
static void
test_retry_after(void **state)
{
	struct fixture *fixture = *state;
	struct timespec before, after;

	fixture->server.retry_after = "1";
	start(fixture, "/429,200", HERALD_OTLP_OPTIONS(.interval_ms = 1));
	clock_gettime(CLOCK_MONOTONIC, &before);
	end_spans(fixture, 1);
	assert_true(herald_otlp_exporter_flush(fixture->exporter, WAIT_MS));
	clock_gettime(CLOCK_MONOTONIC, &after);
	check_counts(fixture, 1, 0, 1);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 2);
	assert_true((after.tv_sec - before.tv_sec) * 1000 +
			    (after.tv_nsec - before.tv_nsec) / 1000000 >=
		    999);

	/* A longer one than the deadline ends it. */
	herald_otlp_exporter_destroy(fixture->exporter);
	fixture->server.retry_after = "3600";
	start(fixture, "/503", HERALD_OTLP_OPTIONS(.interval_ms = 1, .deadline_ms = 2000));
	end_spans(fixture, 1);
	assert_true(herald_otlp_exporter_flush(fixture->exporter, WAIT_MS));
	check_counts(fixture, 0, 1, 0);
}

/* The collector is away: what is kept is bounded, and one record tells of many drops. */
static void
test_away(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, NULL,
	      HERALD_OTLP_OPTIONS(.max_batch_spans = 10, .max_queued_spans = 45,
				  .interval_ms = 3600000, .first_delay_ms = 60000));
	end_spans(fixture, 1000);
	struct herald_otlp_statistics counts = counts_of(fixture);
	assert_int_equal(counts.queued, 40);
	assert_int_equal(counts.dropped, 960);
	assert_false(herald_otlp_exporter_flush(fixture->exporter, 0));
	while (fixture->records == 0)
		sched_yield();
	assert_has(fixture->log, "reason=the queue is full");
	end_spans(fixture, 1000);
	assert_int_equal(counts_of(fixture).queued, 40);

	/* A stop tells of the rest. */
	assert_int_equal(herald_otlp_exporter_stop(fixture->exporter, 50), 2000);
	check_counts(fixture, 0, 2000, 0);
	assert_true(fixture->records == 2);
}

/* It comes back, and what was kept is sent. */
static void
test_comes_back(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "/503,503,503,close,200",
	      HERALD_OTLP_OPTIONS(.max_batch_spans = 2, .max_queued_spans = 100, .interval_ms = 1));
	end_spans(fixture, 20);
	assert_int_equal(herald_otlp_exporter_stop(fixture->exporter, WAIT_MS), 0);
	assert_int_equal(counts_of(fixture).exported, 20);
}

/* A collector that does not answer holds a stop up for its time, and not longer. */
static void
test_silent(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "/silent", HERALD_OTLP_OPTIONS(.max_batch_spans = 1));
	end_spans(fixture, 2);
	misbehaving_server_wait(&fixture->server, 1);
	assert_int_equal(herald_otlp_exporter_stop(fixture->exporter, 20), 2);
	check_counts(fixture, 0, 2, 0);
	assert_has(fixture->log, "reason=the deliverer stopped during an attempt");
}

/* Threads. */

static void *
end_many(void *state)
{
	end_spans(state, 3000);
	return NULL;
}

static void
test_threads(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[4];

	start(fixture, "/200",
	      HERALD_OTLP_OPTIONS(.max_batch_spans = 10, .max_queued_spans = 1000,
				  .interval_ms = 1));
	for (size_t i = 0; i < HERALD_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, end_many, fixture), 0);
	for (int i = 0; i < 20; i++)
		(void)herald_otlp_exporter_flush(fixture->exporter, 1);
	for (size_t i = 0; i < HERALD_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	herald_otlp_exporter_stop(fixture->exporter, WAIT_MS);
	const struct herald_otlp_statistics counts = counts_of(fixture);
	assert_int_equal(counts.sampled, 12000);
	assert_int_equal(counts.queued, 0);
	assert_true(counts.exported > 0);
}

/* Options. */

/* It is neither used nor freed, whatever else is wrong. */
static void
test_transport_of_a_deliverer(void **state)
{
	static const struct {
		unsigned max_batch_spans;
		const char *path;
	} rows[] = {{0, "transport"}, {65537, "max_batch_spans"}};
	struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(.slots = 1);
	struct herald_otlp_exporter *exporter = NULL;
	struct herald_deliverer *deliverer;

	(void)state;
	assert_int_equal(herald_curl_transport_create(NULL, &options.transport, NULL), HERALD_OK);
	assert_int_equal(herald_deliverer_create(&options, &deliverer, NULL), HERALD_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct herald_error error;

		assert_int_equal(
			herald_otlp_exporter_create(
				&HERALD_OTLP_OPTIONS(.url = "http://a/",
						     .transport = options.transport,
						     .max_batch_spans = rows[i].max_batch_spans),
				&exporter, &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		assert_null(exporter);
		assert_ptr_equal(options.transport->deliverer, deliverer);
	}
	herald_deliverer_destroy(deliverer);
}

static void
test_bad_options(void **state)
{
	static const char *const bad_header[] = {"X-A"};
	static const struct herald_span_attribute no_key[] = {{NULL, "a", 0}};
	const struct {
		struct herald_otlp_options options;
		const char *path, *message;
	} rows[] = {
		{HERALD_OTLP_OPTIONS(.url = NULL), "url", "url: is NULL"},
		{HERALD_OTLP_OPTIONS(.url = "ftp://a/"), "url", "expected an http or https URL"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .max_batch_spans = 65537),
		 "max_batch_spans", "must be at most 65536, not 65537"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .max_batch_bytes = (64u << 20) + 1),
		 "max_batch_bytes", "must be at most 67108864, not 67108865"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .max_batch_spans = 10,
				     .max_queued_spans = 19),
		 "max_queued_spans", "must be at least twice max_batch_spans, 10, not 19"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .deadline_ms = 10, .first_delay_ms = 11),
		 "first_delay_ms", "is above deadline_ms"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .headers = bad_header), "headers",
		 "HERALD_HEADERS"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", HERALD_HEADERS(bad_header)), "headers[0]",
		 "must begin with a name"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .service_name = "\xff"), "service_name",
		 "is not UTF-8"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .resource_count = 1), "resource",
		 "is NULL, but resource_count is 1"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .resource = no_key, .resource_count = 65),
		 "resource_count", "must be at most 64, not 65"},
		{HERALD_OTLP_OPTIONS(.url = "http://a/", .resource = no_key, .resource_count = 1),
		 "resource[0]", "must have a key, and be UTF-8"},
	};
	struct herald_otlp_exporter *exporter = NULL;
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_otlp_exporter_create(&HERALD_OTLP_OPTIONS(.url = "http://a/"),
						     &exporter, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "transport");
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		struct herald_otlp_options options = rows[i].options;

		options.transport = curl_transport(NULL);
		assert_int_equal(herald_otlp_exporter_create(&options, &exporter, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		assert_has(error.message, rows[i].message);
		assert_null(exporter);
	}
	assert_int_equal(herald_otlp_exporter_stop(NULL, 0), 0);
	herald_otlp_exporter_destroy(NULL);
}

#define CASE(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_request), CASE(test_many_attributes), CASE(test_when_it_is_sent),
		CASE(test_bytes),   CASE(test_answers),         CASE(test_retry_after),
		CASE(test_away),    CASE(test_comes_back),      CASE(test_silent),
		CASE(test_threads), CASE(test_bad_options),     CASE(test_transport_of_a_deliverer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
