/*
 * What HTTP adapters share: the framing of a body as headers tell it, the headers of an answer, and the
 * stop of an endpoint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include <herald/herald.h>

/* Framing. Headers are "Name: value" lines. */

static struct herald_http_framing
read_headers(const char *const *lines, size_t count)
{
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

	for (size_t i = 0; i < count && lines[i]; i++) {
		char name[64];
		const char *colon = strchr(lines[i], ':');

		assert_non_null(colon);
		snprintf(name, sizeof(name), "%.*s", (int)(colon - lines[i]), lines[i]);
		herald_http_framing_add(&framing, name, colon + 1);
	}
	return framing;
}

static void
clear_framings(void **state)
{
	static const struct {
		const char *lines[4];
		uint64_t content_length;
		bool chunked, expects_continue, must_close;
	} cases[] = {
		{{NULL}, HERALD_HTTP_NO_LENGTH, false, false, false},
		{{"Host:test", "X-Content-Length:5"}, HERALD_HTTP_NO_LENGTH, false, false, false},
		{{"Content-Length:0"}, 0, false, false, false},
		{{"content-length:007"}, 7, false, false, false},
		{{"Content-Type:a/b;c=\",\\\",\"", "X-Content-Type:c,d"},
		 HERALD_HTTP_NO_LENGTH,
		 false,
		 false,
		 false},
		{{"Content-Length: 103  "}, 103, false, false, false},
		{{"Content-Length:\t 103\t"}, 103, false, false, false},
		{{"Content-Length:16777216"}, 16777216, false, false, false},
		{{"Content-Length:16777217"}, 16777217, false, false, true},
		{{"Content-Length:18446744073709551613"}, UINT64_MAX - 2, false, false, true},
		{{"Content-Length:18446744073709551614"}, UINT64_MAX - 1, false, false, true},
		{{"Content-Length:18446744073709551615"}, UINT64_MAX - 1, false, false, true},
		{{"Content-Length:99999999999999999999999"}, UINT64_MAX - 1, false, false, true},
		{{"Transfer-Encoding:chunked"}, HERALD_HTTP_NO_LENGTH, true, false, false},
		{{"transfer-encoding:Chunked"}, HERALD_HTTP_NO_LENGTH, true, false, false},
		{{"Expect: 100-continue "}, HERALD_HTTP_NO_LENGTH, false, true, false},
		{{"Expect:100-Continue"}, HERALD_HTTP_NO_LENGTH, false, true, false},
		{{"Expect:100-continue", "Content-Length:0"}, 0, false, true, false},
		{{"Expect:100-continue", "Content-Length:1"}, 1, false, true, true},
		{{"Expect:100-continue", "Transfer-Encoding:chunked"},
		 HERALD_HTTP_NO_LENGTH,
		 true,
		 true,
		 true},
		{{"Expect:more"}, HERALD_HTTP_NO_LENGTH, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = read_headers(cases[i].lines, 4);

		assert_false(framing.ambiguous);
		assert_true(framing.content_length == cases[i].content_length);
		assert_int_equal(framing.chunked, cases[i].chunked);
		assert_int_equal(framing.expects_continue, cases[i].expects_continue);
		assert_int_equal(herald_http_framing_must_close(&framing), cases[i].must_close);
	}
}

static void
ambiguous_framings(void **state)
{
	static const char *const cases[][3] = {
		{"Content-Length:"},
		{"Content-Length:-1"},
		{"Content-Length:+1"},
		{"Content-Length:0x5"},
		{"Content-Length: "},
		{"Content-Length:5 5"},
		{"Content-Length:5\v"},
		{"Content-Length:5,5"},
		{"Content-Length:5", "Content-Length:5"},
		{"Content-Length:5", "Host:test", "Content-Length:6"},
		{"Content-Length:many", "Content-Length:5"},
		{"Content-Length:5", "Transfer-Encoding:chunked"},
		{"Transfer-Encoding:chunked", "Content-Length:0"},
		{"Transfer-Encoding:chunked", "Transfer-Encoding:chunked"},
		{"Transfer-Encoding:"},
		{"Transfer-Encoding:gzip"},
		{"Transfer-Encoding:gzip, chunked"},
		{"Transfer-Encoding:identity"},
		{"Transfer-Encoding:\vchunked"},
		{"Transfer-Encoding:chunked "},
		{"Transfer-Encoding:chunkedx"},
		{"Transfer-Encoding:chunk"},
		{"Content-Type:a/b", "Content-Type:a/b"},
		{"Content-Type:", "Host:test", "content-type:a/b"},
		{"Content-Type:a/b,c/d"},
		{"Content-Type:a/b; c=\"\\\"\",d/e"},
		{"Content-Length :5"},
		{"Host\t:test"},
		{"Transfer-Encoding\v:chunked"},
		{"\xa0Transfer-Encoding:chunked"},
	};
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		framing = read_headers(cases[i], 3);
		if (!framing.ambiguous || !herald_http_framing_must_close(&framing))
			fail_msg("%s is not ambiguous", cases[i][0]);
	}
	framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
	herald_http_framing_add(&framing, "Content-Length", NULL);
	assert_true(framing.ambiguous);
}

