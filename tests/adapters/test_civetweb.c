/*
 * The CivetWeb adapter: the contract on a server of the user, and properties of this adapter:
 * routes next to it, chunks as CivetWeb reads them, and stopping.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/civetweb.h>

#include "contract/http/probe.h"

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"

/* How long an event is not answered that the server must not see yet. */
#define EARLY_MS 100

/* The contract's adapter: a server as a user would have it, with a route of its own. */

struct server {
	struct mg_context *context;
	struct herald_civetweb *events;
	uint16_t port;
};

static const char *request_timeout_ms = "120000";

/* If set, called when the server listens, and before it has handlers. */
static void (*before_attach)(const struct mg_context *context);

static int
say_hello(struct mg_connection *connection, void *state)
{
	(void)state;
	mg_send_http_ok(connection, "text/plain", 5);
	mg_write(connection, "hello", 5);
	return 200;
}

static int
say_nothing(struct mg_connection *connection, void *state)
{
	(void)state;
	mg_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	return 200;
}

/* Everything else; CivetWeb's own answer would close the connection. */
static int
say_nothing_here(struct mg_connection *connection, void *state)
{
	(void)state;
	if (mg_get_header(connection, "Expect"))
		mg_disable_connection_keep_alive(connection);
	mg_printf(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	return 404;
}

/* mg_callbacks.init_context */
static void
add_handlers(const struct mg_context *context)
{
	const struct server *server = mg_get_user_data(context);
	struct mg_context *changed = (struct mg_context *)(uintptr_t)context;

	if (before_attach)
		before_attach(context);
	herald_civetweb_attach(server->events, context);
	mg_set_request_handler(changed, "/hello", say_hello, NULL);
	mg_set_request_handler(changed, "/healthz", say_nothing, NULL);
	mg_set_request_handler(changed, "**", say_nothing_here, NULL);
}

static void *
start(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	/* A connection has a thread of its own, and the contract has 200 of them. */
	const char *civetweb_options[] = {
		"listening_ports",
		"127.0.0.1:0",
		"num_threads",
		"256",
		"enable_keep_alive",
		"yes",
		"keep_alive_timeout_ms",
		"120000",
		"request_timeout_ms",
		request_timeout_ms,
		/* Otherwise CivetWeb answers CORS preflights itself; docs/adapters.md. */
		"access_control_allow_methods",
		"",
		NULL,
	};
	struct server *server = calloc(1, sizeof(*server));
	struct mg_server_port ports[1];

	assert_non_null(server);
	assert_int_equal(herald_civetweb_create(
				 endpoint, &HERALD_CIVETWEB_OPTIONS(.idle_grace_ms = idle_grace_ms),
				 &server->events, NULL),
			 HERALD_OK);
	const struct mg_callbacks callbacks = {.begin_request = herald_civetweb_begin_request,
					       .init_context = add_handlers};
	server->context = mg_start(&callbacks, server, civetweb_options);
	assert_non_null(server->context);
	assert_int_equal(mg_get_server_ports(server->context, 1, ports), 1);
	server->port = (uint16_t)ports[0].port;
	*port = server->port;
	return server;
}

static void *
stop_context(void *context)
{
	mg_stop(context);
	return NULL;
}

/* CivetWeb looks every two seconds whether it is to stop, and after each connection. */
static void
stop_soon(struct server *server)
{
	pthread_t stopper;

	assert_int_equal(pthread_create(&stopper, NULL, stop_context, server->context), 0);
	probe_wait_refused(server->port);
	pthread_join(stopper, NULL);
}

static size_t
stop(void *state, uint32_t drain_ms)
{
	const struct server *server = state;

	return herald_civetweb_stop(server->events, drain_ms);
}

static void
end(void *state)
{
	struct server *server = state;

	stop_soon(server);
	herald_civetweb_destroy(server->events);
	free(server);
}

#define CIVETWEB_LEADING "CivetWeb 1.15 skips white space before a request"
#define CIVETWEB_TAB "CivetWeb 1.15 takes a tab for a control character"
#define CIVETWEB_STAR "CivetWeb 1.15 closes without an answer unless a target is a path"
#define CIVETWEB_HOST "CivetWeb 1.15 answers an absolute target only for its own domain"
#define CIVETWEB_TRAILERS "CivetWeb 1.15 does not read trailers, and closes"
#define CIVETWEB_WAITS "CivetWeb 1.15 waits for another end of the head"
#define CIVETWEB_VERSIONS "CivetWeb 1.15 answers versions that it does not know without a head"
#define CIVETWEB_LENGTH "CivetWeb 1.15 answers 411 to a length that is not a number"

static const struct contract_http_deviation deviations[] = {
	{"method_after_cr", "200 open", CIVETWEB_LEADING},
	{"leading_lf", "200 open", CIVETWEB_LEADING},
	{"leading_blank", "200 open", CIVETWEB_LEADING},
	{"blanks_around_value", "400 closed", CIVETWEB_TAB},
	{"absolute_form", "closed", CIVETWEB_HOST},
	{"options_star", "closed", CIVETWEB_STAR},
	{"get_star", "closed", CIVETWEB_STAR},
	{"absolute_form_upper_scheme", "closed", CIVETWEB_HOST},
	{"connection_tabs_around_close", "400 closed", CIVETWEB_TAB},
	{"expect_tabs_waits", "400 closed", CIVETWEB_TAB},
	{"blank_after_version", "rest closed or closed", CIVETWEB_VERSIONS},
	{"http_2_*", "rest closed or closed", CIVETWEB_VERSIONS},
	{"http_1_*", "rest closed or closed", CIVETWEB_VERSIONS},
	{"http_11_1", "rest closed or closed", CIVETWEB_VERSIONS},
	{"http_lower", "rest closed or closed", CIVETWEB_VERSIONS},
	{"connection_other_*", "200 closed",
	 "CivetWeb 1.15 closes the connection if Connection does not list keep-alive"},
	{"chunk_ext_good*", "400 closed", "CivetWeb 1.15 takes no chunk extensions"},
	{"chunk_announces_too_much", "silent", "CivetWeb 1.15 does not report the size of a chunk"},
	{"trailers", "200 closed", CIVETWEB_TRAILERS},
	{"chunk_trailer_*", "200 closed", CIVETWEB_TRAILERS},
	{"trailers_endless", "200 closed", CIVETWEB_TRAILERS},
	{"unknown_method", "400 closed",
	 "CivetWeb 1.15 answers 400 to methods that it does not know"},
	{"http_0_9", "silent", CIVETWEB_WAITS},
	{"head_bare_lf_line", "silent", CIVETWEB_WAITS},
	{"head_lf_cr", "silent", CIVETWEB_WAITS},
	{"length_minus", "411 closed", CIVETWEB_LENGTH},
	{"length_quoted", "411 closed", CIVETWEB_LENGTH},
	{"length_empty", "411 closed", CIVETWEB_LENGTH},
	{"length_arabic", "411 closed", CIVETWEB_LENGTH},
	{"length_in_fold", "411 closed", CIVETWEB_LENGTH},
};

static const struct contract_http_refusal refusals[] = {
	{"bad_length_*", 411, CIVETWEB_LENGTH},
};

static const struct contract_http_adapter adapter = {
	.name = "civetweb",
	/* It takes connections until the end of a stop, and refuses chunks with extensions. */
	.capabilities =
		CONTRACT_ALL & ~(CONTRACT_DRAINS | CONTRACT_CHUNK_GRAMMAR | CONTRACT_REUSES_CODED |
				 CONTRACT_STORES_ASIDE | CONTRACT_ANSWERS_ALL),
	.deviations = deviations,
	.deviations_count = HERALD_COUNT(deviations),
	.refusals = refusals,
	.refusals_count = HERALD_COUNT(refusals),
	.start = start,
	.stop = stop,
	.end = end,
};

/* What only this adapter has. */

/* CivetWeb's way to read chunks: nothing is handled that is not what it should be. */
static void
chunks_that_are_refused(void **state)
{
	static const char *const chunks[] = {
		"nonsense\r\n{}\r\n0\r\n\r\n", "-5\r\n{}\r\n0\r\n\r\n",  "\r\n\r\n",
		"1\r\n{}\r\n0\r\n\r\n",        "0x2\r\n{}\r\n0\r\n\r\n", "2;a=b\r\n{}\r\n0\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(chunks); i++) {
		struct http_client client;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, HEAD "Transfer-Encoding: chunked\r\n\r\n"));
		assert_true(http_send_text(&client, chunks[i]));
		probe_assert_next(&client, 400, NULL);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

static void
trailers_are_taken_and_end_the_connection(void **state)
{
	struct probe probe;
	struct http_client client;
	char chunk[512];

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	snprintf(chunk, sizeof(chunk), "%zx\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n", strlen(PROBE_DONE),
		 PROBE_DONE);
	assert_true(http_send_text(&client, HEAD "Transfer-Encoding: chunked\r\n\r\n"));
	assert_true(http_send_text(&client, chunk));
	probe_assert_next(&client, 200, PROBE_SUCCESS);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	probe_stop(&probe);
}

/* The answer is not followed by a connection closed before it could be read. */
static void
refused_chunks_are_read_and_dropped(void **state)
{
	static char megabyte[(1 << 20) + 1];
	struct probe probe;
	struct http_client client;

	memset(megabyte, ' ', sizeof(megabyte) - 1);
	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, HEAD "Transfer-Encoding: chunked\r\n\r\n100000\r\n"));
	assert_true(http_send_text(&client, megabyte));
	assert_true(http_send_text(&client, "\r\n0\r\n\r\n"));
	probe_assert_next(&client, 413, NULL);
	assert_true(probe_post(&client, PROBE_DONE));
	probe_assert_next(&client, 200, PROBE_SUCCESS);
	http_close(&client);
	probe_stop(&probe);
}

