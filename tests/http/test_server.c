/*
 * The server: the contract, and what only it has: options, paths, heads and the stop. Deadlines and
 * limits are in test_server_limits.c, herald_serve() is in test_serve.c.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/server.h>

#include "contract/http/probe.h"
#include "http/server_fixture.h"
#include "support/thread_hooks.h"

static void
request(const struct probe *probe, const char *text, bool has_body, struct http_response *out)
{
	struct http_client client;

	probe_connect(probe, &client);
	assert_true(http_send_text(&client, text));
	assert_true(http_receive(&client, has_body, out));
	http_close(&client);
}

/* Records of a server's log, to be waited for. */

struct records {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t count;
	char texts[64][256]; /* "message key=value ..." */
};

static struct records records = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

static void
record(const struct herald_log_record *from, void *state)
{
	struct records *to = state;
	char text[256];
	int bytes = snprintf(text, sizeof(text), "%s", from->message);

	for (size_t i = 0; i < from->fields_count; i++) {
		const struct herald_log_field *field = &from->fields[i];
		size_t left = sizeof(text) - (size_t)bytes;
		bytes += field->text
				 ? snprintf(text + bytes, left, " %s=%s", field->key, field->text)
				 : snprintf(text + bytes, left, " %s=%lld", field->key,
					    (long long)field->number);
	}
	pthread_mutex_lock(&to->lock);
	if (to->count < HERALD_COUNT(to->texts))
		memcpy(to->texts[to->count++], text, sizeof(text));
	pthread_cond_broadcast(&to->changed);
	pthread_mutex_unlock(&to->lock);
}

static const struct herald_log record_log = {.write = record, .state = &records};

static void
wait_for_record(const char *beginning)
{
	struct timespec deadline;
	int failed = 0;
	bool found = false;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += HTTP_CLIENT_WAIT_MS / 1000;
	pthread_mutex_lock(&records.lock);
	while (!found && failed == 0) {
		for (size_t i = 0; i < records.count && !found; i++)
			found = strncmp(records.texts[i], beginning, strlen(beginning)) == 0;
		if (!found)
			failed = pthread_cond_timedwait(&records.changed, &records.lock, &deadline);
	}
	pthread_mutex_unlock(&records.lock);
	assert_true(found);
}

/* Options. */

static void
assert_bad_option(const struct herald_server_options *options, const char *path,
		  const char *message)
{
	struct probe probe;
	struct herald_server *server = NULL;
	struct herald_error error = {0};

	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	enum herald_status status = herald_server_create(probe.endpoint, options, &server, &error);
	assert_int_equal(status, HERALD_BAD_OPTION);
	assert_int_equal(error.status, HERALD_BAD_OPTION);
	assert_null(server);
	assert_string_equal(error.path, path);
	if (!strstr(error.message, message))
		fail_msg("\"%s\" instead of \"%s\"", error.message, message);
	/* And without anywhere to put the error. */
	assert_int_equal(herald_server_create(probe.endpoint, options, &server, NULL),
			 HERALD_BAD_OPTION);
	probe_destroy(&probe);
}

/* Refused before it is used. */
static struct herald_endpoint *const any_endpoint = (struct herald_endpoint *)&(char){0};

static void
bad_options(void **state)
{
	const struct herald_server_path limited[] = {
		{.path = "/a", .endpoint = any_endpoint, .max_body_bytes = 1}};

	(void)state;
	assert_bad_option(&(struct herald_server_options){.any_port = true}, "struct_size",
			  "use HERALD_SERVER_OPTIONS");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.address = "example.com"), "address",
			  "not \"example.com\"");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.address = "127.0.0.1:80"), "address",
			  "must be an IPv4 or IPv6 address");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.address = ""), "address", "not \"\"");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.path = "event"), "path", "must begin with '/'");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.path = "/event?a"), "path", "query");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.path = "/ev ent"), "path",
			  "byte 0x20 at offset 3");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.path = "/event\r"), "path",
			  "byte 0x0d at offset 6");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.health_path = ""), "health_path", "begin with");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.health_path = "/healthz\n"), "health_path",
			  "byte 0x0a at offset 8");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.path = "/a", .health_path = "/a"), "health_path",
			  "must differ from path");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.path = "/healthz"), "health_path", "differ");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.threads = 100000), "threads",
			  "must be at most 1024, not 100000");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.max_connections = (1u << 20) + 1),
			  "max_connections", "must be at most 1048576, not 1048577");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.max_connections = UINT32_MAX), "max_connections",
			  "must be at most 1048576, not 4294967295");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.max_header_bytes = 10), "max_header_bytes",
			  "must be at least 256, not 10");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.endpoint_options = &HERALD_ENDPOINT_OPTIONS()),
			  "endpoint_options", "only herald_serve()");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.port = 1, .any_port = true), "port", "any_port");
	assert_bad_option(&HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(limited)),
			  "paths[0].max_body_bytes", "an endpoint has its own");
}

