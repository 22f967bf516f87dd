/*
 * The life of a server: creation when the n-th allocation fails, a stop on a thread that may not, a
 * second server where the first one still drains, and processes that the program forks.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <herald/server.h>

#include "contract/http/probe.h"
#include "http/server_fixture.h"
#include "support/failing_allocator.h"
#include "support/fake_inbox.h"

static void
answer_thread(struct herald_server_request *request, void *state)
{
	char text[32];
	int bytes = snprintf(text, sizeof(text), "%jx", (uintmax_t)(uintptr_t)pthread_self());

	(void)state;
	assert_int_equal(herald_server_answer(request, 200, "text/plain", text, (size_t)bytes),
			 HERALD_OK);
}

static const struct herald_server_path thread_path[] = {
	{.path = "/thread", .function = answer_thread, .methods = "GET"},
};

/* Which of the server's threads a client belongs to. */
static uint64_t
thread_of(struct http_client *client)
{
	struct http_response response;

	assert_true(http_send_text(client, "GET /thread HTTP/1.1\r\nHost: test\r\n\r\n"));
	assert_true(http_receive(client, true, &response));
	assert_int_equal(response.status, 200);
	return strtoull(response.body, NULL, 16);
}

/* Every option that makes the server allocate. */
static enum herald_status
create(struct probe *probe, const struct herald_allocator *allocator, struct herald_server **out)
{
	const struct herald_server_path paths[] = {
		{.path = "/thread", .function = answer_thread, .methods = "GET, POST"},
		{.path = "/more", .endpoint = probe->endpoint},
	};

	return herald_server_create(
		probe->endpoint,
		&HERALD_SERVER_OPTIONS(.address = "localhost, 127.0.0.2", .any_port = true,
				       .path = "/events", .health_path = "/health",
				       HERALD_SERVER_PATHS(paths), .threads = 3,
				       .max_connections = 64, .max_connections_per_ip = 8,
				       .max_headers = 50, .allocator = *allocator),
		out, NULL);
}

static void
every_allocation_fails_once(void **state)
{
	struct probe probe;
	size_t n = 1;

	(void)state;
	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	for (bool failed = true; failed; n++) {
		struct failing_allocator memory;
		struct herald_server *server = NULL;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = create(&probe, &memory.allocator, &server);
		failed = memory.failures > 0;
		assert_int_equal(status, failed ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(server != NULL, status == HERALD_OK);
		/* Without a stop. */
		herald_server_destroy(server);
		assert_all_released(&memory);
	}
	/* The server, its counts of addresses, its loops and threads; five or more of each loop. */
	assert_true(n > 4 + 3 * 5);
	probe_destroy(&probe);
}

/* A forked process has copies of the server's sockets: those that the server closes stay open, and
 * must not be reported to it any more. The memory of their clients is overwritten. */
static void
sockets_stay_open_in_a_forked_process(void **state)
{
	struct probe probe;
	struct failing_allocator memory;
	struct http_client clients[8];
	struct http_response response;
	int ends[2], status;
	char byte;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 2, .allocator = memory.allocator));
	for (size_t i = 0; i < HERALD_COUNT(clients); i++) {
		probe_connect(&probe, &clients[i]);
		assert_true(probe_post(&clients[i], PROBE_DONE));
		assert_true(http_receive(&clients[i], true, &response));
	}
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[1]);
		for (size_t i = 0; i < HERALD_COUNT(clients); i++)
			close(clients[i].fd);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ends[0]);
	for (size_t i = 0; i < HERALD_COUNT(clients); i++) {
		assert_true(http_send_text(&clients[i], "GET /healthz HTTP/1.1\r\nHost: test\r\n"
							"Connection: close\r\n\r\n"));
		assert_true(http_receive(&clients[i], true, &response));
		assert_string_equal(http_header(&response, "Connection"), "close");
		http_close(&clients[i]);
	}
	for (int i = 0; i < 20; i++)
		probe_assert_alive(&probe);
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	probe_stop(&probe);
	assert_all_released(&memory);
}

