/*
 * The FastCGI adapter: the contract behind a real nginx, on threads of Herald's and in a loop of
 * the user's; and what no nginx does, over a socket of its own: bodies that are not what was
 * declared.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <herald/fastcgi.h>

#include "contract/http_probe.h"
#include "support/nginx.h"

#define LOOP_THREADS 4

/* The contract's adapters. */

struct server {
	struct nginx nginx;
	struct herald_http *http;
	int fd;
	struct herald_fastcgi *fastcgi; /* or: */
	pthread_t threads[LOOP_THREADS];
};

static void
say_hello(FCGX_Request *request, void *state)
{
	(void)state;
	FCGX_PutS("Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", request->out);
}

static struct server *
open_server(struct herald_service *service, const struct herald_http_options *options)
{
	struct server *server = calloc(1, sizeof(*server));

	assert_non_null(server);
	assert_int_equal(herald_http_create(service, options, &server->http, NULL), HERALD_OK);
	nginx_prepare(&server->nginx);
	assert_int_equal(FCGX_Init(), 0);
	server->fd = FCGX_OpenSocket(server->nginx.socket, 511);
	assert_true(server->fd >= 0);
	return server;
}

static void
close_server(struct server *server)
{
	close(server->fd);
	herald_http_destroy(server->http);
	free(server);
}

