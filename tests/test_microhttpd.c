/*
 * The libmicrohttpd adapter: the contract on a server of Herald's and on a daemon of the user's,
 * and what only this adapter has: options, deadlines, limits, TLS, the stop and herald_serve().
 */
#include <locale.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <herald/microhttpd.h>

#include "../adapters/microhttpd/caller.h"
#include "contract/http_microhttpd.h"
#include "contract/http_probe.h"

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"

/* The contract's adapters. */

static struct herald_server *
start(struct herald_service *service, const struct herald_server_options *options)
{
	struct herald_server *server = NULL;
	struct herald_error error;

	if (herald_server_start(service, options, &server, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return server;
}

static void *
start_server(struct herald_service *service, const struct herald_http_options *options,
	     uint16_t *port)
{
	struct herald_server *server =
		start(service, &HERALD_SERVER_OPTIONS(.any_port = true, .http = options));

	*port = herald_server_port(server);
	return server;
}

static size_t
stop_server(void *server)
{
	return herald_server_stop(server);
}

/* A daemon as a user would have it: a route of his own beside the one for events. */
struct own_daemon {
	struct MHD_Daemon *daemon;
	struct herald_http *http;
};

static char own_request; /* Its address marks requests that are not Herald's. */

static enum MHD_Result
handle_own(struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, size_t *upload_data_size, void **con_cls)
{
	bool first = *con_cls == NULL;
	bool hello = strcmp(url, "/hello") == 0;
	bool refused = first && herald_microhttpd_is_ambiguous(connection, method, version);
	const char *text = refused ? "malformed" : hello ? "hello" : "nothing here";

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
	enum MHD_Result queued = MHD_queue_response(connection,
						    refused ? 400
						    : hello ? 200
							    : 404,
						    response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct own_daemon *own = cls;

	if (strcmp(url, "/event") == 0)
		return herald_microhttpd_handle(own->http, connection, method, version, upload_data,
						upload_data_size, con_cls);
	return handle_own(connection, url, method, version, upload_data_size, con_cls);
}

static void
completed(void *cls, struct MHD_Connection *connection, void **con_cls,
	  enum MHD_RequestTerminationCode toe)
{
	if (*con_cls != &own_request)
		herald_microhttpd_completed(cls, connection, con_cls, toe);
}

static void *
start_daemon(struct herald_service *service, const struct herald_http_options *options,
	     uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct own_daemon *own = calloc(1, sizeof(*own));
	struct herald_error error;

	assert_non_null(own);
	assert_int_equal(herald_http_create(service, options, &own->http, &error), HERALD_OK);
	own->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, handle, own,
				       MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
				       MHD_OPTION_THREAD_POOL_SIZE, 4u, MHD_OPTION_NOTIFY_COMPLETED,
				       completed, NULL,
				       /* What leaves in the middle of a body is noticed by it. */
				       MHD_OPTION_CONNECTION_TIMEOUT, 5u, MHD_OPTION_END);
	assert_non_null(own->daemon);
	*port = MHD_get_daemon_info(own->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	return own;
}

static size_t
stop_daemon(void *server)
{
	struct own_daemon *own = server;
	size_t left = herald_http_stop(own->http, HTTP_CLIENT_WAIT_MS);

	MHD_stop_daemon(own->daemon);
	herald_http_destroy(own->http);
	free(own);
	return left;
}

/* As bytes, "\n:\r\n" is then what "\r\n\r\n" is. What follows begins with a header, which is not a
 * request. */
#define HIDDEN_BY_COLON                                                                            \
	{                                                                                          \
		"length_hidden_by_lf_colon", "400 400 closed",                                     \
			"libmicrohttpd 0.9.75 ends a head at \"\\n:\\r\\n\""                       \
	}

static const struct contract_http_deviation server_deviations[] = {
	MICROHTTPD_DEVIATIONS,
	HIDDEN_BY_COLON,
};

#define OWN_ROUTES "the daemon's owner compares the URL, as libmicrohttpd 0.9.75 has decoded it"

static const struct contract_http_deviation daemon_deviations[] = {
	MICROHTTPD_DEVIATIONS,
	HIDDEN_BY_COLON,
	{"absolute_form*", "404 open", OWN_ROUTES},
	{"absolute_bad_port", "404 open", OWN_ROUTES},
	{"tab_in_target", "404 open", OWN_ROUTES},
	{"two_blanks_after_target", "404 open", OWN_ROUTES},
	{"nul_in_target", "200 open",
	 "libmicrohttpd 0.9.75 tells no \"/event\\0\" from \"/event?\""},
	{"get_health_head", "404 open", "a daemon of the user's has the routes that he gives it"},
};

static const struct contract_http_adapter adapters[] = {
	{.name = "server",
	 .capabilities = CONTRACT_RAW_REQUESTS | (CONTRACT_ALL & ~CONTRACT_REFUSES_MID_BODY),
	 .deviations = server_deviations,
	 .deviations_count = HERALD_COUNT(server_deviations),
	 .start = start_server,
	 .stop = stop_server},
	/* Its listening socket is the user's business. */
	{.name = "daemon",
	 .capabilities = CONTRACT_RAW_REQUESTS |
			 (CONTRACT_ALL & ~(CONTRACT_REFUSES_MID_BODY | CONTRACT_DRAINS)),
	 .deviations = daemon_deviations,
	 .deviations_count = HERALD_COUNT(daemon_deviations),
	 .start = start_daemon,
	 .stop = stop_daemon},
};

/* A probe behind a server with options of the test's own. */

static void
serve(struct probe *probe, struct herald_server_options options)
{
	probe_create(probe);
	options.any_port = true;
	probe->adapter = &adapters[0];
	probe->server = start(probe->service, &options);
	probe->port = herald_server_port(probe->server);
}

static int64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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
	enum herald_status status = herald_server_start(probe.service, options, &server, &error);
	assert_int_equal(status, HERALD_BAD_OPTION);
	assert_int_equal(error.status, HERALD_BAD_OPTION);
	assert_null(server);
	assert_string_equal(error.path, path);
	if (!strstr(error.message, message))
		fail_msg("\"%s\" instead of \"%s\"", error.message, message);
	/* And without anywhere to put the error. */
	assert_int_equal(herald_server_start(probe.service, options, &server, NULL),
			 HERALD_BAD_OPTION);
	probe_destroy(&probe);
}

static void
bad_options(void **state)
{
	static const struct MHD_OptionItem reserved[] = {
		{MHD_OPTION_CONNECTION_TIMEOUT, 10, NULL},
		{MHD_OPTION_THREAD_POOL_SIZE, 10, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	(void)state;
	assert_bad_option(&(struct herald_server_options){.any_port = true}, "struct_size",
			  "use HERALD_SERVER_OPTIONS");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.address = "localhost"), "address", "localhost");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.address = "127.0.0.1:80"), "address",
			  "must be a numeric IPv4 or IPv6 address");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.address = ""), "address", "numeric");
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
	assert_bad_option(&HERALD_SERVER_OPTIONS(.threads = 100000), "threads", "at most 1024");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.max_connections = (1u << 20) + 1),
			  "max_connections", "at most 1048576, not 1048577");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.max_connections = UINT32_MAX), "max_connections",
			  "at most 1048576");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.max_header_bytes = 10), "max_header_bytes",
			  "256 to 1048576, not 10");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.idle_grace_ms = 101, .drain_timeout_ms = 100),
			  "idle_grace_ms", "at most drain_timeout_ms, 100, not 101");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.port = 1, .any_port = true), "port", "any_port");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.tls_key = "key"), "tls_certificate", "tls_key");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.tls_certificate = "c"), "tls_key",
			  "tls_certificate");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.any_port = true, .tls_certificate = "none",
						 .tls_key = "none"),
			  "tls_certificate", "libmicrohttpd");
	assert_bad_option(&HERALD_SERVER_OPTIONS(.daemon_options = reserved), "daemon_options",
			  "libmicrohttpd's option 14");
}

