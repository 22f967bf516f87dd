/*
 * herald/endpoint.h: refused heads, media types, and long or unusual heads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include <herald/adapter/request.h>
#include <herald/endpoint.h>

#include "http/endpoint_fixture.h"
#include "support/events.h"

static void
test_refused_heads(void **state)
{
	static const struct {
		struct herald_http_head head;
		const char *answer, *hidden;
	} rows[] = {
		{{.method = "GET", .content_type = "application/json"},
		 "405 {\"error\":\"expected method POST, found GET\"} Allow: POST, OPTIONS",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST, OPTIONS"},
		{{.method = "post", .content_type = "application/json"},
		 "405 {\"error\":\"expected method POST, found post\"} Allow: POST, OPTIONS",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST, OPTIONS"},
		{{.method = "PO\"ST\n", .content_length = UINT64_MAX - 1},
		 "405 {\"error\":\"expected method POST, found PO\\\"ST\\\\n\"} Allow: POST, "
		 "OPTIONS",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST, OPTIONS"},
		{{.method = "", .content_type = "application/json"},
		 "405 {\"error\":\"expected method POST, found \"} Allow: POST, OPTIONS",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST, OPTIONS"},
		{{.content_type = "application/json"},
		 "405 {\"error\":\"expected method POST, found nothing\"} Allow: POST, OPTIONS",
		 "405 {\"error\":\"Method Not Allowed\"} Allow: POST, OPTIONS"},
		{{.method = "POST", .content_length = UINT64_MAX - 1},
		 "415 {\"error\":\"Content-Type is missing; expected application/json\"}",
		 "415 {\"error\":\"Unsupported Media Type\"}"},
		{{.method = "POST", .content_type = "text/plain", .content_length = UINT64_MAX - 1},
		 "415 {\"error\":\"expected Content-Type application/json, found text/plain\"}",
		 "415 {\"error\":\"Unsupported Media Type\"}"},
		{{.method = "POST", .content_type = "application/json", .content_length = 1048577},
		 "413 {\"error\":\"the body is larger than 1048576 bytes\"}",
		 "413 {\"error\":\"Content Too Large\"}"},
		{{.method = "POST",
		  .content_type = "application/json",
		  .content_length = UINT64_MAX - 1},
		 "413 {\"error\":\"the body is larger than 1048576 bytes\"}",
		 "413 {\"error\":\"Content Too Large\"}"},
	};
	struct fixture fixture = open_default();
	struct fixture hiding = open_endpoint((struct herald_allocator){0},
					      &HERALD_ENDPOINT_OPTIONS(.hide_errors = true));

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		bool hidden = i % 2 != 0;
		struct herald_http_request *request = herald_http_request_create(
			hidden ? hiding.endpoint : fixture.endpoint, &rows[i / 2].head);
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

/* Whatever else the head says, and while the endpoint stops. */
static void
test_options(void **state)
{
	static const struct herald_http_head heads[] = {
		{.method = "OPTIONS", .content_length = HERALD_HTTP_NO_LENGTH},
		{.method = "OPTIONS",
		 .content_type = "text/plain",
		 .content_length = UINT64_MAX - 1},
		{.method = "OPTIONS", .content_encoding = "br"},
	};
	struct fixture fixture = open_default();

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(heads); i++) {
		if (i == COUNT(heads))
			assert_int_equal(herald_endpoint_stop(fixture.endpoint, 0), 0);
		struct herald_http_request *request =
			herald_http_request_create(fixture.endpoint, &heads[i % COUNT(heads)]);
		const struct herald_http_response *response = herald_http_request_response(request);

		assert_int_equal(response->status, 204);
		assert_string_equal(response->allow, "POST, OPTIONS");
		assert_null(response->content_type);
		assert_int_equal(response->body_bytes, 0);
		assert_false(herald_http_request_append(request, "x", 1));
		assert_ptr_equal(herald_http_request_finish(request), response);
		assert_int_equal(response->status, 204);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
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
			      &HERALD_ENDPOINT_OPTIONS(.media_types = forms)),
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const struct herald_http_head head = {.method = "POST",
						      .content_type = rows[i / 2].content_type,
						      .content_length = 10};
		struct herald_http_request *request =
			herald_http_request_create(fixtures[i % 2].endpoint, &head);
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
		fixtures[1].endpoint,
		&(struct herald_http_head){.method = "POST", .content_type = "application/json"});
	assert_string_equal(
		text_of(herald_http_request_response(request)),
		"415 {\"error\":\"expected Content-Type application/x-www-form-urlencoded "
		"or TEXT/csv, found application/json\"}");
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
		const struct herald_http_head head = {.method = i ? "POST" : wild,
						      .content_type = wild};
		struct herald_http_request *request =
			herald_http_request_create(fixture.endpoint, &head);
		const struct herald_http_response *response = herald_http_request_response(request);
		json_t *json = json_loadb(response->body, response->body_bytes, 0, NULL);

		assert_non_null(json);
		assert_int_equal(response->status, i ? 415 : 405);
		json_decref(json);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_refused_heads, events_setup),
		cmocka_unit_test_setup(test_options, events_setup),
		cmocka_unit_test_setup(test_media_types, events_setup),
		cmocka_unit_test_setup(test_long_and_wild_heads, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