/* 0: the default. */
static void
start_fastcgi(struct server *server, uint32_t read_timeout_ms, uint32_t drain_timeout_ms)
{
	struct herald_error error;

	if (herald_fastcgi_start(server->http,
				 &HERALD_FASTCGI_OPTIONS(.listen_fd = server->fd,
							 .other = say_hello,
							 .read_timeout_ms = read_timeout_ms,
							 .drain_timeout_ms = drain_timeout_ms),
				 &server->fastcgi, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void *
start_threads(struct herald_service *service, const struct herald_http_options *options,
	      uint16_t *port)
{
	struct server *server = open_server(service, options);

	start_fastcgi(server, 0, 0);
	nginx_start(&server->nginx, "");
	*port = server->nginx.port;
	return server;
}

static size_t
stop_threads(void *state)
{
	struct server *server = state;

	nginx_stop(&server->nginx);
	size_t left = herald_fastcgi_stop(server->fastcgi);
	close_server(server);
	return left;
}

/* A loop as a user would have it. */
static void *
loop(void *state)
{
	struct server *server = state;
	FCGX_Request request;

	FCGX_InitRequest(&request, server->fd, 0);
	while (FCGX_Accept_r(&request) == 0) {
		if (herald_fastcgi_path_is(&request, "/event"))
			herald_fastcgi_handle(server->http, &request);
		else
			say_hello(&request, NULL);
	}
	FCGX_Free(&request, 1);
	return NULL;
}

static void *
start_loop(struct herald_service *service, const struct herald_http_options *options,
	   uint16_t *port)
{
	struct server *server = open_server(service, options);

	for (int i = 0; i < LOOP_THREADS; i++)
		assert_int_equal(pthread_create(&server->threads[i], NULL, loop, server), 0);
	nginx_start(&server->nginx, "");
	*port = server->nginx.port;
	return server;
}

static size_t
stop_loop(void *state)
{
	struct server *server = state;

	nginx_stop(&server->nginx);
	shutdown(server->fd, SHUT_RDWR);
	for (int i = 0; i < LOOP_THREADS; i++)
		pthread_join(server->threads[i], NULL);
	close_server(server);
	return 0;
}

/* nginx reads a body to its end before it asks anyone, drops headers whose name is none, and takes a line
 * feed alone for a line's end. */
#define CAPABILITIES                                                                               \
	((CONTRACT_ALL | CONTRACT_RAW_REQUESTS) &                                                  \
	 ~(CONTRACT_REFUSES_EARLY | CONTRACT_REFUSES_MID_BODY | CONTRACT_REFUSES_NAMES |           \
	   CONTRACT_REFUSES_LF))

#define NGINX_BLANKS "nginx 1.22 takes several blanks in a request line"
#define NGINX_TARGET "nginx 1.22 decodes and normalises paths, and does not look at a target's port"
#define NGINX_NAMES "nginx 1.22 drops headers whose name it does not take, and says nothing"
#define NGINX_LF "nginx 1.22 takes a line feed alone for the end of a line, and CRs before it"
#define NGINX_CLOSE "nginx 1.22 closes no connection because FastCGI refused a request"
#define NGINX_CHUNKS "nginx 1.22 does not look into chunk extensions and trailers"

static const struct contract_http_deviation deviations[] = {
	{"blank_after_version", "400 open", NGINX_CLOSE},
	{"two_blanks_*", "200 open", NGINX_BLANKS},
	{"absolute_bad_port", "200 open", NGINX_TARGET},
	{"path_two_slashes", "200 open", NGINX_TARGET},
	{"path_escaped_slash", "200 open", NGINX_TARGET},
	{"http_1_01", "400 open", NGINX_CLOSE},
	{"head_control_in_value", "400 open", NGINX_CLOSE},
	{"head_del_in_value", "400 open", NGINX_CLOSE},
	{"head_name_high", "200 open", NGINX_NAMES},
	{"head_name_with_quote", "200 open", NGINX_NAMES},
	{"head_bare_lf_line", "200 open", NGINX_LF},
	{"head_cr_cr_lf", "200 open", NGINX_LF},
	{"bare_lf_*", "200 open", NGINX_LF},
	/* What follows the empty line is a body, and after it no request. */
	{"te_lf_name", "400 400 closed", NGINX_LF},
	{"chunk_bare_lf_*", "200 open", NGINX_LF},
	{"chunk_ext_nul", "200 open", NGINX_CHUNKS},
	{"chunk_ext_endless", "200 open", NGINX_CHUNKS},
	{"chunk_trailer_*", "200 open", NGINX_CHUNKS},
	{"trailers_endless", "200 open", NGINX_CHUNKS},
};

static const struct contract_http_adapter adapters[] = {
	{.name = "threads behind nginx",
	 .capabilities = CAPABILITIES,
	 .deviations = deviations,
	 .deviations_count = HERALD_COUNT(deviations),
	 .start = start_threads,
	 .stop = stop_threads},
	{.name = "loop behind nginx",
	 .capabilities = CAPABILITIES,
	 .deviations = deviations,
	 .deviations_count = HERALD_COUNT(deviations),
	 .start = start_loop,
	 .stop = stop_loop},
};

/* Through nginx. */

static void
own_routes_beside_events(void **state)
{
	struct probe probe;
	struct http_client client;
	struct http_response response;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	for (int i = 0; i < 2; i++) {
		assert_true(http_send_text(&client, "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n"));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 200, "hello");
		assert_true(probe_post(&client, PROBE_DONE));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
	}
	http_close(&client);
	probe_stop(&probe);
}

/* Without a web server: requests of the FastCGI protocol, version 1, byte by byte. */

enum record_type { BEGIN = 1, PARAMS = 4, STDIN = 5, STDOUT = 6 };

static const char responder[8] = {0, 1}; /* the content of BEGIN */

struct raw {
	struct probe probe;
	struct server *server;
	int fd;
};

static void
send_record(const struct raw *raw, enum record_type type, const char *data, size_t bytes)
{
	unsigned char record[8 + 8192] = {1, (unsigned char)type,         0,
					  1, (unsigned char)(bytes >> 8), (unsigned char)bytes};

	assert_true(bytes <= 8192);
	if (bytes > 0)
		memcpy(record + 8, data, bytes);
	/* The other side may have refused it already. */
	(void)!send(raw->fd, record, 8 + bytes, MSG_NOSIGNAL);
}

static void
send_param(const struct raw *raw, const char *name, const char *value)
{
	char param[256] = {(char)strlen(name), (char)strlen(value)};
	size_t bytes = 2 + strlen(name) + strlen(value);

	assert_true(bytes < sizeof(param));
	snprintf(param + 2, sizeof(param) - 2, "%s%s", name, value);
	send_record(raw, PARAMS, param, bytes);
}

/* Whether the threads take a connection. */
static bool
raw_connect(struct raw *raw)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", raw->server->nginx.socket);
	const struct timeval patience = {.tv_sec = PROBE_AT_ONCE_MS / 1000};

	raw->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	setsockopt(raw->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return connect(raw->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* Start threads without an nginx, and one connection. */
static void
raw_open(struct raw *raw, uint32_t read_timeout_ms, uint32_t drain_timeout_ms)
{
	const struct herald_http_options options =
		HERALD_HTTP_OPTIONS(.max_body_bytes = PROBE_MAX_BODY_BYTES);

	probe_create(&raw->probe);
	raw->server = open_server(raw->probe.service, &options);
	start_fastcgi(raw->server, read_timeout_ms, drain_timeout_ms);
	assert_true(raw_connect(raw));
}

/* A request up to its body; NULL: without that variable. */
static void
raw_send_head(struct raw *raw, const char *path, const char *content_length)
{
	send_record(raw, BEGIN, responder, sizeof(responder));
	send_param(raw, "REQUEST_METHOD", "POST");
	send_param(raw, "SCRIPT_NAME", path);
	send_param(raw, "CONTENT_TYPE", "application/json");
	if (content_length)
		send_param(raw, "CONTENT_LENGTH", content_length);
	send_record(raw, PARAMS, NULL, 0);
}

static void
raw_begin(struct raw *raw, const char *path, const char *content_length)
{
	raw_open(raw, 0, 0);
	raw_send_head(raw, path, content_length);
}

/* Wait until the other side has read all that was sent. */
static void
raw_wait_taken(const struct raw *raw)
{
	int bytes = 1;

	while (bytes > 0) {
		assert_int_equal(ioctl(raw->fd, SIOCOUTQ, &bytes), 0);
		sched_yield();
	}
}

/* Wait until the threads take no more connections. */
static void
raw_wait_refused(const struct raw *raw)
{
	bool taken = true;

	while (taken) {
		struct raw other = {.server = raw->server};

		taken = raw_connect(&other);
		close(other.fd);
	}
}

/* The text of the answer, up to the end of the connection. */
static void
raw_receive(const struct raw *raw, char *out, size_t size)
{
	size_t bytes = 0;
	ssize_t received;

	memset(out, 0, size);
	while ((received = recv(raw->fd, out + bytes, size - 1 - bytes, 0)) > 0)
		bytes += (size_t)received;
	/* Its head and the padding have NUL bytes. */
	for (size_t i = 0; i < bytes; i++)
		if (out[i] == '\0')
			out[i] = ' ';
}

static void
raw_end(struct raw *raw)
{
	close(raw->fd);
	if (raw->server->fastcgi)
		assert_int_equal(herald_fastcgi_stop(raw->server->fastcgi), 0);
	unlink(raw->server->nginx.socket);
	rmdir(raw->server->nginx.directory);
	close_server(raw->server);
	probe_destroy(&raw->probe);
}

static void
body_must_be_what_was_declared(void **state)
{
	char whole[16], more[16], less[16];
	const struct {
		const char *content_length, *status;
		unsigned functions;
	} cases[] = {
		{whole, "Status: 200 OK\r\n", 1},
		{NULL, "Status: 200 OK\r\n", 1},
		{"", "Status: 200 OK\r\n", 1},
		{more, "Status: 400 Bad Request\r\n", 0},
		{less, "Status: 400 Bad Request\r\n", 0},
		{"-1", "Status: 400 Bad Request\r\n", 0},
		{"many", "Status: 400 Bad Request\r\n", 0},
		{"99999999999999999999", "Status: 413 Content Too Large\r\n", 0},
	};

	(void)state;
	snprintf(whole, sizeof(whole), "%zu", strlen(PROBE_DONE));
	snprintf(more, sizeof(more), "%zu", strlen(PROBE_DONE) + 1);
	snprintf(less, sizeof(less), "%zu", strlen(PROBE_DONE) - 1);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct raw raw;
		char answer[2048];

		raw_begin(&raw, "/event", cases[i].content_length);
		send_record(&raw, STDIN, PROBE_DONE, strlen(PROBE_DONE));
		send_record(&raw, STDIN, NULL, 0);
		raw_receive(&raw, answer, sizeof(answer));
		if (!strstr(answer, cases[i].status))
			fail_msg("case %zu: no %s in %s", i, cases[i].status, answer);
		assert_int_equal(raw.probe.function_count, cases[i].functions);
		raw_end(&raw);
	}
}

/* With fastcgi_request_buffering off, nginx does not know the length of a chunked body. */
static void
body_of_unknown_length_over_the_limit(void **state)
{
	static char body[PROBE_MAX_BODY_BYTES + 1];
	struct raw raw;
	char answer[2048];

	(void)state;
	memset(body, ' ', sizeof(body));
	memcpy(body, PROBE_DONE, strlen(PROBE_DONE));
	raw_begin(&raw, "/event", NULL);
	send_record(&raw, STDIN, body, sizeof(body));
	send_record(&raw, STDIN, NULL, 0);
	raw_receive(&raw, answer, sizeof(answer));
	assert_non_null(strstr(answer, "Status: 413 Content Too Large\r\n"));
	assert_int_equal(raw.probe.function_count, 0);
	raw_end(&raw);
}

static void
web_server_goes_away(void **state)
{
	/* What came may be a whole event; its end did not come. */
	static const struct {
		const char *content_length, *body;
		bool waits;
	} cases[] = {
		{NULL, NULL, true},
		{NULL, PROBE_DONE, true},
		{"1000", PROBE_DONE, true},
		{"1000", PROBE_DONE, false},
	};
	struct raw raw;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		char answer[2048];

		raw_begin(&raw, "/event", cases[i].content_length);
		if (cases[i].body)
			send_record(&raw, STDIN, cases[i].body, strlen(cases[i].body));
		shutdown(raw.fd, SHUT_WR);
		if (cases[i].waits)
			raw_receive(&raw, answer, sizeof(answer));
		raw_end(&raw);
		assert_int_equal(raw.probe.function_count, 0);
	}
}

static void
body_that_does_not_come_is_400(void **state)
{
	struct raw raw;
	char answer[2048];

	(void)state;
	raw_open(&raw, 50, 0);
	raw_send_head(&raw, "/event", "1000");
	send_record(&raw, STDIN, PROBE_DONE, strlen(PROBE_DONE));
	raw_receive(&raw, answer, sizeof(answer));
	assert_non_null(strstr(answer, "Status: 400 Bad Request\r\n"));
	assert_int_equal(raw.probe.function_count, 0);
	raw_end(&raw);
}

/* Wherever it is that the web server has stopped sending. */
static void
stop_cuts_off_what_does_not_come(void **state)
{
	enum { AMID_BEGIN, AMID_PARAMS, AMID_BODY, COUNT };
	struct raw raw;

	(void)state;
	for (int where = 0; where < COUNT; where++) {
		raw_open(&raw, 0, 1);
		if (where == AMID_BEGIN)
			assert_int_equal(send(raw.fd, "\1\1", 2, MSG_NOSIGNAL), 2);
		if (where == AMID_PARAMS) {
			send_record(&raw, BEGIN, responder, sizeof(responder));
			send_param(&raw, "REQUEST_METHOD", "POST");
		}
		if (where == AMID_BODY) {
			raw_send_head(&raw, "/event", NULL);
			send_record(&raw, STDIN, PROBE_DONE, strlen(PROBE_DONE));
		}
		raw_wait_taken(&raw);
		assert_int_equal(herald_fastcgi_stop(raw.server->fastcgi), 1);
		raw.server->fastcgi = NULL;
		assert_int_equal(raw.probe.function_count, 0);
		raw_end(&raw);
	}
}

static void *
stop_in_thread(void *state)
{
	return (void *)(uintptr_t)herald_fastcgi_stop(state);
}

static void
stop_waits_for_what_comes(void **state)
{
	struct raw raw;
	char answer[2048];
	pthread_t stopper;
	void *left;

	(void)state;
	raw_begin(&raw, "/event", NULL);
	send_record(&raw, STDIN, PROBE_DONE, 10);
	raw_wait_taken(&raw);
	assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, raw.server->fastcgi), 0);
	raw_wait_refused(&raw);
	send_record(&raw, STDIN, &PROBE_DONE[10], strlen(PROBE_DONE) - 10);
	send_record(&raw, STDIN, NULL, 0);
	raw_receive(&raw, answer, sizeof(answer));
	assert_non_null(strstr(answer, "Status: 200 OK\r\n"));
	assert_int_equal(pthread_join(stopper, &left), 0);
	assert_null(left);
	raw.server->fastcgi = NULL;
	raw_end(&raw);
}

