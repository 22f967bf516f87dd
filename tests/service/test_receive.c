/*
 * What a handler sees before an event is decoded: the raw bytes in `receive`, and the attributes,
 * passed to the service or taken from the headers of an HTTP request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include <herald/adapter/format.h>
#include <herald/adapter/request.h>
#include <herald/endpoint.h>
#include <herald/service.h>

#include "support/events.h"
#include "support/failing_allocator.h"

/* A handler that notes what it is called with: 'D', 'R', 'F' for what `receive` answers, 'x' for no
 * verdict, 'w' for HERALD_DONE with words; '-' for none. */
struct guard {
	struct herald_handler base;
	struct herald_handler_ops ops;
	size_t number;
	char receive;
};

static enum herald_verdict
guard_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	      size_t bytes)
{
	const struct guard *guard = (struct guard *)handler;

	note("r%zu:%.*s", guard->number, (int)bytes, data);
	assert_null(herald_context_message(ctx));
	assert_null(herald_context_payload(ctx));
	assert_null(herald_context_route(ctx));
	assert_string_equal(herald_context_reason(ctx), "");
	assert_non_null(herald_context_slot(ctx, handler));
	switch (guard->receive) {
	case 'R':
		return herald_retry_after(ctx, 70, "later %zu", guard->number);
	case 'F':
		return herald_fail_status(ctx, 401, "no key %zu", guard->number);
	case 'f':
		return HERALD_FAIL;
	case 'x':
		return (enum herald_verdict)9;
	case 'w':
		herald_fail_status(ctx, 401, "changed my mind");
		return HERALD_DONE;
	case 'u':
		return herald_unauthorized(ctx, "wrong key %zu", guard->number);
	case 'v':
		herald_unauthorized(ctx, "changed my mind");
		return HERALD_DONE;
	case 'g':
		herald_unauthorized(ctx, "changed my mind");
		return herald_fail_status(ctx, 403, "not here");
	default:
		return HERALD_DONE;
	}
}

static enum herald_verdict
guard_before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)ctx;
	note("b%zu", ((struct guard *)handler)->number);
	return HERALD_DONE;
}

static enum herald_verdict
guard_after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)ctx;
	(void)result;
	note("a%zu", ((struct guard *)handler)->number);
	return HERALD_DONE;
}

static enum herald_status
decode_text(const struct herald_format *format, struct herald_context *ctx, char *data,
	    size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	note("d:%.*s", (int)bytes, data);
	if (strncmp(data, "{}", 2) == 0)
		return herald_error_set(error, HERALD_BAD_FORMAT, 0, "no text");
	out->message->event_type = herald_context_attribute(ctx, "type");
	return HERALD_OK;
}

static const char *const text_attributes[] = {"type", NULL};
static const struct herald_format_ops text_ops = {
	.struct_size = sizeof(struct herald_format_ops),
	.name = "text",
	.decode = decode_text,
};
static const struct herald_format text = {.ops = &text_ops, .attributes = text_attributes};

static void
init_guard(struct guard *guard, size_t number, char receive)
{
	*guard = (struct guard){
		.ops = {.struct_size = sizeof(guard->ops),
			.name = number == 0 ? "guard0" : "guard1",
			.before = guard_before,
			.after = guard_after,
			.receive = receive == '-' ? NULL : guard_receive},
		.number = number,
		.receive = receive,
	};
	guard->base.ops = &guard->ops;
}

static enum herald_verdict
function(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	note("f");
	return HERALD_DONE;
}

static const struct herald_route routes[] = {
	{.event_type = "a", .schema = &herald_json_schema, .function = function}};

#define BYTES EVENT("a", "1")

