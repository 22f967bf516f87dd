/*
 * The trace of an event: which one it is, by headers and by CloudEvents' extension; that all runs
 * of a stored event are in it; the log fields; and the spans that a hook gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/request.h>
#include <herald/herald.h>

#include "support/events.h"
#include "support/fake_inbox.h"
#include "support/trace_cases.h"

#define TRACE_A "0af7651916cd43dd8448eb211c80319c"
#define TRACE_B "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT_A "00-" TRACE_A "-b7ad6b7169203331-01"
#define PARENT_A2 "00-" TRACE_A "-00f067aa0ba902b7-01"
#define PARENT_B "00-" TRACE_B "-1234567890abcdef-00"

/* The function: it keeps the trace of the last event. */

struct seen {
	struct herald_trace trace;
	char state[1024];
	unsigned runs;
	bool has_trace;
	enum herald_verdict verdict; /* that it returns */
};

static void
keep_trace(struct seen *seen, const struct herald_trace *found)
{
	seen->has_trace = found;
	if (!found)
		return;
	seen->trace = *found;
	snprintf(seen->state, sizeof(seen->state), "%s", found->state);
	seen->trace.state = seen->state;
}

static enum herald_verdict
look(struct herald_context *ctx, const void *payload, void *state)
{
	struct seen *seen = state;

	(void)payload;
	seen->runs++;
	keep_trace(seen, herald_context_trace(ctx));
	assert_ptr_equal(herald_context_trace(ctx), herald_context_trace(ctx));
	herald_context_log(ctx, HERALD_LOG_INFO, "looking", NULL, 0);
	return seen->verdict;
}

/* Events with headers: names and values, then NULL. */

static void
visit_pairs(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	for (const char *const *pair = state; pair[0]; pair += 2)
		if (!visit(pair[0], pair[1], visit_state))
			return;
}

static const char *
find_pair(const char *name, void *state)
{
	for (const char *const *pair = state; pair[0]; pair += 2)
		if (strcasecmp(pair[0], name) == 0)
			return pair[1];
	return NULL;
}

static struct herald_result
handle_with(struct herald_service *service, const char *json, const char *const *pairs)
{
	static const char *const none[] = {NULL};
	struct herald_result result;
	char *data = strdup(json);

	assert_non_null(data);
	herald_service_handle_with(
		service, data, strlen(json),
		&HERALD_ARRIVAL(.attribute = find_pair, .attributes_visit = visit_pairs,
				.state = (void *)(uintptr_t)(pairs ? pairs : none)),
		&result);
	free(data);
	return result;
}

static struct herald_service *
create_traced(struct seen *seen, struct herald_service_options *options)
{
	struct herald_route routes[] = {{.event_type = "a",
					 .schema = &herald_json_schema,
					 .function = look,
					 .state = seen}};

	options->routes = routes;
	options->routes_count = 1;
	struct herald_service *service = create_service(options);
	options->routes = NULL;
	options->routes_count = 0;
	return service;
}

/* Which trace. */

static void
test_every_line_of_the_file(void **state)
{
	struct herald_service_options options = HERALD_SERVICE_OPTIONS(.tracing = true);
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);
	struct trace_case *cases;
	size_t count, wrong = 0;

	(void)state;
	trace_cases_load(&cases, &count);
	assert_int_equal(count, 46);
	for (size_t i = 0; i < count; i++) {
		handle_with(service, EVENT("a", "1"), (const char *const *)cases[i].headers);
		assert_true(seen.has_trace);
		wrong += !trace_case_fits(&cases[i], &seen.trace);
	}
	assert_int_equal(seen.runs, count);
	assert_int_equal(wrong, 0);
	trace_cases_free(cases, count);
	herald_service_destroy(service);
}