/*
 * accept() as libfcgi calls it: it fails with the numbers that a test gives it, one after the
 * other, and then accepts.
 */
static const int *_Atomic accept_errors;
static atomic_uint accept_calls;

/* Not by its name: the GNU C library declares it with a union. */
int fail_accept(int fd, struct sockaddr *address, socklen_t *bytes) __asm__("accept");

int
fail_accept(int fd, struct sockaddr *address, socklen_t *bytes)
{
	if (accept_errors) {
		unsigned call = atomic_fetch_add(&accept_calls, 1);

		errno = accept_errors[call];
		if (errno != 0)
			return -1;
		accept_errors = NULL;
	}
	return accept4(fd, address, bytes, 0);
}

/* With one thread: it goes on, or it is the end of all. */
static void
failures_to_accept(void **state)
{
	static const struct {
		int error;
		bool waits, ends;
	} cases[] = {
		{EAGAIN, false, false}, {EINTR, false, false},   {ECONNABORTED, false, false},
		{EPROTO, false, false}, {EMFILE, true, false},   {ENFILE, true, false},
		{ENOBUFS, true, false}, {ENOMEM, true, false},   {EBADF, false, true},
		{EINVAL, false, true},  {ENOTSOCK, false, true},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		const int errors[] = {cases[i].error, cases[i].error, 0};
		struct timespec before, after;
		struct raw raw;
		char answer[2048];

		probe_create(&raw.probe);
		raw.server = open_server(raw.probe.service, NULL);
		accept_calls = 0;
		accept_errors = errors;
		clock_gettime(CLOCK_MONOTONIC, &before);
		assert_int_equal(
			herald_fastcgi_start(
				raw.server->http,
				&HERALD_FASTCGI_OPTIONS(.listen_fd = raw.server->fd, .threads = 1),
				&raw.server->fastcgi, NULL),
			HERALD_OK);
		assert_true(raw_connect(&raw));
		raw_send_head(&raw, "/event", NULL);
		send_record(&raw, STDIN, PROBE_DONE, strlen(PROBE_DONE));
		send_record(&raw, STDIN, NULL, 0);
		if (cases[i].ends) {
			/* Nobody is left who would try it again: not after a pause either. */
			struct pollfd poller = {.fd = raw.fd, .events = POLLIN};

			assert_int_equal(poll(&poller, 1, 300), 0);
			assert_int_equal(herald_fastcgi_stop(raw.server->fastcgi), 0);
			raw.server->fastcgi = NULL;
			assert_int_equal(accept_calls, 1);
		} else {
			raw_receive(&raw, answer, sizeof(answer));
			assert_non_null(strstr(answer, "Status: 200 OK\r\n"));
			clock_gettime(CLOCK_MONOTONIC, &after);
			long ms = (after.tv_sec - before.tv_sec) * 1000 +
				  (after.tv_nsec - before.tv_nsec) / 1000000;
			assert_int_equal(accept_calls, 3);
			/* Two pauses of 100 ms. */
			if (cases[i].waits)
				assert_true(ms >= 199);
			else
				assert_true(ms < 200);
		}
		accept_errors = NULL;
		raw_end(&raw);
	}
}