static void
answer_bytes(struct herald_server_request *request, void *state)
{
	(void)state;
	assert_int_equal(strlen(request->body.data), request->body.bytes);
	assert_int_equal(herald_server_answer(request, 200, "text/plain", request->body.data,
					      request->body.bytes),
			 HERALD_OK);
}

/* Each path has a limit of its own, and another one than events. */
static void
bodies_of_own_paths(void **state)
{
	static const struct herald_server_path paths[] = {
		{.path = "/small", .function = answer_bytes, .methods = "PUT", .max_body_bytes = 3},
		{.path = "/usual", .function = answer_bytes, .methods = "PUT"},
	};
	static const struct {
		const char *request, *answer;
		unsigned status;
	} cases[] = {
		{"PUT /small HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc", "abc", 200},
		{"PUT /small HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nabcd",
		 "{\"error\":\"the body is larger than the path accepts\"}", 413},
		{"PUT /small HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
		 "abc", 200},
		{"PUT /small HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
		 "{\"error\":\"the body is larger than the path accepts\"}", 413},
		{"PUT /usual HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nabcd", "abcd", 200},
		{"PUT /usual HTTP/1.1\r\nHost: test\r\nContent-Length: 65537\r\n\r\n",
		 "{\"error\":\"the body is larger than the path accepts\"}", 413},
	};
	struct probe probe;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths)));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		request(&probe, cases[i].request, true, &response);
		probe_assert_answer(&response, cases[i].status, cases[i].answer);
	}
	probe_stop(&probe);
}

static void
answer_target(struct herald_server_request *request, void *state)
{
	char text[256];
	int bytes = snprintf(text, sizeof(text), "%s %s %s %s", (const char *)state,
			     request->path.data, request->query.data, request->body.data);

	assert_int_equal(strlen(request->path.data), request->path.bytes);
	assert_int_equal(herald_server_answer(request, 200, "text/plain", text, (size_t)bytes),
			 HERALD_OK);
}

/* "*" takes what no other path takes; the function sees which path it was. */
static void
any_path(void **state)
{
	static char any[] = "any", own[] = "own";
	static const struct herald_server_path paths[] = {
		{.path = "*", .function = answer_target, .state = any, .methods = "GET, PUT"},
		{.path = "/own", .function = answer_target, .state = own, .methods = "GET, PUT"},
	};
	static const struct {
		const char *request, *answer;
		unsigned status;
	} cases[] = {
		{"GET /own?a=1 HTTP/1.1\r\nHost: test\r\n\r\n", "own /own a=1 ", 200},
		{"GET /other HTTP/1.1\r\nHost: test\r\n\r\n", "any /other  ", 200},
		{"GET /owner/x?b HTTP/1.1\r\nHost: test\r\n\r\n", "any /owner/x b ", 200},
		{"GET http://test HTTP/1.1\r\nHost: test\r\n\r\n", "any /  ", 200},
		{"GET http://test?q HTTP/1.1\r\nHost: test\r\n\r\n", "any / q ", 200},
		{"PUT /a?b HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi", "any /a b hi",
		 200},
		{"PUT http://test?q HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nhi\r\n0\r\n\r\n",
		 "any / q hi", 200},
		{"PUT /c/d?e HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nhi\r\n0\r\n\r\n",
		 "any /c/d e hi", 200},
		{"POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
		 "{\"error\":\"the path accepts GET, PUT, HEAD, not POST\"}", 405},
		{"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", "", 204},
		{"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n", "{\"status\":\"ok\"}", 200},
	};
	struct probe probe;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths)));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		request(&probe, cases[i].request, cases[i].status != 204, &response);
		probe_assert_answer(&response, cases[i].status, cases[i].answer);
	}
	probe_stop(&probe);
}

