/*
 * The libevent adapter: the contract with and without a pool, on a server with a route of the
 * user's own, and what only this adapter has: a loop that does not wait, a queue that is full,
 * clients that go away while their event is queued, and a stop that is told about.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <herald/libevent.h>

#include "contract/http_probe.h"

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
#define DRAIN_MS 20000

/* A server as a user would have it. Everything of libevent's is touched by the loop's thread
 * only. */
struct own_server {
	struct event_base *base;
	struct evhttp *server;
	struct evhttp_bound_socket *bound;
	struct herald_pool *pool;
	struct herald_libevent *adapter;
	struct event *order; /* by order_fd: stop; once that is over, leave the loop */
	int order_fd;
	uint32_t drain_ms;
	atomic_bool stops;
	atomic_bool stopped;
	size_t left; /* what the adapter reported */
	pthread_t thread;
};

static void
hello(struct evhttp_request *request, void *state)
{
	struct evbuffer *body = evbuffer_new();

	(void)state;
	evbuffer_add_printf(body, "hello");
	evhttp_send_reply(request, 200, NULL, body);
	evbuffer_free(body);
}

static void
healthy(struct evhttp_request *request, void *state)
{
	(void)state;
	evhttp_send_reply(request, 200, NULL, NULL);
}

static void
not_found(struct evhttp_request *request, void *state)
{
	(void)state;
	evhttp_send_reply(request, 404, NULL, NULL);
}

static void
on_stopped(size_t left, void *state)
{
	struct own_server *own = state;

	own->left = left;
	atomic_store(&own->stopped, true);
	event_base_loopbreak(own->base);
}

static void
on_order(evutil_socket_t fd, short what, void *state)
{
	struct own_server *own = state;

	uint64_t count;

	(void)what;
	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	if (own->stopped) {
		event_base_loopbreak(own->base);
		return;
	}
	evhttp_del_accept_socket(own->server, own->bound);
	herald_libevent_stop(own->adapter, own->drain_ms, on_stopped, own);
	atomic_store(&own->stops, true);
}

static void *
run_loop(void *state)
{
	struct own_server *own = state;

	event_base_dispatch(own->base);
	return NULL;
}

static struct own_server *
create_server(uint16_t *port)
{
	struct own_server *own = calloc(1, sizeof(*own));
	struct sockaddr_in address = {0};
	socklen_t address_bytes = sizeof(address);

	assert_non_null(own);
	own->drain_ms = DRAIN_MS;
	own->base = event_base_new();
	own->server = evhttp_new(own->base);
	assert_non_null(own->server);
	evhttp_set_allowed_methods(own->server, UINT16_MAX);
	assert_int_equal(evhttp_set_cb(own->server, "/hello", hello, NULL), 0);
	assert_int_equal(evhttp_set_cb(own->server, "/healthz", healthy, NULL), 0);
	evhttp_set_gencb(own->server, not_found, NULL);
	own->bound = evhttp_bind_socket_with_handle(own->server, "127.0.0.1", 0);
	assert_non_null(own->bound);
	assert_int_equal(getsockname(evhttp_bound_socket_get_fd(own->bound),
				     (struct sockaddr *)&address, &address_bytes),
			 0);
	*port = ntohs(address.sin_port);
	own->order_fd = eventfd(0, EFD_CLOEXEC);
	own->order = event_new(own->base, own->order_fd, EV_READ | EV_PERSIST, on_order, own);
	assert_int_equal(event_add(own->order, NULL), 0);
	return own;
}

