/*
 * herald/endpoint.h: the responses of the endpoint, bodies and their limits. Heads are in
 * test_endpoint_heads.c, options and memory in test_endpoint_options.c. The adapters' tests use
 * real sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <herald/adapter/format.h>
#include <herald/adapter/http.h>
#include <herald/adapter/request.h>
#include <herald/cloudevents.h>
#include <herald/endpoint.h>
#include <herald/webhook.h>

#include "http/endpoint_fixture.h"
#include "support/events.h"

static void
test_answers(void **state)
{
	static const struct {
		const char *body, *answer, *hidden;
	} rows[] = {
		{SEED_EVENT, "200 " SUCCESS, "200 " SUCCESS},
		{"\xEF\xBB\xBF" SEED_EVENT,
		 "400 {\"error\":\"expected a value, found a byte order mark\",\"path\":\"\","
		 "\"offset\":0}",
		 "400 {\"error\":\"Bad Request\"}"},
		{EVENT("nobody\\\"", "{}"),
		 "404 {\"error\":\"no route for event type \\\"nobody\\\\\\\"\\\"\"}",
		 "404 {\"error\":\"Not Found\"}"},
		{VERSIONED("old", "2", "{}"),
		 "404 {\"error\":\"no route for version \\\"2\\\" of event type \\\"old\\\"\"}",
		 "404 {\"error\":\"Not Found\"}"},
		{EVENT("do", "\"retry\""), "503 {\"error\":\"busy\"} Retry-After: 1",
		 "503 {\"error\":\"Service Unavailable\"} Retry-After: 1"},
		{EVENT("do", "\"retry 1\""), "503 {\"error\":\"busy\"} Retry-After: 1",
		 "503 {\"error\":\"Service Unavailable\"} Retry-After: 1"},
		{EVENT("do", "\"retry 1001\""), "503 {\"error\":\"busy\"} Retry-After: 2",
		 "503 {\"error\":\"Service Unavailable\"} Retry-After: 2"},
		{EVENT("do", "\"retry max\""), "503 {\"error\":\"busy\"} Retry-After: 4294968",
		 "503 {\"error\":\"Service Unavailable\"} Retry-After: 4294968"},
		{EVENT("do", "\"fail\""), "500 {\"error\":\"no \\\"stock\\\"\"}",
		 "500 {\"error\":\"Internal Server Error\"}"},
		{EVENT("do", "\"fail 409\""), "409 {\"error\":\"taken\"}",
		 "409 {\"error\":\"Conflict\"}"},
		{EVENT("do", "\"fail 599\""), "599 {\"error\":\"odd\"}",
		 "599 {\"error\":\"error\"}"},
		{EVENT("do", "\"fail 200\""), "500 {\"error\":\"odd\"}",
		 "500 {\"error\":\"Internal Server Error\"}"},
		{EVENT("do", "0"), "500 {\"error\":\"the event failed\"}",
		 "500 {\"error\":\"Internal Server Error\"}"},
	};
	struct fixture fixture = open_default();
	struct fixture hiding = open_endpoint((struct herald_allocator){0},
					      &HERALD_ENDPOINT_OPTIONS(.hide_errors = true));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_answer(&fixture, rows[i].body, rows[i].answer);
		check_answer(&hiding, rows[i].body, rows[i].hidden);
	}
	close_endpoint(&fixture);
	close_endpoint(&hiding);
}

/* The decoder finds the errors; the endpoint reports them with their place. */
static void
test_undecodable(void **state)
{
	static const struct {
		const char *body, *path;
		int offset;
	} rows[] = {
		{EVENT("user_created", "{\"user_id\":7}"), "/payload/user_id", 85},
		{EVENT("user_created", "{}"), "/payload/user_id", 74},
		{EVENT("user_created", "{\"user_id\":\"1\",\"user_id\":\"2\"}"), "/payload/user_id",
		 89},
		{"invalid json", "", 0},
		{"{\"event_type\":\"user_created\",\"timestamp\":\"invalid\"}", "/timestamp", 41},
		{"{\"event_type\":\"\xFF\"}", "/event_type", 15},
		{"{}", "/event_type", 0},
		{"", "", 0},
		/* It is a JSON Pointer, whatever is in the names. */
		{EVENT("user_created", "{\"a\\\"\\\\\\n\\u009b/~\":{\"\\u00e4\":nonsense}}"),
		 "/payload/a\"\\\n\xC2\x9B~1~0/\xC3\xA4", 103},
	};
	struct fixture fixture = open_default();
	struct fixture hiding = open_endpoint((struct herald_allocator){0},
					      &HERALD_ENDPOINT_OPTIONS(.hide_errors = true));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_http_request *request = post(&fixture, HERALD_HTTP_NO_LENGTH);

		herald_http_request_append(request, rows[i].body, strlen(rows[i].body));
		const struct herald_http_response *response = herald_http_request_finish(request);
		json_t *json = json_loadb(response->body, response->body_bytes, 0, NULL);
		assert_int_equal(response->status, 400);
		assert_int_equal(json_object_size(json), 3);
		assert_true(json_string_length(json_object_get(json, "error")) > 0);
		assert_string_equal(json_string_value(json_object_get(json, "path")), rows[i].path);
		assert_int_equal(json_integer_value(json_object_get(json, "offset")),
				 rows[i].offset);
		json_decref(json);
		herald_http_request_destroy(request);
		check_answer(&hiding, rows[i].body, "400 {\"error\":\"Bad Request\"}");
	}
	assert_string_equal(trace, "");
	close_endpoint(&fixture);
	close_endpoint(&hiding);
}