static void
test_order_and_refusals(void **state)
{
	static const struct {
		const char *receive, *event, *trace;
		enum herald_verdict verdict;
		const char *reason;
		unsigned http_status;
		uint32_t retry_after_ms;
	} rows[] = {
		{"DD", BYTES, "r0:" BYTES " r1:" BYTES " b0 b1 f a1 a0", HERALD_DONE, "", 0, 0},
		{"-D", BYTES, "r1:" BYTES " b0 b1 f a1 a0", HERALD_DONE, "", 0, 0},
		{"--", BYTES, "b0 b1 f a1 a0", HERALD_DONE, "", 0, 0},
		{"wD", BYTES, "r0:" BYTES " r1:" BYTES " b0 b1 f a1 a0", HERALD_DONE, "", 0, 0},
		/* A refusal is the end, with no `after`. */
		{"FD", BYTES, "r0:" BYTES, HERALD_FAIL, "no key 0", 401, 0},
		{"DF", BYTES, "r0:" BYTES " r1:" BYTES, HERALD_FAIL, "no key 1", 401, 0},
		{"RD", BYTES, "r0:" BYTES, HERALD_RETRY, "later 0", 0, 70},
		{"fD", BYTES, "r0:" BYTES, HERALD_FAIL, "the event failed", 0, 0},
		{"xD", BYTES, "r0:" BYTES, HERALD_FAIL, "the event failed", 0, 0},
		{"wf", BYTES, "r0:" BYTES " r1:" BYTES, HERALD_FAIL, "the event failed", 0, 0},
		/* What is refused need not be an event. */
		{"FD", "{", "r0:{", HERALD_FAIL, "no key 0", 401, 0},
		{"FD", "", "r0:", HERALD_FAIL, "no key 0", 401, 0},
		{"FD", EVENT("nobody", "1"), "r0:" EVENT("nobody", "1"), HERALD_FAIL, "no key 0",
		 401, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guard guards[2];
		struct herald_handler *handlers[] = {&guards[0].base, &guards[1].base};

		init_guard(&guards[0], 0, rows[i].receive[0]);
		init_guard(&guards[1], 1, rows[i].receive[1]);
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)));
		for (int round = 0; round < 2; round++) {
			trace[0] = '\0';
			struct herald_result result = handle(service, rows[i].event);
			if (strcmp(trace, rows[i].trace) != 0)
				fail_msg("row %zu: expected %s, got %s", i, rows[i].trace, trace);
			check_verdict(&result, rows[i].verdict, rows[i].reason);
			assert_int_equal(result.http_status, rows[i].http_status);
			assert_int_equal(result.retry_after_ms, rows[i].retry_after_ms);
		}
		herald_service_destroy(service);
	}
}

/* After `receive`, bytes that are not an event are rejected as usual. */
static void
test_received_and_rejected(void **state)
{
	struct guard guards[1];
	struct herald_handler *handlers[] = {&guards[0].base};

	(void)state;
	init_guard(&guards[0], 0, 'D');
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .max_event_bytes = 200));
	struct herald_result result = handle(service, "{]");
	check_rejected(&result, HERALD_BAD_JSON, "", 1);
	result = handle(service, EVENT("b", "1"));
	check_rejected(&result, HERALD_UNKNOWN_TYPE, "/event_type", HERALD_NO_OFFSET);
	assert_string_equal(trace, "r0:{] r0:" EVENT("b", "1"));

	/* `receive` is not called for an event that is too large. */
	char large[202];
	trace[0] = '\0';
	memset(large, ' ', 201);
	large[201] = '\0';
	result = handle(service, large);
	check_rejected(&result, HERALD_TOO_LARGE, "", HERALD_NO_OFFSET);
	assert_string_equal(trace, "");
	herald_service_destroy(service);
}

static void
test_records_and_counts(void **state)
{
	struct guard guards[1];
	struct herald_handler *handlers[] = {&guards[0].base};
	struct herald_statistics statistics;

	(void)state;
	init_guard(&guards[0], 0, 'F');
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .log = debug_log));
	handle(service, BYTES);
	assert_string_equal(logged, "warning: event failed verdict=fail http_status=401 "
				    "reason=no key 0 "
				    "handler=guard0 took=some\n");
	guards[0].receive = 'x';
	logged[0] = '\0';
	handle(service, BYTES);
	assert_string_equal(logged,
			    "error: a function returned a value that is not a verdict value=9 "
			    "handler=guard0\n"
			    "error: event failed verdict=fail reason=the event failed "
			    "handler=guard0 took=some\n");
	herald_service_statistics(service, &statistics);
	assert_int_equal(statistics.events, 2);
	assert_int_equal(statistics.fail, 2);
	assert_int_equal(statistics.rejected, 0);
	herald_service_destroy(service);
}