/* Both threads have found the server full. Later it is not, and one of them is busy. */
static void
full_server_accepts_again_on_all_threads(void **state)
{
	enum { CLIENTS = 6 };
	struct probe probe;
	struct http_client clients[CLIENTS], waiting, busy;
	uint64_t threads[CLIENTS];
	unsigned others = 0;

	(void)state;
	/* No timeout wakes a thread. */
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 2, .max_connections = CLIENTS,
					    .header_timeout_ms = PROBE_SERVER_TIMEOUT_MS,
					    .idle_timeout_ms = PROBE_SERVER_TIMEOUT_MS,
					    HERALD_SERVER_PATHS(thread_path)));
	for (int i = 0; i < CLIENTS; i++) {
		probe_connect(&probe, &clients[i]);
		threads[i] = thread_of(&clients[i]);
		/* The other thread has perhaps not begun yet. */
		if (i == 1 && threads[1] == threads[0])
			http_close(&clients[i--]);
	}
	probe_connect(&probe, &waiting);
	for (int i = 0; i < CLIENTS; i++)
		threads[i] = thread_of(&clients[i]);
	/* All of one thread leave, and the next one to come keeps it busy. */
	for (int i = 1; i < CLIENTS; i++) {
		bool is_other = threads[i] != threads[0];

		others += is_other;
		if (!is_other)
			http_close(&clients[i]);
	}
	http_close(&clients[0]);
	assert_true(others > 0 && others < CLIENTS);
	assert_true(probe_post(&waiting, PROBE_DONE));
	probe_assert_next(&waiting, 200, NULL);
	http_close(&waiting);
	probe_connect(&probe, &busy);
	assert_true(probe_post(&busy, PROBE_EVENT("hold", "")));
	probe_wait_held(&probe, 1);
	probe_assert_alive(&probe);
	probe_release(&probe);
	probe_assert_next(&busy, 200, NULL);
	http_close(&busy);
	for (int i = 1; i < CLIENTS; i++)
		if (threads[i] != threads[0])
			http_close(&clients[i]);
	probe_stop(&probe);
}

/* A new process begins to listen on a Unix socket's path while the old one drains. */
static void
unix_socket_of_a_later_server_stays(void **state)
{
	char folder[] = "/tmp/herald-lifetime-XXXXXX", address[96];
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	struct probe first, second;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "unix:%s/socket", folder);
	snprintf(path.sun_path, sizeof(path.sun_path), "%s/socket", folder);
	serve(&first, HERALD_SERVER_OPTIONS(.address = address));
	herald_server_stop(((struct running *)first.server)->server, 0);
	assert_int_equal(access(path.sun_path, F_OK), -1);
	serve(&second, HERALD_SERVER_OPTIONS(.address = address));
	probe_stop(&first);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&path, sizeof(path)), 0);
	close(fd);
	probe_stop(&second);
	assert_int_equal(rmdir(folder), 0);
}