static enum herald_verdict
refuse_short(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	     size_t bytes)
{
	(void)handler;
	(void)data;
	return bytes < 10 ? herald_fail_status(ctx, 403, "too short") : HERALD_DONE;
}

/* Of adapters that do not know where the body ends. */
static void
test_whole_events(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		bool is_whole;
	} rows[] = {
		{EVENT("user_created", "{\"user_id\":\"1\"}"), 200, true},
		{EVENT("do", "\"retry\""), 503, true},
		{EVENT("do", "\"fail\""), 500, true},
		{EVENT("do", "\"fail 409\""), 409, true},
		{EVENT("user_created", "{\"user_id\":\"1\"}") "x", 400, false},
		{EVENT("unknown", "{}"), 404, true},
		{"invalid json", 400, false},
		{"", 403, false},
		{"short", 403, false},
	};
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "short", .receive = refuse_short};
	struct herald_handler handler = {.ops = &ops}, *handlers[] = {&handler};
	struct fixture fixture;

	(void)state;
	fixture.service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)));
	assert_int_equal(herald_endpoint_create(fixture.service, NULL, &fixture.endpoint, NULL),
			 HERALD_OK);
	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		size_t row = i % COUNT(rows);
		struct herald_http_request *request = post(&fixture, HERALD_HTTP_NO_LENGTH);

		assert_false(herald_http_request_is_whole(request));
		herald_http_request_append(request, rows[row].body, strlen(rows[row].body));
		assert_int_equal(herald_http_request_finish(request)->status, rows[row].status);
		assert_int_equal(herald_http_request_is_whole(request), rows[row].is_whole);
		herald_http_request_destroy(request);
	}
	struct herald_http_request *request = post(&fixture, SIZE_MAX - 1);
	assert_int_equal(herald_http_request_response(request)->status, 413);
	assert_false(herald_http_request_is_whole(request));
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
}

#define CLOUDEVENT(TYPE, REST)                                                                     \
	"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"" TYPE "\"" REST "}"

static enum herald_verdict
take_bytes(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}

