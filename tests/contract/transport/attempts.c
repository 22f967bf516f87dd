/*
 * The lifecycle of attempts and of the transport: each attempt ends once, or is cancelled at any
 * moment; waiting, waking, and destroying. Needs no network.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <herald/array.h>

#include "probe.h"
#include "support/delivering.h"

#define WAKES 200

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
destroy_without_open(struct probe *probe)
{
	const struct contract_transport_options options = {0};
	struct herald_transport *transport = probe->contract->create(&options);

	assert_non_null(transport);
	assert_non_null(transport->ops->name);
	transport->ops->destroy(transport);
}

static void
destroy_without_attempts(struct probe *probe)
{
	probe_open(probe, NULL, 8);
	probe_close(probe);
	probe_open(probe, NULL, 1);
	assert_int_equal(probe_wait(probe, 0), 0);
	probe_close(probe);
}

static void
all_slots_are_set(struct probe *probe)
{
	probe_open(probe, NULL, 1);
	const struct herald_transport_ops *ops = probe->transport->ops;
	assert_true(ops->open && ops->begin && ops->cancel && ops->wait && ops->next_finished &&
		    ops->wake && ops->destroy);
}

static void
each_attempt_ends_once(struct probe *probe)
{
	static const struct {
		const char *url;
		unsigned status;
	} rows[] = {
		{"/200", 200},  {"/503", 503}, {"/404", 404}, {"/close", 0},
		{"/slow", 200}, {"/301", 301}, {"/204", 204},
	};

	probe->server.delay_ms = 20;
	probe_serve(probe);
	probe_open(probe, NULL, HERALD_COUNT(rows));
	for (unsigned round = 0; round < 3; round++) {
		size_t first = probe->begun;

		for (size_t i = 0; i < HERALD_COUNT(rows); i++)
			probe_begin(probe, probe_get(probe, rows[i].url));
		probe_finish_all(probe);
		for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
			const struct herald_attempt_result *result = &probe->ends[first + i].result;

			if (result->http_status != rows[i].status)
				fail_msg("%s: %u", rows[i].url, result->http_status);
			assert_true(rows[i].status != 0 || result->may_retry);
			assert_string_equal(result->retry_after, "");
		}
	}
}

/* As many as were asked for, at the same time. */
static void
many_in_flight(struct probe *probe)
{
	enum { MANY = 300 };

	probe->server.delay_ms = 30;
	probe_serve(probe);
	probe_open(probe, NULL, MANY);
	for (size_t i = 0; i < MANY; i++)
		probe_begin(probe, probe_get(probe, i % 2 ? "/slow" : "/silent"));
	for (size_t i = 1; i < MANY; i += 2)
		assert_int_equal(probe_finish(probe, i)->http_status, 200);
	assert_int_equal(probe->under_way, MANY / 2);
	for (size_t i = 0; i < MANY; i += 2)
		probe_cancel(probe, i);
	/* The places are free again. */
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
}

/* After so many waits, whatever has happened by then; never is an attempt told that was
 * cancelled. */
static void
cancel_at_every_moment(struct probe *probe)
{
	static const char *const urls[] = {"/200", "/slow", "/silent", "/close"};

	probe->server.delay_ms = 5;
	probe_serve(probe);
	probe_open(probe, NULL, 2);
	for (size_t i = 0; i < HERALD_COUNT(urls); i++)
		for (unsigned waits = 0; waits < 12; waits++) {
			size_t number = probe_begin(probe, probe_get(probe, urls[i]));

			for (unsigned wait = 0; wait < waits; wait++)
				probe_wait(probe, wait % 3);
			if (probe->ends[number].is_under_way)
				probe_cancel(probe, number);
			/* The next one is not mistaken for it. */
			assert_int_equal(probe_fetch(probe, "/204")->http_status, 204);
		}
}

/* Cancel attempts, including ended ones that were not yet taken. */
static void
cancel_what_may_have_ended(struct probe *probe)
{
	const struct timespec moment = {.tv_nsec = 2000000};

	probe_serve(probe);
	probe_open(probe, NULL, 4);
	for (unsigned i = 0; i < 20; i++) {
		size_t first = probe_begin(probe, probe_get(probe, "/200"));
		size_t second = probe_begin(probe, probe_get(probe, "/close"));

		if (i % 2)
			nanosleep(&moment, NULL); /* What was sent may be answered, or not. */
		probe_cancel(probe, first);
		probe_cancel(probe, second);
		assert_int_equal(probe_wait(probe, 0), 0);
	}
}

static void
wait_of_no_time(struct probe *probe)
{
	uint64_t begun_ms = now_ms();

	probe_serve(probe);
	probe_open(probe, NULL, 1);
	probe_begin(probe, probe_get(probe, "/silent"));
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(probe_wait(probe, 0), 0);
	assert_true(now_ms() - begun_ms < 30000);
}

