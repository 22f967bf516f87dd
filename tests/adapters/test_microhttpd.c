/*
 * The libmicrohttpd adapter: the contract, on a daemon as a user would have it, with a route of its
 * own next to the one for events.
 */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/microhttpd.h>

#include "contract/http/microhttpd.h"
#include "contract/http/probe.h"

/* A daemon as a user would have it: a route of its own next to the one for events. */
struct own_daemon {
	atomic_bool leaves_escapes; /* of queries */
	struct MHD_Daemon *daemon;
	struct herald_microhttpd *events;
};

static char own_request; /* Its address marks requests that are not Herald's. */

static enum MHD_Result
handle_own(struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, size_t *upload_data_size, void **con_cls)
{
	bool first = *con_cls == NULL;
	bool hello = strcmp(url, "/hello") == 0;
	const char *refused =
		first ? herald_microhttpd_head_problem(connection, method, version) : NULL;
	const char *text = refused ? refused : hello ? "hello" : "nothing here";

	if (!refused && (first || *upload_data_size > 0)) {
		*con_cls = &own_request;
		*upload_data_size = 0;
		const char *expect =
			MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect");
		if (!first || !expect)
			return MHD_YES;
	}
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	/* A part of the head may be missing without a trace. */
	MHD_add_response_header(response, "Connection", "close");
	enum MHD_Result queued = MHD_queue_response(connection,
						    refused ? herald_http_problem_status(refused)
						    : hello ? 200
							    : 404,
						    response);
	MHD_destroy_response(response);
	return queued;
}

/* Only the timeout notices a client that leaves in the middle of a body. But a client that is slow
 * to begin, like two hundred at once, must not run into it. */
#define BODY_TIMEOUT_S 5u
#define TIMEOUT_S 120u

static void
set_timeout(struct MHD_Connection *connection, bool is_first, size_t upload_bytes)
{
	if (is_first)
		MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
					  BODY_TIMEOUT_S);
	else if (upload_bytes == 0)
		MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, TIMEOUT_S);
}

/* Programs add arguments: parts of the path, or an existing one once more. */
static void
add_arguments(struct MHD_Connection *connection, const char *url)
{
	const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "adds");

	if (!value)
		return;
	MHD_set_connection_value(connection, MHD_GET_ARGUMENT_KIND, "name", url + 1);
	MHD_set_connection_value(connection, MHD_GET_ARGUMENT_KIND, "again", value);
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct own_daemon *own = cls;

	set_timeout(connection, !*con_cls, *upload_data_size);
	if (!*con_cls)
		add_arguments(connection, url);
	if (strcmp(url, "/event") == 0)
		return herald_microhttpd_handle(own->events, connection, method, version,
						upload_data, upload_data_size, con_cls);
	return handle_own(connection, url, method, version, upload_data_size, con_cls);
}

static void
completed(void *cls, struct MHD_Connection *connection, void **con_cls,
	  enum MHD_RequestTerminationCode toe)
{
	if (*con_cls != &own_request)
		herald_microhttpd_completed(cls, connection, con_cls, toe);
}

/* As libmicrohttpd does, or not at all. */
static size_t
unescape(void *cls, struct MHD_Connection *connection, char *text)
{
	const struct own_daemon *own = cls;

	(void)connection;
	return own->leaves_escapes ? strlen(text) : MHD_http_unescape(text);
}

static void *
start_with(unsigned flags, struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct own_daemon *own = calloc(1, sizeof(*own));

	assert_non_null(own);
	assert_int_equal(
		herald_microhttpd_create(endpoint,
					 &HERALD_MICROHTTPD_OPTIONS(.idle_grace_ms = idle_grace_ms),
					 &own->events, NULL),
		HERALD_OK);
	own->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, own, MHD_OPTION_SOCK_ADDR,
				       (struct sockaddr *)&address, MHD_OPTION_THREAD_POOL_SIZE,
				       flags & MHD_USE_THREAD_PER_CONNECTION ? 0u : 4u,
				       MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
				       MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
				       MHD_OPTION_STRICT_FOR_CLIENT, 1,
				       MHD_OPTION_UNESCAPE_CALLBACK, unescape, own, MHD_OPTION_END);
	assert_non_null(own->daemon);
	*port = MHD_get_daemon_info(own->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	return own;
}

static void *
start_daemon(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	return start_with(MHD_USE_AUTO_INTERNAL_THREAD, endpoint, idle_grace_ms, port);
}

static void *
start_suspending(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	return start_with(MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, endpoint,
			  idle_grace_ms, port);
}

/* With this flag libmicrohttpd cannot suspend, and ends the process if asked to. */
static void *
start_thread_each(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	return start_with(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, endpoint,
			  idle_grace_ms, port);
}

static size_t
stop_daemon(void *server, uint32_t drain_ms)
{
	const struct own_daemon *own = server;

	return herald_microhttpd_stop(own->events, drain_ms);
}

static void
end_daemon(void *server)
{
	struct own_daemon *own = server;

	MHD_stop_daemon(own->daemon);
	herald_microhttpd_destroy(own->events);
	free(own);
}

#define OWN_ROUTES "the daemon's owner compares the URL, as libmicrohttpd 0.9.75 has decoded it"

#define QUERY                                                                                      \
	"libmicrohttpd 0.9.75 has decoded the query, and an escape in it makes up for what needs " \
	"another"
#define EXPECT "libmicrohttpd 0.9.75 sends no 100 if there are blanks after the expectation"

