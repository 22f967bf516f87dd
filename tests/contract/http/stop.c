/*
 * The contract, part 9: stopping, by the rules of herald/endpoint.h. A stop affects only one
 * adapter, loses nothing that was sent when it began, and returns the number of requests that are
 * left.
 */
#include "probe.h"

#include <pthread.h>
#include <string.h>

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
#define STOPPING "{\"error\":\"the server is stopping\"}"

#define IDLE_CLIENTS 3
/* Enough for a loaded machine to do what is done within it. */
#define GRACE_MS 3000
/* For stops that find nothing to wait for. */
#define DRAIN_MS 20000

static bool
can(const struct probe *probe, unsigned capability)
{
	return (probe->adapter->capabilities & capability) != 0;
}

/* In flight, and idle. */

static void *
stop_server(void *probe)
{
	return (void *)probe_stop_server(probe);
}

/* New connections are refused, or new events on one that is there. */
static void
wait_stopping(const struct probe *probe, struct http_client *late)
{
	struct http_response response;

	if (can(probe, CONTRACT_DRAINS)) {
		probe_wait_refused(probe->port);
		return;
	}
	for (;;) {
		assert_true(probe_post(late, PROBE_DONE));
		assert_true(http_receive(late, true, &response));
		if (response.status != 200)
			break;
		/* As it does for a short grace. */
		const char *connection = http_header(&response, "Connection");
		if (!connection || strcmp(connection, "close") != 0)
			continue;
		http_close(late);
		probe_connect(probe, late);
	}
	probe_assert_answer(&response, 503, STOPPING);
	assert_string_equal(http_header(&response, "Retry-After"), "1");
}

static void
event_in_flight_at_a_stop_is_answered(void **state)
{
	enum { HELD, IDLE, SLOW, COUNT };
	static struct http_client clients[COUNT];
	struct probe probe;
	struct http_response response;
	pthread_t stopper;
	void *left;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &clients[HELD]);
	assert_true(probe_post(&clients[HELD], PROBE_EVENT("hold", "")));
	probe_wait_held(&probe, 1);
	probe_connect(&probe, &clients[IDLE]);
	probe_connect(&probe, &clients[SLOW]);
	assert_true(probe_post(&clients[IDLE], PROBE_DONE));
	assert_true(http_receive(&clients[IDLE], true, &response));
	assert_true(http_send_text(&clients[SLOW], HEAD "Content-Le"));

	assert_int_equal(pthread_create(&stopper, NULL, stop_server, &probe), 0);
	wait_stopping(&probe, &clients[IDLE]);
	probe_release(&probe);
	assert_true(http_receive(&clients[HELD], true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	for (int i = 0; i < COUNT; i++)
		assert_true(http_wait_closed(&clients[i], PROBE_AT_ONCE_MS));
	pthread_join(stopper, &left);
	assert_null(left);

	for (int i = 0; i < COUNT; i++)
		http_close(&clients[i]);
	probe_stop(&probe);
}

static void
stop_without_clients(void **state)
{
	struct probe probe;

	for (int i = 0; i < 5; i++) {
		probe_start(&probe, state, NULL);
		probe_stop(&probe);
	}
}

/* The grace. */

/* Send events until the answer tells that the server stops. */
static void
wait_last(struct http_client *client)
{
	struct http_response response;
	const char *connection;

	do {
		assert_true(probe_post(client, PROBE_DONE));
		assert_true(http_receive(client, true, &response));
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
		connection = http_header(&response, "Connection");
	} while (!connection || strcmp(connection, "close") != 0);
	assert_true(http_wait_closed(client, PROBE_AT_ONCE_MS));
}

static void
assert_last(struct http_client *client, unsigned status, const char *body)
{
	struct http_response response;

	assert_true(probe_post(client, PROBE_DONE));
	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, status, body);
	assert_string_equal(http_header(&response, "Connection"), "close");
	assert_true(http_wait_closed(client, PROBE_AT_ONCE_MS));
}

static void *
stop_adapter(void *state)
{
	const struct probe *probe = state;

	return (void *)probe->adapter->stop(probe->server, HTTP_CLIENT_WAIT_MS);
}