/* With more than some 200 of them libmicrohttpd (0.9.75) waits until the connection is closed. */
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

/* The same holds for requests that are no events. */
static void
malformed_heads_of_other_paths(void **state)
{
	static const char *const requests[] = {
		"GET /healthz HTTP/1.1\r\n\r\n",
		"GET /nowhere HTTP/1.1\r\nHost: test\r\n:\r\nX: a\r\n\r\n",
		"GET /nowhere%00 HTTP/1.1\r\nHost: test\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: test\r\nX-A: b\r\n c\r\n\r\n",
	};
	struct probe probe;
	struct http_client client;
	struct http_response response;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++) {
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, requests[i]));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 400,
				    "{\"error\":\"the request's head is malformed, or can be "
				    "read in two ways\"}");
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
	assert_int_equal(herald_server_start(probe.service,
					     &HERALD_SERVER_OPTIONS(.port = probe.port), &second,
					     &error),
			 HERALD_SYSTEM);
	assert_null(second);
	snprintf(expected, sizeof(expected),
		 "cannot listen on 127.0.0.1:%u: Address already in use", probe.port);
	assert_string_equal(error.message, expected);
	probe_stop(&probe);
}

/* RFC 9110 section 6.6.1: an answer is dated, whether it is kept or made for the occasion. */
static void
answers_have_the_date_of_now(void **state)
{
	static const char *const bodies[] = {PROBE_DONE, "{}", PROBE_DONE};
	struct probe probe;
	struct http_client client;
	struct http_response response;
	time_t last = 0;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 1));
	probe_connect(&probe, &client);
	for (unsigned i = 0; i < 2 * HERALD_COUNT(bodies); i++) {
		struct timespec next = {.tv_sec = last + 1};
		struct tm utc = {0};

		/* Half of them in another second than the one before. */
		while (i >= HERALD_COUNT(bodies) && time(NULL) == last)
			clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &next, NULL);
		time_t before = time(NULL);
		assert_true(probe_post(&client, bodies[i % HERALD_COUNT(bodies)]));
		assert_true(http_receive(&client, true, &response));
		last = time(NULL);

		const char *date = http_header(&response, "Date");
		assert_non_null(date);
		const char *end = strptime_l(date, "%a, %d %b %Y %H:%M:%S GMT", &utc,
					     newlocale(LC_ALL_MASK, "C", (locale_t)0));
		assert_true(end && *end == '\0');
		assert_int_equal(end - date, 29);
		int weekday = utc.tm_wday;
		assert_in_range(timegm(&utc), before, last);
		assert_int_equal(weekday, utc.tm_wday);
		assert_null(strstr(strstr(response.head, "Date:") + 1, "Date:"));
	}
	http_close(&client);
	probe_stop(&probe);
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