static const struct contract_http_deviation daemon_deviations[] = {
	MICROHTTPD_DEVIATIONS,
	{"absolute_form*", "404 closed", OWN_ROUTES},
	{"query_hash_before_escape", "200 open", QUERY},
	{"query_bad_escape_after_good", "200 open", QUERY},
	{"query_nul", "200 open", QUERY},
	{"host_none", "400 rest closed", MICROHTTPD_TWICE},
	{"blank_before_first_header", "400 rest closed", MICROHTTPD_TWICE},
	{"expect_spaces_waits", "417 closed", EXPECT},
	{"expect_tabs_waits", "417 closed", EXPECT},
	{"nul_in_target", "200 open",
	 "libmicrohttpd 0.9.75 tells no \"/event\\0\" from \"/event?\""},
	{"nul_lf_after_value", "200 open",
	 "libmicrohttpd 0.9.75 leaves a gap of the usual length: a NUL and a line feed"},
	{"get_health_head", "404 closed",
	 "a daemon of the user's has the routes that the user gives it"},
};

#define CAPABILITIES                                                                               \
	(CONTRACT_ALL & ~(CONTRACT_SEES_HEADS | CONTRACT_REFUSES_MID_BODY | CONTRACT_DRAINS |      \
			  CONTRACT_REUSES_REFUSED))

static const struct contract_http_adapter adapters[] = {
	/* The user owns its listening socket. */
	{.name = "daemon",
	 .capabilities = CAPABILITIES & ~CONTRACT_STORES_ASIDE,
	 .deviations = daemon_deviations,
	 .deviations_count = HERALD_COUNT(daemon_deviations),
	 .start = start_daemon,
	 .stop = stop_daemon,
	 .end = end_daemon},
	{.name = "daemon that suspends",
	 .capabilities = CAPABILITIES,
	 .only = CONTRACT_STORES,
	 .start = start_suspending,
	 .stop = stop_daemon,
	 .end = end_daemon},
	{.name = "daemon with a thread for each connection",
	 .capabilities = CAPABILITIES,
	 .only = CONTRACT_STORES,
	 .start = start_thread_each,
	 .stop = stop_daemon,
	 .end = end_daemon},
};

/* What only this adapter has. */

static void
bad_options(void **state)
{
	const struct herald_microhttpd_options no_size = {.idle_grace_ms = 1};
	struct herald_microhttpd *microhttpd = NULL;
	struct herald_error error = {0};

	(void)state;
	assert_int_equal(herald_microhttpd_create(NULL, &no_size, &microhttpd, &error),
			 HERALD_BAD_OPTION);
	assert_null(microhttpd);
	assert_string_equal(error.path, "struct_size");
	assert_non_null(strstr(error.message, "use HERALD_MICROHTTPD_OPTIONS"));
	assert_int_equal(herald_microhttpd_create(NULL, &no_size, &microhttpd, NULL),
			 HERALD_BAD_OPTION);
	assert_int_equal(herald_microhttpd_stop(NULL, 0), 0);
	herald_microhttpd_destroy(NULL);
}

static void
expect_answer(uint16_t port, const char *request, const char *answer)
{
	static struct http_client client;
	struct http_response response;

	assert_true(http_connect(&client, "127.0.0.1", port));
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, true, &response));
	if (strncmp(response.head, answer, strlen(answer)) != 0)
		fail_msg("%s: %s%s", request, response.head, response.body);
	http_close(&client);
}

/* The user's own paths may have escapes; the rest of the head is judged all the same. */
static void
own_paths_may_have_escapes(void **state)
{
	static const struct {
		const char *request, *answer;
	} rows[] = {
		{"GET /hello HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 200 "},
		{"GET /h%65llo HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 200 "},
		{"GET /%68%65%6c%6C%6f?a=%20&b HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 200 "},
		{"GET /hello%20there HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 404 "},
		{"GET /caf%C3%A9/%0a%00 HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 404 "},
		{"GET /hello%zz HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 400 "},
		{"POST /h%65llo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc",
		 "HTTP/1.1 200 "},
		{"GET /h%65llo HTTP/1.1\r\nHost: t\r\n:\r\nA: b\r\n\r\n", "HTTP/1.1 400 "},
		{"GET /h%65llo HTTP/1.1\r\nHost: t\r\nA\r\n b: c\r\n\r\n", "HTTP/1.1 400 "},
		{"GET /h%65llo HTTP/1.1\r\nHost: t\r\nHost: t\r\n\r\n", "HTTP/1.1 400 "},
		{"GET /h%65llo HTTP/1.1\nHost: t\r\n\r\n", "HTTP/1.1 400 "},
		{"POST /h%65llo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 "HTTP/1.1 400 "},
		{"POST /ev%65nt HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 400 "},
		{"GET /hello?a=b&adds=c HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 200 "},
		{"GET /h%65llo?a=%20&adds=%41%42&c HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 200 "},
		{"GET /hello?adds=#&b HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 400 "},
	};
	struct probe probe;
	uint16_t port;

	(void)state;
	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	void *daemon = start_daemon(probe.endpoint, 0, &port);
	for (size_t i = 0; i < HERALD_COUNT(rows); i++)
		expect_answer(port, rows[i].request, rows[i].answer);
	/* The daemon's callback may leave all escapes as they are. */
	((struct own_daemon *)daemon)->leaves_escapes = true;
	expect_answer(port, "GET /hello?a=%41%2b&b HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 200 ");
	expect_answer(port, "GET /hello?a=%4 HTTP/1.1\r\nHost: t\r\n\r\n", "HTTP/1.1 400 ");
	stop_daemon(daemon, 0);
	end_daemon(daemon);
	probe_destroy(&probe);
}

int
main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(bad_options),
		cmocka_unit_test(own_paths_may_have_escapes),
	};

	return contract_http_main(adapters, HERALD_COUNT(adapters), own, HERALD_COUNT(own));
}
