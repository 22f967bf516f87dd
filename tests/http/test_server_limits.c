/*
 * Limits of the server: deadlines of slow clients, threads that are busy, and
 * limits on connections.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <herald/server.h>

#include "contract/http/probe.h"
#include "http/server_fixture.h"

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
		assert_true(took_ms >= 190 && took_ms < 30000);
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
		/* Also for a body that is only read to be dropped. */
		"POST /event HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n",
		"POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n",
	};
	struct probe probe;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.header_timeout_ms = 60000, .body_timeout_ms = 200));
	for (size_t i = 0; i < HERALD_COUNT(heads); i++) {
		int64_t took_ms = drip(&probe, heads[i], DRIPPED);
		assert_true(took_ms >= 190 && took_ms < 30000);
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
	serve(&probe, HERALD_SERVER_OPTIONS(.idle_timeout_ms = 200));
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

/* A client that sends request after request, but never reads a response. */
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
	serve(&probe, HERALD_SERVER_OPTIONS(.send_timeout_ms = 300));
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

/* A function that is too slow for the server's thread. */
static void
take_60_ms(struct herald_server_request *request, void *state)
{
	const struct timespec time = {.tv_nsec = 60000000};

	(void)state;
	nanosleep(&time, NULL);
	assert_int_equal(herald_server_answer(request, 204, NULL, NULL, 0), HERALD_OK);
}

/* But a thread that is always busy still has time limits. */
static void
slow_header_is_cut_off_by_a_busy_thread(void **state)
{
	static const struct herald_server_path paths[] = {
		{.path = "/slow", .function = take_60_ms}};
	struct probe probe;
	struct http_client slow, busy;
	struct http_response response;
	int requests = 0;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 1, .header_timeout_ms = 200,
					    HERALD_SERVER_PATHS(paths)));
	probe_connect(&probe, &busy);
	probe_connect(&probe, &slow);
	assert_true(http_send_text(&slow, "POST"));
	while (!http_wait_readable(&slow, 0)) {
		assert_true(requests++ < 60);
		assert_true(http_send_text(&busy, "GET /slow HTTP/1.1\r\nHost: test\r\n\r\n"));
		assert_true(http_receive(&busy, false, &response));
		assert_int_equal(response.status, 204);
	}
	assert_true(http_receive(&slow, true, &response));
	assert_int_equal(response.status, 408);
	http_close(&slow);
	http_close(&busy);
	probe_stop(&probe);
}

/* While functions block some threads, new connections go to the others. */
static void
free_threads_take_new_connections(void **state)
{
	struct probe probe;
	struct http_client held[3];

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
		probe_assert_next(&held[i], 200, NULL);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_header_is_cut_off),
		cmocka_unit_test(slow_body_is_cut_off),
		cmocka_unit_test(idle_connection_is_closed),
		cmocka_unit_test(client_that_does_not_read_is_cut_off),
		cmocka_unit_test(waiting_for_a_busy_thread_is_not_slow),
		cmocka_unit_test(slow_header_is_cut_off_by_a_busy_thread),
		cmocka_unit_test(free_threads_take_new_connections),
		cmocka_unit_test(free_thread_is_chosen_over_an_empty_one),
		cmocka_unit_test(more_connections_wait),
		cmocka_unit_test(more_connections_of_one_address_are_closed),
	};

	return cmocka_run_group_tests_name("server_limits", tests, NULL, NULL);
}