/* Paths beside events. */

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
		{"POST /healthz", true, 405, "GET, HEAD",
		 "{\"error\":\"the health check takes GET and HEAD\"}"},
		{"GET /", true, 404, NULL, "{\"error\":\"there is nothing at this path\"}"},
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

static void
own_route_beside_events(void **state)
{
	struct probe probe;
	struct http_response response;

	probe_start(&probe, state, NULL);
	request(&probe, "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
	probe_assert_answer(&response, 200, "hello");
	probe_assert_alive(&probe);
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

/* Slow clients. */

/*
 * Send `text` byte by byte, one as often as the socket stays silent for 20 ms, until the server
 * closes. Returns after how many milliseconds it did; fails the test when it does not.
 */
static int64_t
drip(const struct probe *probe, const char *head, const char *text)
{
	struct http_client client;
	int64_t begin = now_ms();

	probe_connect(probe, &client);
	assert_true(http_send_text(&client, head));
	for (size_t i = 0; i < strlen(text); i++) {
		if (http_wait_closed(&client, 20))
			break;
		if (!http_send(&client, text + i, 1))
			break;
		assert_true(now_ms() - begin < HTTP_CLIENT_WAIT_MS);
	}
	assert_true(http_wait_closed(&client, HTTP_CLIENT_WAIT_MS));
	http_close(&client);
	return now_ms() - begin;
}

#define DRIPPED                                                                                    \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xx"                                                                                       \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xx"

static void
slow_header_is_cut_off(void **state)
{
	static const char *const heads[] = {"", "POST /event HTTP/1.1\r\nHost: test\r\nX: "};
	struct probe probe;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.header_timeout_ms = 200, .body_timeout_ms = 60000));
	for (size_t i = 0; i < HERALD_COUNT(heads); i++) {
		int64_t took_ms = drip(&probe, heads[i], DRIPPED);
		assert_true(took_ms >= 190 && took_ms < 2000);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static void
slow_body_is_cut_off(void **state)
{
	static const char *const heads[] = {
		HEAD "Content-Length: 1000\r\n\r\n",
		HEAD "Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
		/* What is read only to be dropped is no exception. */
		"POST /event HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n",
		"POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n",
	};
	struct probe probe;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.header_timeout_ms = 60000, .body_timeout_ms = 200));
	for (size_t i = 0; i < HERALD_COUNT(heads); i++) {
		int64_t took_ms = drip(&probe, heads[i], DRIPPED);
		assert_true(took_ms >= 190 && took_ms < 2000);
	}
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static void
idle_connection_is_closed(void **state)
{
	struct probe probe;
	struct http_client client;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.header_timeout_ms = 200, .body_timeout_ms = 60000));
	probe_connect(&probe, &client);
	for (int i = 0; i < 6; i++) {
		/* Each answer gives it the whole time again. */
		assert_false(http_wait_readable(&client, 100));
		assert_true(i % 2 == 0 ? probe_post(&client, PROBE_DONE)
				       : http_send_text(&client, "GET /healthz HTTP/1.1\r\n"
								 "Host: test\r\n\r\n"));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 200, NULL);
	}
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	probe_stop(&probe);
}

