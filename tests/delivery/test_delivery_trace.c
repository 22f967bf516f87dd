/*
 * The trace of deliveries: the headers that receivers get, in each attempt, with and without a span
 * hook; the spans of attempts; callbacks; and the log records.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/callback.h>
#include <herald/herald.h>

#include "delivery/trace_headers.h"
#include "support/delivering.h"
#include "support/misbehaving_server.h"

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN_ID "b7ad6b7169203331"
#define PARENT "00-" TRACE_ID "-" SPAN_ID "-03"

static const struct herald_trace sender = {
	.trace_id = TRACE_ID,
	.span_id = SPAN_ID,
	.parent_id = "00f067aa0ba902b7",
	.flags = HERALD_TRACE_SAMPLED | HERALD_TRACE_RANDOM,
	.state = "a=1,b=2",
};

/* A delivery to a path of the server. */
static struct herald_delivery
delivery_to(const struct delivery_fixture *fixture, const char *path)
{
	static char url[256];

	delivery_fixture_url(fixture, path, url, sizeof(url));
	return (struct herald_delivery){.url = url, .event_type = "paid", .event_id = "7"};
}

static void
deliver(struct delivery_fixture *fixture, struct herald_delivery delivery)
{
	size_t outcomes = fixture->recorder.outcomes;
	struct herald_error error;

	if (herald_deliverer_submit(fixture->deliverer, &delivery, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	recorder_wait(&fixture->recorder, outcomes + 1);
}

/* How often a text has a header of this name. Its value is in `value`. */
static unsigned
find_header(const char *text, const char *name, char *value, size_t size)
{
	unsigned count = 0;
	char line[64];

	snprintf(line, sizeof(line), "\r\n%s: ", name);
	*value = '\0';
	for (const char *at = text; (at = strcasestr(at, line)); count++) {
		at += strlen(line);
		snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at);
	}
	return count;
}

static void
check_headers(struct delivery_fixture *fixture, size_t request, const char *parent,
	      const char *state)
{
	const char *text = misbehaving_server_text(&fixture->server, request);
	char value[1024];

	assert_int_equal(find_header(text, "traceparent", value, sizeof(value)), parent ? 1 : 0);
	assert_string_equal(value, parent ? parent : "");
	assert_int_equal(find_header(text, "tracestate", value, sizeof(value)), state ? 1 : 0);
	assert_string_equal(value, state ? state : "");
}

/* Without a hook, all attempts name the span that sent it. */
static void
test_headers(void **state)
{
	static const char *const own[] = {"X-A: 1", "Traceparent: 00-1-own"};
	static const char *const others[] = {"X-A: 1", "tracestate: own=1"};
	static const char *const options_headers[] = {"X-B: 2", "TraceParent: 00-options"};
	const char *many[HERALD__MAX_HEADERS];
	char texts[HERALD__MAX_HEADERS][16], long_state[600], value[8];
	struct delivery_fixture *fixture = *state;
	struct herald_delivery delivery;
	struct herald_trace trace = sender;

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(HERALD_HEADERS(options_headers)));
	delivery = delivery_to(fixture, "/503,503,200");
	delivery.trace = &trace;
	deliver(fixture, delivery);
	for (size_t i = 0; i < 3; i++)
		check_headers(fixture, i, PARENT, "a=1,b=2");
	assert_int_equal(find_header(misbehaving_server_text(&fixture->server, 0), "X-B", value,
				     sizeof(value)),
			 1);

	delivery = delivery_to(fixture, "/200");
	trace.state = "";
	trace.flags = 0;
	delivery.trace = &trace;
	deliver(fixture, delivery);
	check_headers(fixture, 3, "00-" TRACE_ID "-" SPAN_ID "-00", NULL);

	/* Its own traceparent stays, and so does its own tracestate. */
	trace = sender;
	delivery.headers = own;
	delivery.headers_count = HERALD_COUNT(own);
	deliver(fixture, delivery);
	check_headers(fixture, 4, "00-1-own", NULL);
	delivery.headers = others;
	deliver(fixture, delivery);
	check_headers(fixture, 5, PARENT, "own=1");

	/* None at all: the options'. */
	delivery.headers = NULL;
	delivery.headers_count = 0;
	delivery.trace = NULL;
	deliver(fixture, delivery);
	check_headers(fixture, 6, "00-options", NULL);

	/* A long one is shortened. */
	snprintf(long_state, sizeof(long_state), "a=%0200d,b=%0200d,c=%0101d,d=4", 0, 0, 3);
	trace.state = long_state;
	delivery.trace = &trace;
	deliver(fixture, delivery);
	snprintf(value, sizeof(value), "d=4");
	assert_non_null(strstr(misbehaving_server_text(&fixture->server, 7), "d=4"));
	assert_null(strstr(misbehaving_server_text(&fixture->server, 7), "b=0"));

	/* With as many headers as there may be, there is no room for it: up to 62. */
	for (size_t i = 0; i < HERALD__MAX_HEADERS; i++) {
		snprintf(texts[i], sizeof(texts[i]), "X-%zu: 1", i);
		many[i] = texts[i];
	}
	trace = sender;
	delivery.headers = many;
	for (size_t count = 62; count <= 64; count++) {
		delivery.headers_count = count;
		deliver(fixture, delivery);
		check_headers(fixture, 8 + count - 62, count == 62 ? PARENT : "00-options",
			      count == 62 ? "a=1,b=2" : NULL);
	}
}

