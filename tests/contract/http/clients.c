/*
 * The contract, part 3: clients that disconnect, and many clients at once.
 */
#include "probe.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"

#define CLIENTS 200
#define THREADS 8
#define REQUESTS_PER_THREAD 50

static void
client_goes_away_before_the_end(void **state)
{
	static const char *const beginnings[] = {
		"",
		"POST /ev",
		"POST /event HTTP/1.1\r\nHost: te",
		HEAD "Content-Length: 200\r\n\r\n",
		HEAD "Content-Length: 200\r\n\r\n{\"event_type\":\"user",
		HEAD "Transfer-Encoding: chunked\r\n\r\n",
		HEAD "Transfer-Encoding: chunked\r\n\r\n20\r\n{\"event",
		HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		HEAD "Expect: 100-continue\r\nContent-Length: 200\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(beginnings); i++) {
		for (int reset = 0; reset < 2; reset++) {
			struct http_client client;

			probe_connect(&probe, &client);
			assert_true(http_send_text(&client, beginnings[i]));
			if (reset)
				http_reset(&client);
			else
				http_close(&client);
		}
	}
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	assert_int_equal(probe.function_count, 1);
	probe_stop(&probe);
}

/* Its function runs to the end; nobody gets the answer, and nobody else is bothered. */
static void
client_goes_away_before_the_answer(void **state)
{
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (unsigned reset = 0; reset < 2; reset++) {
		struct http_client client;

		probe_connect(&probe, &client);
		assert_true(probe_post(&client, PROBE_EVENT("hold", "")));
		probe_wait_held(&probe, reset + 1);
		if (reset)
			http_reset(&client);
		else
			http_close(&client);
	}
	probe_assert_alive(&probe);
	probe_release(&probe);
	probe_assert_alive(&probe);
	probe_stop(&probe);
	assert_int_equal(probe.function_count, 4);
	assert_int_equal(probe.after_count, 4);
}

/*
 * A program that does not handle SIGPIPE survives: the client has disconnected, its system sends a
 * reset for the first answer, and the second one is written to a broken connection.
 */
static void
client_goes_away_between_two_answers(void **state)
{
	struct probe probe;
	struct sigaction before, unknown = {.sa_handler = SIG_DFL};

	assert_int_equal(sigaction(SIGPIPE, &unknown, &before), 0);
	probe_start(&probe, state, NULL);
	for (unsigned i = 0; i < 4; i++) {
		struct http_client client;

		probe_connect(&probe, &client);
		assert_true(probe_post(&client, PROBE_EVENT("hold", "")));
		probe_wait_held(&probe, i + 1);
		assert_true(i % 2 ? probe_post(&client, PROBE_DONE)
				  : http_send_text(&client, "GET /other HTTP/1.1\r\n"
							    "Host: test\r\n\r\n"));
		http_close(&client);
	}
	probe_release(&probe);
	probe_assert_alive(&probe);
	probe_stop(&probe);
	sigaction(SIGPIPE, &before, NULL);
}

/* Nor is anybody bothered by one that asks a lot and reads nothing. */
static void
client_goes_away_during_the_answers(void **state)
{
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (int reset = 0; reset < 2; reset++) {
		struct http_client client;

		probe_connect(&probe, &client);
		/* Until the other side has gone, or is busy with writing. */
		for (int i = 0; i < 50; i++)
			if (!probe_post(&client, i % 2 ? PROBE_DONE : "nonsense"))
				break;
		assert_true(http_wait_readable(&client, HTTP_CLIENT_WAIT_MS));
		if (reset)
			http_reset(&client);
		else
			http_close(&client);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
	assert_int_equal(probe.function_count, probe.after_count);
}

/* A client that closes its sending side and waits for the response (RFC 9112 section 9.6). */
static void
half_closed_client_is_answered(void **state)
{
	static const char *const requests[] = {
		HEAD "Content-Length: %1$zu\r\n\r\n%2$s",
		HEAD "Transfer-Encoding: chunked\r\n\r\n%1$zx\r\n%2$s\r\n0\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < 10 * HERALD_COUNT(requests); i++) {
		struct http_client client;
		char request[1024];

		snprintf(request, sizeof(request), requests[i % HERALD_COUNT(requests)],
			 strlen(PROBE_DONE), PROBE_DONE);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		http_finish_sending(&client);
		probe_assert_next(&client, 200, PROBE_SUCCESS);
		http_close(&client);
	}
	probe_stop(&probe);
}

static void
two_hundred_clients_at_once(void **state)
{
	static struct http_client clients[CLIENTS];
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (int i = 0; i < CLIENTS; i++)
		probe_connect(&probe, &clients[i]);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CLIENTS; i++)
			assert_true(probe_post(&clients[i],
					       i % 2 ? PROBE_DONE : PROBE_EVENT("fail", "")));
		for (int i = 0; i < CLIENTS; i++) {
			probe_assert_next(&clients[i], i % 2 ? 200 : 500, NULL);
			probe_next(&probe, &clients[i]);
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		http_close(&clients[i]);
	assert_int_equal(probe.function_count, 3 * CLIENTS);
	probe_stop(&probe);
}

/* A thread's share; it may not assert, so it counts what it got. */
static void *
send_requests(void *cls)
{
	const struct probe *probe = cls;
	struct http_client client;
	struct http_response response;
	size_t good = 0;
	int per_connection = probe_keeps_alive(probe) ? 10 : 1;

	for (int i = 0; i < REQUESTS_PER_THREAD; i++) {
		bool fails = i % 5 == 0;

		if (i % per_connection == 0 && !http_connect(&client, "127.0.0.1", probe->port))
			break;
		good += probe_post(&client, fails ? PROBE_EVENT("fail", "") : PROBE_DONE) &&
			http_receive(&client, true, &response) &&
			response.status == (fails ? 500 : 200);
		if (i % per_connection == per_connection - 1)
			http_close(&client);
	}
	return (void *)good;
}

static void
eight_threads_of_clients(void **state)
{
	struct probe probe;
	pthread_t threads[THREADS];

	probe_start(&probe, state, NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_requests, &probe), 0);
	for (int i = 0; i < THREADS; i++) {
		void *good;

		pthread_join(threads[i], &good);
		assert_int_equal((size_t)good, REQUESTS_PER_THREAD);
	}
	assert_int_equal(probe.function_count, THREADS * REQUESTS_PER_THREAD);
	assert_int_equal(probe.after_count, THREADS * REQUESTS_PER_THREAD);
	probe_stop(&probe);
}

const struct contract_http_case contract_http_clients[] = {
	CONTRACT_CASE(client_goes_away_before_the_end, 0),
	CONTRACT_CASE(client_goes_away_before_the_answer, CONTRACT_CONCURRENT),
	CONTRACT_CASE(client_goes_away_between_two_answers,
		      CONTRACT_KEEPS_ALIVE | CONTRACT_CONCURRENT | CONTRACT_PIPELINES),
	CONTRACT_CASE(client_goes_away_during_the_answers, 0),
	CONTRACT_CASE(half_closed_client_is_answered, 0),
	CONTRACT_CASE(two_hundred_clients_at_once, 0),
	CONTRACT_CASE(eight_threads_of_clients, 0),
};
const size_t contract_http_clients_count = HERALD_COUNT(contract_http_clients);