/* One who asks and asks, and never reads an answer. */
static void
client_that_does_not_read_is_cut_off(void **state)
{
	struct probe probe;
	struct http_client client;
	char requests[4096];
	size_t bytes = 0;
	bool taken = true;
	int64_t begin = now_ms();

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.header_timeout_ms = 300, .body_timeout_ms = 300));
	while (bytes < sizeof(requests) - 256)
		bytes += (size_t)snprintf(requests + bytes, sizeof(requests) - bytes,
					  HEAD "Content-Length: 2\r\n\r\n{}");
	probe_connect(&probe, &client);
	for (size_t sent = 0; taken && sent < ((size_t)1 << 30); sent += bytes)
		taken = http_send(&client, requests, bytes);
	assert_false(taken);
	assert_true(now_ms() - begin < HTTP_CLIENT_WAIT_MS);
	http_close(&client);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* It is not the client's fault when the only thread is busy. */
static void
waiting_for_a_busy_thread_is_not_slow(void **state)
{
	struct probe probe;
	struct http_client first, second;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 1, .header_timeout_ms = 100,
					    .body_timeout_ms = 100));
	probe_connect(&probe, &second);
	assert_true(probe_post(&second, PROBE_DONE));
	assert_true(http_receive(&second, true, &response));
	probe_connect(&probe, &first);
	assert_true(probe_post(&first, PROBE_EVENT("hold", "")));
	probe_wait_held(&probe, 1);
	assert_true(probe_post(&second, PROBE_DONE));
	/* Three times its time. */
	assert_false(http_wait_readable(&second, 300));
	probe_release(&probe);
	assert_true(http_receive(&first, true, &response));
	probe_assert_answer(&response, 200, NULL);
	assert_true(http_receive(&second, true, &response));
	probe_assert_answer(&response, 200, NULL);
	http_close(&first);
	http_close(&second);
	probe_stop(&probe);
}