static void
answer_rest(struct herald_server_request *request, void *state)
{
	char text[256];
	int bytes = snprintf(text, sizeof(text), "%s %s %s %s", (const char *)state,
			     request->path.data, request->rest.data, request->body.data);

	assert_int_equal(strlen(request->rest.data), request->rest.bytes);
	assert_int_equal(herald_server_answer(request, 200, "text/plain", text, (size_t)bytes),
			 HERALD_OK);
}

/* A path that ends in an asterisk takes all below it, unless a longer one or an exact one does. */
static void
prefixes(void **state)
{
	static char any[] = "any", one[] = "one", two[] = "two", exact[] = "exact";
	static const struct herald_server_path paths[] = {
		{.path = "*", .function = answer_rest, .state = any},
		{.path = "/a/*", .function = answer_rest, .state = one, .methods = "GET, PUT"},
		{.path = "/a/b/*", .function = answer_rest, .state = two},
		{.path = "/a/b/c", .function = answer_rest, .state = exact},
	};
	static const struct {
		const char *request, *answer;
		unsigned status;
	} cases[] = {
		{"GET /a/ HTTP/1.1\r\nHost: test\r\n\r\n", "one /a/  ", 200},
		{"GET /a HTTP/1.1\r\nHost: test\r\n\r\n", "one /a  ", 200},
		{"GET /a?q HTTP/1.1\r\nHost: test\r\n\r\n", "one /a  ", 200},
		{"GET /a/x/y?q HTTP/1.1\r\nHost: test\r\n\r\n", "one /a/x/y x/y ", 200},
		{"GET /a/* HTTP/1.1\r\nHost: test\r\n\r\n", "one /a/* * ", 200},
		{"GET /a/b HTTP/1.1\r\nHost: test\r\n\r\n", "two /a/b  ", 200},
		{"GET /a/b/d HTTP/1.1\r\nHost: test\r\n\r\n", "two /a/b/d d ", 200},
		{"GET /a/b/c HTTP/1.1\r\nHost: test\r\n\r\n", "exact /a/b/c  ", 200},
		{"GET /ab HTTP/1.1\r\nHost: test\r\n\r\n", "any /ab  ", 200},
		{"GET / HTTP/1.1\r\nHost: test\r\n\r\n", "any /  ", 200},
		{"GET /%61/ HTTP/1.1\r\nHost: test\r\n\r\n", "any /%61/  ", 200},
		{"PUT /a/z HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi", "one /a/z z hi",
		 200},
		{"PUT /a/z?q HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nhi\r\n0\r\n\r\n",
		 "one /a/z z hi", 200},
		{"PUT /a/b/z HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
		 "{\"error\":\"the path accepts GET, HEAD, not PUT\"}", 405},
		{"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n", "{\"status\":\"ok\"}", 200},
	};
	struct probe probe;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths)));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		request(&probe, cases[i].request, true, &response);
		probe_assert_answer(&response, cases[i].status, cases[i].answer);
	}
	probe_stop(&probe);
}