/* But not for ever. */
static void
endless_refused_chunks_end_the_connection(void **state)
{
	static char chunk[(1 << 20) + 10];
	struct probe probe;
	struct http_client client;
	unsigned sent = 0;

	memset(chunk, ' ', sizeof(chunk) - 1);
	memcpy(chunk, "100000\r\n", 8);
	chunk[sizeof(chunk) - 2] = '\0';
	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, HEAD "Transfer-Encoding: chunked\r\n\r\n"));
	while (sent < 100 && http_send_text(&client, chunk) && http_send_text(&client, "\r\n"))
		sent++;
	assert_in_range(sent, 10, 99);
	http_close(&client);
	probe_stop(&probe);
}

/* The part that has arrived is a complete event. */
static void
body_that_does_not_come_is_400(void **state)
{
	struct probe probe;
	struct http_client client;

	request_timeout_ms = "300";
	probe_start(&probe, state, NULL);
	request_timeout_ms = "120000";
	for (int chunked = 0; chunked < 2; chunked++) {
		char size[32];

		snprintf(size, sizeof(size), "%zx\r\n", strlen(PROBE_DONE));
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, HEAD));
		assert_true(http_send_text(&client, chunked ? "Transfer-Encoding: chunked\r\n\r\n"
							    : "Content-Length: 1000\r\n\r\n"));
		assert_true(!chunked || http_send_text(&client, size));
		assert_true(http_send_text(&client, PROBE_DONE));
		probe_assert_next(&client, 400, NULL);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

