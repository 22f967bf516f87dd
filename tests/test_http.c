/*
 * herald/http.h: every answer of the endpoint, the limits on bodies, and memory that runs out. Real
 * sockets are the adapters' tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <herald/http.h>

#include "support/events.h"
#include "support/failing_allocator.h"

#define SEED_EVENT                                                                                 \
	"{\n  \"event_type\": \"user_created\",\n"                                                 \
	"  \"timestamp\": \"2024-08-20T05:21:19.143357839Z\",\n"                                   \
	"  \"payload\": {\n    \"user_id\": \"12345\",\n    \"username\": \"johndoe\"\n  },\n"     \
	"  \"metadata\": {\n    \"source\": \"user_service\",\n    \"version\": \"1.0\"\n  }\n}\n"

#define SUCCESS "{\"status\":\"success\"}"

struct user {
	const char *user_id;
	const char *username;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, user_id, .required = true), HERALD_FIELD(user, username));

static enum herald_verdict
on_user(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	note("f");
	return HERALD_DONE;
}

/* Does what the payload says. */
static enum herald_verdict
obey(struct herald_context *ctx, const void *payload, void *state)
{
	const struct herald_json *text = payload;
	char command[32];

	(void)state;
	snprintf(command, sizeof(command), "%.*s", (int)text->bytes, text->data);
	note("f");
	if (strcmp(command, "\"retry\"") == 0)
		return herald_retry(ctx, "busy");
	if (strcmp(command, "\"retry 1\"") == 0)
		return herald_retry_after(ctx, 1, "busy");
	if (strcmp(command, "\"retry 1001\"") == 0)
		return herald_retry_after(ctx, 1001, "busy");
	if (strcmp(command, "\"retry max\"") == 0)
		return herald_retry_after(ctx, UINT32_MAX, "busy");
	if (strcmp(command, "\"fail\"") == 0)
		return herald_fail(ctx, "no \"%s\"", "stock");
	if (strcmp(command, "\"fail 409\"") == 0)
		return herald_fail_status(ctx, 409, "taken");
	if (strcmp(command, "\"fail 599\"") == 0)
		return herald_fail_status(ctx, 599, "odd");
	if (strcmp(command, "\"fail 200\"") == 0)
		return herald_fail_status(ctx, 200, "odd");
	return HERALD_FAIL;
}

static const struct herald_route routes[] = {
	{.event_type = "user_created", .schema = &user_schema, .function = on_user},
	{.event_type = "do", .schema = &herald_json_schema, .function = obey},
	{.event_type = "old", .schema = &user_schema, .function = on_user, .version = "1"},
};

struct fixture {
	struct herald_service *service;
	struct herald_http *http;
};

static struct fixture
open_endpoint(struct herald_allocator allocator, const struct herald_http_options *options)
{
	struct fixture fixture;
	struct herald_error error;

	fixture.service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = allocator));
	if (herald_http_create(fixture.service, options, &fixture.http, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return fixture;
}

static struct fixture
open_default(void)
{
	return open_endpoint((struct herald_allocator){0}, NULL);
}

static void
close_endpoint(struct fixture *fixture)
{
	herald_http_destroy(fixture->http);
	herald_service_destroy(fixture->service);
}

static struct herald_http_request *
post(const struct fixture *fixture, uint64_t content_length)
{
	struct herald_http_request *request = herald_http_request_create(
		fixture->http,
		&(struct herald_http_head){"POST", "application/json", content_length, NULL, NULL});

	assert_non_null(request);
	return request;
}

/* A response as a text: "200 {...}", with the headers that it asks for. */
static const char *
text_of(const struct herald_http_response *response)
{
	static char text[8192];
	int used = snprintf(text, sizeof(text), "%u %.*s", response->status,
			    (int)response->body_bytes, response->body);

	assert_string_equal(response->content_type, "application/json");
	if (response->allow)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " Allow: %s",
				 response->allow);
	if (response->retry_after_s)
		snprintf(text + used, sizeof(text) - (size_t)used, " Retry-After: %u",
			 (unsigned)response->retry_after_s);
	return text;
}