/* The same, to the nanosecond: time that a function takes is nobody's. */
static void
time_of_functions_does_not_count(void **state)
{
	/* Static: AddressSanitizer of gcc 12 does not align a stack's structs to 64 bytes. */
	static struct herald__worker worker = {.header_timeout_ms = 1000, .body_timeout_ms = 2000};
	struct herald__caller caller = {.worker = &worker, .started = true};
	struct herald__caller waiting = {.worker = &worker, .started = true};
	struct herald__caller new = {.worker = &worker};

	(void)state;
	herald__caller_start(&waiting);
	herald__caller_begin(&caller);
	int64_t begin = herald__now_ns();
	int64_t left = herald__caller_remaining_ns(&waiting, begin);
	assert_true(left > 0 && left <= 1000 * INT64_C(1000000));
	assert_true(herald__caller_remaining_ns(&waiting, begin + left) <= 0);

	herald__caller_enter(&caller);
	while (herald__now_ns() < begin + 50 * INT64_C(1000000))
		;
	/* However late it is, and then exactly as much later as the function took. */
	assert_true(herald__caller_remaining_ns(&waiting, INT64_MAX / 2) > 0);
	herald__caller_leave(&caller);
	int64_t took = atomic_load(&worker.busy_ns);
	assert_true(took >= 40 * INT64_C(1000000));
	assert_int_equal(herald__caller_remaining_ns(&waiting, begin + took), left);
	assert_int_equal(herald__caller_remaining_ns(&waiting, begin + took + left), 0);
	assert_true(herald__caller_remaining_ns(&new, INT64_MAX / 2) == INT64_MAX);
}

/* While functions block some threads, new connections go to the others. */
static void
free_threads_take_new_connections(void **state)
{
	struct probe probe;
	struct http_client held[3];
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 4));
	for (unsigned i = 0; i < HERALD_COUNT(held); i++) {
		probe_connect(&probe, &held[i]);
		assert_true(probe_post(&held[i], PROBE_EVENT("hold", "")));
		probe_wait_held(&probe, i + 1);
	}
	for (int i = 0; i < 20; i++)
		probe_assert_alive(&probe);
	probe_release(&probe);
	for (size_t i = 0; i < HERALD_COUNT(held); i++) {
		assert_true(http_receive(&held[i], true, &response));
		probe_assert_answer(&response, 200, NULL);
		http_close(&held[i]);
	}
	probe_stop(&probe);
}

/* Even to one that has more connections already. */
static void
free_thread_is_chosen_over_an_empty_one(void **state)
{
	struct probe probe;
	struct http_client clients[5];
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 2));
	for (size_t i = 0; i < HERALD_COUNT(clients); i++) {
		probe_connect(&probe, &clients[i]);
		assert_true(probe_post(&clients[i], PROBE_DONE));
		assert_true(http_receive(&clients[i], true, &response));
	}
	/* They take turns, so the second's thread has two connections and the other three. */
	assert_true(probe_post(&clients[1], PROBE_EVENT("hold", "")));
	probe_wait_held(&probe, 1);
	for (int i = 0; i < 5; i++)
		probe_assert_alive(&probe);
	probe_release(&probe);
	assert_true(http_receive(&clients[1], true, &response));
	probe_assert_answer(&response, 200, NULL);
	for (size_t i = 0; i < HERALD_COUNT(clients); i++)
		http_close(&clients[i]);
	probe_stop(&probe);
}

/* Limits on connections. */

static void
more_connections_wait(void **state)
{
	struct probe probe;
	struct http_client clients[3];
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.max_connections = 2));
	for (int i = 0; i < 2; i++) {
		probe_connect(&probe, &clients[i]);
		assert_true(probe_post(&clients[i], PROBE_DONE));
		assert_true(http_receive(&clients[i], true, &response));
	}
	probe_connect(&probe, &clients[2]);
	assert_true(probe_post(&clients[2], PROBE_DONE));
	assert_false(http_wait_readable(&clients[2], 100));
	assert_int_equal(probe.function_count, 2);

	http_close(&clients[0]);
	assert_true(http_wait_readable(&clients[2], PROBE_AT_ONCE_MS));
	assert_true(http_receive(&clients[2], true, &response));
	probe_assert_answer(&response, 200, NULL);
	http_close(&clients[1]);
	http_close(&clients[2]);
	probe_stop(&probe);
}

static void
more_connections_of_one_address_are_closed(void **state)
{
	struct probe probe;
	struct http_client clients[3];
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.max_connections_per_ip = 2));
	for (int i = 0; i < 2; i++) {
		probe_connect(&probe, &clients[i]);
		assert_true(probe_post(&clients[i], PROBE_DONE));
		assert_true(http_receive(&clients[i], true, &response));
	}
	probe_connect(&probe, &clients[2]);
	assert_true(http_wait_closed(&clients[2], PROBE_AT_ONCE_MS));
	for (int i = 0; i < 3; i++)
		http_close(&clients[i]);
	probe_stop(&probe);
}