/* Both servers of a process take events of the same endpoint; one ends, and the other goes on. */
static void
two_servers_with_one_endpoint(void **state)
{
	struct probe probe;
	struct herald_server *second;
	struct http_client client;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 1));
	assert_int_equal(herald_server_create(probe.endpoint,
					      &HERALD_SERVER_OPTIONS(.any_port = true), &second,
					      NULL),
			 HERALD_OK);
	assert_int_not_equal(herald_server_port(second), probe.port);
	assert_true(http_connect(&client, "127.0.0.1", herald_server_port(second)));
	assert_true(probe_post(&client, PROBE_DONE));
	assert_true(http_receive(&client, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	http_close(&client);
	herald_server_destroy(second);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static void
stop_on_its_own_thread(struct herald_server_request *request, void *state)
{
	(void)request;
	herald_server_stop(*(struct herald_server **)state, 100);
}

/* It would wait for itself: an assertion says so. In a child process, which that aborts. */
static void
stop_on_a_thread_of_the_server(void **state)
{
	static struct herald_server *server;
	const struct herald_server_path paths[] = {
		{.path = "/stop", .function = stop_on_its_own_thread, .state = &server},
	};
	struct http_client client;
	int status;

	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(120);
		if (!freopen("/dev/null", "w", stderr) ||
		    herald_server_create(
			    NULL,
			    &HERALD_SERVER_OPTIONS(.any_port = true, HERALD_SERVER_PATHS(paths)),
			    &server, NULL) != HERALD_OK ||
		    !http_connect(&client, "127.0.0.1", herald_server_port(server)) ||
		    !http_send_text(&client, "GET /stop HTTP/1.1\r\nHost: test\r\n\r\n"))
			_exit(2);
		http_wait_closed(&client, HTTP_CLIENT_WAIT_MS);
		_exit(3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void
cancel_its_own_thread(struct herald_server_request *request, void *state)
{
	(void)state;
	assert_int_equal(pthread_cancel(pthread_self()), 0);
	assert_int_equal(herald_server_answer(request, 204, NULL, NULL, 0), HERALD_OK);
}

/* The server's threads cannot be cancelled: the request and the next one are answered. */
static void
function_cancels_its_thread(void **state)
{
	const struct herald_server_path paths[] = {
		{.path = "/cancel", .function = cancel_its_own_thread},
	};
	struct herald_server *server;
	struct http_client client;
	struct http_response response;

	(void)state;
	assert_int_equal(herald_server_create(NULL,
					      &HERALD_SERVER_OPTIONS(.any_port = true, .threads = 1,
								     HERALD_SERVER_PATHS(paths)),
					      &server, NULL),
			 HERALD_OK);
	assert_true(http_connect(&client, "127.0.0.1", herald_server_port(server)));
	for (int i = 0; i < 2; i++) {
		assert_true(http_send_text(&client, "GET /cancel HTTP/1.1\r\nHost: test\r\n\r\n"));
		assert_true(http_receive(&client, true, &response));
		assert_int_equal(response.status, 204);
	}
	http_close(&client);
	herald_server_destroy(server);
}

/* What a client does while a pool handles its event is noticed afterwards: the rest of a second
 * request, before or after the first one's answer, and the end of its side. */
static void
client_goes_on_while_a_pool_handles(void **state)
{
	static const struct {
		size_t sent_before; /* of the second request */
		bool ends;          /* instead of sending the rest */
	} cases[] = {{SIZE_MAX, false}, {1, false}, {20, false}, {0, true}, {0, false}};
	static const char second[] = "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		size_t before = cases[i].sent_before < strlen(second) ? cases[i].sent_before
								      : strlen(second);
		struct herald_pool *pool;
		struct probe probe;
		struct http_client client;

		assert_int_equal(herald_pool_create(NULL, &pool, NULL), HERALD_OK);
		serve(&probe, HERALD_SERVER_OPTIONS(.threads = 1, .pool = pool));
		probe_connect(&probe, &client);
		assert_true(probe_post(&client, PROBE_EVENT("hold", "")));
		probe_wait_held(&probe, 1);
		assert_true(http_send(&client, second, before));
		if (cases[i].ends)
			http_finish_sending(&client);
		/* The only thread has seen that. */
		probe_assert_alive(&probe);
		probe_release(&probe);
		probe_assert_next(&client, 200, PROBE_SUCCESS);
		if (cases[i].ends) {
			assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		} else {
			assert_true(http_send_text(&client, second + before));
			probe_assert_next(&client, 200, "{\"status\":\"ok\"}");
		}
		http_close(&client);
		probe_stop(&probe);
		herald_pool_destroy(pool);
	}
}

/* The most memory that the server has when a client sends so many bytes while a pool handles its
 * event. */
static size_t
memory_while_a_pool_handles(size_t bytes)
{
	static const char zeros[60000];
	struct failing_allocator memory;
	struct herald_pool *pool;
	struct probe probe;
	struct http_client client;

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_int_equal(herald_pool_create(NULL, &pool, NULL), HERALD_OK);
	serve(&probe,
	      HERALD_SERVER_OPTIONS(.threads = 1, .pool = pool, .allocator = memory.allocator));
	probe_connect(&probe, &client);
	assert_true(probe_post(&client, PROBE_EVENT("hold", "")));
	probe_wait_held(&probe, 1);
	assert_true(http_send(&client, zeros, bytes));
	probe_assert_alive(&probe);
	probe_release(&probe);
	probe_assert_next(&client, 200, PROBE_SUCCESS);
	http_close(&client);
	probe_stop(&probe);
	herald_pool_destroy(pool);
	assert_all_released(&memory);
	return memory.peak_bytes;
}

static void
nothing_is_read_while_a_pool_handles(void **state)
{
	(void)state;
	assert_true(memory_while_a_pool_handles(60000) < memory_while_a_pool_handles(0) + 30000);
}

/* A stop whose time is up cuts off the client, but waits until a store has answered. */

static enum herald_verdict
on_any(struct herald_context *ctx, const struct herald_json *json)
{
	(void)ctx;
	(void)json;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_any, herald_json);

static void *
stop_at_once(void *server)
{
	return (void *)herald_server_stop(server, 0);
}

/* Its grace is not longer. */
static void *
stop_soon(void *server)
{
	return (void *)(uintptr_t)herald_server_stop(server, 50);
}

static void *
stop_slowly(void *state)
{
	return (void *)(uintptr_t)herald_server_stop(state, HTTP_CLIENT_WAIT_MS);
}

/* Its client learns that it has not been handled. What has no request is closed without a word. */
static void
check_stop_within_a_head(uint32_t idle_grace_ms, void *(*stop)(void *server))
{
	static const char *const sent[] = {"GET /healthz HTTP/1.1\r\nHos", "G", "\r\n", ""};
	struct probe probe;
	struct http_client clients[HERALD_COUNT(sent)];
	struct http_response response;
	pthread_t thread;
	void *left;

	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 1, .idle_grace_ms = idle_grace_ms));
	for (size_t i = 0; i < HERALD_COUNT(sent); i++) {
		probe_connect(&probe, &clients[i]);
		/* It is accepted, and what follows is read before the stop. */
		assert_true(probe_post(&clients[i], PROBE_DONE));
		probe_assert_next(&clients[i], 200, NULL);
		assert_true(http_send_text(&clients[i], sent[i]));
	}
	probe_assert_alive(&probe);
	assert_int_equal(
		pthread_create(&thread, NULL, stop, ((struct running *)probe.server)->server), 0);
	for (size_t i = 0; i < HERALD_COUNT(sent); i++) {
		if (sent[i][0] == 'G') {
			assert_true(http_receive(&clients[i], true, &response));
			probe_assert_answer(&response, 503,
					    "{\"error\":\"the server is stopping\"}");
			assert_string_equal(http_header(&response, "Connection"), "close");
			assert_string_equal(http_header(&response, "Retry-After"), "1");
		}
		assert_true(http_wait_closed(&clients[i], PROBE_AT_ONCE_MS));
		http_close(&clients[i]);
	}
	assert_int_equal(pthread_join(thread, &left), 0);
	assert_null(left);
	probe_stop(&probe);
}

/* However long the grace and the drain timeout are. */
static void
stop_within_a_head(void **state)
{
	(void)state;
	check_stop_within_a_head(0, stop_slowly);
	/* Both end at once. */
	check_stop_within_a_head(HTTP_CLIENT_WAIT_MS, stop_soon);
	check_stop_within_a_head(0, stop_at_once);
}

static void
stop_cuts_off_but_waits_for_a_store(void **state)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE(HERALD_ANY_TYPE, herald_json, on_any, NULL),
	};
	struct herald_statistics counts;
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct herald_server *server;
	struct fake_inbox inbox;
	struct http_client client;
	pthread_t stopper;
	void *left;

	(void)state;
	fake_inbox_init(&inbox);
	inbox.answers_at_once = false;
	assert_int_equal(
		herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
							      .store = fake_inbox_store(&inbox)),
				      &service, NULL),
		HERALD_OK);
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	assert_int_equal(herald_server_create(endpoint, &HERALD_SERVER_OPTIONS(.any_port = true),
					      &server, NULL),
			 HERALD_OK);
	assert_true(http_connect(&client, "127.0.0.1", herald_server_port(server)));
	assert_true(probe_post(&client, PROBE_DONE));
	fake_inbox_wait(&inbox, 1);
	assert_int_equal(pthread_create(&stopper, NULL, stop_at_once, server), 0);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	/* The store uses the event until now. */
	assert_int_equal(fake_inbox_commit(&inbox), 1);
	pthread_join(stopper, &left);
	assert_int_equal((size_t)left, 1);
	herald_server_destroy(server);
	herald_endpoint_destroy(endpoint);
	herald_service_statistics(service, &counts);
	assert_int_equal(counts.accepted, 1);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_within_a_head),
		cmocka_unit_test(stop_cuts_off_but_waits_for_a_store),
		cmocka_unit_test(client_goes_on_while_a_pool_handles),
		cmocka_unit_test(nothing_is_read_while_a_pool_handles),
		cmocka_unit_test(every_allocation_fails_once),
		cmocka_unit_test(sockets_stay_open_in_a_forked_process),
		cmocka_unit_test(full_server_accepts_again_on_all_threads),
		cmocka_unit_test(unix_socket_of_a_later_server_stays),
		cmocka_unit_test(two_servers_with_one_endpoint),
		cmocka_unit_test(stop_on_a_thread_of_the_server),
		cmocka_unit_test(function_cancels_its_thread),
	};

	return cmocka_run_group_tests_name("server_lifetime", tests, NULL, NULL);
}