/* The reason of herald_unauthorized() is in the log, as a warning, and not in the response. */
static void
test_unauthorized(void **state)
{
	static const struct {
		char receive;
		enum herald_status status;
		unsigned http_status;
		const char *body, *logged;
	} rows[] = {
		{'u', HERALD_UNAUTHORIZED, 401, "{\"error\":\"Unauthorized\"}",
		 "warning: event rejected verdict=fail status=HERALD_UNAUTHORIZED http_status=401 "
		 "reason=wrong key 0 handler=guard0 took=some\n"},
		{'v', HERALD_OK, 200, "{\"status\":\"success\"}",
		 "debug: event done event_type=a verdict=done took=some\n"},
		{'g', HERALD_OK, 403, "{\"error\":\"not here\"}",
		 "warning: event failed verdict=fail http_status=403 reason=not here "
		 "handler=guard0 took=some\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guard guards[1];
		struct herald_handler *handlers[] = {&guards[0].base};
		struct herald_endpoint *endpoint = NULL;
		struct herald_statistics statistics;
		const struct herald_http_head head = {.method = "POST",
						      .content_type = "application/json",
						      .content_length = HERALD_HTTP_NO_LENGTH};

		init_guard(&guards[0], 0, rows[i].receive);
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .log = debug_log));
		struct herald_result result = handle(service, BYTES);
		assert_int_equal(result.status, rows[i].status);
		assert_int_equal(result.error.status, rows[i].status);
		assert_int_equal(result.http_status,
				 rows[i].http_status == 200 ? 0 : rows[i].http_status);
		assert_string_equal(logged, rows[i].logged);

		assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
		struct herald_http_request *request = herald_http_request_create(endpoint, &head);
		herald_http_request_append(request, BYTES, strlen(BYTES));
		const struct herald_http_response *response = herald_http_request_finish(request);
		assert_int_equal(response->status, rows[i].http_status);
		assert_int_equal(response->body_bytes, strlen(rows[i].body));
		assert_memory_equal(response->body, rows[i].body, response->body_bytes);
		assert_true(!response->challenge == (rows[i].http_status != 401));
		herald_http_request_destroy(request);
		herald_service_statistics(service, &statistics);
		assert_int_equal(statistics.events, 2);
		assert_int_equal(statistics.rejected, rows[i].receive == 'u' ? 2 : 0);
		assert_int_equal(statistics.rejected_unauthorized, statistics.rejected);
		herald_endpoint_destroy(endpoint);
		herald_service_destroy(service);
		logged[0] = '\0';
	}
}

static void
test_described(void **state)
{
	struct guard guards[2];
	struct herald_handler *handlers[] = {&guards[0].base, &guards[1].base};
	struct herald_buffer out;

	(void)state;
	init_guard(&guards[0], 0, 'D');
	init_guard(&guards[1], 1, 'D');
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), ONE_FORMAT(&text)));
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_TEXT, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "routes[0] a\n"
					 "\treceive   guard0\n"
					 "\treceive   guard1\n"
					 "\tdecode    format text\n"
					 "\tpayload   struct herald_json\n"
					 "\tbefore    guard0\n"));
	out.bytes = 0;
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_JSON, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "\"steps\":[{\"step\":\"receive\",\"handler\":\"guard0\"},"
					 "{\"step\":\"receive\",\"handler\":\"guard1\"},"
					 "{\"step\":\"decode\",\"format\":\"text\"},"));
	herald_buffer_finish(&out);
	herald_service_destroy(service);
}