/* The same over an endpoint, which keeps the headers without being told their names. */
static void
test_every_line_over_http(void **state)
{
	static const char event[] = EVENT("a", "1");
	struct herald_service_options options = HERALD_SERVICE_OPTIONS(.tracing = true);
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);
	struct herald_endpoint *endpoint = NULL;
	struct trace_case *cases;
	size_t count, wrong = 0;

	(void)state;
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	trace_cases_load(&cases, &count);
	for (size_t i = 0; i < count; i++) {
		const struct herald_http_head head = {
			.method = "POST",
			.content_type = "application/json",
			.content_length = strlen(event),
			.headers_visit = visit_pairs,
			.state = cases[i].headers,
		};
		struct herald_http_request *request = herald_http_request_create(endpoint, &head);

		assert_non_null(request);
		herald_http_request_append(request, event, strlen(event));
		assert_int_equal(herald_http_request_finish(request)->status, 200);
		herald_http_request_destroy(request);
		wrong += !trace_case_fits(&cases[i], &seen.trace);
	}
	assert_int_equal(wrong, 0);
	trace_cases_free(cases, count);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
}

/* A source that has one value of each name. */
static void
test_a_source_without_visits(void **state)
{
	static const char *const pairs[] = {"traceparent", PARENT_A, "tracestate", "a=1", NULL};
	struct herald_service_options options = HERALD_SERVICE_OPTIONS(.tracing = true);
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);
	char data[] = EVENT("a", "1");
	struct herald_result result;

	(void)state;
	herald_service_handle_with(
		service, data, strlen(data),
		&HERALD_ARRIVAL(.attribute = find_pair, .state = (void *)(uintptr_t)pairs),
		&result);
	assert_string_equal(seen.trace.trace_id, TRACE_A);
	assert_string_equal(seen.trace.state, "a=1");
	herald_service_destroy(service);
}

static void
test_without_tracing(void **state)
{
	static const char *const pairs[] = {"traceparent", PARENT_A, NULL};
	struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(.log = {keep_log, NULL, HERALD_LOG_DEBUG});
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);

	(void)state;
	handle_with(service, EVENT("a", "1"), pairs);
	assert_int_equal(seen.runs, 1);
	assert_false(seen.has_trace);
	assert_string_equal(logged, "info: looking event_type=a\n"
				    "debug: event done event_type=a verdict=done took=some\n");
	herald_service_destroy(service);
}

/* CloudEvents' extension, and spans. */

#define MAX_SPANS 8

struct kept_span {
	bool is_start;
	char text[1024];
	struct herald_trace trace, link;
	size_t links_count;
	int64_t begin_ns, end_ns;
};

struct spans {
	struct kept_span all[MAX_SPANS];
	size_t count;
};