/* Send a whole body and compare the answer. */
static void
check_answer(const struct fixture *fixture, const char *body, const char *expected)
{
	struct herald_http_request *request = post(fixture, strlen(body));

	assert_true(herald_http_request_append(request, body, strlen(body)));
	assert_null(herald_http_request_response(request));
	const struct herald_http_response *response = herald_http_request_finish(request);
	assert_string_equal(text_of(response), expected);
	/* The event is handled once; the answer stays. */
	assert_ptr_equal(herald_http_request_finish(request), response);
	assert_ptr_equal(herald_http_request_response(request), response);
	assert_ptr_equal(herald_http_request_unreadable(request), response);
	assert_false(herald_http_request_append(request, "x", 1));
	assert_string_equal(text_of(response), expected);
	herald_http_request_destroy(request);
}

/* Results of the service. */

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
		 "404 {\"error\":\"no route takes event type \\\"nobody\\\\\\\"\\\"\"}",
		 "404 {\"error\":\"Not Found\"}"},
		{VERSIONED("old", "2", "{}"),
		 "404 {\"error\":\"no route takes version \\\"2\\\" of event type \\\"old\\\"\"}",
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
					      &HERALD_HTTP_OPTIONS(.hide_errors = true));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_answer(&fixture, rows[i].body, rows[i].answer);
		check_answer(&hiding, rows[i].body, rows[i].hidden);
	}
	close_endpoint(&fixture);
	close_endpoint(&hiding);
}

/* What was wrong is the decoder's to say; that it is said, and where, is the endpoint's. */
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
					      &HERALD_HTTP_OPTIONS(.hide_errors = true));

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
			&HERALD_HTTP_OPTIONS(.retry_after_ms = rows[i].retry_after_ms));

		check_answer(&fixture, EVENT("do", "\"retry\""), rows[i].answer);
		close_endpoint(&fixture);
	}
}

/* Texts of a handler's as they come, and what the answer's path is then. */
static const char *handlers_path;

static enum herald_status
refuse_at_path(struct herald_handler *handler, struct herald_context *ctx, char *data, size_t bytes,
	       struct herald_message *out, struct herald_error *error)
{
	(void)handler;
	(void)ctx;
	(void)data;
	(void)bytes;
	(void)out;
	snprintf(error->path, sizeof(error->path), "%s", handlers_path);
	return HERALD_BAD_FORMAT;
}

static void
test_paths_of_handlers(void **state)
{
	static const struct {
		const char *path, *error_path, *answer;
	} rows[] = {
		{"", "", ""},
		{"/a~0b~1c", "/a~0b~1c", "/a~0b~1c"},
		{"/a\\n\\\"\\\\\\u009B", "/a\\n\\\"\\\\\\u009B", "/a\n\"\\\xC2\x9B"},
		{"line 3, \"x\"\r\n\x1b[1m", "line 3, \\\"x\\\"\\r\\n\\u001b[1m",
		 "line 3, \"x\"\r\n\x1b[1m"},
		/* What only begins as an escape does, is none. */
		{"/\\", "/\\\\", "/\\"},
		{"/\\x\\u12g4\\u123", "/\\\\x\\\\u12g4\\\\u123", "/\\x\\u12g4\\u123"},
		{"/\\u123", "/\\\\u123", "/\\u123"},
		{"/\\ud83d\\uD83D\\uD7ff", "/\\\\ud83d\\\\uD83D\\uD7ff",
		 "/\\ud83d\\uD83D\xED\x9F\xBF"},
		{"/~\n~", "/~\\n~", "/~\n~"},
		{"/\xC3\xA4\xC3", "/\xC3\xA4\xEF\xBF\xBD", "/\xC3\xA4\xEF\xBF\xBD"},
	};
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "path", .decode = refuse_at_path};
	struct herald_handler handler = {.ops = &ops}, *handlers[] = {&handler};
	struct fixture fixture;

	(void)state;
	fixture.service = create_service(&HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(handlers)));
	assert_int_equal(herald_http_create(fixture.service, NULL, &fixture.http, NULL), HERALD_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		handlers_path = rows[i].path;
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
refuse_at_length(struct herald_handler *handler, struct herald_context *ctx, char *data,
		 size_t bytes, struct herald_message *out, struct herald_error *error)
{
	(void)handler;
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
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "long", .decode = refuse_at_length};
	struct herald_handler handler = {.ops = &ops};
	struct herald_handler *handlers[] = {&handler};
	struct fixture fixture;

	(void)state;
	fixture.service = create_service(&HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(handlers)));
	assert_int_equal(herald_http_create(fixture.service, NULL, &fixture.http, NULL), HERALD_OK);
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