/* A route's handler comes too late for `receive`. */
static void
test_refused_on_a_route(void **state)
{
	struct guard guards[1];
	struct herald_handler *own[] = {&guards[0].base};
	const struct herald_route bad[] = {{.event_type = "a",
					    .schema = &herald_json_schema,
					    .function = function,
					    HERALD_HANDLERS(own)}};
	struct herald_service *service = NULL;
	struct herald_error error = {0};

	(void)state;
	init_guard(&guards[0], 0, 'D');
	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(bad)),
					       &service, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "routes[0].handlers[0]");
	assert_non_null(strstr(error.message, "receive"));
	assert_null(service);
}

/* Attributes, as the service is given them. */

/* Looks for "name" in {"name", "value", ..., NULL}, with their case. */
static const char *
find_pair(const char *name, void *state)
{
	for (const char *const *pair = state; *pair; pair += 2)
		if (strcmp(pair[0], name) == 0)
			return pair[1];
	return NULL;
}

/* Notes the attributes key, empty and none at each step. */
static void
note_attributes(const struct herald_context *ctx, const char *step)
{
	const char *key = herald_context_attribute(ctx, "X-Key");
	const char *empty = herald_context_attribute(ctx, "x-empty");
	const char *none = herald_context_attribute(ctx, "x-none");

	note("%s:%s,%s,%s", step, key ? key : "NULL", empty ? empty : "NULL", none ? none : "NULL");
}

static enum herald_verdict
reader_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	       size_t bytes)
{
	(void)handler;
	(void)data;
	(void)bytes;
	note_attributes(ctx, "r");
	return HERALD_DONE;
}

static enum herald_verdict
reader_before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	note_attributes(ctx, "b");
	return HERALD_DONE;
}

static enum herald_verdict
reader_after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)handler;
	(void)result;
	note_attributes(ctx, "a");
	return HERALD_DONE;
}

static const char *const read_names[] = {"x-key", "X-Empty", NULL};
static const char *const more_names[] = {"X-KEY", "x-none", NULL};
static const char *const no_names[] = {NULL};

static const struct herald_handler_ops reader_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "reader",
	.before = reader_before,
	.after = reader_after,
	.attributes = read_names,
	.receive = reader_receive,
};
static const struct herald_handler_ops more_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "more",
	.attributes = more_names,
};
static const struct herald_handler_ops none_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "none",
	.attributes = no_names,
};

static enum herald_verdict
read_in_function(struct herald_context *ctx, const void *payload, void *state)
{
	(void)payload;
	(void)state;
	note_attributes(ctx, "f");
	return HERALD_DONE;
}

static struct herald_service *
create_reading(struct herald_allocator allocator)
{
	static struct herald_handler reader = {.ops = &reader_ops}, more = {.ops = &more_ops},
				     none = {.ops = &none_ops};
	struct herald_handler *handlers[] = {&none, &reader}, *own[] = {&more};
	const struct herald_route reading[] = {{.event_type = "a",
						.schema = &herald_json_schema,
						.function = read_in_function,
						HERALD_HANDLERS(own)}};

	return create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(reading), HERALD_HANDLERS(handlers), .allocator = allocator));
}

static void
test_attributes_of_an_arrival(void **state)
{
	static const char *const pairs[] = {"X-Key", "secret", "x-empty", "", NULL};
	struct herald_arrival some =
		HERALD_ARRIVAL(.attribute = find_pair, .state = (void *)(uintptr_t)pairs);
	struct herald_arrival older = some;
	const struct herald_arrival nothing = HERALD_ARRIVAL(.waited_ms = 1);
	const struct {
		const struct herald_arrival *arrival;
		const char *trace;
	} rows[] = {
		{&some, "r:secret,,NULL b:secret,,NULL f:secret,,NULL a:secret,,NULL"},
		{NULL, "r:NULL,NULL,NULL b:NULL,NULL,NULL f:NULL,NULL,NULL a:NULL,NULL,NULL"},
		{&nothing, "r:NULL,NULL,NULL b:NULL,NULL,NULL f:NULL,NULL,NULL a:NULL,NULL,NULL"},
		{&some, "r:secret,,NULL b:secret,,NULL f:secret,,NULL a:secret,,NULL"},
		{&older, "r:NULL,NULL,NULL b:NULL,NULL,NULL f:NULL,NULL,NULL a:NULL,NULL,NULL"},
	};
	struct herald_service *service = create_reading((struct herald_allocator){0});

	(void)state;
	older.struct_size = sizeof(size_t);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char data[] = BYTES;
		struct herald_result result;

		trace[0] = '\0';
		herald_service_handle_with(service, data, strlen(data), rows[i].arrival, &result);
		check_verdict(&result, HERALD_DONE, "");
		assert_string_equal(trace, rows[i].trace);
	}
	herald_service_destroy(service);
}