static void
keep_span(struct spans *spans, bool is_start, const struct herald_span *span)
{
	struct kept_span *kept = &spans->all[spans->count++];
	int used;

	assert_true(spans->count <= MAX_SPANS);
	*kept = (struct kept_span){
		.is_start = is_start,
		.trace = *span->trace,
		.links_count = span->links_count,
		.begin_ns = span->begin_ns,
		.end_ns = span->end_ns,
	};
	if (span->links_count > 0)
		kept->link = span->links[0];
	used = snprintf(kept->text, sizeof(kept->text), "%s %d", span->name, (int)span->kind);
	for (size_t i = 0; i < span->attributes_count; i++) {
		const struct herald_span_attribute *attribute = &span->attributes[i];

		if (attribute->text)
			used += snprintf(kept->text + used, sizeof(kept->text) - (size_t)used,
					 " %s=%s", attribute->key, attribute->text);
		else
			used += snprintf(kept->text + used, sizeof(kept->text) - (size_t)used,
					 " %s=%lld", attribute->key, (long long)attribute->number);
	}
	if (span->is_error)
		snprintf(kept->text + used, sizeof(kept->text) - (size_t)used, " ERROR(%s)",
			 span->error);
	else
		assert_string_equal(span->error, "");
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

#define SPANS(STATE)                                                                               \
	{                                                                                          \
		.start = span_starts, .end = span_ends, .state = (STATE)                           \
	}

#define WITH_METADATA(TEXT)                                                                        \
	"{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"a\",\"payload\":1,"              \
	"\"metadata\":{" TEXT "}}"

static void
test_extension(void **state)
{
	static const struct {
		const char *metadata; /* of the event */
		const char *headers[9];
		const char *trace_id; /* NULL: new */
		const char *parent_id, *state;
		const char *link; /* the span's id; NULL: none */
	} cases[] = {
		/* Alone, it is the parent. */
		{WITH_METADATA("\"traceparent\":\"" PARENT_A "\",\"tracestate\":\"a=1, b=2\""),
		 {NULL},
		 TRACE_A,
		 "b7ad6b7169203331",
		 "a=1,b=2",
		 NULL},
		{EVENT("a", "1"),
		 {"ce-traceparent", PARENT_A, "ce-tracestate", "a=1", NULL},
		 TRACE_A,
		 "b7ad6b7169203331",
		 "a=1",
		 NULL},
		/* A header that is the same. */
		{WITH_METADATA("\"traceparent\":\"" PARENT_A "\""),
		 {"traceparent", PARENT_A, "tracestate", "b=2", NULL},
		 TRACE_A,
		 "b7ad6b7169203331",
		 "b=2",
		 NULL},
		/* Another span, also of the same trace: the header is the parent. */
		{WITH_METADATA("\"traceparent\":\"" PARENT_A2 "\",\"tracestate\":\"a=1\""),
		 {"traceparent", PARENT_A, NULL},
		 TRACE_A,
		 "b7ad6b7169203331",
		 "",
		 "00f067aa0ba902b7"},
		{WITH_METADATA("\"traceparent\":\"" PARENT_B "\""),
		 {"traceparent", PARENT_A, "tracestate", "c=3", NULL},
		 TRACE_A,
		 "b7ad6b7169203331",
		 "c=3",
		 "1234567890abcdef"},
		{EVENT("a", "1"),
		 {"ce-traceparent", PARENT_B, "traceparent", PARENT_A, NULL},
		 TRACE_A,
		 "b7ad6b7169203331",
		 "",
		 "1234567890abcdef"},
		/* A bad header, or several: the extension. */
		{WITH_METADATA("\"traceparent\":\"" PARENT_B "\""),
		 {"traceparent", "00-1", "tracestate", "c=3", NULL},
		 TRACE_B,
		 "1234567890abcdef",
		 "",
		 NULL},
		{WITH_METADATA("\"traceparent\":\"" PARENT_B "\""),
		 {"traceparent", PARENT_A, "Traceparent", PARENT_A, NULL},
		 TRACE_B,
		 "1234567890abcdef",
		 "",
		 NULL},
		/* Bad extensions. */
		{WITH_METADATA("\"traceparent\":\"" PARENT_B "0\""),
		 {"traceparent", PARENT_A, NULL},
		 TRACE_A,
		 "b7ad6b7169203331",
		 "",
		 NULL},
		{WITH_METADATA("\"traceparent\":17"), {NULL}, NULL, "", "", NULL},
		{WITH_METADATA("\"traceparent\":null"), {NULL}, NULL, "", "", NULL},
		{WITH_METADATA("\"traceparent\":[\"" PARENT_B "\"]"), {NULL}, NULL, "", "", NULL},
		{WITH_METADATA("\"traceparent\":\"" PARENT_B "\",\"tracestate\":\"A\""),
		 {NULL},
		 TRACE_B,
		 "1234567890abcdef",
		 "",
		 NULL},
		{WITH_METADATA("\"tracestate\":\"a=1\""), {NULL}, NULL, "", "", NULL},
	};
	static struct spans spans;
	struct herald_service_options options = HERALD_SERVICE_OPTIONS(.spans = SPANS(&spans));
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		spans.count = 0;
		seen.has_trace = false;
		handle_with(service, cases[i].metadata, cases[i].headers);
		assert_true(seen.has_trace);
		if (cases[i].trace_id)
			assert_string_equal(seen.trace.trace_id, cases[i].trace_id);
		else
			assert_true(strcmp(seen.trace.trace_id, TRACE_A) != 0 &&
				    strcmp(seen.trace.trace_id, TRACE_B) != 0);
		assert_string_equal(seen.trace.parent_id, cases[i].parent_id);
		assert_string_equal(seen.trace.state, cases[i].state);
		assert_int_equal(spans.count, 2);
		for (size_t j = 0; j < 2; j++) {
			assert_int_equal(spans.all[j].links_count, cases[i].link ? 1 : 0);
			if (cases[i].link)
				assert_string_equal(spans.all[j].link.span_id, cases[i].link);
			assert_string_equal(spans.all[j].trace.span_id, seen.trace.span_id);
		}
	}
	herald_service_destroy(service);
}