/* A document may be read to its end although its payload is not JSON, or is refused. */
static void
test_whole_documents(void **state)
{
	static const struct herald_route taken[] = {
		{.event_type = "user", .schema = &user_schema, .function = on_user},
		{.event_type = "bytes", .schema = &herald_data_schema, .function = take_bytes},
	};
	static const struct {
		const char *type, *body;
		unsigned status;
		bool is_whole;
	} rows[] = {
		{"application/cloudevents+json", CLOUDEVENT("bytes", ",\"data_base64\":\"AAEC\""),
		 204, true},
		{"application/cloudevents+json",
		 CLOUDEVENT("bytes", ",\"datacontenttype\":\"text/plain\",\"data\":\"a\""), 204,
		 true},
		{"application/cloudevents+json", CLOUDEVENT("user", ",\"data_base64\":\"AAEC\""),
		 400, true},
		{"application/cloudevents+json",
		 CLOUDEVENT("user", ",\"datacontenttype\":\"text/plain\",\"data_base64\":\"AAEC\""),
		 400, true},
		{"application/cloudevents+json", CLOUDEVENT("unknown", ",\"data_base64\":\"AAEC\""),
		 400, true},
		{"application/cloudevents+json", CLOUDEVENT("user", ""), 400, true},
		{"application/cloudevents+json",
		 CLOUDEVENT("user", ",\"data\":{\"user_id\":\"1\"}"), 204, true},
		{"application/cloudevents+json", CLOUDEVENT("user", ",\"data\":{}"), 400, false},
		{"application/cloudevents+json", CLOUDEVENT("user", ",\"data\":{nonsense}"), 400,
		 false},
		{"application/cloudevents+json",
		 CLOUDEVENT("bytes", ",\"data_base64\":\"AAEC\"") "x", 400, false},
		{"application/cloudevents+json",
		 CLOUDEVENT("bytes", ",\"data_base64\":\"AAEC\",\"data\":{nonsense}"), 400, false},
		/* With pointers, all of a webhook's body is checked before its payload. */
		{"application/json", "{\"type\":\"user\",\"user_id\":\"1\"}", 204, true},
		{"application/json", "{\"type\":\"user\"}", 400, true},
		{"application/json", "{\"type\":\"user\",nonsense}", 400, false},
		{"application/x-www-form-urlencoded",
		 "a=1&payload={\"type\":\"user\",\"user_id\":\"1\"}&nonsense", 204, false},
	};
	const struct herald_format *webhook;
	struct fixture fixture;

	(void)state;
	assert_int_equal(herald_webhook_create(&HERALD_WEBHOOK_OPTIONS(.type = {.pointer = "/type"},
								       .form_field = "payload"),
					       &webhook, NULL),
			 HERALD_OK);
	const struct herald_format *const formats[] = {&herald_format_cloudevents, webhook};
	fixture.service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_FORMATS(formats), .routes = taken, .routes_count = COUNT(taken)));
	assert_int_equal(herald_endpoint_create(fixture.service, NULL, &fixture.endpoint, NULL),
			 HERALD_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_http_request *request = herald_http_request_create(
			fixture.endpoint,
			&(struct herald_http_head){.method = "POST",
						   .content_type = rows[i].type,
						   .content_length = HERALD_HTTP_NO_LENGTH});

		assert_non_null(request);
		herald_http_request_append(request, rows[i].body, strlen(rows[i].body));
		unsigned status = herald_http_request_finish(request)->status;
		bool is_whole = herald_http_request_is_whole(request);
		if (status != rows[i].status || is_whole != rows[i].is_whole)
			fail_msg("%s: %u, %s", rows[i].body, status,
				 is_whole ? "whole" : "not whole");
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
	herald_format_destroy(webhook);
}

static void
test_default_delay(void **state)
{
	static const struct {
		uint32_t retry_after_ms;
		const char *answer;
	} rows[] = {
		{0, "503 {\"error\":\"busy\"} Retry-After: 1"},
		{1, "503 {\"error\":\"busy\"} Retry-After: 1"},
		{30000, "503 {\"error\":\"busy\"} Retry-After: 30"},
		{30001, "503 {\"error\":\"busy\"} Retry-After: 31"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture fixture = open_endpoint(
			(struct herald_allocator){0},
			&HERALD_ENDPOINT_OPTIONS(.retry_after_ms = rows[i].retry_after_ms));

		check_answer(&fixture, EVENT("do", "\"retry\""), rows[i].answer);
		close_endpoint(&fixture);
	}
}

/* Texts of a handler's as they come, and what the answer's path is then. */
static const char *formats_path;

static enum herald_status
refuse_at_path(const struct herald_format *format, struct herald_context *ctx, char *data,
	       size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)ctx;
	(void)data;
	(void)bytes;
	(void)out;
	snprintf(error->path, sizeof(error->path), "%s", formats_path);
	return HERALD_BAD_FORMAT;
}