/* A format makes an event of bytes and attributes, as binary CloudEvents want. */
static void
test_attributes_in_a_format(void **state)
{
	static const char *const pairs[] = {"type", "a", NULL};
	struct guard guards[1];
	struct herald_handler *handlers[] = {&guards[0].base};
	const struct herald_arrival arrival =
		HERALD_ARRIVAL(.attribute = find_pair, .state = (void *)(uintptr_t)pairs);
	struct herald_result result;
	char data[] = "hello", bad[] = "{}";

	(void)state;
	init_guard(&guards[0], 0, 'D');
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), ONE_FORMAT(&text)));
	herald_service_handle_with(service, data, 5, &arrival, &result);
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "r0:hello d:hello b0 f a0");
	trace[0] = '\0';
	herald_service_handle_with(service, bad, 2, &arrival, &result);
	check_rejected(&result, HERALD_BAD_FORMAT, "", 0);
	assert_string_equal(trace, "r0:{} d:{}");
	herald_service_destroy(service);
}

/* Attributes, as the HTTP endpoint takes them from a request's headers. */

struct headers {
	const char *const *pairs;
	size_t asked;
};

static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	struct headers *headers = state;

	headers->asked++;
	for (const char *const *pair = headers->pairs; *pair; pair += 2)
		if (!visit(pair[0], pair[1], visit_state))
			return;
}

/* Send one event; the headers are changed before the event is handled. Returns the status. */
static unsigned
post(struct herald_endpoint *endpoint, struct headers *headers)
{
	char values[3][64] = {"", "", ""};
	const char *pairs[7] = {NULL};
	struct headers borrowed = {pairs, 0};
	size_t count = 0;
	struct herald_http_head head = {.method = "POST",
					.content_type = "application/json",
					.content_length = HERALD_HTTP_NO_LENGTH};

	for (; headers && headers->pairs[2 * count]; count++) {
		pairs[2 * count] = headers->pairs[2 * count];
		snprintf(values[count], sizeof(values[count]), "%s", headers->pairs[2 * count + 1]);
		pairs[2 * count + 1] = values[count];
	}
	if (headers) {
		head.headers_visit = visit_headers;
		head.state = &borrowed;
	}
	struct herald_http_request *request = herald_http_request_create(endpoint, &head);
	assert_non_null(request);
	memset(values, '!', sizeof(values));
	memset(pairs, 0, sizeof(pairs));
	herald_http_request_append(request, BYTES, strlen(BYTES));
	unsigned status = herald_http_request_finish(request)->status;
	herald_http_request_destroy(request);
	if (headers)
		headers->asked = borrowed.asked;
	return status;
}

