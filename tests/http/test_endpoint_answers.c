/*
 * The endpoint's responses for answers of functions and handlers: statuses, bodies, headers, what
 * Herald adds to some statuses, and the memory of an answer until it has been sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <herald/adapter/http.h>
#include <herald/herald.h>

#include "endpoint_fixture.h"
#include "support/failing_allocator.h"

/* The payload's number selects the function's answer. */
enum {
	PLAIN,
	STATUS,
	NO_CONTENT,
	RESET,
	TEXT,
	LARGE,
	WITH_HEADER,
	DENIED,
	DENIED_BASIC,
	NO_METHOD,
	NO_METHOD_GET,
	BUSY,
	BUSY_OWN,
	TOO_MANY
};

static char large[100000];

static enum herald_verdict
answer(struct herald_context *ctx, const void *payload, void *state)
{
	(void)state;
	const struct herald_json *number = payload;
	char digits[24] = "";

	assert_true(number->bytes < sizeof(digits));
	memcpy(digits, number->data, number->bytes);
	switch (strtol(digits, NULL, 10)) {
	case STATUS:
		return herald_done_status(ctx, 202);
	case NO_CONTENT:
		return herald_done_status(ctx, 204);
	case RESET:
		return herald_done_status(ctx, 205);
	case TEXT:
		return herald_done_text(ctx, 201, "a/b", "hello", 5);
	case LARGE:
		return herald_done_text(ctx, 200, "a/b", large, sizeof(large));
	case WITH_HEADER:
		herald_context_header(ctx, "X-A", "a");
		return HERALD_DONE;
	case DENIED_BASIC:
		herald_context_header(ctx, "www-authenticate", "Basic realm=\"a\"");
		return herald_fail_status(ctx, 401, "no");
	case DENIED:
		return herald_fail_status(ctx, 401, "no");
	case NO_METHOD:
		return herald_fail_status(ctx, 405, "no");
	case NO_METHOD_GET:
		herald_context_header(ctx, "Allow", "GET");
		return herald_fail_status(ctx, 405, "no");
	case BUSY:
		herald_context_header(ctx, "X-A", "a");
		return herald_retry(ctx, "no");
	case BUSY_OWN:
		herald_context_header(ctx, "retry-after", "Fri, 31 Dec 1999 23:59:59 GMT");
		return herald_retry_after(ctx, 9000, "no");
	case TOO_MANY:
		herald_context_header(ctx, "Retry-After", "7");
		return herald_fail_status(ctx, 429, "no");
	default:
		return HERALD_DONE;
	}
}

static const struct herald_route answer_routes[] = {
	{.event_type = "a", .schema = &herald_json_schema, .function = answer}};

static struct fixture
open_answering(struct herald_allocator allocator, const struct herald_endpoint_options *options)
{
	struct fixture fixture;

	fixture.service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(answer_routes), .allocator = allocator));
	assert_int_equal(herald_endpoint_create(fixture.service, options, &fixture.endpoint, NULL),
			 HERALD_OK);
	return fixture;
}

/* The response as a text, with all headers. */

static bool
append_header(const char *name, const char *value, void *state)
{
	char *text = state;

	sprintf(text + strlen(text), "%s: %s\n", name, value);
	return true;
}

static struct herald_http_request *
ask(const struct fixture *fixture, int number)
{
	char event[200];
	struct herald_http_request *request = post(fixture, HERALD_HTTP_NO_LENGTH);

	snprintf(event, sizeof(event), EVENT("a", "%d "), number);
	herald_http_request_append(request, event, strlen(event));
	return request;
}

static void
write_response(const struct herald_http_response *response, char out[1024])
{
	sprintf(out, "%u\n", response->status);
	herald_http_response_headers(response, append_header, out);
	sprintf(out + strlen(out), "%.*s", (int)response->body_bytes,
		response->body ? response->body : "");
}

#define JSON_OF(BYTES) "Content-Type: application/json\nContent-Length: " #BYTES "\n"

static const struct {
	int number;
	const char *response;
} rows[] = {
	{PLAIN, "200\n" JSON_OF(20) SUCCESS},
	{STATUS, "202\n" JSON_OF(20) SUCCESS},
	{NO_CONTENT, "204\n"},
	{RESET, "205\nContent-Length: 0\n"},
	{TEXT, "201\nContent-Type: a/b\nContent-Length: 5\nhello"},
	{WITH_HEADER, "200\n" JSON_OF(20) "X-A: a\n" SUCCESS},
	{DENIED, "401\n" JSON_OF(14) "WWW-Authenticate: Bearer\n{\"error\":\"no\"}"},
	{DENIED_BASIC,
	 "401\n" JSON_OF(14) "www-authenticate: Basic realm=\"a\"\n{\"error\":\"no\"}"},
	{NO_METHOD, "405\n" JSON_OF(14) "Allow: POST, OPTIONS\n{\"error\":\"no\"}"},
	{NO_METHOD_GET, "405\n" JSON_OF(14) "Allow: GET\n{\"error\":\"no\"}"},
	{BUSY, "503\n" JSON_OF(14) "Retry-After: 1\nX-A: a\n{\"error\":\"no\"}"},
	{BUSY_OWN, "503\n" JSON_OF(14) "retry-after: Fri, 31 Dec 1999 23:59:59 GMT\n"
				       "{\"error\":\"no\"}"},
	{TOO_MANY, "429\n" JSON_OF(14) "Retry-After: 7\n{\"error\":\"no\"}"},
};