static void
many_query_arguments(void **state)
{
	static const unsigned counts[] = {1, 200, 212, 213, 214, 220, 1500};
	struct probe probe;
	struct http_client client;
	struct http_response response;
	char request[8192];

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	for (size_t i = 0; i < HERALD_COUNT(counts); i++) {
		size_t bytes = (size_t)snprintf(request, sizeof(request), "POST /event?");

		for (unsigned j = 0; j < counts[i]; j++)
			bytes += (size_t)snprintf(request + bytes, sizeof(request) - bytes, "q=1&");
		snprintf(request + bytes, sizeof(request) - bytes,
			 " HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(PROBE_DONE), PROBE_DONE);
		assert_true(http_send_text(&client, request));
		assert_true(http_wait_readable(&client, PROBE_AT_ONCE_MS));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
	}
	http_close(&client);
	probe_stop(&probe);
}

/* The same holds for requests that are not events. */
static void
malformed_heads_of_other_paths(void **state)
{
	static const struct {
		const char *request, *error;
	} cases[] = {
		{"GET /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 requires a Host header"},
		{"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
		 "there are two Host headers"},
		{"GET /nowhere HTTP/1.1\r\nHost: a b\r\n\r\n", "Host is not a host and a port"},
		{"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n",
		 "Content-Length is not a number"},
		{"POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n",
		 "there are both Content-Length and Transfer-Encoding"},
		{"GET /nowhere HTTP/1.1\r\nHost: test\r\n:\r\nX: a\r\n\r\n",
		 "a header line does not begin with a name and a colon"},
		{"GET /nowhere%00 HTTP/1.1\r\nHost: test\r\n\r\n",
		 "the request's target is not valid (RFC 9112 section 3.2)"},
		{"GET /healthz HTTP/1.1\r\nHost: test\r\nX-A: b\r\n c\r\n\r\n",
		 "a header line begins with a space; folded headers are not accepted"},
		{"GET /healthz HTTP/1.1\nHost: test\n\n",
		 "a line of the head has a control character, or does not end with CR LF"},
		{"GET /healthz HTTP/1.1\r\nHost: te\rst\r\n\r\n",
		 "a CR in the head is not followed by LF"},
		{"GET /healthz\r\n\r\n",
		 "the request line does not have a target and a space after the method"},
		{"GET /healthz FTP/1.1\r\n\r\n",
		 "the request line does not end with an HTTP version"},
		{"\x16\x03\x01\x02\x01", "this port does not speak TLS"},
	};
	struct probe probe;
	struct http_client client;
	struct http_response response;
	char expected[256];

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, cases[i].request));
		assert_true(http_receive(&client, true, &response));
		snprintf(expected, sizeof(expected), "{\"error\":\"%s\"}", cases[i].error);
		probe_assert_answer(&response, 400, expected);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	probe_stop(&probe);
}