/* Heads. */

static void
test_refused_heads(void **state)
{
	static const struct {
		struct herald_http_head head;
		const char *answer, *hidden;
	} rows[] = {
		{{"GET", "application/json", 0, NULL, NULL},
		 "405 {\"error\":\"send POST, not GET\"} Allow: POST",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST"},
		{{"post", "application/json", 0, NULL, NULL},
		 "405 {\"error\":\"send POST, not post\"} Allow: POST",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST"},
		{{"PO\"ST\n", NULL, UINT64_MAX - 1, NULL, NULL},
		 "405 {\"error\":\"send POST, not PO\\\"ST\\\\n\"} Allow: POST",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST"},
		{{"", "application/json", 0, NULL, NULL},
		 "405 {\"error\":\"send POST, not \"} Allow: POST",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST"},
		{{NULL, "application/json", 0, NULL, NULL},
		 "405 {\"error\":\"send POST, not nothing\"} Allow: POST",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST"},
		{{"POST", NULL, UINT64_MAX - 1, NULL, NULL},
		 "415 {\"error\":\"send application/json; there is no Content-Type\"}",
		 "415 {\"error\":\"Unsupported Media Type\"}"},
		{{"POST", "text/plain", UINT64_MAX - 1, NULL, NULL},
		 "415 {\"error\":\"send application/json, not text/plain\"}",
		 "415 {\"error\":\"Unsupported Media Type\"}"},
		{{"POST", "application/json", 1048577, NULL, NULL},
		 "413 {\"error\":\"the body is larger than 1048576 bytes\"}",
		 "413 {\"error\":\"Content Too Large\"}"},
		{{"POST", "application/json", UINT64_MAX - 1, NULL, NULL},
		 "413 {\"error\":\"the body is larger than 1048576 bytes\"}",
		 "413 {\"error\":\"Content Too Large\"}"},
	};
	struct fixture fixture = open_default();
	struct fixture hiding = open_endpoint((struct herald_allocator){0},
					      &HERALD_HTTP_OPTIONS(.hide_errors = true));

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		bool hidden = i % 2 != 0;
		struct herald_http_request *request = herald_http_request_create(
			hidden ? hiding.http : fixture.http, &rows[i / 2].head);
		const struct herald_http_response *response = herald_http_request_response(request);

		assert_non_null(response);
		assert_string_equal(text_of(response),
				    hidden ? rows[i / 2].hidden : rows[i / 2].answer);
		assert_false(herald_http_request_append(request, SEED_EVENT, 10));
		assert_ptr_equal(herald_http_request_finish(request), response);
		assert_ptr_equal(herald_http_request_unreadable(request), response);
		assert_string_equal(text_of(response),
				    hidden ? rows[i / 2].hidden : rows[i / 2].answer);
		herald_http_request_destroy(request);
	}
	assert_string_equal(trace, "");
	close_endpoint(&fixture);
	close_endpoint(&hiding);
}

static void
test_media_types(void **state)
{
	static const struct {
		const char *content_type;
		bool json, form;
	} rows[] = {
		{"application/json", true, false},
		{"APPLICATION/Json", true, false},
		{"application/json; charset=utf-8", true, false},
		{"application/json;", true, false},
		{" \tapplication/json \t; a=\"text/plain\"", true, false},
		{"application/json ", true, false},
		{"application/cloudevents+json", true, false},
		{"Application/Problem+JSON;x=y", true, false},
		{"text/a.b+c+json", true, false},
		{"", false, false},
		{" ", false, false},
		{";", false, false},
		{"application", false, false},
		{"application/", false, false},
		{"application/ json", false, false},
		{"application /json", false, false},
		{"application/jsonp", false, false},
		{"application/jso", false, false},
		{"xapplication/json", false, false},
		{"text/json", false, false},
		{"/json", false, false},
		{"+json", false, false},
		{"/+json", false, false},
		{"application/+json", false, false},
		{"application/x+jsonx", false, false},
		{"application/x+json/y", false, false},
		{"application/json, text/plain", false, false},
		{"text/plain; application/json", false, false},
		{"text;a/b+json", false, false},
		{"application/\xC3\xA9+json", false, false},
		{"application/json\x01", false, false},
		{"application/x-www-form-urlencoded", false, true},
		{"application/X-WWW-form-urlencoded ; charset=x", false, true},
		{"text/csv", false, true},
		{"text/csv2", false, false},
		{"text/cs", false, false},
	};
	static const char *const forms[] = {" application/x-www-form-urlencoded", "TEXT/csv; a=b",
					    NULL};
	struct fixture fixtures[2] = {
		open_default(),
		open_endpoint((struct herald_allocator){0},
			      &HERALD_HTTP_OPTIONS(.media_types = forms)),
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const struct herald_http_head head = {"POST", rows[i / 2].content_type, 10, NULL,
						      NULL};
		struct herald_http_request *request =
			herald_http_request_create(fixtures[i % 2].http, &head);
		const struct herald_http_response *response = herald_http_request_response(request);
		bool accepted = i % 2 ? rows[i / 2].form : rows[i / 2].json;

		if (!response != accepted)
			fail_msg("\"%s\" was %s", head.content_type,
				 response ? "refused" : "accepted");
		if (response)
			assert_int_equal(response->status, 415);
		herald_http_request_destroy(request);
	}

	struct herald_http_request *request = herald_http_request_create(
		fixtures[1].http,
		&(struct herald_http_head){"POST", "application/json", 0, NULL, NULL});
	assert_string_equal(text_of(herald_http_request_response(request)),
			    "415 {\"error\":\"send application/x-www-form-urlencoded or TEXT/csv, "
			    "not application/json\"}");
	herald_http_request_destroy(request);
	close_endpoint(&fixtures[0]);
	close_endpoint(&fixtures[1]);
}

/* Heads come from strangers: whatever they hold, the answer is JSON. */
static void
test_long_and_wild_heads(void **state)
{
	static char wild[5000];
	struct fixture fixture = open_default();

	(void)state;
	for (size_t i = 0; i < sizeof(wild) - 1; i++)
		wild[i] = (char)(i % 255 + 1);
	for (int i = 0; i < 2; i++) {
		const struct herald_http_head head = {i ? "POST" : wild, wild, 0, NULL, NULL};
		struct herald_http_request *request =
			herald_http_request_create(fixture.http, &head);
		const struct herald_http_response *response = herald_http_request_response(request);
		json_t *json = json_loadb(response->body, response->body_bytes, 0, NULL);

		assert_non_null(json);
		assert_int_equal(response->status, i ? 415 : 405);
		json_decref(json);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
}

/* Bodies. */

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
					     &HERALD_HTTP_OPTIONS(.max_body_bytes = bytes));
	struct fixture less = open_endpoint((struct herald_allocator){0},
					    &HERALD_HTTP_OPTIONS(.max_body_bytes = bytes - 1));
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
		/* What comes after that is not counted again. */
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
	assert_int_equal(herald_http_create(fixture.service,
					    &HERALD_HTTP_OPTIONS(.max_body_bytes = 100),
					    &fixture.http, NULL),
			 HERALD_OK);
	check_answer(&fixture, "{\"a\":12345}",
		     "413 {\"error\":\"the event is larger than 10 bytes\"}");
	herald_http_destroy(fixture.http);

	/* By itself the endpoint takes the service's limit. */
	assert_int_equal(herald_http_create(fixture.service, NULL, &fixture.http, NULL), HERALD_OK);
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
	request = herald_http_request_create(fixture.http,
					     &(struct herald_http_head){.method = "GET"});
	response = herald_http_request_ambiguous(request);
	assert_string_equal(
		text_of(response),
		"400 {\"error\":\"the request's head is malformed, or can be read in two "
		"ways; look at the request line, Host, Content-Length, "
		"Transfer-Encoding, Content-Type, and for blanks in names or control "
		"bytes in values\"}");
	assert_null(response->allow);
	assert_false(herald_http_request_append(request, "x", 1));
	assert_ptr_equal(herald_http_request_finish(request), response);
	herald_http_request_destroy(request);

	/* One that is given up without an answer. */
	request = post(&fixture, 1000);
	assert_true(herald_http_request_append(request, SEED_EVENT, 10));
	herald_http_request_destroy(request);
	herald_http_request_destroy(NULL);
	assert_string_equal(trace, "");
	check_answer(&fixture, SEED_EVENT, "200 " SUCCESS);
	close_endpoint(&fixture);
}

/* Options. */

static void
test_bad_options(void **state)
{
	static const char *const none[] = {NULL}, *const odd[] = {"text/csv", "json", NULL};
	static const char *const any[] = {"text/*", NULL}, *const empty[] = {"", NULL};
	const struct {
		struct herald_http_options options;
		const char *path;
	} rows[] = {
		{{.struct_size = 0}, "struct_size"},
		{{.struct_size = sizeof(size_t) - 1}, "struct_size"},
		{{.struct_size = sizeof(struct herald_http_options), .media_types = none},
		 "media_types"},
		{{.struct_size = sizeof(struct herald_http_options), .media_types = odd},
		 "media_types[1]"},
		{{.struct_size = sizeof(struct herald_http_options), .media_types = any},
		 "media_types[0]"},
		{{.struct_size = sizeof(struct herald_http_options), .media_types = empty},
		 "media_types[0]"},
	};
	struct fixture fixture = open_default();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_http *http = NULL;
		struct herald_error error;

		assert_int_equal(
			herald_http_create(fixture.service, &rows[i].options, &http, &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		assert_int_equal(herald_http_create(fixture.service, &rows[i].options, &http, NULL),
				 HERALD_BAD_OPTION);
		assert_null(http);
	}
	close_endpoint(&fixture);
	herald_http_destroy(NULL);
}

/* A handler that reads what no header can be called would find nothing, and nothing would say why. */
static void
test_attributes_are_header_names(void **state)
{
	static const struct {
		const char *name;
		bool is_name;
	} rows[] = {
		{"X-Signature", true},   {"x_1.2~", true}, {"X Signature", false},
		{"X-Signature:", false}, {"", false},      {"X-Signatur\u00eb", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const attributes[] = {"X-Ok", rows[i].name, NULL};
		const struct herald_handler_ops ops = {
			.struct_size = sizeof(ops), .name = "signature", .attributes = attributes};
		struct herald_handler handler = {.ops = &ops};
		struct herald_handler *const handlers[] = {&handler};
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)));
		struct herald_http *http = NULL;
		struct herald_error error = {0};
		char message[128];

		assert_int_equal(herald_http_create(service, NULL, &http, &error),
				 rows[i].is_name ? HERALD_OK : HERALD_BAD_OPTION);
		if (!rows[i].is_name) {
			snprintf(
				message, sizeof(message),
				"a handler reads \"%s\", which no HTTP header can have as its name",
				rows[i].name);
			assert_string_equal(error.path, "attributes");
			assert_string_equal(error.message, message);
			assert_null(http);
		}
		herald_http_destroy(http);
		herald_service_destroy(service);
	}
}

static void
test_options_are_copied(void **state)
{
	char type[] = "text/csv";
	const char *types[] = {type, NULL};
	size_t bytes = offsetof(struct herald_http_options, max_idle_requests);
	struct herald_http_options all = {.struct_size = bytes, .media_types = types};
	struct herald_http_options *options = malloc(bytes);

	(void)state;
	assert_non_null(options);
	memcpy(options, &all, bytes);
	struct fixture fixture = open_endpoint((struct herald_allocator){0}, options);
	free(options);
	memset(type, '?', sizeof(type) - 1);
	types[0] = NULL;
	struct herald_http_request *request = herald_http_request_create(
		fixture.http, &(struct herald_http_head){"POST", "text/csv", 0, NULL, NULL});
	assert_null(herald_http_request_response(request));
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
}

static void
test_unavailable(void **state)
{
	(void)state;
	assert_string_equal(text_of(herald_http_unavailable()),
			    "503 {\"error\":\"Service Unavailable\"} Retry-After: 1");
}

/* Memory. */

static void
test_no_allocation_in_the_steady_state(void **state)
{
	static char large[60000] = EVENT("user_created", "{\"user_id\":\"1\"}");
	static const char *const bodies[] = {
		SEED_EVENT,         "{",  EVENT("do", "\"retry\""), EVENT("do", "0"),
		EVENT("none", "0"), large};
	struct failing_allocator memory;
	size_t calls = 0;

	(void)state;
	memset(large + strlen(large), ' ', sizeof(large) - strlen(large) - 1);
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture = open_endpoint(memory.allocator, NULL);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < COUNT(bodies); i++) {
			struct herald_http_request *request =
				post(&fixture, i % 2 ? strlen(bodies[i]) : HERALD_HTTP_NO_LENGTH);

			assert_true(
				herald_http_request_append(request, bodies[i], strlen(bodies[i])));
			herald_http_request_finish(request);
			herald_http_request_destroy(request);
			request = herald_http_request_create(
				fixture.http,
				&(struct herald_http_head){"GET", NULL, 0, NULL, NULL});
			herald_http_request_destroy(request);
		}
		if (round == 1)
			calls = memory.calls;
		trace[0] = '\0';
	}
	assert_int_equal(memory.calls, calls);
	close_endpoint(&fixture);
	assert_all_released(&memory);
}