/* A trace that was begun before the message was known stays; the extension is a link. */
static enum herald_verdict
look_early(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	   size_t bytes)
{
	(void)handler, (void)data, (void)bytes;
	herald_context_log(ctx, HERALD_LOG_INFO, "early", NULL, 0);
	note("%s", herald_context_trace(ctx)->trace_id);
	return HERALD_DONE;
}

static void
test_trace_before_the_message(void **state)
{
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "early", .receive = look_early};
	static struct spans spans;
	struct herald_handler early = {&ops, NULL}, *handlers[] = {&early};
	struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(.spans = SPANS(&spans), HERALD_HANDLERS(handlers));
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);

	(void)state;
	spans.count = 0;
	handle_with(service, WITH_METADATA("\"traceparent\":\"" PARENT_B "\""), NULL);
	assert_string_equal(trace, seen.trace.trace_id);
	assert_string_equal(seen.trace.parent_id, "");
	assert_int_equal(spans.all[1].links_count, 1);
	assert_string_equal(spans.all[1].link.trace_id, TRACE_B);
	herald_service_destroy(service);
}

#define COMMON "messaging.system=herald messaging.operation.name="

static void
check_span(const struct spans *spans, size_t index, bool is_start, const char *text)
{
	const struct kept_span *span = &spans->all[index];

	assert_true(index < spans->count);
	assert_int_equal(span->is_start, is_start);
	assert_string_equal(span->text, text);
	/* After 2020, and not longer than the test. */
	assert_true(span->begin_ns > INT64_C(1577836800000000000));
	assert_true(is_start ? span->end_ns == 0
			     : span->end_ns >= span->begin_ns &&
				       span->end_ns - span->begin_ns < INT64_C(600000000000));
}

static void
test_spans(void **state)
{
	static struct spans spans;
	struct herald_service_options options = HERALD_SERVICE_OPTIONS(.spans = SPANS(&spans));
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);

	(void)state;
	spans.count = 0;
	handle_with(service, WITH_METADATA("\"id\":\"7\",\"source\":\"shop\",\"version\":\"1.0\""),
		    NULL);
	check_span(&spans, 0, true,
		   "process a 5 " COMMON "process messaging.operation.type=process "
		   "messaging.message.body.size=119 cloudevents.event_id=7 "
		   "cloudevents.event_source=shop cloudevents.event_type=a "
		   "herald.event_version=1.0");
	check_span(&spans, 1, false,
		   "process a 5 " COMMON "process messaging.operation.type=process "
		   "messaging.message.body.size=119 cloudevents.event_id=7 "
		   "cloudevents.event_source=shop cloudevents.event_type=a "
		   "herald.event_version=1.0 herald.verdict=done");
	assert_int_equal(spans.count, 2);

	seen.verdict = HERALD_FAIL;
	spans.count = 0;
	handle_with(service, EVENT("a", "1"), NULL);
	check_span(&spans, 1, false,
		   "process a 5 " COMMON "process messaging.operation.type=process "
		   "messaging.message.body.size=65 cloudevents.event_type=a herald.verdict=fail "
		   "error.type=fail ERROR(the event failed)");

	/* Refused: no start, and the sender's type is not in the name. */
	spans.count = 0;
	handle_with(service, EVENT("b", "1"), NULL);
	handle_with(service, "[", NULL);
	check_span(&spans, 0, false,
		   "process 5 " COMMON "process messaging.operation.type=process "
		   "messaging.message.body.size=65 cloudevents.event_type=b herald.verdict=fail "
		   "error.type=HERALD_UNKNOWN_TYPE ERROR(no route for event type \"b\")");
	check_span(&spans, 1, false,
		   "process 5 " COMMON "process messaging.operation.type=process "
		   "messaging.message.body.size=1 herald.verdict=fail "
		   "error.type=HERALD_BAD_JSON ERROR(/0: expected a value, found the end of "
		   "the input)");
	assert_int_equal(spans.count, 2);
	herald_service_destroy(service);
}

/* A hook of which only `end` is set. */
static void
test_spans_without_start(void **state)
{
	static struct spans spans;
	struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(.spans = {.end = span_ends, .state = &spans});
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);

	(void)state;
	spans.count = 0;
	handle_with(service, EVENT("a", "1"), NULL);
	assert_int_equal(spans.count, 1);
	assert_false(spans.all[0].is_start);
	herald_service_destroy(service);
}