/* A program that was compiled when the struct ended after `path`. */
static void
options_of_an_older_program(void **state)
{
	struct probe probe;
	struct http_response response;
	struct herald_server_options options = {
		.struct_size = offsetof(struct herald_server_options, health_path),
		.path = "/old",
		.any_port = true,
		.health_path = "not read",
		.threads = 1000000,
	};

	(void)state;
	serve(&probe, options);
	request(&probe, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
	probe_assert_answer(&response, 200, NULL);
	request(&probe, "GET /old HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
	probe_assert_answer(&response, 405, NULL);
	probe_stop(&probe);
}

static void
address_in_use(void **state)
{
	struct probe probe;
	struct herald_server *second = NULL;
	struct herald_error error;
	char expected[128];

	probe_start(&probe, state, NULL);
	assert_int_equal(herald_server_create(probe.endpoint,
					      &HERALD_SERVER_OPTIONS(.port = probe.port), &second,
					      &error),
			 HERALD_SYSTEM);
	assert_null(second);
	snprintf(expected, sizeof(expected),
		 "cannot listen on 127.0.0.1:%u: Address already in use", probe.port);
	assert_string_equal(error.message, expected);
	probe_stop(&probe);
}

/* One Date, which is the time of the exchange (RFC 9110 section 6.6.1). */
static void
assert_dated(struct http_client *client, const char *body)
{
	struct http_response response;
	struct tm utc = {0};
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	time_t before = time(NULL);

	assert_true(probe_post(client, body));
	assert_true(http_receive(client, true, &response));
	time_t after = time(NULL);
	const char *date = http_header(&response, "Date");
	assert_non_null(date);
	const char *end = strptime_l(date, "%a, %d %b %Y %H:%M:%S GMT", &utc, c_locale);
	assert_true(end && *end == '\0');
	assert_int_equal(end - date, 29);
	int weekday = utc.tm_wday;
	assert_in_range(timegm(&utc), before, after);
	assert_int_equal(weekday, utc.tm_wday);
	assert_null(strstr(strstr(response.head, "Date:") + 1, "Date:"));
	freelocale(c_locale);
}

/* Whether it is kept or made for the occasion, and whichever is a second's first on its thread. */
static void
answers_have_the_date_of_now(void **state)
{
	static const char *const bodies[] = {PROBE_DONE, "{}"};
	struct probe probes[2];
	struct http_client clients[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		serve(&probes[i], HERALD_SERVER_OPTIONS(.threads = 1));
		probe_connect(&probes[i], &clients[i]);
	}
	for (int seconds = 0; seconds < 2; seconds++) {
		struct timespec next = {.tv_sec = time(NULL) + 1};

		for (int i = 0; i < 6; i++)
			assert_dated(&clients[i % 2], bodies[(i + i / 2) % 2]);
		while (seconds == 0 && time(NULL) < next.tv_sec)
			clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &next, NULL);
	}
	for (int i = 0; i < 2; i++) {
		http_close(&clients[i]);
		probe_stop(&probes[i]);
	}
}

static void
ipv6(void **state)
{
	struct probe probe;
	struct http_client client;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.address = "::1"));
	assert_true(http_connect(&client, "::1", probe.port));
	assert_true(probe_post(&client, PROBE_DONE));
	assert_true(http_receive(&client, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	http_close(&client);
	probe_stop(&probe);
}

/* Paths besides the one for events. */

static void
health_and_unknown_paths(void **state)
{
	static const struct {
		const char *request;
		bool has_body;
		unsigned status;
		const char *allow, *body;
	} cases[] = {
		{"GET /healthz", true, 200, NULL, "{\"status\":\"ok\"}"},
		{"GET /healthz?verbose=1", true, 200, NULL, "{\"status\":\"ok\"}"},
		{"HEAD /healthz", false, 200, NULL, ""},
		{"POST /healthz", true, 405, "GET, HEAD, OPTIONS",
		 "{\"error\":\"the path accepts GET, HEAD, not POST\"}"},
		{"GET /", true, 404, NULL, "{\"error\":\"not found\"}"},
		{"GET /event/", true, 404, NULL, NULL},
		{"GET /Event", true, 404, NULL, NULL},
		{"POST /nowhere", true, 404, NULL, NULL},
		{"HEAD /nowhere", false, 404, NULL, ""},
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_response response;
		char text[256];

		snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: test\r\n\r\n", cases[i].request);
		request(&probe, text, cases[i].has_body, &response);
		probe_assert_answer(&response, cases[i].status, cases[i].body);
		assert_string_equal(http_header(&response, "Content-Type"), "application/json");
		const char *allow = http_header(&response, "Allow");
		if (cases[i].allow)
			assert_string_equal(allow, cases[i].allow);
		else
			assert_null(allow);
	}
	probe_stop(&probe);
}

/* Heads that are too large. */

static void
too_large_heads_are_431(void **state)
{
	static const size_t header_bytes[] = {900, 1100, 5000, 100000};
	struct probe probe;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.max_header_bytes = 1024));
	for (size_t i = 0; i < HERALD_COUNT(header_bytes); i++) {
		struct http_client client;
		struct http_response response;
		char *value = calloc(1, header_bytes[i] + 1);

		assert_non_null(value);
		memset(value, 'v', header_bytes[i]);
		probe_connect(&probe, &client);
		/* It may close before it has all of it. */
		(void)(http_send_text(&client, "GET /healthz HTTP/1.1\r\nHost: test\r\nX: ") &&
		       http_send_text(&client, value) && http_send_text(&client, "\r\n\r\n"));
		if (http_receive(&client, true, &response))
			probe_assert_answer(&response, header_bytes[i] < 1000 ? 200 : 431, NULL);
		else
			assert_true(header_bytes[i] > 5000);
		http_close(&client);
		free(value);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* As many bytes as the default allows, in as many headers as the documentation says. */
static void
head_of_full_size_is_taken(void **state)
{
	char header[] =
		"X-Header-With-A-Name: and with a value of this length here, which makes it "
		"one hundred and thirty-six bytes as the average of sixty headers\r\n";
	struct probe probe;
	struct http_client client;
	struct http_response response;
	char head[8192] = "POST /event HTTP/1.1\r\nHost: test\r\n"
			  "Content-Type: application/json\r\nContent-Length: 2\r\n";
	size_t bytes = strlen(head);

	while (bytes + sizeof(header) + 4 < sizeof(head)) {
		memcpy(head + bytes, header, sizeof(header));
		bytes += sizeof(header) - 1;
	}
	memcpy(head + bytes, "\r\n{}", 5);
	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS());
	probe_connect(&probe, &client);
	for (int i = 0; i < 3; i++) {
		assert_true(http_send_text(&client, head));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 400, NULL);
	}
	http_close(&client);
	probe_stop(&probe);
}

/* A body so large that it is not worth reading is refused before it comes. */
static void
very_large_body_is_refused_at_once(void **state)
{
	struct probe probe;
	struct http_client client;
	struct http_response response;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, HEAD "Content-Length: 99999999999\r\n\r\n"));
	assert_true(http_receive(&client, true, &response));
	probe_assert_answer(&response, 413, NULL);
	assert_true(http_wait_closed(&client, HTTP_CLIENT_WAIT_MS));
	http_close(&client);
	probe_stop(&probe);
}