static void
test_paths_of_formats(void **state)
{
	static const struct {
		const char *path, *error_path, *answer;
	} rows[] = {
		{"", "", ""},
		{"/a~0b~1c", "/a~0b~1c", "/a~0b~1c"},
		{"/a\\n\\\"\\\\\\u009B", "/a\\n\\\"\\\\\\u009B", "/a\n\"\\\xC2\x9B"},
		{"line 3, \"x\"\r\n\x1b[1m", "line 3, \\\"x\\\"\\r\\n\\u001b[1m",
		 "line 3, \"x\"\r\n\x1b[1m"},
		/* The beginning of an escape is not an escape. */
		{"/\\", "/\\\\", "/\\"},
		{"/\\x\\u12g4\\u123", "/\\\\x\\\\u12g4\\\\u123", "/\\x\\u12g4\\u123"},
		{"/\\u123", "/\\\\u123", "/\\u123"},
		{"/\\ud83d\\uD83D\\uD7ff", "/\\\\ud83d\\\\uD83D\\uD7ff",
		 "/\\ud83d\\uD83D\xED\x9F\xBF"},
		{"/~\n~", "/~\\n~", "/~\n~"},
		{"/\xC3\xA4\xC3", "/\xC3\xA4\xEF\xBF\xBD", "/\xC3\xA4\xEF\xBF\xBD"},
	};
	static const struct herald_format_ops ops = {
		.struct_size = sizeof(ops), .name = "path", .decode = refuse_at_path};
	static const struct herald_format format = {.ops = &ops};
	struct fixture fixture;

	(void)state;
	fixture.service = create_service(&HERALD_SERVICE_OPTIONS(ONE_FORMAT(&format)));
	assert_int_equal(herald_endpoint_create(fixture.service, NULL, &fixture.endpoint, NULL),
			 HERALD_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		formats_path = rows[i].path;
		struct herald_result result = handle(fixture.service, "");
		assert_string_equal(result.error.path, rows[i].error_path);
		struct herald_http_request *request = post(&fixture, HERALD_HTTP_NO_LENGTH);
		const struct herald_http_response *response = herald_http_request_finish(request);
		json_t *json = json_loadb(response->body, response->body_bytes, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(json, "path")),
				    rows[i].answer);
		json_decref(json);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
}

static size_t far_offset;

/* Where message and path are as long as they can be, and every byte of them is escaped. */
static enum herald_status
refuse_at_length(const struct herald_format *format, struct herald_context *ctx, char *data,
		 size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)ctx;
	(void)data;
	(void)bytes;
	(void)out;
	error->offset = far_offset;
	memset(error->message, 1, sizeof(error->message) - 1);
	memset(error->path, 2, sizeof(error->path) - 1);
	error->message[sizeof(error->message) - 1] = '\0';
	error->path[sizeof(error->path) - 1] = '\0';
	return HERALD_BAD_FORMAT;
}