static void
encodings_of_versions(void **state)
{
	static const struct {
		const char *version;
		bool ambiguous;
	} cases[] = {
		{"HTTP/1.0", true}, {"1.0", true}, {"HTTP/1.1", false}, {"HTTP/1.2", false},
		{"1.1", false},     {"0", false},  {"", false},         {NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing chunked = HERALD_HTTP_FRAMING_INIT;
		struct herald_http_framing declared = HERALD_HTTP_FRAMING_INIT;

		herald_http_framing_add(&chunked, "Transfer-Encoding", "chunked");
		herald_http_framing_add(&declared, "Content-Length", "1");
		herald_http_framing_version(&chunked, cases[i].version);
		herald_http_framing_version(&declared, cases[i].version);
		assert_int_equal(chunked.ambiguous, cases[i].ambiguous);
		assert_false(declared.ambiguous);
	}
}

/* Every byte, at the end of a name (RFC 9110 section 5.6.2). */
static void
names_are_tokens(void **state)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct herald_http_framing framing;

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		const char name[] = {'X', (char)byte, '\0'};

		framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
		herald_http_framing_add(&framing, name, "chunked");
		assert_int_equal(framing.ambiguous, !strchr(allowed, byte));
	}
	framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
	herald_http_framing_add(&framing, "", "chunked");
	assert_true(framing.ambiguous);
}

/* An answer's headers. */

static void
collect(const char *name, const char *value, void *state)
{
	char *text = state;
	size_t bytes = strlen(text);

	snprintf(text + bytes, 256 - bytes, "%s: %s\n", name, value);
}

static void
headers_of_an_answer(void **state)
{
	const struct herald_http_response full = {
		.status = 503,
		.content_type = "application/json",
		.body = "{}",
		.body_bytes = 2,
		.allow = "POST",
		.retry_after_s = UINT32_MAX,
	};
	const struct herald_http_response least = {.status = 200, .content_type = "a/b"};
	char text[256] = "";

	(void)state;
	herald_http_response_headers(&full, collect, text);
	assert_string_equal(text, "Content-Type: application/json\nContent-Length: 2\nAllow: POST\n"
				  "Retry-After: 4294967295\n");
	text[0] = '\0';
	herald_http_response_headers(&least, collect, text);
	assert_string_equal(text, "Content-Type: a/b\nContent-Length: 0\n");
}

static void
reasons(void **state)
{
	(void)state;
	assert_string_equal(herald_http_reason(200), "OK");
	assert_string_equal(herald_http_reason(413), "Content Too Large");
	assert_string_equal(herald_http_reason(599), "error");
}

/* The stop of an endpoint. */

struct fixture {
	struct herald_service *service;
	struct herald_http *http;
};

struct empty_state {
	int unused;
};