/* TLS. */

static void
read_text(const char *path, char *out, size_t out_bytes)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	size_t bytes = fread(out, 1, out_bytes - 1, file);
	out[bytes] = '\0';
	fclose(file);
}

static void
tls(void **state)
{
	struct probe probe;
	struct http_client client;
	char certificate[4096], key[4096], command[512], output[256] = "";

	(void)state;
	read_text("tests/data/tls_certificate.pem", certificate, sizeof(certificate));
	read_text("tests/data/tls_key.pem", key, sizeof(key));
	serve(&probe, HERALD_SERVER_OPTIONS(.tls_certificate = certificate, .tls_key = key,
					    .header_timeout_ms = 300));
	/* They are used during the call only. */
	memset(certificate, 0, sizeof(certificate));
	memset(key, 0, sizeof(key));
	snprintf(command, sizeof(command),
		 "curl --silent --show-error --noproxy '*' --cacert tests/data/tls_certificate.pem "
		 "--header 'Content-Type: application/json' --data @tests/data/seed_event.json "
		 "https://127.0.0.1:%u/event",
		 probe.port);
	/* NOLINTNEXTLINE(cert-env33-c): a constant but for the port. */
	FILE *curl = popen(command, "r");
	assert_non_null(curl);
	assert_non_null(fgets(output, sizeof(output), curl));
	assert_int_equal(pclose(curl), 0);
	assert_string_equal(output, PROBE_SUCCESS);

	/* Who never begins a handshake is cut off as well. */
	probe_connect(&probe, &client);
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
	stopper->cut_off = herald_server_stop(stopper->probe->server);
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

	probe_start(&probe, state, NULL);
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
	wait_for_record("drain_timeout_ms is over");
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
	snprintf(expected, sizeof(expected), "server started address=127.0.0.1 port=%u path=/event",
		 probe.port);
	assert_string_equal(records.texts[0], expected);
	assert_memory_equal(records.texts[1], "server stopping address=", 24);
	assert_string_equal(records.texts[2], "server stopped cut_off=0");
	assert_int_equal(herald_server_stop(NULL), 0);
}

/* herald_serve(), in a child. */

struct child {
	pid_t pid;
	uint16_t port;
	int held[2], release[2]; /* A function says that it runs, and waits for a byte. */
	int errors[2];           /* What the child prints to stderr. */
};

static void
tell_port(const struct herald_server *server, void *state)
{
	uint16_t port = herald_server_port(server);
	const int *to = state;

	if (write(*to, &port, sizeof(port)) != sizeof(port))
		_exit(3);
}

/* What a program had for signals before it called herald_serve(). */
struct signal_state {
	sigset_t mask;
	void (*handlers[2])(int);
};

static void
read_signal_state(struct signal_state *out)
{
	struct sigaction action;

	sigprocmask(SIG_SETMASK, NULL, &out->mask);
	sigaction(SIGINT, NULL, &action);
	out->handlers[0] = action.sa_handler;
	sigaction(SIGTERM, NULL, &action);
	out->handlers[1] = action.sa_handler;
}

static bool
is_same_state(const struct signal_state *a, const struct signal_state *b)
{
	for (int i = 1; i < 32; i++)
		if (sigismember(&a->mask, i) != sigismember(&b->mask, i))
			return false;
	return a->handlers[0] == b->handlers[0] && a->handlers[1] == b->handlers[1];
}

/* In the child: serve until a signal. Exits with 0 if all is as it was before. */
static void
run_child(struct herald_service *service, struct herald_server_options options)
{
	struct signal_state before, afterwards;

	alarm(60);
	read_signal_state(&before);
	options.any_port = true;
	if (herald_serve(service, &options, NULL) != HERALD_OK)
		_exit(1);
	read_signal_state(&afterwards);
	herald_service_destroy(service);
	_exit(is_same_state(&before, &afterwards) ? 0 : 2);
}