/* An event sent at the moment of the stop is not lost. */
static void
stop_has_a_grace(void **state)
{
	struct probe probe;
	struct http_client idle[IDLE_CLIENTS];
	pthread_t stopper;
	void *left;

	probe_start_with_grace(&probe, state, GRACE_MS);
	for (int i = 0; i < IDLE_CLIENTS; i++) {
		probe_connect(&probe, &idle[i]);
		assert_true(probe_post(&idle[i], PROBE_DONE));
		probe_assert_next(&idle[i], 200, PROBE_SUCCESS);
	}
	assert_int_equal(pthread_create(&stopper, NULL, stop_adapter, &probe), 0);
	/* The threads of a server learn of the stop one after the other. */
	wait_last(&idle[0]);
	wait_last(&idle[1]);
	pthread_join(stopper, &left);
	assert_null(left);
	/* When the grace is over. */
	if (can(&probe, CONTRACT_OUTLIVES_STOP))
		assert_last(&idle[2], 503, STOPPING);
	else
		assert_true(http_wait_closed(&idle[2], PROBE_AT_ONCE_MS));
	for (int i = 0; i < IDLE_CLIENTS; i++)
		http_close(&idle[i]);
	probe_stop(&probe);
}

/* What is left, and another stop that waits for it. */
static void
stop_tells_what_is_left(void **state)
{
	struct probe probe;
	struct http_client held, late;
	struct http_response response;
	pthread_t stopper;
	void *left;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &held);
	assert_true(probe_post(&held, PROBE_EVENT("hold", "")));
	probe_wait_held(&probe, 1);
	/* Only now, so that the thread that is held is not the one that takes it. */
	probe_connect(&probe, &late);
	assert_true(probe_post(&late, PROBE_DONE));
	assert_true(http_receive(&late, true, &response));
	/* A client may have its answer before the server has done with the request. */
	for (int ms = 0; probe.adapter->stop(probe.server, 10) != 1; ms += 10)
		assert_true(ms < PROBE_AT_ONCE_MS);
	for (uint32_t drain_ms = 0; drain_ms <= 20; drain_ms += 10)
		assert_int_equal(probe.adapter->stop(probe.server, drain_ms), 1);

	assert_true(probe_post(&late, PROBE_DONE));
	assert_true(http_receive(&late, true, &response));
	probe_assert_answer(&response, 503, STOPPING);
	assert_string_equal(http_header(&response, "Retry-After"), "1");
	assert_int_equal(probe.function_count, 2);
	assert_int_equal(pthread_create(&stopper, NULL, stop_adapter, &probe), 0);
	probe_release(&probe);
	assert_true(http_receive(&held, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	pthread_join(stopper, &left);
	assert_null(left);
	http_close(&held);
	http_close(&late);
	probe_stop(&probe);
}

/* Several adapters. */

/* An event, and the connection goes on if the framework keeps connections. */
static void
assert_goes_on(const struct probe *probe, struct http_client *client)
{
	struct http_response response;

	assert_true(probe_post(client, PROBE_DONE));
	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	const char *connection = http_header(&response, "Connection");
	if (probe_keeps_alive(probe) && connection)
		assert_string_equal(connection, "keep-alive");
}

/* They share an endpoint. Neither does one's stop wait for the events of the other, nor end it. */
static void
stop_is_about_one_adapter(void **state)
{
	struct probe probe;
	struct http_client held, client;
	uint16_t first_port;

	probe_start(&probe, state, NULL);
	void *first = probe.server;
	first_port = probe.port;
	probe.server = probe.adapter->start(probe.endpoint, 1, &probe.port);
	bool holds = can(&probe, CONTRACT_CONCURRENT);
	if (holds) {
		probe_connect(&probe, &held);
		assert_true(probe_post(&held, PROBE_EVENT("hold", "")));
		probe_wait_held(&probe, 1);
	}
	probe_connect(&probe, &client);
	assert_int_equal(probe.adapter->stop(first, DRAIN_MS), 0);
	assert_goes_on(&probe, &client);
	http_close(&client);
	probe.adapter->end(first);
	probe_wait_refused(first_port);

	probe_connect(&probe, &client);
	assert_goes_on(&probe, &client);
	http_close(&client);
	if (holds) {
		probe_release(&probe);
		probe_assert_next(&held, 200, PROBE_SUCCESS);
		http_close(&held);
	}
	probe_stop(&probe);
}

const struct contract_http_case contract_http_stop[] = {
	CONTRACT_CASE(event_in_flight_at_a_stop_is_answered, CONTRACT_CONCURRENT),
	CONTRACT_CASE(stop_without_clients, 0),
	CONTRACT_CASE(stop_has_a_grace, CONTRACT_GRACE | CONTRACT_KEEPS_ALIVE),
	CONTRACT_CASE(stop_tells_what_is_left,
		      CONTRACT_OUTLIVES_STOP | CONTRACT_CONCURRENT | CONTRACT_KEEPS_ALIVE),
	CONTRACT_CASE(stop_is_about_one_adapter, CONTRACT_STOPS_ITSELF),
};
const size_t contract_http_stop_count = HERALD_COUNT(contract_http_stop);