static void
start_loop(struct own_server *own, struct herald_service *service,
	   const struct herald_libevent_options *options)
{
	struct herald_libevent_options quick = *options;
	struct herald_error error;

	/* Not 250 ms for each test that does not care. */
	if (quick.idle_grace_ms == 0)
		quick.idle_grace_ms = 1;
	if (herald_libevent_create(service, own->base, own->server, &quick, &own->adapter,
				   &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_int_equal(pthread_create(&own->thread, NULL, run_loop, own), 0);
}

static void
order_stop(struct own_server *own)
{
	const uint64_t one = 1;

	assert_int_equal(write(own->order_fd, &one, sizeof(one)), sizeof(one));
}

/* Once the loop has ended, in the documented order; the service may be destroyed then. */
static void
end_server(struct own_server *own)
{
	if (own->pool)
		herald_pool_stop(own->pool, 0);
	herald_libevent_destroy(own->adapter);
	evhttp_free(own->server);
	herald_pool_destroy(own->pool);
}

static void
free_base(struct own_server *own)
{
	event_free(own->order);
	event_base_free(own->base);
	close(own->order_fd);
	free(own);
}

static void
free_server(struct own_server *own)
{
	end_server(own);
	free_base(own);
}

static size_t
stop_server(void *server)
{
	struct own_server *own = server;

	order_stop(own);
	pthread_join(own->thread, NULL);
	size_t left = own->left;
	free_server(own);
	return left;
}

/* The contract's adapters. */

static void *
start_on_loop(struct herald_service *service, const struct herald_http_options *options,
	      uint16_t *port)
{
	struct own_server *own = create_server(port);

	start_loop(own, service, &HERALD_LIBEVENT_OPTIONS(.http = options, .limit_server = true));
	return own;
}

static struct own_server *
start_with_pool(struct herald_service *service, const struct herald_pool_options *pool_options,
		struct herald_libevent_options options, uint16_t *port)
{
	struct own_server *own = create_server(port);

	assert_int_equal(herald_pool_create(pool_options, &own->pool, NULL), HERALD_OK);
	options.pool = own->pool;
	start_loop(own, service, &options);
	return own;
}

static void *
start_on_pool(struct herald_service *service, const struct herald_http_options *options,
	      uint16_t *port)
{
	return start_with_pool(service, NULL,
			       HERALD_LIBEVENT_OPTIONS(.http = options, .limit_server = true),
			       port);
}

static void *
start_unlimited(struct herald_service *service, const struct herald_http_options *options,
		uint16_t *port)
{
	return start_with_pool(service, NULL, HERALD_LIBEVENT_OPTIONS(.http = options), port);
}

static void *
start_unguarded(struct herald_service *service, const struct herald_http_options *options,
		uint16_t *port)
{
	return start_with_pool(service, NULL,
			       HERALD_LIBEVENT_OPTIONS(.http = options, .limit_server = true,
						       .leave_server = true),
			       port);
}

/* herald/libevent.h says why. */
#define CAPABILITIES (CONTRACT_ALL | CONTRACT_RAW_REQUESTS)

#define EVHTTP_UNLIMITED "evhttp 2.1.12 has no limit of a body unless it is given one, and waits"

static const struct contract_http_deviation unlimited_deviations[] = {
	{"length_overflow_plus_n", "silent", EVHTTP_UNLIMITED},
	{"length_too_large", "silent", EVHTTP_UNLIMITED},
	{"expect_too_large", "silent", EVHTTP_UNLIMITED},
};

static const struct contract_http_adapter adapters[] = {
	{.name = "loop",
	 .capabilities =
		 CAPABILITIES & ~(CONTRACT_CONCURRENT | CONTRACT_DRAINS | CONTRACT_REFUSES_EARLY),
	 .start = start_on_loop,
	 .stop = stop_server},
	{.name = "pool",
	 .capabilities = CAPABILITIES & ~CONTRACT_REFUSES_EARLY,
	 .start = start_on_pool,
	 .stop = stop_server},
	{.name = "unlimited",
	 .capabilities = CAPABILITIES & ~(CONTRACT_REFUSES_EARLY | CONTRACT_REFUSES_MID_BODY),
	 .deviations = unlimited_deviations,
	 .deviations_count = HERALD_COUNT(unlimited_deviations),
	 .start = start_unlimited,
	 .stop = stop_server},
	{.name = "unguarded",
	 .capabilities = CONTRACT_ALL & ~(CONTRACT_REFUSES_EARLY | CONTRACT_CHUNK_GRAMMAR |
					  CONTRACT_REUSES_REFUSED),
	 .start = start_unguarded,
	 .stop = stop_server},
};

/* A probe behind a server with options of the test's own. */

static struct own_server *
serve(struct probe *probe, const struct herald_pool_options *pool_options,
      const struct herald_libevent_options *options)
{
	probe_create(probe);
	probe->adapter = &adapters[0]; /* for its stop */
	struct own_server *own =
		start_with_pool(probe->service, pool_options, *options, &probe->port);
	probe->server = own;
	return own;
}

static void
wait_queued(struct own_server *own, uint64_t count)
{
	struct herald_pool_statistics statistics;

	for (;;) {
		herald_pool_statistics(own->pool, &statistics);
		if (statistics.queued == count)
			return;
		sched_yield();
	}
}

static void
post(const struct probe *probe, struct http_client *client, const char *body)
{
	probe_connect(probe, client);
	assert_true(probe_post(client, body));
}

static void
assert_received(struct http_client *client, unsigned status, const char *body)
{
	struct http_response response;

	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, status, body);
}

/* Options. */

static void
bad_options(void **state)
{
	char long_path[1026] = "/";
	const struct {
		struct herald_libevent_options options;
		const char *path, *message;
	} cases[] = {
		{{.path = "/event"}, "struct_size", "use HERALD_LIBEVENT_OPTIONS"},
		{HERALD_LIBEVENT_OPTIONS(.path = ""), "path", "must begin with '/'"},
		{HERALD_LIBEVENT_OPTIONS(.path = "event"), "path", "unlike \"event\""},
		{HERALD_LIBEVENT_OPTIONS(.path = "/event?a"), "path", "no query"},
		{HERALD_LIBEVENT_OPTIONS(.path = "/event#a"), "path", "no fragment"},
		{HERALD_LIBEVENT_OPTIONS(.path = "/an event"), "path", "byte 0x20 at offset 3"},
		{HERALD_LIBEVENT_OPTIONS(.path = "/event\r"), "path", "byte 0x0d at offset 6"},
		{HERALD_LIBEVENT_OPTIONS(.path = long_path), "path", "at most 1024 bytes"},
		{HERALD_LIBEVENT_OPTIONS(.path = "/hello"), "path",
		 "\"/hello\" has a callback already"},
		{HERALD_LIBEVENT_OPTIONS(.http = &(struct herald_http_options){0}), "struct_size",
		 "HERALD_HTTP_OPTIONS"},
	};
	struct probe probe;
	uint16_t port;

	(void)state;
	memset(long_path + 1, 'a', sizeof(long_path) - 2);
	probe_create(&probe);
	struct own_server *own = create_server(&port);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_libevent *adapter = NULL;
		struct herald_error error = {0};

		assert_int_equal(herald_libevent_create(probe.service, own->base, own->server,
							&cases[i].options, &adapter, &error),
				 HERALD_BAD_OPTION);
		assert_null(adapter);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		if (!strstr(error.message, cases[i].message))
			fail_msg("\"%s\" instead of \"%s\"", error.message, cases[i].message);
		assert_int_equal(herald_libevent_create(probe.service, own->base, own->server,
							&cases[i].options, &adapter, NULL),
				 HERALD_BAD_OPTION);
	}
	free_server(own);
	probe_destroy(&probe);
}