static enum herald_verdict
on_child_event(struct herald_context *ctx, const struct herald_json *payload, struct child *child)
{
	char byte = 'h';

	(void)ctx;
	(void)payload;
	if (write(child->held[1], &byte, 1) != 1 || read(child->release[0], &byte, 1) < 0)
		return HERALD_FAIL;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_child_event, herald_json, child);

/* `prepare` may be NULL; it runs in the child, before anything else. */
static void
start_child(struct child *child, struct herald_server_options options, void (*prepare)(void))
{
	struct herald_route routes[] = {
		HERALD_ROUTE("user_created", herald_json, on_child_event, child),
	};
	struct herald_service *service;
	int ports[2];

	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)),
					       &service, NULL),
			 HERALD_OK);
	assert_int_equal(
		pipe(ports) | pipe(child->held) | pipe(child->release) | pipe(child->errors), 0);
	options.started = tell_port;
	options.started_state = &ports[1];
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid == 0) {
		dup2(child->errors[1], STDERR_FILENO);
		if (prepare)
			prepare();
		run_child(service, options);
	}
	herald_service_destroy(service);
	close(ports[1]);
	close(child->errors[1]);
	assert_int_equal(read(ports[0], &child->port, sizeof(child->port)), sizeof(child->port));
	close(ports[0]);
}

/* Wait for its end; returns the status of waitpid(). */
static int
end_child(struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	for (int end = 0; end < 2; end++) {
		close(child->held[end]);
		close(child->release[end]);
	}
	close(child->errors[0]);
	return status;
}

/* Send an event and wait until its function runs; then a signal, and wait until it is taken. */
static void
begin_event_and_stop(struct child *child, struct http_client *client, int signal)
{
	char byte;

	assert_true(http_connect(client, "127.0.0.1", child->port));
	assert_true(probe_post(client, PROBE_DONE));
	assert_int_equal(read(child->held[0], &byte, 1), 1);
	assert_int_equal(kill(child->pid, signal), 0);
	probe_wait_refused(child->port);
}

static void
finish_event(struct child *child, struct http_client *client)
{
	struct http_response response;

	assert_int_equal(write(child->release[1], "g", 1), 1);
	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	assert_true(http_wait_closed(client, HTTP_CLIENT_WAIT_MS));
	http_close(client);
}

static const int stop_signals[] = {SIGTERM, SIGINT};

static void
serve_until_a_signal(void **state)
{
	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(stop_signals); i++) {
		struct child child;
		struct http_client client;

		start_child(&child, HERALD_SERVER_OPTIONS(.quiet = true), NULL);
		begin_event_and_stop(&child, &client, stop_signals[i]);
		finish_event(&child, &client);
		int status = end_child(&child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void
second_signal_ends_the_process(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		int first = stop_signals[i / 2], second = stop_signals[i % 2];
		struct child child;
		struct http_client client;

		start_child(&child, HERALD_SERVER_OPTIONS(.quiet = true), NULL);
		begin_event_and_stop(&child, &client, first);
		assert_int_equal(kill(child.pid, second), 0);
		int status = end_child(&child); /* though the function waits */
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), second);
		http_close(&client);
	}
}

static int own_signals_fd;

static void
count_signal(int number)
{
	(void)number;
	(void)!write(own_signals_fd, "s", 1);
}