/* It lasts as long as it should, and does not return all the time. */
static void
wait_until_a_timeout(struct probe *probe)
{
	unsigned waits = 0;

	probe_serve(probe);
	probe_open(probe, NULL, 1);
	probe_begin(probe, probe_get(probe, "/silent"));
	for (uint64_t until_ms = now_ms() + 200; now_ms() < until_ms; waits++)
		assert_int_equal(probe_wait(probe, 50), 0);
	assert_in_range(waits, 1, 50);
}

static void
wake_before_the_wait(struct probe *probe)
{
	probe_open(probe, NULL, 1);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned j = 0; j <= i; j++)
			probe->transport->ops->wake(probe->transport);
		probe_wait(probe, -1);
	}
}

/* The wait that is under way, or the next one. */
struct waker {
	struct herald_transport *transport;
	atomic_uint waits; /* that have ended */
};

static void *
waker_run(void *state)
{
	struct waker *waker = state;

	for (unsigned i = 0; i < WAKES; i++) {
		waker->transport->ops->wake(waker->transport);
		while (atomic_load(&waker->waits) <= i)
			sched_yield();
	}
	return NULL;
}

static void
wake_from_another_thread(struct probe *probe)
{
	struct waker waker = {0};
	pthread_t thread;

	probe_serve(probe);
	probe_open(probe, NULL, 1);
	probe_begin(probe, probe_get(probe, "/silent"));
	waker.transport = probe->transport;
	assert_int_equal(pthread_create(&thread, NULL, waker_run, &waker), 0);
	for (unsigned i = 0; i < WAKES; i++) {
		probe_wait(probe, -1);
		atomic_fetch_add(&waker.waits, 1);
	}
	pthread_join(thread, NULL);
}

static void *
wake_often(void *state)
{
	struct herald_transport *transport = state;

	for (unsigned i = 0; i < WAKES; i++) {
		transport->ops->wake(transport);
		sched_yield();
	}
	return NULL;
}

static void
wakes_while_attempts_end(struct probe *probe)
{
	enum { THREADS = 3 };
	pthread_t threads[THREADS];

	probe_serve(probe);
	probe_open(probe, NULL, 4);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wake_often, probe->transport),
				 0);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Below a deliverer: it stops with attempts in flight, which are reported once each. */
static void
stop_with_attempts_in_flight(struct probe *probe)
{
	enum { DELIVERIES = 20 };
	const struct contract_transport_options options = {0};
	struct herald_delivery_statistics counts;
	struct herald_deliverer *deliverer;
	struct recorder recorder;
	char url[64];
	const struct herald_delivery delivery = {.url = url};

	probe_serve(probe);
	recorder_init(&recorder);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/silent", probe->server.port);
	assert_int_equal(herald_deliverer_create(
				 &RECORDED_OPTIONS(&recorder, .addresses = HERALD_ADDRESSES_ANY,
						   .transport = probe->contract->create(&options)),
				 &deliverer, NULL),
			 HERALD_OK);
	for (size_t i = 0; i < DELIVERIES; i++)
		assert_int_equal(herald_deliverer_submit(deliverer, &delivery, NULL), HERALD_OK);
	do {
		sched_yield();
		herald_deliverer_statistics(deliverer, &counts);
	} while (counts.in_flight == 0);
	assert_int_equal(herald_deliverer_stop(deliverer, 0), DELIVERIES);
	assert_all_settled(deliverer);
	herald_deliverer_destroy(deliverer);
	assert_int_equal(recorder.left, DELIVERIES);
	assert_int_equal(recorder.outcomes, DELIVERIES);
	recorder_finish(&recorder);
}

const struct contract_transport_case contract_transport_attempts[] = {
	CONTRACT_CASE(destroy_without_open, 0),
	CONTRACT_CASE(destroy_without_attempts, 0),
	CONTRACT_CASE(all_slots_are_set, 0),
	CONTRACT_CASE(each_attempt_ends_once, 0),
	CONTRACT_CASE(many_in_flight, 0),
	CONTRACT_CASE(cancel_at_every_moment, 0),
	CONTRACT_CASE(cancel_what_may_have_ended, 0),
	CONTRACT_CASE(wait_of_no_time, 0),
	CONTRACT_CASE(wait_until_a_timeout, 0),
	CONTRACT_CASE(wake_before_the_wait, 0),
	CONTRACT_CASE(wake_from_another_thread, 0),
	CONTRACT_CASE(wakes_while_attempts_end, 0),
	CONTRACT_CASE(stop_with_attempts_in_flight, 0),
};
const size_t contract_transport_attempts_count = HERALD_COUNT(contract_transport_attempts);