static void
test_what_is_kept_is_bounded(void **state)
{
	static char spaces[200000];
	struct failing_allocator memory;
	struct herald_http_request *requests[5];

	(void)state;
	memset(spaces, ' ', sizeof(spaces));
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture =
		open_endpoint(memory.allocator, &HERALD_HTTP_OPTIONS(.max_idle_requests = 2));
	size_t bytes = memory.bytes, blocks = memory.blocks;

	/* A large length that is only declared takes no memory for it. */
	requests[0] = post(&fixture, 1 << 20);
	assert_true(memory.bytes - bytes < 10000);
	/* Nor is it taken at once, when less comes. */
	assert_true(herald_http_request_append(requests[0], spaces, 1));
	assert_true(memory.bytes - bytes < 20000);
	assert_true(herald_http_request_append(requests[0], spaces, sizeof(spaces)));
	assert_true(memory.bytes - bytes > sizeof(spaces));
	/* Over the limit the memory goes at once, before the answer is sent. */
	for (int i = 0; herald_http_request_append(requests[0], spaces, sizeof(spaces)); i++)
		assert_true(i < 6);
	assert_true(memory.bytes - bytes < 10000);
	herald_http_request_destroy(requests[0]);

	/* What an ordinary request took for a large body is given back. */
	requests[0] = post(&fixture, HERALD_HTTP_NO_LENGTH);
	assert_true(herald_http_request_append(requests[0], spaces, sizeof(spaces)));
	herald_http_request_destroy(requests[0]);
	assert_true(memory.bytes - bytes < 10000);

	/* Of five requests at once two stay. */
	for (size_t i = 0; i < COUNT(requests); i++)
		requests[i] = post(&fixture, HERALD_HTTP_NO_LENGTH);
	assert_int_equal(memory.blocks, blocks + 5);
	for (size_t i = 0; i < COUNT(requests); i++)
		herald_http_request_destroy(requests[i]);
	assert_int_equal(memory.blocks, blocks + 2);
	close_endpoint(&fixture);
	assert_all_released(&memory);
}