/* A program that was compiled when the struct ended after `pool`, and several at one server. */
static void
options_of_an_older_program(void **state)
{
	struct herald_libevent_options old = {
		.struct_size = offsetof(struct herald_libevent_options, limit_server),
		.path = "/old",
		.http = (const struct herald_http_options *)(uintptr_t)1,
	};
	struct probe probe;
	struct http_client client;
	struct herald_libevent *others[2];

	(void)state;
	probe_create(&probe);
	struct own_server *own = create_server(&probe.port);
	assert_int_equal(herald_libevent_create(probe.service, own->base, own->server, &old,
						&others[0], NULL),
			 HERALD_OK);
	assert_int_equal(herald_libevent_create(probe.service, own->base, own->server, NULL,
						&others[1], NULL),
			 HERALD_OK);
	start_loop(own, probe.service, &HERALD_LIBEVENT_OPTIONS(.path = "/third"));
	probe.adapter = &adapters[0];
	probe.server = own;
	probe_connect(&probe, &client);
	static const char *const paths[] = {"/old", "/event", "/third"};
	for (size_t i = 0; i < HERALD_COUNT(paths); i++) {
		char request[512];

		snprintf(request, sizeof(request),
			 "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 paths[i], strlen(PROBE_DONE), PROBE_DONE);
		assert_true(http_send_text(&client, request));
		assert_received(&client, 200, PROBE_SUCCESS);
	}
	http_close(&client);
	order_stop(own);
	pthread_join(own->thread, NULL);
	herald_libevent_destroy(others[0]);
	herald_libevent_destroy(others[1]);
	free_server(own);
	probe.server = NULL;
	probe_stop(&probe);
}

/* Bodies whose end is not where evhttp or another reader thinks. */
static void
more_ambiguous_bodies(void **state)
{
	static const char *const heads[] = {
		HEAD "Content-Length : 2\r\n\r\n{}",
		HEAD "Content-Length: +2\r\n\r\n{}",
		HEAD "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}",
		HEAD "Transfer-Encoding: identity\r\n\r\n{}",
		HEAD "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
		HEAD "Content-Length: 2\r\n\t2\r\n\r\n{}",
	};
	struct probe probe;

	(void)state;
	serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.path = NULL));
	for (size_t i = 0; i < HERALD_COUNT(heads); i++) {
		struct http_client client;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, heads[i]));
		assert_received(&client, 400, NULL);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	assert_int_equal(probe.before_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* evhttp reads none of these, and would take them for the next request. */
static void
unread_bodies_end_the_connection(void **state)
{
	static const char *const methods[] = {"HEAD", "TRACE", "ANOTHER"};
	static const char *const bodies[] = {
		"Content-Length: 2\r\n\r\n{}",
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
	};
	struct probe probe;

	(void)state;
	serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.path = NULL));
	for (size_t i = 0; i < HERALD_COUNT(methods) * HERALD_COUNT(bodies); i++) {
		const char *method = methods[i / HERALD_COUNT(bodies)];
		struct http_client client;
		struct http_response response;
		char request[256];

		snprintf(request, sizeof(request), "%s /event HTTP/1.1\r\nHost: test\r\n%s", method,
			 bodies[i % HERALD_COUNT(bodies)]);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		assert_true(http_receive(&client, strcmp(method, "HEAD") != 0, &response));
		probe_assert_answer(&response, 405, NULL);
		assert_string_equal(http_header(&response, "Connection"), "close");
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	probe_stop(&probe);
}