static void
connection_header_tells_what_happens(void **state)
{
	static const struct {
		const char *version, *header, *expected;
	} cases[] = {
		{"1.1", "", "keep-alive"},
		{"1.1", "Connection: Keep-Alive\r\n", "keep-alive"},
		{"1.1", "Connection: close\r\n", "close"},
		{"1.0", "", "close"},
		{"1.0", "Connection: keep-alive\r\n", "keep-alive"},
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;
		struct http_response response;
		char request[256];

		snprintf(request, sizeof(request), "GET /event HTTP/%s\r\nHost: test\r\n%s\r\n",
			 cases[i].version, cases[i].header);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		assert_true(http_receive(&client, true, &response));
		assert_string_equal(http_header(&response, "Connection"), cases[i].expected);
		if (strcmp(cases[i].expected, "close") == 0) {
			assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		} else {
			assert_true(probe_post(&client, PROBE_DONE));
			probe_assert_next(&client, 200, PROBE_SUCCESS);
		}
		http_close(&client);
	}
	probe_stop(&probe);
}

/* CivetWeb keeps 64 headers. It does not see a length after them, and the body would be the next
 * request. */
static void
headers_that_do_not_fit_are_refused(void **state)
{
	static const struct {
		unsigned headers_count; /* the length is the last of them */
		unsigned status;
	} cases[] = {{63, 200}, {64, 431}, {65, 431}, {200, 431}};
	struct probe probe;
	char request[512], length[64];

	snprintf(request, sizeof(request), HEAD "Content-Length: %zu\r\n\r\n%s", strlen(PROBE_DONE),
		 PROBE_DONE);
	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		const char *body = cases[i].status == 200 ? PROBE_DONE : request;
		struct http_client client;

		snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n", strlen(body));
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, HEAD));
		for (unsigned header = 3; header < cases[i].headers_count; header++)
			assert_true(http_send_text(&client, "X-More: a\r\n"));
		assert_true(http_send_text(&client, length) && http_send_text(&client, body));
		probe_assert_next(&client, cases[i].status, NULL);
		if (cases[i].status != 200)
			assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 1);
	probe_stop(&probe);
}