/* One request while the n-th allocation, or all from it on, fail. Returns whether any did. */
static bool
request_while_failing(enum failing_mode mode, size_t n)
{
	struct failing_allocator memory;

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture = open_endpoint(memory.allocator, NULL);
	memory.mode = mode;
	memory.fail_at = memory.calls + n;

	struct herald_http_request *request = herald_http_request_create(
		fixture.http,
		&(struct herald_http_head){"POST", "application/json", 100, NULL, NULL});
	const struct herald_http_response *response = herald_http_unavailable();
	if (request) {
		/* In pieces, so that the body's memory grows too. */
		for (size_t at = 0; at < strlen(SEED_EVENT); at += 50)
			if (!herald_http_request_append(request, &SEED_EVENT[at],
							strnlen(&SEED_EVENT[at], 50)))
				break;
		response = herald_http_request_finish(request);
	}
	bool failed = memory.failures > 0;
	assert_string_equal(text_of(response),
			    !request ? "503 {\"error\":\"Service Unavailable\"} Retry-After: 1"
			    : failed ? "503 {\"error\":\"out of memory\"} Retry-After: 1"
				     : "200 " SUCCESS);
	herald_http_request_destroy(request);

	memory.mode = FAIL_NEVER;
	check_answer(&fixture, SEED_EVENT, "200 " SUCCESS);
	close_endpoint(&fixture);
	assert_all_released(&memory);
	return failed;
}