/* evhttp reads these: the refusal costs no connection. */
static void
read_bodies_leave_the_connection(void **state)
{
	static const char *const methods[] = {"GET", "PUT", "DELETE", "OPTIONS", "PATCH"};
	struct probe probe;
	struct http_client client;
	struct http_response response;

	(void)state;
	serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.path = NULL));
	probe_connect(&probe, &client);
	for (size_t i = 0; i < HERALD_COUNT(methods); i++) {
		char request[128];

		snprintf(request, sizeof(request),
			 "%s /event HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}",
			 methods[i]);
		assert_true(http_send_text(&client, request));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 405, NULL);
		assert_null(http_header(&response, "Connection"));
	}
	assert_true(probe_post(&client, PROBE_DONE));
	assert_received(&client, 200, PROBE_SUCCESS);
	assert_int_equal(probe.function_count, 1);
	http_close(&client);
	probe_stop(&probe);
}

/* Its sender, who reads nothing before all is written, sees why. */
static void
large_declared_body_is_read_and_dropped(void **state)
{
	static const char zeros[64 * 1024];
	struct probe probe;
	struct http_client client;

	(void)state;
	serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.limit_server = true));
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, HEAD "Content-Length: 16777216\r\n\r\n"));
	for (int i = 0; i < 256; i++)
		assert_true(http_send(&client, zeros, sizeof(zeros)));
	assert_received(&client, 413, NULL);
	assert_int_equal(probe.before_count, 0);
	http_close(&client);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* A client that waits for 100 Continue is not asked for what is too large. */
static void
large_expected_body_is_refused_at_once(void **state)
{
	struct probe probe;
	struct http_client client;

	(void)state;
	serve(&probe, NULL,
	      &HERALD_LIBEVENT_OPTIONS(.limit_server = true,
				       .http = &HERALD_HTTP_OPTIONS(.max_body_bytes = 4096)));
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, HEAD "Expect: 100-continue\r\n"
						 "Content-Length: 5000\r\n\r\n"));
	assert_received(&client, 413, NULL);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	probe_stop(&probe);
}

/* Where nothing guards the server, the connection ends with a request that was no event: a length may
 * have been hidden in it, and what follows be its body. */
static void
unguarded_refusals_end_the_connection(void **state)
{
	static const char *const heads[] = {
		HEAD "Content-Len: 200\r\n gth\r\n\r\n",
		HEAD "Content-Length: 0\r\n\r\n",
		HEAD "X: a\r\n\r\n",
		"GET /event HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /event HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	struct probe probe;

	(void)state;
	serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.leave_server = true));
	for (size_t i = 0; i < HERALD_COUNT(heads); i++) {
		struct http_client client;
		struct http_response response;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, heads[i]));
		(void)probe_post(&client, PROBE_DONE); /* The connection may have ended. */
		assert_true(http_receive(&client, true, &response));
		assert_in_range(response.status, 400, 499);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

/* evhttp decodes a path before it compares it; an event's is compared as it was sent. */
static void
other_paths_are_not_found(void **state)
{
	static const struct {
		const char *target;
		unsigned status;
	} cases[] = {
		{"/an%20event", 200},  {"/an%20event?a", 200},   {"http://a/an%20event", 200},
		{"/an%20event/", 404}, {"/%61n%20event", 404},   {"//an%20event", 404},
		{"/an%20EVENT", 404},  {"/an%20event%3fa", 404},
	};
	struct probe probe;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;
		char request[512];

		serve(&probe, NULL,
		      &HERALD_LIBEVENT_OPTIONS(.path = "/an%20event", .leave_server = i % 2));
		snprintf(request, sizeof(request),
			 "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 cases[i].target, strlen(PROBE_DONE), PROBE_DONE);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		assert_received(&client, cases[i].status, NULL);
		http_close(&client);
		assert_int_equal(probe.function_count, cases[i].status == 200);
		probe_stop(&probe);
	}
}