/* How many of new traces are sampled. A sender's decision stays. */
static void
test_sampling(void **state)
{
	static const char *const sampled[] = {"traceparent", PARENT_A, NULL};
	static const char *const not_sampled[] = {"traceparent", PARENT_B, NULL};
	static const struct {
		unsigned one_in, least, most;
	} cases[] = {{0, 2000, 2000}, {1, 2000, 2000}, {4, 400, 600}, {4000000000U, 0, 1}};
	static struct spans spans;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_service_options options =
			HERALD_SERVICE_OPTIONS(.spans = {.end = span_ends, .state = &spans},
					       .sample_one_in = cases[i].one_in);
		struct seen seen = {0};
		struct herald_service *service = create_traced(&seen, &options);
		unsigned count = 0;

		for (int n = 0; n < 2000; n++) {
			spans.count = 0;
			handle_with(service, EVENT("a", "1"), NULL);
			assert_true(seen.trace.flags & HERALD_TRACE_RANDOM);
			count += (seen.trace.flags & HERALD_TRACE_SAMPLED) != 0;
		}
		assert_in_range(count, cases[i].least, cases[i].most);
		handle_with(service, EVENT("a", "1"), sampled);
		assert_int_equal(seen.trace.flags, HERALD_TRACE_SAMPLED);
		handle_with(service, EVENT("a", "1"), not_sampled);
		assert_int_equal(seen.trace.flags, 0);
		herald_service_destroy(service);
	}
}

/* A store. */