static void
test_every_allocation_of_a_request_fails(void **state)
{
	size_t n = 1;

	(void)state;
	while (request_while_failing(FAIL_ONLY, n))
		n++;
	assert_true(n > 5);
	n = 1;
	while (request_while_failing(FAIL_FROM, n))
		n++;
}

static void
test_every_allocation_of_creation_fails(void **state)
{
	static const char *const types[] = {"text/csv", "text/plain", NULL};
	struct fixture fixture = open_default();
	struct failing_allocator memory;

	(void)state;
	close_endpoint(&fixture);
	for (size_t n = 1;; n++) {
		failing_allocator_init(&memory, FAIL_NEVER, 0);
		fixture.service =
			create_service(&HERALD_SERVICE_OPTIONS(.allocator = memory.allocator));
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + n;
		struct herald_error error = {0};
		enum herald_status status = herald_http_create(
			fixture.service, &HERALD_HTTP_OPTIONS(.media_types = types), &fixture.http,
			&error);
		bool failed = memory.failures > 0;

		assert_int_equal(status, failed ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(error.status, status);
		if (!failed)
			herald_http_destroy(fixture.http);
		herald_service_destroy(fixture.service);
		assert_all_released(&memory);
		if (!failed)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answers, events_setup),
		cmocka_unit_test_setup(test_undecodable, events_setup),
		cmocka_unit_test_setup(test_default_delay, events_setup),
		cmocka_unit_test_setup(test_paths_of_handlers, events_setup),
		cmocka_unit_test_setup(test_longest_answer, events_setup),
		cmocka_unit_test_setup(test_refused_heads, events_setup),
		cmocka_unit_test_setup(test_media_types, events_setup),
		cmocka_unit_test_setup(test_long_and_wild_heads, events_setup),
		cmocka_unit_test_setup(test_bodies_in_pieces, events_setup),
		cmocka_unit_test_setup(test_cut_bodies, events_setup),
		cmocka_unit_test_setup(test_empty_body, events_setup),
		cmocka_unit_test_setup(test_body_limit, events_setup),
		cmocka_unit_test_setup(test_service_limit_counts_too, events_setup),
		cmocka_unit_test_setup(test_unreadable_body, events_setup),
		cmocka_unit_test_setup(test_bad_options, events_setup),
		cmocka_unit_test(test_attributes_are_header_names),
		cmocka_unit_test_setup(test_options_are_copied, events_setup),
		cmocka_unit_test_setup(test_unavailable, events_setup),
		cmocka_unit_test_setup(test_no_allocation_in_the_steady_state, events_setup),
		cmocka_unit_test_setup(test_what_is_kept_is_bounded, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_a_request_fails, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_creation_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