static enum herald_verdict
on_event(struct herald_context *ctx, const struct herald_json *payload, struct empty_state *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_event, herald_json, empty_state);

static void
open_fixture(struct fixture *fixture)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("event", herald_json, on_event, NULL),
	};

	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)),
					       &fixture->service, NULL),
			 HERALD_OK);
	assert_int_equal(herald_http_create(fixture->service, NULL, &fixture->http, NULL),
			 HERALD_OK);
}

static void
close_fixture(struct fixture *fixture)
{
	herald_http_destroy(fixture->http);
	herald_service_destroy(fixture->service);
}

static struct herald_http_request *
begin(struct fixture *fixture)
{
	const struct herald_http_head head = {
		.method = "POST",
		.content_type = "application/json",
		.content_length = HERALD_HTTP_NO_LENGTH,
	};
	struct herald_http_request *request = herald_http_request_create(fixture->http, &head);

	assert_non_null(request);
	return request;
}

static void
stop_without_requests(void **state)
{
	struct fixture fixture;

	(void)state;
	open_fixture(&fixture);
	herald_http_request_destroy(begin(&fixture));
	assert_int_equal(herald_http_stop(fixture.http, UINT32_MAX), 0);
	assert_int_equal(herald_http_stop(fixture.http, 0), 0);
	close_fixture(&fixture);
}

static void
stop_counts_what_is_left(void **state)
{
	static const char event[] =
		"{\"event_type\":\"event\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		"\"payload\":{}}";
	struct fixture fixture;

	(void)state;
	open_fixture(&fixture);
	struct herald_http_request *first = begin(&fixture);
	struct herald_http_request *second = begin(&fixture);
	assert_int_equal(herald_http_stop(fixture.http, 0), 2);
	assert_int_equal(herald_http_stop(fixture.http, 20), 2);

	/* New ones are refused, and in flight until they end. */
	struct herald_http_request *late = begin(&fixture);
	const struct herald_http_response *response = herald_http_request_response(late);
	assert_non_null(response);
	assert_int_equal(response->status, 503);
	assert_int_equal(response->retry_after_s, 1);
	assert_int_equal(herald_http_stop(fixture.http, 0), 3);
	herald_http_request_destroy(late);

	/* Those that were there are not. */
	assert_true(herald_http_request_append(first, event, sizeof(event) - 1));
	assert_int_equal(herald_http_request_finish(first)->status, 200);
	herald_http_request_destroy(first);
	assert_int_equal(herald_http_stop(fixture.http, 0), 1);
	herald_http_request_destroy(second);
	assert_int_equal(herald_http_stop(fixture.http, 0), 0);
	close_fixture(&fixture);
}

static void *
stop(void *state)
{
	struct fixture *fixture = state;
	return (void *)herald_http_stop(fixture->http, UINT32_MAX);
}

static void
stop_waits_for_the_last_request(void **state)
{
	struct fixture fixture;
	pthread_t stopper;
	void *left;
	bool stopping = false;

	(void)state;
	open_fixture(&fixture);
	struct herald_http_request *request = begin(&fixture);
	assert_int_equal(pthread_create(&stopper, NULL, stop, &fixture), 0);
	while (!stopping) {
		struct herald_http_request *late = begin(&fixture);

		stopping = herald_http_request_response(late) != NULL;
		herald_http_request_destroy(late);
	}
	herald_http_request_destroy(request);
	pthread_join(stopper, &left);
	assert_int_equal((size_t)left, 0);
	close_fixture(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clear_framings),
		cmocka_unit_test(ambiguous_framings),
		cmocka_unit_test(encodings_of_versions),
		cmocka_unit_test(names_are_tokens),
		cmocka_unit_test(headers_of_an_answer),
		cmocka_unit_test(reasons),
		cmocka_unit_test(stop_without_requests),
		cmocka_unit_test(stop_counts_what_is_left),
		cmocka_unit_test(stop_waits_for_the_last_request),
	};

	return cmocka_run_group_tests_name("http_adapter", tests, NULL, NULL);
}