/* The user's own routes are guarded, too: nothing in these is a request of its own. */
static void
other_routes_are_guarded(void **state)
{
	static const char smuggled[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char *const requests[] = {
		"HEAD /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 32\r\n\r\n",
		"TRACE /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n",
		"GET /hello HTTP/1.1\r\nHost: a\r\nX: a\n\r\n",
		"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Len: 32\r\n gth\r\n\r\n",
	};
	struct probe probe;

	(void)state;
	serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.path = NULL));
	for (size_t i = 0; i < HERALD_COUNT(requests); i++) {
		struct http_client client;
		struct http_response response;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, requests[i]));
		assert_true(http_send_text(&client, smuggled));
		assert_true(http_receive(&client, i != 0, &response));
		if (i == 1)
			assert_true(http_send_text(&client, "\r\n0\r\n\r\n"));
		if (i < 2)
			assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
		assert_false(http_receive(&client, true, &response));
		http_close(&client);
	}
	probe_stop(&probe);
}

/* Descriptors run out. */

struct records {
	atomic_uint count;
	char message[128];
	int64_t number;
};

static void
record(const struct herald_log_record *from, void *state)
{
	struct records *to = state;

	snprintf(to->message, sizeof(to->message), "%s", from->message);
	to->number = from->fields[0].number;
	atomic_fetch_add(&to->count, 1);
}