static void
handle_signals_oneself(void)
{
	const struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* A program that has handlers of its own keeps them. */
static void
second_signal_goes_to_the_programs_handler(void **state)
{
	struct child child;
	struct http_client client;
	int signals[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(signals), 0);
	own_signals_fd = signals[1];
	start_child(&child, HERALD_SERVER_OPTIONS(.quiet = true), handle_signals_oneself);
	begin_event_and_stop(&child, &client, SIGTERM);
	assert_int_equal(kill(child.pid, SIGTERM), 0);
	assert_int_equal(read(signals[0], &byte, 1), 1);
	finish_event(&child, &client);
	int status = end_child(&child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(signals[0]);
	close(signals[1]);
}

static void
serve_prints_its_url(void **state)
{
	char certificate[4096], key[4096];
	const struct {
		struct herald_server_options options;
		const char *before, *after; /* the port's number */
	} cases[] = {
		{HERALD_SERVER_OPTIONS(.port = 0), "listening on http://127.0.0.1:", "/event\n"},
		{HERALD_SERVER_OPTIONS(.address = "0.0.0.0", .path = "/a/b"),
		 "listening on http://0.0.0.0:", "/a/b\n"},
		{HERALD_SERVER_OPTIONS(.address = "::1"), "listening on http://[::1]:", "/event\n"},
		{HERALD_SERVER_OPTIONS(.tls_certificate = certificate, .tls_key = key),
		 "listening on https://127.0.0.1:", "/event\n"},
		{HERALD_SERVER_OPTIONS(.quiet = true), NULL, NULL},
	};

	(void)state;
	read_text("tests/data/tls_certificate.pem", certificate, sizeof(certificate));
	read_text("tests/data/tls_key.pem", key, sizeof(key));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct child child;
		char expected[128] = "", found[128] = "";

		start_child(&child, cases[i].options, NULL);
		if (cases[i].before)
			snprintf(expected, sizeof(expected), "%s%u%s", cases[i].before, child.port,
				 cases[i].after);
		assert_int_equal(kill(child.pid, SIGTERM), 0);
		size_t bytes = 0;
		for (ssize_t n;
		     (n = read(child.errors[0], found + bytes, sizeof(found) - 1 - bytes)) > 0;)
			bytes += (size_t)n;
		assert_string_equal(found, expected);
		assert_int_equal(end_child(&child), 0);
	}
}

static void
serve_reports_what_is_wrong(void **state)
{
	struct probe probe;
	struct herald_error error;
	sigset_t before, afterwards;

	(void)state;
	probe_create(&probe);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(
		herald_serve(probe.service, &HERALD_SERVER_OPTIONS(.address = "nowhere"), &error),
		HERALD_BAD_OPTION);
	assert_string_equal(error.path, "address");
	pthread_sigmask(SIG_SETMASK, NULL, &afterwards);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&afterwards, SIGTERM));
	probe_destroy(&probe);
}

#define WITH(TEST, ADAPTER)                                                                        \
	{                                                                                          \
#TEST, TEST, NULL, NULL, (void *)(uintptr_t)&adapters[ADAPTER]                     \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_options),
		cmocka_unit_test(options_of_an_older_program),
		WITH(address_in_use, 0),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(answers_have_the_date_of_now),
		WITH(health_and_unknown_paths, 0),
		WITH(own_route_beside_events, 1),
		WITH(many_query_arguments, 0),
		WITH(malformed_heads_of_other_paths, 0),
		cmocka_unit_test(too_large_heads_are_431),
		cmocka_unit_test(head_of_full_size_is_taken),
		WITH(very_large_body_is_refused_at_once, 0),
		cmocka_unit_test(slow_header_is_cut_off),
		cmocka_unit_test(slow_body_is_cut_off),
		cmocka_unit_test(idle_connection_is_closed),
		cmocka_unit_test(client_that_does_not_read_is_cut_off),
		cmocka_unit_test(waiting_for_a_busy_thread_is_not_slow),
		cmocka_unit_test(time_of_functions_does_not_count),
		cmocka_unit_test(free_threads_take_new_connections),
		cmocka_unit_test(free_thread_is_chosen_over_an_empty_one),
		cmocka_unit_test(more_connections_wait),
		cmocka_unit_test(more_connections_of_one_address_are_closed),
		cmocka_unit_test(tls),
		WITH(requests_during_a_stop, 0),
		cmocka_unit_test(idle_connections_have_a_grace),
		cmocka_unit_test(idle_connections_are_closed_after_their_grace),
		cmocka_unit_test(stop_cuts_off_after_its_time),
		cmocka_unit_test(log_of_a_server),
		cmocka_unit_test(serve_until_a_signal),
		cmocka_unit_test(second_signal_ends_the_process),
		cmocka_unit_test(second_signal_goes_to_the_programs_handler),
		cmocka_unit_test(serve_prints_its_url),
		cmocka_unit_test(serve_reports_what_is_wrong),
	};

	return contract_http_main(adapters, HERALD_COUNT(adapters), tests, HERALD_COUNT(tests));
}