/* CivetWeb gives all of these to the handler of "/event". */
static void
other_paths_are_not_found(void **state)
{
	static const struct {
		const char *target;
		unsigned status;
	} cases[] = {
		{"/event", 200},         {"/event?", 200},       {"/event?a=%01", 200},
		{"/event/", 404},        {"/event/more", 404},   {"/event;a", 404},
		{"/EVENT", 404},         {"//event", 404},       {"/./event", 404},
		{"/more/../event", 404}, {"/%65vent", 404},      {"/event%00", 404},
		{"/event%00more", 404},  {"/event%2fmore", 404}, {"/event%3f", 404},
	};
	struct probe probe;
	unsigned events = 0;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;
		char request[512];

		snprintf(request, sizeof(request),
			 "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 cases[i].target, strlen(PROBE_DONE), PROBE_DONE);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		probe_assert_next(&client, cases[i].status, NULL);
		events += cases[i].status == 200;
		assert_int_equal(probe.function_count, events);
		/* The body was read. */
		assert_true(http_send_text(&client, "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n"));
		probe_assert_next(&client, 200, "hello");
		http_close(&client);
	}
	probe_stop(&probe);
}

/*
 * Behind a line that it cannot read, CivetWeb sees nothing; and what is in the body, an event,
 * would be the next request. For paths of events, and for others.
 */
static void
hidden_lengths_are_refused(void **state)
{
	static const char *const lines[] = {
		" X: a",    "\tX: a",  ": a",         ":",          "X : a",
		"X\xe4: a", "\xe4: a", "X: a\n\r\n ", "X: a\nY: b", "X: a\n",
	};
	static const char *const paths[] = {"/event", "/hello", "/other"};
	struct probe probe;
	char event[512];

	snprintf(event, sizeof(event), HEAD "Content-Length: %zu\r\n\r\n%s", strlen(PROBE_DONE),
		 PROBE_DONE);
	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(lines) * HERALD_COUNT(paths) * 2; i++) {
		const char *line = lines[i / 2 % HERALD_COUNT(lines)];
		const char *path = paths[i / 2 / HERALD_COUNT(lines)];
		struct http_client client;
		struct http_response response;
		char head[512];

		snprintf(head, sizeof(head),
			 "POST %s HTTP/1.1\r\n%s\r\n%s\r\nContent-Length: %zu\r\n\r\n", path,
			 i % 2 ? "Host: a" : line, i % 2 ? line : "Host: a", strlen(event));
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, head) && http_send_text(&client, event));
		assert_true(http_receive(&client, true, &response));
		assert_int_equal(response.status, 400);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

