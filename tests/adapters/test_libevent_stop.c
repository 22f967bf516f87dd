/*
 * The libevent adapter with a pool: a loop that does not wait, a full queue, clients that
 * disconnect while their event is queued, stopping, and the order of destroying.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#include <event2/event.h>

#include <herald/libevent.h>

#include "adapters/libevent_server.h"
#include "contract/http/probe.h"

static void
wait_queued(struct own_server *own, uint64_t count)
{
	struct herald_pool_statistics statistics;

	for (;;) {
		herald_pool_statistics_read(own->pool, &statistics);
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
		probe_assert_next(&other, 200, "hello");
		assert_true(probe_post(&other, PROBE_DONE));
		probe_assert_next(&other, 200, PROBE_SUCCESS);
	}
	assert_false(http_wait_readable(&held, 0));
	probe_release(&probe);
	probe_assert_next(&held, 200, PROBE_SUCCESS);
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
	struct own_server *own =
		serve_endpoint(&probe, &HERALD_ENDPOINT_OPTIONS(.retry_after_ms = 2500),
			       &HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 1),
			       &HERALD_LIBEVENT_OPTIONS(.path = NULL));
	post(&probe, &running, PROBE_EVENT("hold", ""));
	probe_wait_held(&probe, 1);
	post(&probe, &queued, PROBE_DONE);
	wait_queued(own, 1);
	post(&probe, &refused, PROBE_DONE);
	assert_true(http_receive(&refused, true, &response));
	probe_assert_answer(&response, 503, "{\"error\":\"too many events are waiting\"}");
	assert_string_equal(http_header(&response, "Retry-After"), "3");
	/* Other refusals need no place in it, and the connection stays open. */
	assert_true(http_send_text(&refused, "GET /event HTTP/1.1\r\nHost: test\r\n\r\n"));
	probe_assert_next(&refused, 405, NULL);
	probe_release(&probe);
	probe_assert_next(&running, 200, PROBE_SUCCESS);
	probe_assert_next(&queued, 200, PROBE_SUCCESS);
	assert_true(probe_post(&refused, PROBE_DONE));
	probe_assert_next(&refused, 200, PROBE_SUCCESS);
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
	probe_assert_next(&stays, 200, PROBE_SUCCESS);
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
		/* A client that disconnects while its function runs does no harm. */
		assert_int_equal(shutdown(running.fd, SHUT_WR), 0);
		probe_release(&probe);
		probe_assert_next(&running, 200, PROBE_SUCCESS);
		probe_assert_next(&half, drops ? 503 : 200, NULL);
		assert_int_equal(probe.function_count, 2 - drops);
		/* Nothing more can come: the connections end. */
		assert_true(http_wait_closed(&running, PROBE_AT_ONCE_MS));
		assert_true(http_wait_closed(&half, PROBE_AT_ONCE_MS));
		http_close(&running);
		http_close(&half);
		probe_stop(&probe);
	}
}

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
	probe_assert_next(&late, 200, "hello");
	order_stop(own);
	probe_wait_refused(probe.port);

	/* On an existing connection, when the grace is over. */
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
	probe_assert_next(&held, 200, PROBE_SUCCESS);
	probe_assert_next(&queued, 200, PROBE_SUCCESS);
	assert_int_equal(probe.function_count, 2);
	http_close(&held);
	http_close(&queued);
	http_close(&late);
	probe_stop(&probe);
}

static void *
stop_pool(void *state)
{
	return (void *)herald_pool_stop(state, 0);
}

/* What is left at the end of the time: told, and answered as long as the loop goes on; a second
 * stop waits for it. */
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
	assert_string_equal(records.message, "the drain timeout has passed");
	assert_int_equal(records.number, 4);

	assert_int_equal(pthread_create(&stopper, NULL, stop_pool, own->pool), 0);
	assert_int_equal(pthread_create(&own->thread, NULL, run_loop, own), 0);
	for (int i = 0; i < 3; i++) {
		probe_assert_next(&queued[i], 503, "{\"error\":\"the server is stopping\"}");
		http_close(&queued[i]);
	}
	own->drain_ms = DRAIN_MS;
	own->left = SIZE_MAX;
	order_stop(own);
	probe_release(&probe);
	probe_assert_next(&held, 200, PROBE_SUCCESS);
	http_close(&held);
	pthread_join(stopper, &cancelled);
	assert_int_equal((size_t)cancelled, 3);
	pthread_join(own->thread, NULL);
	assert_int_equal(own->left, 0);
	assert_int_equal(records.count, 1);
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
	probe_assert_next(&client, 200, PROBE_SUCCESS);
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
	probe_create_endpoint(&probe, NULL);
	struct own_server *own = create_server(probe.endpoint, &probe.port);
	assert_int_equal(herald_libevent_create(own->endpoint, own->base, own->server, NULL,
						&own->adapter, NULL),
			 HERALD_OK);
	herald_libevent_destroy(own->adapter);
	assert_int_equal(herald_libevent_create(own->endpoint, own->base, own->server, NULL,
						&own->adapter, NULL),
			 HERALD_OK);
	free_server(own);
	probe_destroy(&probe);
}

/* Nothing is left then, and the log hears of nothing. */
static void
grace_is_all_of_the_time(void **state)
{
	struct records records = {0};
	struct probe probe;

	(void)state;
	struct own_server *own =
		serve(&probe, NULL,
		      &HERALD_LIBEVENT_OPTIONS(.idle_grace_ms = 1000,
					       .log = {.write = record, .state = &records}));
	own->drain_ms = 20;
	own->left = SIZE_MAX;
	order_stop(own);
	pthread_join(own->thread, NULL);
	assert_int_equal(own->left, 0);
	assert_int_equal(records.count, 0);
	free_server(own);
	probe.server = NULL;
	probe_stop(&probe);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {

		cmocka_unit_test(loop_goes_on_while_a_function_blocks),
		cmocka_unit_test(full_queue_is_503),
		cmocka_unit_test(clients_go_away),
		cmocka_unit_test(client_closes_its_side),
		cmocka_unit_test(stop_refuses_and_drains),
		cmocka_unit_test(stop_reports_what_is_left),
		cmocka_unit_test(destroyed_with_answers_unsent),
		cmocka_unit_test(service_ends_before_the_base),
		cmocka_unit_test(service_ends_before_the_answer_is_sent),
		cmocka_unit_test(destroy_nothing),
		cmocka_unit_test(grace_is_all_of_the_time),
		cmocka_unit_test(stop_without_events_ends_at_once),
	};

	return cmocka_run_group_tests_name("libevent_stop", tests, NULL, NULL);
}