static int64_t
cpu_ns(pthread_t thread)
{
	struct timespec used;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
	assert_int_equal(clock_gettime(clock, &used), 0);
	return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

static void
accepting_pauses_without_descriptors(void **state)
{
	struct records records = {0};
	struct rlimit limit, none;
	struct probe probe;
	struct http_client client;

	(void)state;
	struct own_server *own =
		serve(&probe, NULL,
		      &HERALD_LIBEVENT_OPTIONS(.log = {.write = record, .state = &records}));
	/* So that the server has opened what it needs. */
	probe_assert_alive(&probe);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	client.fd = socket(AF_INET, SOCK_STREAM, 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(probe.port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	client.bytes = 0;
	assert_true(probe_post(&client, PROBE_DONE));
	while (records.count == 0)
		sched_yield();
	assert_string_equal(records.message, "no connections are accepted for a moment");
	assert_int_equal(records.number, EMFILE);

	/* Three pauses, in which the loop has next to nothing to do. */
	int64_t before = cpu_ns(own->thread);
	assert_false(http_wait_readable(&client, 350));
	assert_in_range(cpu_ns(own->thread) - before, 0, 50 * 1000000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_received(&client, 200, PROBE_SUCCESS);
	http_close(&client);
	probe_stop(&probe);
}

/* The pool. */

static void
loop_goes_on_while_a_function_blocks(void **state)
{
	struct probe probe;
	struct http_client held, other;

	(void)state;
	serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.path = NULL));
	post(&probe, &held, PROBE_EVENT("hold", ""));
	probe_wait_held(&probe, 1);
	probe_connect(&probe, &other);
	for (int i = 0; i < 10; i++) {
		assert_true(http_send_text(&other, "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n"));
		assert_received(&other, 200, "hello");
		assert_true(probe_post(&other, PROBE_DONE));
		assert_received(&other, 200, PROBE_SUCCESS);
	}
	assert_false(http_wait_readable(&held, 0));
	probe_release(&probe);
	assert_received(&held, 200, PROBE_SUCCESS);
	http_close(&held);
	http_close(&other);
	probe_stop(&probe);
}

static void
full_queue_is_503(void **state)
{
	struct probe probe;
	struct http_client running, queued, refused;
	struct http_response response;

	(void)state;
	struct own_server *own = serve(
		&probe, &HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 1),
		&HERALD_LIBEVENT_OPTIONS(.http = &HERALD_HTTP_OPTIONS(.retry_after_ms = 2500)));
	post(&probe, &running, PROBE_EVENT("hold", ""));
	probe_wait_held(&probe, 1);
	post(&probe, &queued, PROBE_DONE);
	wait_queued(own, 1);
	post(&probe, &refused, PROBE_DONE);
	assert_true(http_receive(&refused, true, &response));
	probe_assert_answer(&response, 503, "{\"error\":\"too many events are waiting\"}");
	assert_string_equal(http_header(&response, "Retry-After"), "3");
	/* Other refusals need no place in it, and the connection lives on. */
	assert_true(http_send_text(&refused, "GET /event HTTP/1.1\r\nHost: test\r\n\r\n"));
	assert_received(&refused, 405, NULL);
	probe_release(&probe);
	assert_received(&running, 200, PROBE_SUCCESS);
	assert_received(&queued, 200, PROBE_SUCCESS);
	assert_true(probe_post(&refused, PROBE_DONE));
	assert_received(&refused, 200, PROBE_SUCCESS);
	assert_int_equal(probe.function_count, 3);
	http_close(&running);
	http_close(&queued);
	http_close(&refused);
	probe_stop(&probe);
}

/* Queued: not run. Running: run to the end, nobody reads the answer. */
static void
clients_go_away(void **state)
{
	struct probe probe;
	struct http_client running[2], queued[4], stays;

	(void)state;
	struct own_server *own = serve(&probe, &HERALD_POOL_OPTIONS(.threads = 2),
				       &HERALD_LIBEVENT_OPTIONS(.drop_half_closed = true));
	for (unsigned i = 0; i < 2; i++)
		post(&probe, &running[i], PROBE_EVENT("hold", ""));
	probe_wait_held(&probe, 2);
	for (unsigned i = 0; i < 4; i++)
		post(&probe, &queued[i], PROBE_DONE);
	post(&probe, &stays, PROBE_DONE);
	wait_queued(own, 5);
	http_close(&running[0]);
	http_reset(&running[1]);
	for (int i = 0; i < 4; i += 2) {
		http_close(&queued[i]);
		http_reset(&queued[i + 1]);
	}
	probe_release(&probe);
	assert_received(&stays, 200, PROBE_SUCCESS);
	http_close(&stays);
	probe_assert_alive(&probe);
	probe_stop(&probe);
	assert_int_equal(probe.function_count, 4);
	assert_int_equal(probe.before_count, 4);
	assert_int_equal(probe.after_count, 4);
}

/* It may read on, and gets its answer; unless that is not wanted. */
static void
client_closes_its_side(void **state)
{
	(void)state;
	for (int drops = 0; drops < 2; drops++) {
		struct probe probe;
		struct http_client running, half;

		struct own_server *own =
			serve(&probe, &HERALD_POOL_OPTIONS(.threads = 1),
			      &HERALD_LIBEVENT_OPTIONS(.drop_half_closed = drops != 0));
		post(&probe, &running, PROBE_EVENT("hold", ""));
		probe_wait_held(&probe, 1);
		post(&probe, &half, PROBE_DONE);
		wait_queued(own, 1);
		assert_int_equal(shutdown(half.fd, SHUT_WR), 0);
		/* That of the one whose function runs does no harm. */
		assert_int_equal(shutdown(running.fd, SHUT_WR), 0);
		probe_release(&probe);
		assert_received(&running, 200, PROBE_SUCCESS);
		assert_received(&half, drops ? 503 : 200, NULL);
		assert_int_equal(probe.function_count, 2 - drops);
		/* Nothing more can come: the connections end. */
		assert_true(http_wait_closed(&running, PROBE_AT_ONCE_MS));
		assert_true(http_wait_closed(&half, PROBE_AT_ONCE_MS));
		http_close(&running);
		http_close(&half);
		probe_stop(&probe);
	}
}

/* The stop. */

static void
stop_refuses_and_drains(void **state)
{
	struct probe probe;
	struct http_client held, queued, late;
	struct http_response response;

	(void)state;
	struct own_server *own = serve(&probe, &HERALD_POOL_OPTIONS(.threads = 1),
				       &HERALD_LIBEVENT_OPTIONS(.idle_grace_ms = 1));
	post(&probe, &held, PROBE_EVENT("hold", ""));
	probe_wait_held(&probe, 1);
	post(&probe, &queued, PROBE_DONE);
	wait_queued(own, 1);
	probe_connect(&probe, &late);
	assert_true(http_send_text(&late, "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n"));
	assert_received(&late, 200, "hello");
	order_stop(own);
	probe_wait_refused(probe.port);

	/* On a connection that is there already, when the grace is over. */
	assert_false(http_wait_readable(&late, 50));
	assert_true(probe_post(&late, PROBE_DONE));
	assert_true(http_receive(&late, true, &response));
	probe_assert_answer(&response, 503, "{\"error\":\"the server is stopping\"}");
	assert_string_equal(http_header(&response, "Retry-After"), "1");
	assert_string_equal(http_header(&response, "Connection"), "close");
	assert_true(http_wait_closed(&late, PROBE_AT_ONCE_MS));
	assert_false(own->stopped);
	probe_release(&probe);
	pthread_join(own->thread, NULL);
	assert_int_equal(own->left, 0);
	free_server(own);
	probe.server = NULL;

	/* Everything was sent before the stop was over. */
	assert_received(&held, 200, PROBE_SUCCESS);
	assert_received(&queued, 200, PROBE_SUCCESS);
	assert_int_equal(probe.function_count, 2);
	http_close(&held);
	http_close(&queued);
	http_close(&late);
	probe_stop(&probe);
}

/* What was sent in the instant of the stop is not lost. */
static void
stop_answers_for_a_grace(void **state)
{
	struct probe probe;
	struct http_client idle[3];
	struct http_response response;

	(void)state;
	struct own_server *own =
		serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.idle_grace_ms = 1000));
	for (int i = 0; i < 3; i++) {
		post(&probe, &idle[i], PROBE_DONE);
		assert_received(&idle[i], 200, PROBE_SUCCESS);
	}
	order_stop(own);
	while (!own->stops)
		sched_yield();
	for (int i = 0; i < 2; i++) {
		assert_true(probe_post(&idle[i], PROBE_DONE));
		assert_true(http_receive(&idle[i], true, &response));
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
		assert_string_equal(http_header(&response, "Connection"), "close");
		assert_true(http_wait_closed(&idle[i], PROBE_AT_ONCE_MS));
	}
	assert_false(own->stopped);
	pthread_join(own->thread, NULL);
	assert_int_equal(own->left, 0);
	free_server(own);
	probe.server = NULL;
	assert_int_equal(probe.function_count, 5);
	for (int i = 0; i < 3; i++)
		http_close(&idle[i]);
	probe_stop(&probe);
}

