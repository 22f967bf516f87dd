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
		{{"TRANSFER-ENCODING:CHUNKED"}, HERALD_HTTP_NO_LENGTH, true, false, false},
		{{"EXPECT:100-CONTINUE"}, HERALD_HTTP_NO_LENGTH, false, true, false},
		{{"CONTENT-LENGTH:5"}, 5, false, false, false},
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
		{"Content-Length:5", "TRANSFER-ENCODING:chunked"},
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
versions(void **state)
{
	static const struct {
		const char *version;
		bool plain, hosted,
			chunked; /* whether a request is ambiguous: without anything, ... */
	} cases[] = {
		{"HTTP/1.1", true, false, false}, {"1.1", true, false, false},
		{"HTTP/1.0", false, false, true}, {"1.0", false, false, true},
		{"HTTP/1.2", true, true, true},   {"HTTP/0.9", true, true, true},
		{"HTTP/2.0", true, true, true},   {"HTTP/1.01", true, true, true},
		{"HTTP/1.1 ", true, true, true},  {"HTTP/11.1", true, true, true},
		{"http/1.1", true, true, true},   {"HTTP/1.", true, true, true},
		{"1", true, true, true},          {"", true, true, true},
		{NULL, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing plain = HERALD_HTTP_FRAMING_INIT;
		struct herald_http_framing hosted = HERALD_HTTP_FRAMING_INIT;

		herald_http_framing_add(&hosted, "Host", "test");
		struct herald_http_framing chunked = hosted;
		herald_http_framing_add(&chunked, "Transfer-Encoding", "chunked");
		herald_http_framing_version(&plain, cases[i].version);
		herald_http_framing_version(&hosted, cases[i].version);
		herald_http_framing_version(&chunked, cases[i].version);
		if (plain.ambiguous != cases[i].plain || hosted.ambiguous != cases[i].hosted ||
		    chunked.ambiguous != cases[i].chunked)
			fail_msg("%s: %d %d %d", cases[i].version, plain.ambiguous,
				 hosted.ambiguous, chunked.ambiguous);
	}
}

static void
hosts(void **state)
{
	static const struct {
		const char *value;
		bool is_host;
	} cases[] = {
		{"", true},
		{"t", true},
		{" t\t", true},
		{"example.com", true},
		{"xn--bcher-kva.example:8080", true},
		{"127.0.0.1:0", true},
		{"t:", true},
		{"t:65535", true},
		{"[::1]", true},
		{"[::ffff:127.0.0.1]:80", true},
		{"a_b~c!$&'()*+;=-", true},
		{"b%C3%BCcher", true},
		{"t:65536", false},
		{"t:99999999999999999999", false},
		{"t:8x", false},
		{"t:80:80", false},
		{"t:-1", false},
		{"t u", false},
		{"t, u", false},
		{"t,u", false},
		{"u@t", false},
		{"t/", false},
		{"[::1", false},
		{"[]", false},
		{"[::1]x", false},
		{"[::g]", false},
		{"::1", false},
		{"b%C", false},
		{"b%00", false},
		{"b\xc3\xbc", false},
		{"t?", false},
		{"t\\", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

		herald_http_framing_add(&framing, "host", cases[i].value);
		if (framing.ambiguous == cases[i].is_host)
			fail_msg("\"%s\"", cases[i].value);
		herald_http_framing_add(&framing, "Host", "t");
		assert_true(framing.ambiguous);
	}
}

/* Every byte, at each place within and behind the eight that are looked at together. */
static void
values_have_no_control_bytes(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		bool is_control = (byte < ' ' && byte != '\t') || byte == 0x7f;

		for (size_t at = 0; at < 19; at++) {
			char value[] = "a long\tvalue, with~";
			struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

			assert_int_equal(sizeof(value), 20);
			value[at] = (char)byte;
			herald_http_framing_add(&framing, "X-Test", value);
			if (framing.ambiguous != is_control)
				fail_msg("byte 0x%02x at %zu", byte, at);
		}
	}
}

/* Targets and paths. */

static void
targets(void **state)
{
	static const struct {
		const char *target, *path; /* NULL: it is none */
	} cases[] = {
		{"/event", "/event"},
		{"/", "/"},
		{"*", "*"},
		{"/event?a=b&c=%20", "/event"},
		{"/event?", "/event"},
		{"/event?a[b]={c}|?/\"%", "/event"},
		{"/%65vent", "/%65vent"},
		{"//event", "//event"},
		{"/a;b=c/d:e@f", "/a;b=c/d:e@f"},
		{"http://t/event", "/event"},
		{"HTTPS://[::1]:80/event?a", "/event"},
		{"http://t", "/"},
		{"http://t?a", "/"},
		{"", NULL},
		{"event", NULL},
		{"?a", NULL},
		{"*x", NULL},
		{"t:80", NULL},
		{"ftp://t/event", NULL},
		{"http:/event", NULL},
		{"httpss://t/event", NULL},
		{"http:///event", NULL},
		{"http://t:99999/event", NULL},
		{"http://u@t/event", NULL},
		{"http://t u/event", NULL},
		{"http://t#/event", NULL},
		{"/event#a", NULL},
		{"/event?a#b", NULL},
		{"/ev ent", NULL},
		{"/ev\tent", NULL},
		{"/event?a b", NULL},
		{"/event?\x7f", NULL},
		{"/\xc3\xa9", NULL},
		{"/event?\xc3\xa9", NULL},
		{"/event%", NULL},
		{"/event%4", NULL},
		{"/event%zz", NULL},
		{"/event%00", NULL},
		{"/event%0", NULL},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		const char *path = cases[i].path;
		struct herald_text found = {NULL, 0};

		if (herald_http_target_path(cases[i].target, &found) != (path != NULL))
			fail_msg("\"%s\"", cases[i].target);
		if (path) {
			assert_int_equal(found.bytes, strlen(path));
			assert_memory_equal(found.data, path, found.bytes);
		} else {
			assert_null(found.data);
		}
		assert_int_equal(herald_http_target_is(cases[i].target, path ? path : "/event"),
				 path != NULL);
	}
	assert_false(herald_http_target_is("/event/", "/event"));
	assert_false(herald_http_target_is("/even", "/event"));
	assert_false(herald_http_target_is("/EVENT", "/event"));
}

static void
paths_of_options(void **state)
{
	static const struct {
		const char *path, *message; /* NULL: it may be served */
	} cases[] = {
		{"/", NULL},
		{"/event", NULL},
		{"/a//b/...", NULL},
		{"/caf%C3%A9/a;b=c:d@e", NULL},
		{"", "path must begin with '/', unlike \"\""},
		{"event", "path must begin with '/', unlike \"event\""},
		{"/event?a", "path must have no query and no fragment"},
		{"/event#a", "path must have no query and no fragment"},
		{"/ev ent", "byte 0x20 at offset 3 is not allowed"},
		{"/event\r", "byte 0x0d at offset 6 is not allowed"},
		{"/event\n", "byte 0x0a at offset 6 is not allowed"},
		{"/event\x7f", "byte 0x7f at offset 6 is not allowed"},
		{"/\xc3\xa9", "byte 0xc3 at offset 1 is not allowed"},
		{"/a\\b", "byte 0x5c at offset 2 is not allowed"},
		{"/a%2", "byte 0x25 at offset 2 is not allowed"},
		{"/a%00", "byte 0x25 at offset 2 is not allowed"},
		{"/a/./b", "path must have no segment \".\" or \"..\""},
		{"/a/..", "path must have no segment \".\" or \"..\""},
	};
	char longest[1026];
	struct herald_error error;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		error = (struct herald_error){0};
		enum herald_status status = herald_http_path_check("path", cases[i].path, &error);

		assert_int_equal(status, cases[i].message ? HERALD_BAD_OPTION : HERALD_OK);
		assert_int_equal(error.status, status);
		assert_string_equal(error.path, cases[i].message ? "path" : "");
		if (cases[i].message && !strstr(error.message, cases[i].message))
			fail_msg("\"%s\" instead of \"%s\"", error.message, cases[i].message);
	}
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[1025] = '\0';
	assert_int_equal(herald_http_path_check("p", longest, NULL), HERALD_BAD_OPTION);
	assert_int_equal(herald_http_path_check("p", longest, &error), HERALD_BAD_OPTION);
	assert_string_equal(error.message, "p must have at most 1024 bytes");
	longest[1024] = '\0';
	assert_int_equal(herald_http_path_check("p", longest, &error), HERALD_OK);
}