/* The limit of a delivery's headers is for its own. */
static void
test_headers_at_the_limit(void **state)
{
	static char header[300];
	const char *const headers[] = {header};
	struct delivery_fixture *fixture = *state;
	struct herald_reservation *reservation;
	struct herald_delivery delivery;
	struct herald_error error;

	snprintf(header, sizeof(header), "X-A: %0250d", 0);
	delivery_fixture_start(fixture,
			       HERALD_DELIVERER_OPTIONS(.max_headers_bytes = strlen(header)));
	delivery = delivery_to(fixture, "/200");
	delivery.trace = &sender;
	delivery.headers = headers;
	delivery.headers_count = 1;
	deliver(fixture, delivery);
	check_headers(fixture, 0, PARENT, "a=1,b=2");

	/* Headers of the user's own count, also if they are called so. */
	static char states[2][600];
	const char *const own[] = {states[0], states[1]};
	for (size_t i = 0; i < 2; i++)
		snprintf(states[i], sizeof(states[i]), "tracestate: a=%0500d", 0);
	delivery.headers = own;
	delivery.headers_count = 2;
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, &error),
			 HERALD_BAD_LENGTH);
	assert_string_equal(error.path, "headers");

	/* In a reservation, it needs its room. */
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 100,
						  HERALD_DELIVERY_TRACE_BYTES, &reservation, NULL),
			 HERALD_OK);
	delivery.headers = NULL;
	delivery.headers_count = 0;
	char longest[600];
	struct herald_trace trace = sender;
	snprintf(longest, sizeof(longest), "a=%0254d,b=%0253d", 0, 0);
	trace.state = longest;
	delivery.trace = &trace;
	assert_int_equal(herald_reservation_submit(reservation, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 2);
	check_headers(fixture, 1, PARENT, longest);

	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 100, 0, &reservation, NULL),
			 HERALD_OK);
	assert_int_equal(herald_reservation_submit(reservation, &delivery, &error),
			 HERALD_BAD_LENGTH);
}

/* Spans. */

#define MAX_SPANS 16

struct spans {
	pthread_mutex_t mutex;
	struct herald_trace traces[MAX_SPANS];
	char texts[MAX_SPANS][1024];
	bool is_start[MAX_SPANS];
	size_t count;
};

static void
keep_span(struct spans *spans, bool is_start, const struct herald_span *span)
{
	pthread_mutex_lock(&spans->mutex);
	size_t index = spans->count++, used;
	char *text = spans->texts[index];

	assert_true(index < MAX_SPANS);
	assert_true(is_start ? span->end_ns == 0 : span->end_ns >= span->begin_ns);
	assert_true(span->begin_ns > INT64_C(1577836800000000000));
	spans->is_start[index] = is_start;
	spans->traces[index] = *span->trace;
	used = (size_t)sprintf(text, "%s %d", span->name, (int)span->kind);
	for (size_t i = 0; i < span->attributes_count; i++) {
		const struct herald_span_attribute *attribute = &span->attributes[i];

		if (strcmp(attribute->key, "herald.delivery_id") == 0 ||
		    strcmp(attribute->key, "server.port") == 0)
			continue;
		used += attribute->text ? (size_t)sprintf(text + used, " %s=%s", attribute->key,
							  attribute->text)
					: (size_t)sprintf(text + used, " %s=%lld", attribute->key,
							  (long long)attribute->number);
	}
	if (span->is_error)
		sprintf(text + used, " ERROR(%s)", span->error);
	pthread_mutex_unlock(&spans->mutex);
}

static void
span_starts(const struct herald_span *span, void *state)
{
	keep_span(state, true, span);
}

static void
span_ends(const struct herald_span *span, void *state)
{
	keep_span(state, false, span);
}

#define WITH_SPANS(SPANS, ...)                                                                     \
	HERALD_DELIVERER_OPTIONS(.spans = {.start = span_starts,                                   \
					   .end = span_ends,                                       \
					   .state = (SPANS)},                                      \
				 __VA_ARGS__)