static void
test_responses(void **state)
{
	struct fixture fixture = open_answering((struct herald_allocator){0}, NULL);
	char text[1024];

	(void)state;
	/* Twice: nothing of one is left in the next. */
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct herald_http_request *request = ask(&fixture, rows[i / 2].number);
		const struct herald_http_response *response = herald_http_request_finish(request);

		write_response(response, text);
		assert_string_equal(text, rows[i / 2].response);
		assert_int_equal(herald_http_is_success(response), rows[i / 2].number == PLAIN);
		assert_ptr_equal(herald_http_request_response(request), response);
		herald_http_request_destroy(request);
	}
	assert_true(herald_http_is_success(herald_http_success()));
	assert_false(herald_http_is_success(herald_http_unavailable()));
	close_endpoint(&fixture);
}

/* Answers of functions are not error details. */
static void
test_hidden_errors(void **state)
{
	struct fixture fixture = open_answering((struct herald_allocator){0},
						&HERALD_ENDPOINT_OPTIONS(.hide_errors = true));
	struct herald_http_request *request = ask(&fixture, TEXT);
	char text[1024];

	(void)state;
	write_response(herald_http_request_finish(request), text);
	assert_string_equal(text, "201\nContent-Type: a/b\nContent-Length: 5\nhello");
	herald_http_request_destroy(request);
	request = ask(&fixture, DENIED_BASIC);
	write_response(herald_http_request_finish(request), text);
	assert_string_equal(text, "401\n" JSON_OF(24) "www-authenticate: Basic realm=\"a\"\n"
						      "{\"error\":\"Unauthorized\"}");
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
}

/* Until the request ends, in any order; then little is kept. */
static void
test_many_answers_at_once(void **state)
{
	enum { REQUESTS = 20 };
	struct failing_allocator memory;
	struct herald_http_request *requests[REQUESTS];
	const struct herald_http_response *responses[REQUESTS];

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	memset(large, 'l', sizeof(large));
	struct fixture fixture = open_answering(memory.allocator, NULL);
	for (size_t i = 0; i < REQUESTS; i++) {
		requests[i] = ask(&fixture, i % 2 ? LARGE : TEXT);
		responses[i] = herald_http_request_finish(requests[i]);
	}
	assert_true(memory.bytes > REQUESTS / 2 * sizeof(large));
	for (size_t i = REQUESTS; i > 0; i--) {
		if ((i - 1) % 2)
			assert_memory_equal(responses[i - 1]->body, large, sizeof(large));
		else
			assert_memory_equal(responses[i - 1]->body, "hello", 5);
		herald_http_request_destroy(requests[i - 1]);
	}
	/* max_idle_bytes of the service, and what each request keeps. */
	assert_true(memory.bytes < ((size_t)4 << 20) + REQUESTS * ((size_t)64 << 10));
	for (int i = 0; i < 1000; i++) {
		struct herald_http_request *request = ask(&fixture, LARGE);

		herald_http_request_finish(request);
		herald_http_request_destroy(request);
	}
	assert_true(memory.peak_bytes < ((size_t)8 << 20));
	close_endpoint(&fixture);
	assert_all_released(&memory);
}

/* Each allocation of a request fails once; the next request is answered normally. */
static void
test_every_allocation_fails(void **state)
{
	bool failed = true;
	char text[1024];

	(void)state;
	for (size_t n = 1; failed; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		struct fixture fixture = open_answering(memory.allocator, NULL);
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + n;
		struct herald_http_request *request = herald_http_request_create(
			fixture.endpoint,
			&(struct herald_http_head){.method = "POST",
						   .content_type = "application/json",
						   .content_length = HERALD_HTTP_NO_LENGTH});
		if (request) {
			char event[] = EVENT("a", "4");

			herald_http_request_append(request, event, strlen(event));
			unsigned status = herald_http_request_finish(request)->status;
			failed = memory.failures > 0;
			assert_int_equal(status, failed ? 503 : 201);
		}
		herald_http_request_destroy(request);
		request = ask(&fixture, TEXT);
		write_response(herald_http_request_finish(request), text);
		assert_string_equal(text, "201\nContent-Type: a/b\nContent-Length: 5\nhello");
		herald_http_request_destroy(request);
		close_endpoint(&fixture);
		assert_all_released(&memory);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_responses, events_setup),
		cmocka_unit_test_setup(test_hidden_errors, events_setup),
		cmocka_unit_test_setup(test_many_answers_at_once, events_setup),
		cmocka_unit_test_setup(test_every_allocation_fails, events_setup),
	};

	return cmocka_run_group_tests_name("endpoint_answers", tests, NULL, NULL);
}