/* Every byte at each place of the names that are looked for: another name, unless it is the letter. */
static void
names_differ_in_case_only(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
		{"Content-Length", "5"},
		{"Transfer-Encoding", "chunked"},
		{"Expect", "100-continue"},
		{"Content-Type", "a/b"},
		{"Host", "t"},
	};
	const struct herald_http_framing none = HERALD_HTTP_FRAMING_INIT;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		for (size_t at = 0; at < strlen(cases[i].name); at++) {
			for (int byte = 1; byte < 256; byte++) {
				struct herald_http_framing framing = none;
				char name[32];
				int same = cases[i].name[at];
				bool is_same =
					byte == same || (same != '-' && (byte ^ same) == 0x20);

				snprintf(name, sizeof(name), "%s", cases[i].name);
				name[at] = (char)byte;
				herald_http_framing_add(&framing, name, cases[i].value);
				bool is_seen = framing.content_length != none.content_length ||
					       framing.chunked || framing.expects_continue ||
					       framing.content_type || framing.has_host;
				if (is_seen != is_same)
					fail_msg("%s with 0x%02x at %zu", cases[i].name, byte, at);
			}
		}
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
		cmocka_unit_test(versions),
		cmocka_unit_test(hosts),
		cmocka_unit_test(values_have_no_control_bytes),
		cmocka_unit_test(targets),
		cmocka_unit_test(paths_of_options),
		cmocka_unit_test(names_differ_in_case_only),
		cmocka_unit_test(names_are_tokens),
		cmocka_unit_test(headers_of_an_answer),
		cmocka_unit_test(reasons),
		cmocka_unit_test(stop_without_requests),
		cmocka_unit_test(stop_counts_what_is_left),
		cmocka_unit_test(stop_waits_for_the_last_request),
	};

	return cmocka_run_group_tests_name("http_adapter", tests, NULL, NULL);
}