#define COMMON "url.scheme=http server.address=127.0.0.1 "
#define EVENT_ATTRIBUTES "cloudevents.event_id=7 cloudevents.event_type=paid"

static void
test_spans(void **state)
{
	static struct spans spans;
	struct delivery_fixture *fixture = *state;
	struct herald_delivery delivery;

	spans = (struct spans){.mutex = PTHREAD_MUTEX_INITIALIZER};
	delivery_fixture_start(fixture, WITH_SPANS(&spans, .attempts = 3));
	delivery = delivery_to(fixture, "/503,close,200");
	delivery.trace = &sender;
	delivery.body = "x";
	delivery.body_bytes = 1;
	deliver(fixture, delivery);

	/* Each attempt has its own span, which its receiver gets. */
	assert_int_equal(spans.count, 6);
	for (size_t i = 0; i < 3; i++) {
		const struct herald_trace *trace = &spans.traces[2 * i + 1];
		char parent[HERALD_TRACEPARENT_SIZE];

		assert_true(spans.is_start[2 * i] && !spans.is_start[2 * i + 1]);
		assert_string_equal(spans.traces[2 * i].span_id, trace->span_id);
		assert_string_equal(trace->trace_id, TRACE_ID);
		assert_string_equal(trace->parent_id, SPAN_ID);
		assert_string_not_equal(trace->span_id, SPAN_ID);
		assert_true(i == 0 || strcmp(trace->span_id, spans.traces[0].span_id) != 0);
		herald_traceparent_write(trace, parent);
		check_headers(fixture, i, parent, "a=1,b=2");
	}
	assert_string_equal(spans.texts[0],
			    "POST 3 http.request.method=POST " COMMON EVENT_ATTRIBUTES);
	assert_string_equal(spans.texts[1],
			    "POST 3 http.request.method=POST " COMMON EVENT_ATTRIBUTES
			    " http.response.status_code=503 network.peer.address=127.0.0.1 "
			    "herald.delivery_outcome=again error.type=503 ERROR(HTTP status 503)");
	assert_has(spans.texts[3], " http.request.resend_count=1 ");
	assert_has(spans.texts[3], "herald.delivery_outcome=again error.type=no_response ERROR(");
	assert_string_equal(spans.texts[5],
			    "POST 3 http.request.method=POST " COMMON
			    "http.request.resend_count=2 " EVENT_ATTRIBUTES
			    " http.response.status_code=200 network.peer.address=127.0.0.1 "
			    "herald.delivery_outcome=delivered");

	/* Without a trace, or with a bad one, there is none. */
	static const char *const bad[] = {"traceparent: 00-1"};
	delivery = delivery_to(fixture, "/200");
	deliver(fixture, delivery);
	delivery.headers = bad;
	delivery.headers_count = 1;
	deliver(fixture, delivery);
	check_headers(fixture, 3, NULL, NULL);
	check_headers(fixture, 4, "00-1", NULL);
	assert_int_equal(spans.count, 6);
}

/* An attempt that a stop cuts off has ended, too. */
static void
test_span_that_is_cut_off(void **state)
{
	static struct spans spans;
	struct delivery_fixture *fixture = *state;
	struct herald_delivery delivery;

	spans = (struct spans){.mutex = PTHREAD_MUTEX_INITIALIZER};
	fixture->clock.is_frozen = true;
	delivery_fixture_start(fixture, WITH_SPANS(&spans, .attempts = 3));
	delivery = delivery_to(fixture, "/silent");
	delivery.trace = &sender;
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	misbehaving_server_wait(&fixture->server, 1);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 0), 1);
	assert_int_equal(spans.count, 2);
	assert_has(spans.texts[1], "herald.delivery_outcome=left error.type=no_response "
				   "ERROR(the deliverer stopped during an attempt)");
}

static void
test_bad_hook(void **state)
{
	struct herald_deliverer *deliverer;
	struct herald_error error;

	(void)state;
	assert_int_equal(
		create_over_curl(&HERALD_DELIVERER_OPTIONS(.spans = {.start = span_starts}),
				 &deliverer, &error),
		HERALD_BAD_OPTION);
	assert_string_equal(error.path, "spans");
	assert_string_equal(error.message, "spans: has a `start`, but no `end`");
}

/* Log records. */

static char logged[2048];

static void
keep_log(const struct herald_log_record *record, void *state)
{
	size_t used = strlen(logged);

	(void)state;
	for (size_t i = 0; i < record->fields_count; i++)
		if (strstr(record->fields[i].key, "_id"))
			used += (size_t)snprintf(logged + used, sizeof(logged) - used, "%s=%s ",
						 record->fields[i].key, record->fields[i].text);
}