static void
test_attributes_of_a_request(void **state)
{
	static const char *const three[] = {"X-KEY", "secret", "x-empty", "", "x-none", "no", NULL};
	static const char *const one[] = {"x-key", "other", NULL};
	static const char *const blanks[] = {"x-key", " \t in\tside \t", "x-empty", " \t", NULL};
	static const char *const unread[] = {"Cookie", "much", NULL};
	static const struct {
		const char *const *pairs;
		const char *trace;
	} rows[] = {
		{three, "r:secret,,no b:secret,,no f:secret,,no a:secret,,no"},
		{one, "r:other,NULL,NULL b:other,NULL,NULL f:other,NULL,NULL a:other,NULL,NULL"},
		{blanks, "r:in\tside,,NULL b:in\tside,,NULL f:in\tside,,NULL a:in\tside,,NULL"},
		{NULL, "r:NULL,NULL,NULL b:NULL,NULL,NULL f:NULL,NULL,NULL a:NULL,NULL,NULL"},
		{unread, "r:NULL,NULL,NULL b:NULL,NULL,NULL f:NULL,NULL,NULL a:NULL,NULL,NULL"},
		{three, "r:secret,,no b:secret,,no f:secret,,no a:secret,,no"},
	};
	struct herald_service *service = create_reading((struct herald_allocator){0});
	struct herald_endpoint *endpoint = NULL;

	(void)state;
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct headers headers = {rows[i].pairs, 0};

		trace[0] = '\0';
		assert_int_equal(post(endpoint, rows[i].pairs ? &headers : NULL), 200);
		assert_string_equal(trace, rows[i].trace);
		assert_int_equal(headers.asked, rows[i].pairs ? 1 : 0);
	}
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
}

/* Nobody reads attributes: nothing is asked. Nor for a request that is refused anyway. */
static void
test_headers_that_nobody_reads(void **state)
{
	static const char *const one[] = {"x-key", "other", NULL};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));
	struct herald_endpoint *endpoint = NULL;
	struct headers headers = {one, 0};

	(void)state;
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	assert_int_equal(post(endpoint, &headers), 200);
	assert_int_equal(headers.asked, 0);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);

	service = create_reading((struct herald_allocator){0});
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	const struct herald_http_head refused[] = {
		{.method = "GET",
		 .content_type = "application/json",
		 .headers_visit = visit_headers,
		 .state = &headers},
		{.method = "POST",
		 .content_type = "text/plain",
		 .headers_visit = visit_headers,
		 .state = &headers},
		{.method = "POST",
		 .content_type = "application/json",
		 .content_length = UINT64_MAX - 1,
		 .headers_visit = visit_headers,
		 .state = &headers},
	};
	for (size_t i = 0; i < COUNT(refused); i++)
		herald_http_request_destroy(herald_http_request_create(endpoint, &refused[i]));
	assert_int_equal(headers.asked, 0);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
}

/* A header that only the format reads. */
static void
test_a_header_of_the_format(void **state)
{
	static const char *const pairs[] = {"Type", "a", "x-key", "unread", NULL};
	struct headers headers = {pairs, 0};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), ONE_FORMAT(&text)));
	struct herald_endpoint *endpoint = NULL;

	(void)state;
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	assert_int_equal(post(endpoint, &headers), 200);
	assert_string_equal(trace, "d:" BYTES " f");
	assert_int_equal(headers.asked, 1);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
}

static void
test_too_many_headers(void **state)
{
	static char large[70000];
	const char *const pairs[] = {"x-key", large, NULL};
	struct headers headers = {pairs, 0};
	struct herald_service *service = create_reading((struct herald_allocator){0});
	struct herald_endpoint *endpoint = NULL;
	const struct herald_http_head head = {.method = "POST",
					      .content_type = "application/json",
					      .content_length = 10,
					      .headers_visit = visit_headers,
					      .state = &headers};
	static const struct {
		size_t max_bytes, bytes;
		unsigned status; /* 0: taken */
		const char *error;
	} rows[] = {
		{0, 60000, 0, NULL},
		{0, 65536, 431, "{\"error\":\"the headers are larger than 65536 bytes\"}"},
		{0, 69999, 431, "{\"error\":\"the headers are larger than 65536 bytes\"}"},
		{0, 100, 0, NULL},
		{1, 1, 431, "{\"error\":\"the headers are larger than 1 bytes\"}"},
		{1000, 900, 0, NULL},
		{1000, 1000, 431, "{\"error\":\"the headers are larger than 1000 bytes\"}"},
		{80000, 69999, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			herald_endpoint_create(
				service,
				&HERALD_ENDPOINT_OPTIONS(.max_headers_bytes = rows[i].max_bytes),
				&endpoint, NULL),
			HERALD_OK);
		memset(large, 'k', sizeof(large));
		large[rows[i].bytes] = '\0';
		struct herald_http_request *request = herald_http_request_create(endpoint, &head);
		const struct herald_http_response *response = herald_http_request_response(request);

		assert_int_equal(response ? response->status : 0, rows[i].status);
		const char *error = rows[i].error ? rows[i].error : "";

		if (response)
			assert_memory_equal(response->body, error, strlen(error));
		herald_http_request_destroy(request);
		herald_endpoint_destroy(endpoint);
	}
	assert_string_equal(trace, "");
	herald_service_destroy(service);
}