/* Stopping. */

struct stopper {
	struct probe *probe;
	size_t cut_off;
	pthread_t thread;
};

static void *
run_stopper(void *cls)
{
	struct stopper *stopper = cls;
	struct running *running = stopper->probe->server;
	stopper->cut_off = stop_server(running, running->drain_ms);
	end_server(running);
	return NULL;
}

static void
begin_stop(struct stopper *stopper, struct probe *probe)
{
	stopper->probe = probe;
	assert_int_equal(pthread_create(&stopper->thread, NULL, run_stopper, stopper), 0);
}

static size_t
end_stop(struct stopper *stopper)
{
	pthread_join(stopper->thread, NULL);
	stopper->probe->server = NULL;
	return stopper->cut_off;
}

/* Who has a connection may still ask, and is told to go elsewhere. */
static void
requests_during_a_stop(void **state)
{
	struct probe probe;
	struct stopper stopper;
	struct http_client held, asks, posts;
	struct http_response response;

	probe_start_with_grace(&probe, state, HTTP_CLIENT_WAIT_MS);
	probe_connect(&probe, &held);
	assert_true(probe_post(&held, PROBE_EVENT("hold", "")));
	probe_wait_held(&probe, 1);
	/* Both have been answered once, so they are no longer in the queue. */
	probe_connect(&probe, &asks);
	assert_true(probe_post(&asks, PROBE_DONE));
	assert_true(http_receive(&asks, true, &response));
	probe_connect(&probe, &posts);
	assert_true(probe_post(&posts, PROBE_DONE));
	assert_true(http_receive(&posts, true, &response));

	begin_stop(&stopper, &probe);
	probe_wait_refused(probe.port);
	assert_true(http_send_text(&asks, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"));
	assert_true(http_receive(&asks, true, &response));
	probe_assert_answer(&response, 503, "{\"status\":\"stopping\"}");
	assert_string_equal(http_header(&response, "Connection"), "close");
	assert_true(http_wait_closed(&asks, HTTP_CLIENT_WAIT_MS));
	assert_true(probe_post(&posts, PROBE_DONE));
	assert_true(http_receive(&posts, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	assert_string_equal(http_header(&response, "Connection"), "close");
	assert_true(http_wait_closed(&posts, HTTP_CLIENT_WAIT_MS));

	probe_release(&probe);
	assert_true(http_receive(&held, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	assert_string_equal(http_header(&response, "Connection"), "close");
	assert_int_equal(end_stop(&stopper), 0);
	http_close(&held);
	http_close(&asks);
	http_close(&posts);
	probe_stop(&probe);
}

/* A request that a client sends while the stop begins, on a connection that is idle until then. */
static void
idle_connections_have_a_grace(void **state)
{
	enum { CLIENTS = 8 };
	static struct http_client clients[CLIENTS];
	struct probe probe;
	struct stopper stopper;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.idle_grace_ms = HTTP_CLIENT_WAIT_MS,
					    .drain_timeout_ms = HTTP_CLIENT_WAIT_MS));
	for (int i = 0; i < CLIENTS; i++) {
		probe_connect(&probe, &clients[i]);
		assert_true(probe_post(&clients[i], PROBE_DONE));
		assert_true(http_receive(&clients[i], true, &response));
	}
	int64_t begin = now_ms();
	begin_stop(&stopper, &probe);
	probe_wait_refused(probe.port);
	for (int i = 0; i < CLIENTS; i++) {
		assert_true(probe_post(&clients[i], PROBE_DONE));
		assert_true(http_receive(&clients[i], true, &response));
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
		assert_string_equal(http_header(&response, "Connection"), "close");
		assert_true(http_wait_closed(&clients[i], PROBE_AT_ONCE_MS));
		http_close(&clients[i]);
	}
	/* It does not wait for what is left of the grace. */
	assert_int_equal(end_stop(&stopper), 0);
	assert_true(now_ms() - begin < HTTP_CLIENT_WAIT_MS);
	assert_int_equal(probe.function_count, 2 * CLIENTS);
	probe_stop(&probe);
}

static void
idle_connections_are_closed_after_their_grace(void **state)
{
	struct probe probe;
	struct http_client client;
	struct http_response response;

	(void)state;
	serve(&probe,
	      HERALD_SERVER_OPTIONS(.idle_grace_ms = 20, .drain_timeout_ms = HTTP_CLIENT_WAIT_MS));
	probe_connect(&probe, &client);
	assert_true(probe_post(&client, PROBE_DONE));
	assert_true(http_receive(&client, true, &response));
	int64_t begin = now_ms();
	probe_stop(&probe);
	assert_true(now_ms() - begin < HTTP_CLIENT_WAIT_MS);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
}

static void
stop_cuts_off_after_its_time(void **state)
{
	struct probe probe;
	struct stopper stopper;
	struct http_client held, incomplete, idle;
	struct http_response response;

	(void)state;
	records.count = 0;
	serve(&probe, HERALD_SERVER_OPTIONS(.drain_timeout_ms = 100, .log = record_log));
	probe_connect(&probe, &idle);
	assert_true(probe_post(&idle, PROBE_DONE));
	assert_true(http_receive(&idle, true, &response));
	probe_connect(&probe, &incomplete);
	assert_true(http_send_text(&incomplete,
				   HEAD "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"));
	assert_true(http_receive(&incomplete, true, &response));
	probe_connect(&probe, &held);
	assert_true(probe_post(&held, PROBE_EVENT("hold", "")));
	probe_wait_held(&probe, 1);

	begin_stop(&stopper, &probe);
	wait_for_record("the drain timeout has passed");
	probe_release(&probe);
	size_t cut_off = end_stop(&stopper);
	/* The function's end and the end of its thread's daemon are in a race. */
	bool answered = http_receive(&held, true, &response);
	assert_int_equal(cut_off, answered ? 1 : 2);
	assert_false(http_receive(&incomplete, true, &response));
	assert_int_equal(probe.function_count, 2);
	http_close(&held);
	http_close(&incomplete);
	http_close(&idle);
	probe_stop(&probe);
}

static void
log_of_a_server(void **state)
{
	struct probe probe;
	char expected[128];

	(void)state;
	records.count = 0;
	serve(&probe, HERALD_SERVER_OPTIONS(.log = record_log));
	probe_assert_alive(&probe);
	probe_stop(&probe);
	assert_int_equal(records.count, 3);
	snprintf(expected, sizeof(expected), "server started address=127.0.0.1:%u path=/event",
		 probe.port);
	assert_string_equal(records.texts[0], expected);
	assert_memory_equal(records.texts[1], "server stopping address=", 24);
	assert_string_equal(records.texts[2], "server stopped cut_off=0");
	assert_int_equal(herald_server_stop(NULL, 0), 0);
	herald_server_destroy(NULL);
}

#define WITH(TEST, ADAPTER)                                                                        \
	{                                                                                          \
#TEST, TEST, NULL, NULL, (void *)(uintptr_t)&adapters[ADAPTER]                     \
	}

/* Each thread begins once, and ends before the stop returns. */
static void
thread_hooks(void **state)
{
	(void)state;
	for (unsigned connections = 0; connections <= 4; connections += 2) {
		struct counted_hooks hooks = {0};
		struct probe probe;

		serve(&probe,
		      HERALD_SERVER_OPTIONS(.threads = 1, .thread_hooks = COUNTED_HOOKS(&hooks)));
		for (unsigned i = 0; i < connections; i++)
			probe_assert_alive(&probe);
		probe_stop(&probe);
		assert_hooks(&hooks, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_hooks),
		cmocka_unit_test(bad_options),
		cmocka_unit_test(bodies_of_own_paths),
		cmocka_unit_test(any_path),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(options_of_an_older_program),
		WITH(address_in_use, 0),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(answers_have_the_date_of_now),
		WITH(health_and_unknown_paths, 0),
		WITH(many_query_arguments, 0),
		WITH(malformed_heads_of_other_paths, 0),
		cmocka_unit_test(too_large_heads_are_431),
		cmocka_unit_test(head_of_full_size_is_taken),
		WITH(very_large_body_is_refused_at_once, 0),
		WITH(requests_during_a_stop, 0),
		cmocka_unit_test(idle_connections_have_a_grace),
		cmocka_unit_test(idle_connections_are_closed_after_their_grace),
		cmocka_unit_test(stop_cuts_off_after_its_time),
		cmocka_unit_test(log_of_a_server),
	};

	return contract_http_main(adapters, HERALD_COUNT(adapters), tests, HERALD_COUNT(tests));
}