static void *
stop_pool(void *state)
{
	return (void *)herald_pool_stop(state, 0);
}

/* What is left at the end of the time: told, and answered as long as the loop goes on. */
static void
stop_reports_what_is_left(void **state)
{
	struct records records = {0};
	struct probe probe;
	struct http_client held, queued[3];
	pthread_t stopper;
	void *cancelled;

	(void)state;
	struct own_server *own =
		serve(&probe, &HERALD_POOL_OPTIONS(.threads = 1),
		      &HERALD_LIBEVENT_OPTIONS(.log = {.write = record, .state = &records}));
	own->drain_ms = 1;
	post(&probe, &held, PROBE_EVENT("hold", ""));
	probe_wait_held(&probe, 1);
	for (int i = 0; i < 3; i++)
		post(&probe, &queued[i], PROBE_DONE);
	wait_queued(own, 3);
	order_stop(own);
	pthread_join(own->thread, NULL);
	assert_int_equal(own->left, 4);
	assert_int_equal(records.count, 1);
	assert_string_equal(records.message, "the time to drain is over");
	assert_int_equal(records.number, 4);

	assert_int_equal(pthread_create(&stopper, NULL, stop_pool, own->pool), 0);
	assert_int_equal(pthread_create(&own->thread, NULL, run_loop, own), 0);
	for (int i = 0; i < 3; i++) {
		assert_received(&queued[i], 503, "{\"error\":\"the server is stopping\"}");
		http_close(&queued[i]);
	}
	probe_release(&probe);
	assert_received(&held, 200, PROBE_SUCCESS);
	http_close(&held);
	pthread_join(stopper, &cancelled);
	assert_int_equal((size_t)cancelled, 3);
	order_stop(own);
	pthread_join(own->thread, NULL);
	free_server(own);
	probe.server = NULL;
	assert_int_equal(probe.function_count, 1);
	probe_stop(&probe);
}

/* Answers that nobody sends any more: all memory comes back. */
static void
destroyed_with_answers_unsent(void **state)
{
	struct probe probe;
	struct http_client held, queued;

	(void)state;
	struct own_server *own = serve(&probe, &HERALD_POOL_OPTIONS(.threads = 1),
				       &HERALD_LIBEVENT_OPTIONS(.path = NULL));
	own->drain_ms = 0;
	post(&probe, &held, PROBE_EVENT("hold", ""));
	probe_wait_held(&probe, 1);
	post(&probe, &queued, PROBE_DONE);
	wait_queued(own, 1);
	order_stop(own);
	pthread_join(own->thread, NULL);
	assert_int_equal(own->left, 2);
	probe_release(&probe);
	free_server(own);
	probe.server = NULL;
	assert_true(http_wait_closed(&held, PROBE_AT_ONCE_MS));
	assert_true(http_wait_closed(&queued, PROBE_AT_ONCE_MS));
	http_close(&held);
	http_close(&queued);
	probe_stop(&probe);
}

/* A server whose loop has ended, with an answer that is not sent yet to an event that was
 * handled. */
static struct own_server *
serve_without_sending(struct probe *probe, struct http_client *client)
{
	struct own_server *own = serve(probe, &HERALD_POOL_OPTIONS(.threads = 1),
				       &HERALD_LIBEVENT_OPTIONS(.path = NULL));

	own->drain_ms = 0;
	post(probe, client, PROBE_EVENT("hold", ""));
	probe_wait_held(probe, 1);
	order_stop(own);
	pthread_join(own->thread, NULL);
	assert_int_equal(own->left, 1);
	probe_release(probe);
	return own;
}