static void
test_longest_answer(void **state)
{
	static const struct herald_format_ops ops = {
		.struct_size = sizeof(ops), .name = "long", .decode = refuse_at_length};
	static const struct herald_format format = {.ops = &ops};
	struct fixture fixture;

	(void)state;
	fixture.service = create_service(&HERALD_SERVICE_OPTIONS(ONE_FORMAT(&format)));
	assert_int_equal(herald_endpoint_create(fixture.service, NULL, &fixture.endpoint, NULL),
			 HERALD_OK);
	for (int i = 0; i < 2; i++) {
		/* As far as jansson reads, and nowhere. */
		far_offset = i ? HERALD_NO_OFFSET : INT64_MAX;
		struct herald_http_request *request = post(&fixture, HERALD_HTTP_NO_LENGTH);
		const struct herald_http_response *response = herald_http_request_finish(request);
		json_t *json = json_loadb(response->body, response->body_bytes, 0, NULL);

		assert_int_equal(response->status, 400);
		assert_int_equal(json_string_length(json_object_get(json, "error")), 255);
		/* "..." and as many escapes, undone, as fit behind it. */
		assert_int_equal(json_string_length(json_object_get(json, "path")),
				 3 + 252 / 6 - 1);
		assert_int_equal(json_object_size(json), i ? 2 : 3);
		json_decref(json);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
}

static void
test_bodies_in_pieces(void **state)
{
	static const char event[] = SEED_EVENT;
	struct fixture fixture = open_default();

	(void)state;
	for (size_t step = 1; step < sizeof(event) + 1; step++) {
		/* A declared length is not believed: less and more may come. */
		struct herald_http_request *request = post(&fixture, step % 3 ? step : 0);

		for (size_t at = 0; at < sizeof(event) - 1; at += step) {
			size_t left = sizeof(event) - 1 - at;
			assert_true(herald_http_request_append(request, event + at,
							       left < step ? left : step));
		}
		assert_string_equal(text_of(herald_http_request_finish(request)), "200 " SUCCESS);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
}

static void
test_cut_bodies(void **state)
{
	static const char event[] = SEED_EVENT;
	struct fixture fixture = open_default();

	(void)state;
	/* Without the last line break it is whole. */
	for (size_t bytes = 0; bytes < sizeof(event) - 2; bytes++) {
		struct herald_http_request *request = post(&fixture, sizeof(event) - 1);

		assert_true(herald_http_request_append(request, event, bytes));
		assert_int_equal(herald_http_request_finish(request)->status, 400);
		herald_http_request_destroy(request);
	}
	assert_string_equal(trace, "");
	close_endpoint(&fixture);
}

static void
test_empty_body(void **state)
{
	struct fixture fixture = open_default();
	struct herald_http_request *request = post(&fixture, HERALD_HTTP_NO_LENGTH);

	(void)state;
	const struct herald_http_response *response = herald_http_request_finish(request);
	assert_int_equal(response->status, 400);
	assert_non_null(strstr(text_of(response), "\"path\":\"\",\"offset\":0}"));
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
}

static void
test_body_limit(void **state)
{
	static const char event[] = EVENT("user_created", "{\"user_id\":\"1\"}");
	size_t bytes = sizeof(event) - 1;
	struct fixture exact = open_endpoint((struct herald_allocator){0},
					     &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = bytes));
	struct fixture less = open_endpoint((struct herald_allocator){0},
					    &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = bytes - 1));
	static const char refused[] = "413 {\"error\":\"the body is larger than 89 bytes\"}";

	(void)state;
	check_answer(&exact, event, "200 " SUCCESS);
	trace[0] = '\0';
	/* Declared, in one piece, and byte by byte. */
	struct herald_http_request *request = post(&less, bytes);
	assert_string_equal(text_of(herald_http_request_response(request)), refused);
	herald_http_request_destroy(request);

	for (size_t step = 1; step <= bytes; step++) {
		size_t at = 0;

		request = post(&less, step % 2 ? 1 : HERALD_HTTP_NO_LENGTH);
		for (; at + step < bytes; at += step)
			assert_true(herald_http_request_append(request, event + at, step));
		assert_false(herald_http_request_append(request, event + at, bytes - at));
		/* Later bytes are not counted again. */
		assert_false(herald_http_request_append(request, event, 1));
		assert_string_equal(text_of(herald_http_request_finish(request)), refused);
		herald_http_request_destroy(request);
	}
	assert_string_equal(trace, "");
	close_endpoint(&exact);
	close_endpoint(&less);
}

