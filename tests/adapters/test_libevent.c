/*
 * The libevent adapter: the contract with and without a pool, on a server with another route, and
 * properties of this adapter: options, bodies that evhttp reads differently, and other routes. The
 * pool and stopping are in test_libevent_stop.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/event.h>
#include <event2/http.h>

#include <herald/libevent.h>

#include "adapters/libevent_server.h"
#include "contract/http/probe.h"

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
		{HERALD_LIBEVENT_OPTIONS(.path = "event"), "path", "not \"event\""},
		{HERALD_LIBEVENT_OPTIONS(.path = "/event?a"), "path", "must not contain a query"},
		{HERALD_LIBEVENT_OPTIONS(.path = "/event#a"), "path", "or a fragment"},
		{HERALD_LIBEVENT_OPTIONS(.path = "/an event"), "path", "byte 0x20 at offset 3"},
		{HERALD_LIBEVENT_OPTIONS(.path = "/event\r"), "path", "byte 0x0d at offset 6"},
		{HERALD_LIBEVENT_OPTIONS(.path = long_path), "path", "at most 1024 bytes"},
		{HERALD_LIBEVENT_OPTIONS(.path = "/hello"), "path",
		 "the server already has a callback for \"/hello\""},
	};
	struct probe probe;
	uint16_t port;

	(void)state;
	memset(long_path + 1, 'a', sizeof(long_path) - 2);
	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	struct own_server *own = create_server(probe.endpoint, &port);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_libevent *adapter = NULL;
		struct herald_error error = {0};

		assert_int_equal(herald_libevent_create(own->endpoint, own->base, own->server,
							&cases[i].options, &adapter, &error),
				 HERALD_BAD_OPTION);
		assert_null(adapter);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		if (!strstr(error.message, cases[i].message))
			fail_msg("\"%s\" instead of \"%s\"", error.message, cases[i].message);
		assert_int_equal(herald_libevent_create(own->endpoint, own->base, own->server,
							&cases[i].options, &adapter, NULL),
				 HERALD_BAD_OPTION);
	}
	free_server(own);
	probe_destroy(&probe);
}

/* A program that was compiled when the struct ended after `path`, and several at one server. */
static void
options_of_an_older_program(void **state)
{
	struct herald_libevent_options old = {
		.struct_size = offsetof(struct herald_libevent_options, pool),
		.path = "/old",
		.pool = (struct herald_pool *)(uintptr_t)1,
	};
	struct probe probe;
	struct http_client client;
	struct herald_libevent *others[2];

	(void)state;
	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	struct own_server *own = create_server(probe.endpoint, &probe.port);
	assert_int_equal(herald_libevent_create(own->endpoint, own->base, own->server, &old,
						&others[0], NULL),
			 HERALD_OK);
	assert_int_equal(herald_libevent_create(own->endpoint, own->base, own->server, NULL,
						&others[1], NULL),
			 HERALD_OK);
	start_loop(own, &HERALD_LIBEVENT_OPTIONS(.path = "/third"));
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
		probe_assert_next(&client, 200, PROBE_SUCCESS);
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
		probe_assert_next(&client, 400, NULL);
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
		probe_assert_answer(&response, strcmp(methods[i], "OPTIONS") == 0 ? 204 : 405,
				    NULL);
		assert_null(http_header(&response, "Connection"));
	}
	assert_true(probe_post(&client, PROBE_DONE));
	probe_assert_next(&client, 200, PROBE_SUCCESS);
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
	probe_assert_next(&client, 413, NULL);
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
	serve_endpoint(&probe, &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = 4096), NULL,
		       &HERALD_LIBEVENT_OPTIONS(.limit_server = true));
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, HEAD "Expect: 100-continue\r\n"
						 "Content-Length: 5000\r\n\r\n"));
	probe_assert_next(&client, 413, NULL);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	probe_stop(&probe);
}

/* Where nothing guards the server, the connection ends with a request that was not an event: a
 * length may have been hidden in it, and what follows be its body. */
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
		probe_assert_next(&client, cases[i].status, NULL);
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

static int64_t
cpu_ns(pthread_t thread)
{
	struct timespec used;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
	assert_int_equal(clock_gettime(clock, &used), 0);
	return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

/* http_connect() and an event, with an existing descriptor. */
static void
connect_and_post(struct http_client *client, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	client->bytes = 0;
	assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(probe_post(client, PROBE_DONE));
}

/* On each of a server's sockets. */
static void
accepting_pauses_without_descriptors(void **state)
{
	struct records records = {0};
	struct rlimit limit, none;
	struct probe probe;
	struct http_client clients[2];
	uint16_t ports[2];

	(void)state;
	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	struct own_server *own = create_server(probe.endpoint, &ports[0]);
	ports[1] = port_of(evhttp_bind_socket_with_handle(own->server, "127.0.0.1", 0));
	start_loop(own, &HERALD_LIBEVENT_OPTIONS(.log = {.write = record, .state = &records}));
	probe.adapter = &adapters[0];
	probe.server = own;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	for (int i = 0; i < 2; i++) {
		/* So that the server has opened what it needs. */
		probe.port = ports[i];
		probe_assert_alive(&probe);
		clients[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		assert_true(clients[i].fd >= 0);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 2; i++)
		connect_and_post(&clients[i], ports[i]);
	while (records.count == 0)
		sched_yield();
	assert_string_equal(records.message, "accepting connections is paused");
	assert_int_equal(records.number, EMFILE);

	/* Three pauses, in which the loop has next to nothing to do. */
	int64_t before = cpu_ns(own->thread);
	assert_false(http_wait_readable(&clients[0], 350));
	assert_in_range(cpu_ns(own->thread) - before, 0, 50 * 1000000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < 2; i++) {
		probe_assert_next(&clients[i], 200, PROBE_SUCCESS);
		http_close(&clients[i]);
	}
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
	};

	return contract_http_main(adapters, HERALD_COUNT(adapters), own, HERALD_COUNT(own));
}