/* CivetWeb skips them, and takes what is behind the first two line feeds for the body. */
static void
blank_lines_before_a_request(void **state)
{
	static const char *const blanks[] = {
		"\r\n\r\n", "\n\n", "\n\n\n", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", "   \r\n\r\n",
	};
	static const char *const methods[] = {"POST /event", "GET /event", "POST /event/more"};
	struct probe probe;
	char event[512];

	snprintf(event, sizeof(event), HEAD "Content-Length: %zu\r\n\r\n%s", strlen(PROBE_DONE),
		 PROBE_DONE);
	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(blanks) * HERALD_COUNT(methods); i++) {
		const char *blank = blanks[i % HERALD_COUNT(blanks)];
		const char *method = methods[i / HERALD_COUNT(blanks)];
		size_t behind = strlen(strstr(blank, "\n\n") ? strstr(blank, "\n\n") + 2
							     : strstr(blank, "\r\n\r\n") + 4);
		struct http_client client;
		char head[512], request[2048];

		/* As long as would make the event the next request. */
		size_t rest = (size_t)snprintf(head, sizeof(head),
					       "%s HTTP/1.1\r\nHost: a\r\nContent-Type: "
					       "application/json\r\nContent-Length: 000\r\n\r\n",
					       method);
		snprintf(head, sizeof(head),
			 "%s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
			 "Content-Length: %03zu\r\n\r\n",
			 method, behind + rest);
		snprintf(request, sizeof(request), "%s%s%s", blank, head, event);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
		assert_int_equal(probe.function_count, 0);
	}
	probe_stop(&probe);
}

/* Connect and post an event when the server listens already. */
static struct http_client early;

static void
post_early(const struct mg_context *context)
{
	struct mg_server_port ports[1];

	assert_int_equal(mg_get_server_ports(context, 1, ports), 1);
	assert_true(http_connect(&early, "127.0.0.1", (uint16_t)ports[0].port));
	assert_true(probe_post(&early, PROBE_DONE));
	assert_false(http_wait_readable(&early, EARLY_MS));
}

/* No event is answered with 404 because the server has no handler for it yet. */
static void
event_before_the_server_has_started(void **state)
{
	struct probe probe;

	before_attach = post_early;
	probe_start(&probe, state, NULL);
	before_attach = NULL;
	probe_assert_next(&early, 200, PROBE_SUCCESS);
	http_close(&early);
	probe_stop(&probe);
}

static void
bad_paths(void **state)
{
	static const char *const paths[] = {"event", "", "/a b", "/event\r", "/event?a", "/%41"};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(paths); i++) {
		struct herald_civetweb *events = NULL;
		struct herald_error error;

		assert_int_equal(herald_civetweb_create(NULL,
							&HERALD_CIVETWEB_OPTIONS(.path = paths[i]),
							&events, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, "path");
		assert_null(events);
	}
	struct herald_civetweb *events = NULL;
	struct herald_error error;

	assert_int_equal(
		herald_civetweb_create(NULL, &(struct herald_civetweb_options){0}, &events, &error),
		HERALD_BAD_OPTION);
	assert_string_equal(error.path, "struct_size");
	assert_null(events);
	assert_int_equal(herald_civetweb_stop(NULL, 0), 0);
	herald_civetweb_destroy(NULL);
}

#define WITH_ADAPTER(TEST)                                                                         \
	{                                                                                          \
#TEST, TEST, NULL, NULL, (void *)(uintptr_t)&adapter                               \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ADAPTER(chunks_that_are_refused),
		WITH_ADAPTER(trailers_are_taken_and_end_the_connection),
		WITH_ADAPTER(refused_chunks_are_read_and_dropped),
		WITH_ADAPTER(endless_refused_chunks_end_the_connection),
		WITH_ADAPTER(body_that_does_not_come_is_400),
		WITH_ADAPTER(connection_header_tells_what_happens),
		WITH_ADAPTER(headers_that_do_not_fit_are_refused),
		WITH_ADAPTER(other_paths_are_not_found),
		WITH_ADAPTER(hidden_lengths_are_refused),
		WITH_ADAPTER(blank_lines_before_a_request),
		WITH_ADAPTER(event_before_the_server_has_started),
		WITH_ADAPTER(bad_paths),
	};

	return contract_http_main(&adapter, 1, tests, HERALD_COUNT(tests));
}