static void
test_log(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct herald_delivery delivery;

	logged[0] = '\0';
	delivery_fixture_start(fixture,
			       HERALD_DELIVERER_OPTIONS(.log = {keep_log, NULL, HERALD_LOG_DEBUG}));
	delivery = delivery_to(fixture, "/404");
	delivery.id = "1";
	deliver(fixture, delivery);
	delivery.trace = &sender;
	deliver(fixture, delivery);
	herald_deliverer_stop(fixture->deliverer, 1000);
	assert_string_equal(logged, "delivery_id=1 event_id=7 delivery_id=1 event_id=7 "
				    "trace_id=" TRACE_ID " span_id=" SPAN_ID " ");
}

/* Callbacks: the event's span sends them. */

struct seen {
	struct herald_trace trace;
	struct herald_deliverer *deliverer;
	const char *url;
};

static enum herald_verdict
on_any(struct herald_context *ctx, const void *payload, void *state)
{
	struct seen *seen = state;
	const struct herald_trace *trace = herald_context_trace(ctx);

	(void)payload;
	if (trace)
		seen->trace = *trace;
	/* One of the function's own. */
	const struct herald_delivery delivery = {.url = seen->url, .trace = trace};
	assert_int_equal(herald_deliverer_submit(seen->deliverer, &delivery, NULL), HERALD_OK);
	return HERALD_DONE;
}

static const char *
find_attribute(const char *name, void *state)
{
	(void)state;
	return strcmp(name, "traceparent") == 0  ? PARENT
	       : strcmp(name, "tracestate") == 0 ? "c=3"
						 : NULL;
}

static void
test_callbacks(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct herald_handler *handlers[1];
	char url[128], own_url[128], event[512];

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.slots = 1));
	delivery_fixture_url(fixture, "/200?callback", url, sizeof(url));
	delivery_fixture_url(fixture, "/200?own", own_url, sizeof(own_url));
	for (int tracing = 0; tracing <= 1; tracing++) {
		struct seen seen = {.deliverer = fixture->deliverer, .url = own_url};
		const struct herald_route routes[] = {{.event_type = "a",
						       .schema = &herald_json_schema,
						       .function = on_any,
						       .state = &seen}};
		struct herald_service *service;
		struct herald_result result;
		char parent[HERALD_TRACEPARENT_SIZE];
		size_t first = misbehaving_server_requests(&fixture->server);

		assert_int_equal(herald_callback_handler_create(fixture->deliverer, NULL,
								&handlers[0], NULL),
				 HERALD_OK);
		assert_int_equal(herald_service_create(
					 &HERALD_SERVICE_OPTIONS(
						 HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
						 .envelope = &herald_callback_message_schema,
						 .tracing = tracing),
					 &service, NULL),
				 HERALD_OK);
		snprintf(event, sizeof(event),
			 "{\"event_type\":\"a\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			 "\"payload\":1,\"callback\":{\"success_url\":\"%s\"}}",
			 url);
		herald_service_handle_with(service, event, strlen(event),
					   &HERALD_ARRIVAL(.attribute = find_attribute), &result);
		assert_int_equal(result.verdict, HERALD_DONE);
		recorder_wait(&fixture->recorder, first + 2);
		herald_traceparent_write(&seen.trace, parent);
		for (size_t i = 0; i < 2; i++)
			check_headers(fixture, first + i, tracing ? parent : NULL,
				      tracing ? "c=3" : NULL);
		if (tracing) {
			assert_string_equal(seen.trace.trace_id, TRACE_ID);
			assert_string_equal(seen.trace.parent_id, SPAN_ID);
		}
		herald_service_destroy(service);
	}
}

/* A deliverer that has no room for what a traced callback needs. */
static void
test_room_of_callbacks(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct herald_handler *handlers[1];
	struct herald_service *service;
	struct herald_error error;

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.max_pending_bytes = 1000));
	for (int tracing = 0; tracing <= 1; tracing++) {
		assert_int_equal(herald_callback_handler_create(fixture->deliverer, NULL,
								&handlers[0], NULL),
				 HERALD_OK);
		enum herald_status status = herald_service_create(
			&HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(handlers),
						.envelope = &herald_callback_message_schema,
						.tracing = tracing),
			&service, &error);
		assert_int_equal(status, tracing ? HERALD_BAD_OPTION : HERALD_OK);
		if (status == HERALD_OK) {
			herald_service_destroy(service);
			continue;
		}
		assert_has(error.message, "max_pending_bytes");
		handlers[0]->ops->destroy(handlers[0]);
	}
}

#define CASE(FUNCTION)                                                                             \
	cmocka_unit_test_setup_teardown(FUNCTION, delivery_fixture_setup, delivery_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_headers),  CASE(test_headers_at_the_limit),
		CASE(test_spans),    CASE(test_span_that_is_cut_off),
		CASE(test_log),      CASE(test_callbacks),
		CASE(test_bad_hook), CASE(test_room_of_callbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