static void
paths(void **state)
{
	static const struct {
		const char *script, *info, *path;
		bool same;
	} cases[] = {
		{"/event", NULL, "/event", true},       {"/event", "", "/event", true},
		{"/api", "/event", "/api/event", true}, {NULL, "/event", "/event", true},
		{"/event", "/more", "/event", false},   {"/even", NULL, "/event", false},
		{"/events", NULL, "/event", false},     {"", "", "/event", false},
		{NULL, NULL, "/event", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		char script[64], info[64];
		char *variables[3] = {NULL};
		size_t count = 0;
		FCGX_Request request = {.envp = variables};

		snprintf(script, sizeof(script), "SCRIPT_NAME=%s",
			 cases[i].script ? cases[i].script : "");
		snprintf(info, sizeof(info), "PATH_INFO=%s", cases[i].info ? cases[i].info : "");
		if (cases[i].script)
			variables[count++] = script;
		if (cases[i].info)
			variables[count++] = info;
		assert_int_equal(herald_fastcgi_path_is(&request, cases[i].path), cases[i].same);
	}
}

static void
bad_options(void **state)
{
	static const struct {
		struct herald_fastcgi_options options;
		const char *path;
	} cases[] = {
		{{.struct_size = 1}, "struct_size"},
		{{.struct_size = sizeof(struct herald_fastcgi_options), .path = "event"}, "path"},
		{{.struct_size = sizeof(struct herald_fastcgi_options), .path = "/an event"},
		 "path"},
		{{.struct_size = sizeof(struct herald_fastcgi_options), .path = "/event\r"},
		 "path"},
		{{.struct_size = sizeof(struct herald_fastcgi_options), .path = "/%65vent"},
		 "path"},
		{{.struct_size = sizeof(struct herald_fastcgi_options), .threads = 1025},
		 "threads"},
		{{.struct_size = sizeof(struct herald_fastcgi_options), .listen_fd = -1},
		 "listen_fd"},
		{{.struct_size = sizeof(struct herald_fastcgi_options), .listen_fd = 2},
		 "listen_fd"},
	};
	struct probe probe;
	struct herald_http *http;

	(void)state;
	probe_create(&probe);
	assert_int_equal(herald_http_create(probe.service, NULL, &http, NULL), HERALD_OK);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_fastcgi *fastcgi = NULL;
		struct herald_error error;

		assert_int_equal(herald_fastcgi_start(http, &cases[i].options, &fastcgi, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		assert_null(fastcgi);
	}
	herald_fastcgi_stop(NULL);
	herald_http_destroy(http);
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
		WITH(own_routes_beside_events, 0),
		WITH(own_routes_beside_events, 1),
		cmocka_unit_test(body_must_be_what_was_declared),
		cmocka_unit_test(body_of_unknown_length_over_the_limit),
		cmocka_unit_test(web_server_goes_away),
		cmocka_unit_test(body_that_does_not_come_is_400),
		cmocka_unit_test(stop_cuts_off_what_does_not_come),
		cmocka_unit_test(stop_waits_for_what_comes),
		cmocka_unit_test(failures_to_accept),
		cmocka_unit_test(paths),
		cmocka_unit_test(bad_options),
	};

	return contract_http_main(adapters, HERALD_COUNT(adapters), tests, HERALD_COUNT(tests));
}