static void
test_service_limit_counts_too(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture.service = create_service(&HERALD_SERVICE_OPTIONS(.max_event_bytes = 10));
	assert_int_equal(herald_endpoint_create(fixture.service,
						&HERALD_ENDPOINT_OPTIONS(.max_body_bytes = 100),
						&fixture.endpoint, NULL),
			 HERALD_OK);
	check_answer(&fixture, "{\"a\":12345}",
		     "413 {\"error\":\"the event is larger than 10 bytes\"}");
	herald_endpoint_destroy(fixture.endpoint);

	/* By itself the endpoint takes the service's limit. */
	assert_int_equal(herald_endpoint_create(fixture.service, NULL, &fixture.endpoint, NULL),
			 HERALD_OK);
	struct herald_http_request *request = post(&fixture, 11);
	assert_string_equal(text_of(herald_http_request_response(request)),
			    "413 {\"error\":\"the body is larger than 10 bytes\"}");
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
}

static void
test_unreadable_body(void **state)
{
	struct fixture fixture = open_default();
	struct herald_http_request *request = post(&fixture, 1000);

	(void)state;
	assert_true(herald_http_request_append(request, SEED_EVENT, strlen(SEED_EVENT)));
	const struct herald_http_response *response = herald_http_request_unreadable(request);
	assert_string_equal(text_of(response),
			    "400 {\"error\":\"failed to read the request body\"}");
	assert_false(herald_http_request_append(request, "x", 1));
	assert_ptr_equal(herald_http_request_finish(request), response);
	assert_string_equal(trace, "");
	herald_http_request_destroy(request);

	/* Whatever the head was refused for. */
	request = herald_http_request_create(fixture.endpoint,
					     &(struct herald_http_head){.method = "GET"});
	response = herald_http_request_ambiguous(request, "there are two Host headers");
	assert_string_equal(text_of(response), "400 {\"error\":\"there are two Host headers\"}");
	assert_null(response->allow);
	assert_false(herald_http_request_append(request, "x", 1));
	assert_ptr_equal(herald_http_request_finish(request), response);
	herald_http_request_destroy(request);

	/* The status depends on the problem. */
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;
	herald_http_framing_add(&framing, "Expect", "more");
	request = post(&fixture, 0);
	response = herald_http_request_ambiguous(request, framing.problem);
	assert_int_equal(response->status, 417);
	herald_http_request_destroy(request);
	framing.problem = NULL;
	herald_http_framing_request_line(&framing, "POST", "https://t/event", NULL);
	request = post(&fixture, 0);
	response = herald_http_request_ambiguous(request, framing.problem);
	assert_int_equal(response->status, 421);
	herald_http_request_destroy(request);

	/* A request that is given up without an answer. */
	request = post(&fixture, 1000);
	assert_true(herald_http_request_append(request, SEED_EVENT, 10));
	herald_http_request_destroy(request);
	herald_http_request_destroy(NULL);
	assert_string_equal(trace, "");
	check_answer(&fixture, SEED_EVENT, "200 " SUCCESS);
	close_endpoint(&fixture);
}

static void
test_unavailable(void **state)
{
	(void)state;
	assert_string_equal(text_of(herald_http_unavailable()),
			    "503 {\"error\":\"Service Unavailable\"} Retry-After: 1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answers, events_setup),
		cmocka_unit_test_setup(test_undecodable, events_setup),
		cmocka_unit_test_setup(test_whole_events, events_setup),
		cmocka_unit_test_setup(test_whole_documents, events_setup),
		cmocka_unit_test_setup(test_default_delay, events_setup),
		cmocka_unit_test_setup(test_paths_of_formats, events_setup),
		cmocka_unit_test_setup(test_longest_answer, events_setup),
		cmocka_unit_test_setup(test_bodies_in_pieces, events_setup),
		cmocka_unit_test_setup(test_cut_bodies, events_setup),
		cmocka_unit_test_setup(test_empty_body, events_setup),
		cmocka_unit_test_setup(test_body_limit, events_setup),
		cmocka_unit_test_setup(test_service_limit_counts_too, events_setup),
		cmocka_unit_test_setup(test_unreadable_body, events_setup),
		cmocka_unit_test_setup(test_unavailable, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
