/*
 * The FastCGI adapter: the contract behind a real nginx, on threads of Herald and in a loop of the
 * user. Over its own socket, also what nginx never does: bodies that differ from their declared
 * length.
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

#include "contract/http/probe.h"
#include "support/nginx.h"
#include "support/thread_hooks.h"

#define LOOP_THREADS 4

/* The contract's adapters. */

struct server {
	struct nginx nginx;
	bool nginx_runs;
	struct herald_endpoint *endpoint; /* the probe's */
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
open_server(struct herald_endpoint *endpoint)
{
	struct server *server = calloc(1, sizeof(*server));

	assert_non_null(server);
	server->endpoint = endpoint;
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
	free(server);
}

/* 0: the default. */
static void
start_fastcgi(struct server *server, uint32_t read_timeout_ms)
{
	struct herald_error error;

	if (herald_fastcgi_create(server->endpoint,
				  &HERALD_FASTCGI_OPTIONS(.listen_fd = server->fd,
							  .other = say_hello,
							  .read_timeout_ms = read_timeout_ms),
				  &server->fastcgi, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static struct server *
run_nginx(struct server *server, const char *lines, uint16_t *port)
{
	nginx_start(&server->nginx, lines);
	server->nginx_runs = true;
	*port = server->nginx.port;
	return server;
}

/* The web server goes first: idle connections are its own, and so there is no grace. */
static void
end_nginx(struct server *server)
{
	if (server->nginx_runs)
		nginx_stop(&server->nginx);
	server->nginx_runs = false;
}

static void *
start_threads(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	struct server *server = open_server(endpoint);

	(void)idle_grace_ms;
	start_fastcgi(server, 0);
	return run_nginx(server, "", port);
}

static void *
start_kept_alive(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	struct server *server = open_server(endpoint);

	(void)idle_grace_ms;
	start_fastcgi(server, 0);
	return run_nginx(server, "keepalive_timeout 60s;", port);
}

static size_t
stop_threads(void *state, uint32_t drain_ms)
{
	struct server *server = state;

	end_nginx(server);
	size_t left = herald_fastcgi_stop(server->fastcgi, drain_ms);
	/* Once more, which does nothing. */
	assert_int_equal(herald_fastcgi_stop(server->fastcgi, 0), left);
	return left;
}

static void
end_threads(void *state)
{
	struct server *server = state;

	herald_fastcgi_destroy(server->fastcgi);
	close_server(server);
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
			herald_fastcgi_handle(server->endpoint, &request);
		else
			say_hello(&request, NULL);
	}
	FCGX_Free(&request, 1);
	return NULL;
}

static void *
start_loop(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	struct server *server = open_server(endpoint);

	(void)idle_grace_ms;
	for (int i = 0; i < LOOP_THREADS; i++)
		assert_int_equal(pthread_create(&server->threads[i], NULL, loop, server), 0);
	return run_nginx(server, "", port);
}

static size_t
stop_loop(void *state, uint32_t drain_ms)
{
	struct server *server = state;

	end_nginx(server);
	return herald_endpoint_stop(server->endpoint, drain_ms);
}

static void
end_loop(void *state)
{
	struct server *server = state;

	shutdown(server->fd, SHUT_RDWR);
	for (int i = 0; i < LOOP_THREADS; i++)
		pthread_join(server->threads[i], NULL);
	close_server(server);
}

/* nginx reads a body to its end before it asks anyone, and drops headers whose name is not
 * valid. It is stopped first, and with it idle connections. */
#define KEPT_ALIVE_CAPABILITIES                                                                    \
	(CONTRACT_ALL & ~(CONTRACT_REFUSES_LONGER_NAMES | CONTRACT_REFUSES_EARLY |                 \
			  CONTRACT_REFUSES_MID_BODY | CONTRACT_REFUSES_NAMES |                     \
			  CONTRACT_OUTLIVES_STOP | CONTRACT_GRACE | CONTRACT_STORES_ASIDE))

/* As docs/adapters.md has it: nginx closes each connection after one request. */
#define CAPABILITIES                                                                               \
	(KEPT_ALIVE_CAPABILITIES &                                                                 \
	 ~(CONTRACT_KEEPS_ALIVE | CONTRACT_PIPELINES | CONTRACT_REUSES_REFUSED))

#define NGINX_BLANKS "nginx 1.22 takes several blanks in a request line"
#define NGINX_TARGET                                                                               \
	"nginx 1.22 decodes and normalises paths, and does not look at the host and port of a "    \
	"target"
#define NGINX_LEADING "nginx 1.22 skips CRs and line feeds before a request"
#define NGINX_NAMES "nginx 1.22 drops headers whose name it does not take, and says nothing"
#define NGINX_LF "nginx 1.22 takes a line feed alone for the end of a line, and CRs before it"
#define NGINX_EXPECT "nginx 1.22 ignores an expectation, and does not pass it on"
#define NGINX_CHUNKS "nginx 1.22 does not look into chunk extensions and trailers"

static const struct contract_http_deviation deviations[] = {
	{"method_after_cr", "200 closed", NGINX_LEADING},
	{"leading_lf", "200 closed", NGINX_LEADING},
	{"two_blanks_*", "200 closed", NGINX_BLANKS},
	{"absolute_bad_port", "200 closed", NGINX_TARGET},
	{"absolute_ipv6_dash", "200 closed", NGINX_TARGET},
	{"absolute_other_scheme", "200 closed", NGINX_TARGET},
	{"https_absolute_form", "200 closed", NGINX_TARGET},
	{"options_star", "400 closed", "nginx 1.22 refuses a target that is only an asterisk"},
	{"path_two_slashes", "200 closed", NGINX_TARGET},
	{"path_escaped_slash", "200 closed", NGINX_TARGET},
	{"expect_unknown", "200 closed", NGINX_EXPECT},
	{"expect_list_with_body", "200 closed", NGINX_EXPECT},
	{"expect_unknown_waits", "silent", NGINX_EXPECT},
	{"expect_tabs_waits", "silent", NGINX_EXPECT},
	{"expect_list_comma_waits", "silent", NGINX_EXPECT},
	{"expect_list_twice_waits", "silent", NGINX_EXPECT},
	{"http_0_9", "rest closed",
	 "nginx 1.22 answers HTTP/0.9 as that version has it, without a head"},
	{"head_name_high", "200 closed", NGINX_NAMES},
	{"head_name_with_quote", "200 closed", NGINX_NAMES},
	{"head_bare_lf_line", "200 closed", NGINX_LF},
	{"head_cr_cr_lf", "200 closed", NGINX_LF},
	{"bare_lf_*", "200 closed", NGINX_LF},
	{"chunk_bare_lf_*", "200 closed", NGINX_LF},
	{"chunk_ext_nul", "200 closed", NGINX_CHUNKS},
	{"chunk_bad_ext_*", "200 closed", NGINX_CHUNKS},
	{"chunk_size_blank_after", "200 closed", NGINX_CHUNKS},
	{"chunk_ext_endless", "200 closed", NGINX_CHUNKS},
	{"chunk_trailer_*", "200 closed", NGINX_CHUNKS},
	{"trailers_endless", "200 closed", NGINX_CHUNKS},
};

#define NGINX_CODINGS "nginx 1.22 answers 501 to a Transfer-Encoding that it does not know"

static const struct contract_http_refusal refusals[] = {
	{"unknown_coding_*", 501, NGINX_CODINGS},
	{"tab_after_chunked", 501, NGINX_CODINGS},
};

static const struct contract_http_adapter adapters[] = {
	{.name = "threads behind nginx",
	 .capabilities = CAPABILITIES,
	 .deviations = deviations,
	 .deviations_count = HERALD_COUNT(deviations),
	 .refusals = refusals,
	 .refusals_count = HERALD_COUNT(refusals),
	 .start = start_threads,
	 .stop = stop_threads,
	 .end = end_threads},
	{.name = "loop behind nginx",
	 .capabilities = CAPABILITIES & ~CONTRACT_STOPS_ITSELF,
	 .deviations = deviations,
	 .deviations_count = HERALD_COUNT(deviations),
	 .refusals = refusals,
	 .refusals_count = HERALD_COUNT(refusals),
	 .start = start_loop,
	 .stop = stop_loop,
	 .end = end_loop},
	/* Where nginx keeps connections, which docs/adapters.md says when to do. */
	{.name = "kept alive behind nginx",
	 .capabilities = KEPT_ALIVE_CAPABILITIES,
	 .only = CONTRACT_KEEPS_ALIVE,
	 .start = start_kept_alive,
	 .stop = stop_threads,
	 .end = end_threads},
};

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
raw_open(struct raw *raw, uint32_t read_timeout_ms)
{
	const struct herald_endpoint_options options =
		HERALD_ENDPOINT_OPTIONS(.max_body_bytes = PROBE_MAX_BODY_BYTES);

	probe_create(&raw->probe);
	probe_create_endpoint(&raw->probe, &options);
	raw->server = open_server(raw->probe.endpoint);
	start_fastcgi(raw->server, read_timeout_ms);
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
	raw_open(raw, 0);
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
	assert_true(received == 0 || errno != EAGAIN);
	/* Its head and the padding have NUL bytes. */
	for (size_t i = 0; i < bytes; i++)
		if (out[i] == '\0')
			out[i] = ' ';
}

static size_t
stop_fastcgi(struct server *server, uint32_t drain_ms)
{
	size_t left = stop_threads(server, drain_ms);

	herald_fastcgi_destroy(server->fastcgi);
	server->fastcgi = NULL;
	return left;
}

static void
raw_end(struct raw *raw)
{
	close(raw->fd);
	if (raw->server->fastcgi)
		assert_int_equal(stop_fastcgi(raw->server, HTTP_CLIENT_WAIT_MS), 0);
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

/* nginx passes on only the path of such a target, and HTTPS only if it is on. Others do not. */
static void
schemes_of_targets(void **state)
{
	static const struct {
		const char *target, *https, *status;
	} cases[] = {
		{"https://test/event", "on", "Status: 200 OK\r\n"},
		{"https://test/event", "1", "Status: 200 OK\r\n"},
		{"https://test/event", NULL, "Status: 421 Misdirected Request\r\n"},
		{"https://test/event", "", "Status: 421 Misdirected Request\r\n"},
		{"https://test/event", "off", "Status: 421 Misdirected Request\r\n"},
		{"https://test/event", "OFF", "Status: 421 Misdirected Request\r\n"},
		{"http://test/event", "off", "Status: 200 OK\r\n"},
		{"http://test/event", "on", "Status: 200 OK\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct raw raw;
		char answer[2048];

		raw_open(&raw, 0);
		send_record(&raw, BEGIN, responder, sizeof(responder));
		send_param(&raw, "REQUEST_METHOD", "POST");
		send_param(&raw, "REQUEST_URI", cases[i].target);
		send_param(&raw, "SCRIPT_NAME", "/event");
		send_param(&raw, "CONTENT_TYPE", "application/json");
		if (cases[i].https)
			send_param(&raw, "HTTPS", cases[i].https);
		send_record(&raw, PARAMS, NULL, 0);
		send_record(&raw, STDIN, PROBE_DONE, strlen(PROBE_DONE));
		send_record(&raw, STDIN, NULL, 0);
		raw_receive(&raw, answer, sizeof(answer));
		if (!strstr(answer, cases[i].status))
			fail_msg("case %zu: no %s in %s", i, cases[i].status, answer);
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
	raw_open(&raw, 50);
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
		raw_open(&raw, 0);
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
		assert_int_equal(stop_fastcgi(raw.server, 1), 1);
		assert_int_equal(raw.probe.function_count, 0);
		raw_end(&raw);
	}
}

static void *
stop_in_thread(void *state)
{
	return (void *)(uintptr_t)stop_fastcgi(state, HTTP_CLIENT_WAIT_MS);
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
	assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, raw.server), 0);
	raw_wait_refused(&raw);
	send_record(&raw, STDIN, &PROBE_DONE[10], strlen(PROBE_DONE) - 10);
	send_record(&raw, STDIN, NULL, 0);
	raw_receive(&raw, answer, sizeof(answer));
	assert_non_null(strstr(answer, "Status: 200 OK\r\n"));
	/* libfcgi waits for it, for two seconds. */
	close(raw.fd);
	raw.fd = -1;
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
/* As when a signal has ended libfcgi's accepting: it fails, without an error number. */
#define SHUT_DOWN (-1)
static atomic_uint accept_calls;

/* Not by its name: the GNU C library declares it with a union. */
int fail_accept(int fd, struct sockaddr *address, socklen_t *bytes) __asm__("accept");

int
fail_accept(int fd, struct sockaddr *address, socklen_t *bytes)
{
	if (accept_errors) {
		unsigned call = atomic_fetch_add(&accept_calls, 1);

		errno = accept_errors[call] == SHUT_DOWN ? 0 : accept_errors[call];
		if (accept_errors[call] != 0)
			return -1;
		accept_errors = NULL;
	}
	return accept4(fd, address, bytes, 0);
}

/* A loop of one thread, whose calls of accept() end with `errors`, and an event for it. */
static void
begin_accepting(struct raw *raw, const int *errors, struct timespec *before)
{
	probe_create(&raw->probe);
	probe_create_endpoint(&raw->probe, NULL);
	raw->server = open_server(raw->probe.endpoint);
	accept_calls = 0;
	accept_errors = errors;
	clock_gettime(CLOCK_MONOTONIC, before);
	assert_int_equal(herald_fastcgi_create(raw->probe.endpoint,
					       &HERALD_FASTCGI_OPTIONS(.listen_fd = raw->server->fd,
								       .threads = 1),
					       &raw->server->fastcgi, NULL),
			 HERALD_OK);
	assert_true(raw_connect(raw));
	raw_send_head(raw, "/event", NULL);
	send_record(raw, STDIN, PROBE_DONE, strlen(PROBE_DONE));
	send_record(raw, STDIN, NULL, 0);
}

/* An event, before which accepting fails twice. Returns how many milliseconds it takes. */
static long
accept_after(int error)
{
	const int errors[] = {error, error, 0};
	struct timespec before, after;
	struct raw raw;
	char answer[2048];

	begin_accepting(&raw, errors, &before);
	raw_receive(&raw, answer, sizeof(answer));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_non_null(strstr(answer, "Status: 200 OK\r\n"));
	assert_int_equal(accept_calls, 3);
	accept_errors = NULL;
	raw_end(&raw);
	return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
}

/* Nobody is left who would try it again: not after a pause either. */
static void
end_at(int error)
{
	const int errors[] = {error, error, 0};
	struct timespec before;
	struct raw raw;

	begin_accepting(&raw, errors, &before);
	struct pollfd poller = {.fd = raw.fd, .events = POLLIN};
	assert_int_equal(poll(&poller, 1, 150), 0);
	assert_int_equal(stop_fastcgi(raw.server, HTTP_CLIENT_WAIT_MS), 0);
	assert_int_equal(accept_calls, 1);
	accept_errors = NULL;
	raw_end(&raw);
}

/* With one thread: it goes on, or it is the end of all. */
static void
failures_to_accept(void **state)
{
	static const int pauses[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, ENETDOWN};
	static const int passes[] = {EAGAIN, EINTR, ECONNABORTED, EPROTO, EHOSTUNREACH};
	static const int ends[] = {EBADF, EINVAL, ENOTSOCK, SHUT_DOWN};

	(void)state;
	/* Two pauses of 100 ms. */
	for (size_t i = 0; i < HERALD_COUNT(pauses); i++)
		assert_true(accept_after(pauses[i]) >= 199);
	/* None: on a loaded machine, not each time is as short as it could be. */
	for (size_t i = 0; i < HERALD_COUNT(passes); i++) {
		unsigned tries = 1;

		while (accept_after(passes[i]) >= 200)
			assert_true(tries++ < 50);
	}
	for (size_t i = 0; i < HERALD_COUNT(ends); i++)
		end_at(ends[i]);
}

/* Each thread begins before its first request and ends before the stop returns. */
static void
thread_hooks(void **state)
{
	struct counted_hooks hooks = {0};
	struct raw raw;
	char answer[2048];

	(void)state;
	probe_create(&raw.probe);
	probe_create_endpoint(&raw.probe, NULL);
	raw.server = open_server(raw.probe.endpoint);
	assert_int_equal(herald_fastcgi_create(
				 raw.probe.endpoint,
				 &HERALD_FASTCGI_OPTIONS(.listen_fd = raw.server->fd, .threads = 1,
							 .thread_hooks = COUNTED_HOOKS(&hooks)),
				 &raw.server->fastcgi, NULL),
			 HERALD_OK);
	assert_true(raw_connect(&raw));
	raw_send_head(&raw, "/event", NULL);
	send_record(&raw, STDIN, PROBE_DONE, strlen(PROBE_DONE));
	send_record(&raw, STDIN, NULL, 0);
	raw_receive(&raw, answer, sizeof(answer));
	assert_int_equal(atomic_load(&hooks.starts), 1);
	assert_int_equal(atomic_load(&hooks.stops), 0);
	assert_int_equal(stop_fastcgi(raw.server, HTTP_CLIENT_WAIT_MS), 0);
	assert_hooks(&hooks, 1);
	raw_end(&raw);
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

	(void)state;
	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_fastcgi *fastcgi = NULL;
		struct herald_error error;

		assert_int_equal(
			herald_fastcgi_create(probe.endpoint, &cases[i].options, &fastcgi, &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		assert_null(fastcgi);
	}
	assert_int_equal(herald_fastcgi_stop(NULL, 0), 0);
	herald_fastcgi_destroy(NULL);
	probe_destroy(&probe);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_must_be_what_was_declared),
		cmocka_unit_test(schemes_of_targets),
		cmocka_unit_test(body_of_unknown_length_over_the_limit),
		cmocka_unit_test(web_server_goes_away),
		cmocka_unit_test(body_that_does_not_come_is_400),
		cmocka_unit_test(stop_cuts_off_what_does_not_come),
		cmocka_unit_test(stop_waits_for_what_comes),
		cmocka_unit_test(failures_to_accept),
		cmocka_unit_test(thread_hooks),
		cmocka_unit_test(paths),
		cmocka_unit_test(bad_options),
	};

	return contract_http_main(adapters, HERALD_COUNT(adapters), tests, HERALD_COUNT(tests));
}