/* libevent keeps what is not sent until the loop's next round, or until the end of the base. */
static void
service_ends_before_the_base(void **state)
{
	(void)state;
	for (int rounds = 0; rounds < 2; rounds++) {
		struct probe probe;
		struct http_client client;

		struct own_server *own = serve_without_sending(&probe, &client);
		end_server(own);
		probe_destroy(&probe);
		if (rounds > 0)
			event_base_loop(own->base, EVLOOP_NONBLOCK);
		free_base(own);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
}

static void
service_ends_before_the_answer_is_sent(void **state)
{
	struct probe probe;
	struct http_client client;

	(void)state;
	struct own_server *own = serve_without_sending(&probe, &client);
	herald_pool_stop(own->pool, 0);
	herald_libevent_destroy(own->adapter);
	own->adapter = NULL;
	probe_destroy(&probe);
	assert_int_equal(pthread_create(&own->thread, NULL, run_loop, own), 0);
	assert_received(&client, 200, PROBE_SUCCESS);
	order_stop(own);
	pthread_join(own->thread, NULL);
	free_server(own);
	http_close(&client);
}

static void
destroy_nothing(void **state)
{
	struct probe probe;

	(void)state;
	herald_libevent_destroy(NULL);
	/* Without a stop before; and then the path is free again. */
	probe_create(&probe);
	struct own_server *own = create_server(&probe.port);
	assert_int_equal(herald_libevent_create(probe.service, own->base, own->server, NULL,
						&own->adapter, NULL),
			 HERALD_OK);
	herald_libevent_destroy(own->adapter);
	assert_int_equal(herald_libevent_create(probe.service, own->base, own->server, NULL,
						&own->adapter, NULL),
			 HERALD_OK);
	free_server(own);
	probe_destroy(&probe);
}

static void
stop_without_events_ends_at_once(void **state)
{
	struct probe probe;
	struct http_client client;

	(void)state;
	struct own_server *own = serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.path = "/a/b"));
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, "HEAD /a/b HTTP/1.1\r\nHost: test\r\n\r\n"));
	struct http_response response;
	assert_true(http_receive(&client, false, &response));
	probe_assert_answer(&response, 405, NULL);
	order_stop(own);
	pthread_join(own->thread, NULL);
	assert_int_equal(own->left, 0);
	free_server(own);
	probe.server = NULL;
	http_close(&client);
	probe_stop(&probe);
}

/* Nothing that a stranger sends is kept without limit. */
static void
endless_headers_end_the_connection(void **state)
{
	char header[1024 + 1];
	struct probe probe;
	struct http_client client;
	unsigned sent = 0;

	(void)state;
	memset(header, 'x', sizeof(header) - 1);
	memcpy(header, "X-Name: ", 8);
	memcpy(header + sizeof(header) - 3, "\r\n", 3);
	serve(&probe, NULL, &HERALD_LIBEVENT_OPTIONS(.limit_server = true));
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, "POST /event HTTP/1.1\r\nHost: test\r\n"));
	/* Far more than sockets hold. */
	while (sent < 64 * 1024 && http_send_text(&client, header))
		sent++;
	assert_in_range(sent, 32, 64 * 1024 - 1);
	http_close(&client);
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

int
main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(bad_options),
		cmocka_unit_test(options_of_an_older_program),
		cmocka_unit_test(more_ambiguous_bodies),
		cmocka_unit_test(unread_bodies_end_the_connection),
		cmocka_unit_test(read_bodies_leave_the_connection),
		cmocka_unit_test(large_declared_body_is_read_and_dropped),
		cmocka_unit_test(large_expected_body_is_refused_at_once),
		cmocka_unit_test(other_routes_are_guarded),
		cmocka_unit_test(other_paths_are_not_found),
		cmocka_unit_test(unguarded_refusals_end_the_connection),
		cmocka_unit_test(accepting_pauses_without_descriptors),
		cmocka_unit_test(endless_headers_end_the_connection),
		cmocka_unit_test(loop_goes_on_while_a_function_blocks),
		cmocka_unit_test(full_queue_is_503),
		cmocka_unit_test(clients_go_away),
		cmocka_unit_test(client_closes_its_side),
		cmocka_unit_test(stop_refuses_and_drains),
		cmocka_unit_test(stop_answers_for_a_grace),
		cmocka_unit_test(stop_reports_what_is_left),
		cmocka_unit_test(destroyed_with_answers_unsent),
		cmocka_unit_test(service_ends_before_the_base),
		cmocka_unit_test(service_ends_before_the_answer_is_sent),
		cmocka_unit_test(destroy_nothing),
		cmocka_unit_test(stop_without_events_ends_at_once),
	};

	return contract_http_main(adapters, HERALD_COUNT(adapters), own, HERALD_COUNT(own));
}