static void
test_runs_of_a_stored_event(void **state)
{
	static const char *const headers[] = {"Traceparent", PARENT_A, "X-Team", "red",
					      "tracestate",  "a=1",    NULL};
	static struct spans spans;
	struct fake_inbox inbox;
	struct seen seen = {0};

	(void)state;
	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(.store = fake_inbox_store(&inbox), .spans = SPANS(&spans),
				       .attributes = (const char *const[]){"X-Team", NULL});
	struct herald_service *service = create_traced(&seen, &options);

	spans.count = 0;
	handle_with(service, WITH_METADATA("\"id\":\"7\",\"traceparent\":\"" PARENT_B "\""),
		    headers);
	handle_with(service, EVENT("a", "1"), NULL);
	assert_int_equal(seen.runs, 0);
	assert_int_equal(inbox.stored_count, 2);
	assert_int_equal(spans.count, 4);
	check_span(&spans, 0, true,
		   "accept a 2 " COMMON "accept messaging.operation.type=receive "
		   "messaging.destination.name=default messaging.message.body.size=159 "
		   "cloudevents.event_id=7 cloudevents.event_type=a");
	check_span(&spans, 1, false,
		   "accept a 2 " COMMON "accept messaging.operation.type=receive "
		   "messaging.destination.name=default messaging.message.body.size=159 "
		   "cloudevents.event_id=7 cloudevents.event_type=a herald.verdict=done");
	assert_string_equal(spans.all[1].trace.parent_id, "b7ad6b7169203331");
	const struct herald_trace accepted[] = {spans.all[1].trace, spans.all[3].trace};

	char attributes[256];
	size_t bytes = (size_t)sprintf(attributes,
				       "X-Team%cred%ctraceparent%c00-%s-%s-01%c"
				       "tracestate%ca=1%c",
				       0, 0, 0, TRACE_A, accepted[0].span_id, 0, 0, 0);
	assert_int_equal(inbox.stored[0].attributes_bytes, bytes);
	assert_memory_equal(inbox.stored[0].attributes, attributes, bytes);

	seen.verdict = HERALD_RETRY;
	for (size_t i = 0; i < 2; i++)
		for (unsigned attempt = 1; attempt <= 2; attempt++) {
			spans.count = 0;
			fake_inbox_run(&inbox, i, attempt, false);
			assert_string_equal(seen.trace.trace_id, accepted[i].trace_id);
			assert_string_equal(seen.trace.parent_id, accepted[i].span_id);
			assert_int_equal(seen.trace.flags, accepted[i].flags);
			assert_string_equal(seen.trace.state, i == 0 ? "a=1" : "");
			assert_int_equal(spans.count, 2);
			assert_string_equal(spans.all[1].trace.span_id, seen.trace.span_id);
			assert_int_equal(spans.all[1].links_count, i == 0 ? 1 : 0);
		}
	check_span(&spans, 1, false,
		   "process a 5 " COMMON "process messaging.operation.type=process "
		   "messaging.destination.name=default messaging.message.body.size=65 "
		   "cloudevents.event_type=a herald.attempt=2 herald.verdict=retry "
		   "error.type=retry ERROR(try again later)");
	assert_int_equal(seen.runs, 4);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Log fields. */

static void
test_log_fields(void **state)
{
	static const char *const names[] = {"tenant", "X-Request-Id", "count", "list", NULL};
	static const char *const headers[] = {
		"traceparent", PARENT_A, "x-request-id", "r1", "tenant", "other", NULL};
	struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(.tracing = true, .log_fields = names,
				       .log = {keep_log, NULL, HERALD_LOG_DEBUG});
	struct seen seen = {0};
	struct herald_service *service = create_traced(&seen, &options);
	char wanted[1024];

	(void)state;
	handle_with(service,
		    WITH_METADATA("\"id\":\"7\",\"version\":\"1\",\"tenant\":\"acme\","
				  "\"count\":2.50,\"list\":[1]"),
		    headers);
	sprintf(wanted,
		"info: looking event_type=a version=1 event_id=7 trace_id=%s span_id=%s "
		"tenant=acme x_request_id=r1 count=2.50\n"
		"debug: event done event_type=a version=1 event_id=7 trace_id=%s span_id=%s "
		"tenant=acme x_request_id=r1 count=2.50 verdict=done took=some\n",
		TRACE_A, seen.trace.span_id, TRACE_A, seen.trace.span_id);
	assert_string_equal(logged, wanted);

	/* Before the message is known, there are the headers. */
	logged[0] = '\0';
	handle_with(service, "[", headers);
	assert_non_null(strstr(logged, "warning: event rejected trace_id=" TRACE_A " span_id="));
	assert_non_null(strstr(logged, " tenant=other x_request_id=r1 verdict=fail "));
	herald_service_destroy(service);
}

static void
test_bad_options(void **state)
{
	static const char *const many[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
					   "j", "k", "l", "m", "n", "o", "p", "q", NULL};
	const struct {
		struct herald_service_options options;
		const char *path, *message;
	} cases[] = {
		{HERALD_SERVICE_OPTIONS(.log_fields = (const char *const[]){"a", "", NULL}),
		 "log_fields[1]", "the name is empty"},
		{HERALD_SERVICE_OPTIONS(.log_fields = (const char *const[]){"Trace-Id", NULL}),
		 "log_fields[0]", "Herald has a field of this name"},
		{HERALD_SERVICE_OPTIONS(.log_fields = (const char *const[]){"event_type", NULL}),
		 "log_fields[0]", "Herald has a field of this name"},
		{HERALD_SERVICE_OPTIONS(.log_fields = (const char *const[]){"a-b", "A_B", NULL}),
		 "log_fields[1]", "two names become the same field"},
		{HERALD_SERVICE_OPTIONS(.log_fields = many), "log_fields[16]",
		 "there are more than 16"},
		{HERALD_SERVICE_OPTIONS(.spans = {.start = span_starts}), "spans",
		 "`end` is NULL, but `start` is set"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_service *service = NULL;
		struct herald_error error;

		assert_int_equal(herald_service_create(&cases[i].options, &service, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		if (!strstr(error.message, cases[i].message))
			fail_msg("%s: %s", error.path, error.message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_line_of_the_file, events_setup),
		cmocka_unit_test_setup(test_every_line_over_http, events_setup),
		cmocka_unit_test_setup(test_a_source_without_visits, events_setup),
		cmocka_unit_test_setup(test_without_tracing, events_setup),
		cmocka_unit_test_setup(test_extension, events_setup),
		cmocka_unit_test_setup(test_trace_before_the_message, events_setup),
		cmocka_unit_test_setup(test_spans, events_setup),
		cmocka_unit_test_setup(test_spans_without_start, events_setup),
		cmocka_unit_test_setup(test_sampling, events_setup),
		cmocka_unit_test_setup(test_runs_of_a_stored_event, events_setup),
		cmocka_unit_test_setup(test_log_fields, events_setup),
		cmocka_unit_test_setup(test_bad_options, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