static void
test_no_allocation_in_the_steady_state(void **state)
{
	static const char *const three[] = {"X-KEY", "secret", "x-empty", "", "x-none", "no", NULL};
	struct headers headers = {three, 0};
	struct failing_allocator memory;
	struct herald_endpoint *endpoint = NULL;
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_reading(memory.allocator);
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	/* Enough requests to reach the limit if a request kept the headers of the previous one. */
	for (int round = 0; round < 3000; round++) {
		trace[0] = '\0';
		assert_int_equal(post(endpoint, &headers), 200);
		if (round == 1)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	assert_all_released(&memory);
}

static void
test_every_allocation_of_a_request_fails(void **state)
{
	static const char *const three[] = {"X-KEY", "secret", "x-empty", "", "x-none", "no", NULL};
	struct headers headers = {three, 0};
	const struct herald_http_head head = {.method = "POST",
					      .content_type = "application/json",
					      .content_length = HERALD_HTTP_NO_LENGTH,
					      .headers_visit = visit_headers,
					      .state = &headers};
	bool failed = true;

	(void)state;
	for (size_t n = 1; failed; n++) {
		struct failing_allocator memory;
		struct herald_endpoint *endpoint = NULL;

		trace[0] = '\0';
		failing_allocator_init(&memory, FAIL_NEVER, 0);
		struct herald_service *service = create_reading(memory.allocator);
		assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + n;
		struct herald_http_request *request = herald_http_request_create(endpoint, &head);
		if (request) {
			herald_http_request_append(request, BYTES, strlen(BYTES));
			const struct herald_http_response *response =
				herald_http_request_finish(request);
			failed = memory.failures > 0;
			assert_int_equal(response->status, failed ? 503 : 200);
			assert_int_equal(response->retry_after_s, failed ? 1 : 0);
		}
		herald_http_request_destroy(request);
		/* The same endpoint, with memory again. */
		assert_int_equal(post(endpoint, &headers), 200);
		herald_endpoint_destroy(endpoint);
		herald_service_destroy(service);
		assert_all_released(&memory);
	}
}

static void
test_every_allocation_of_creation_fails(void **state)
{
	static struct herald_handler reader = {.ops = &reader_ops}, more = {.ops = &more_ops};
	struct herald_handler *handlers[] = {&reader, &more};

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_service *service = NULL;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = herald_service_create(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
						.allocator = memory.allocator),
			&service, NULL);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		herald_service_destroy(service);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order_and_refusals, events_setup),
		cmocka_unit_test_setup(test_received_and_rejected, events_setup),
		cmocka_unit_test_setup(test_records_and_counts, events_setup),
		cmocka_unit_test_setup(test_unauthorized, events_setup),
		cmocka_unit_test_setup(test_described, events_setup),
		cmocka_unit_test_setup(test_refused_on_a_route, events_setup),
		cmocka_unit_test_setup(test_attributes_of_an_arrival, events_setup),
		cmocka_unit_test_setup(test_attributes_in_a_format, events_setup),
		cmocka_unit_test_setup(test_attributes_of_a_request, events_setup),
		cmocka_unit_test_setup(test_headers_that_nobody_reads, events_setup),
		cmocka_unit_test_setup(test_a_header_of_the_format, events_setup),
		cmocka_unit_test_setup(test_too_many_headers, events_setup),
		cmocka_unit_test_setup(test_no_allocation_in_the_steady_state, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_a_request_fails, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_creation_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
