/*
 * Events at the worst moments. The deliverer reads its clock at known places of its thread, and the
 * tests' clock does there what another thread might do.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/misbehaving_server.h"

struct fixture {
	struct misbehaving_server server;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	struct herald__delivery_clock clock;
	char url[64];

	pthread_t main_thread;
	atomic_uint countdown; /* calls of the deliverer's thread until it happens; 0: never */
	struct herald_reservation *reservation;
	atomic_size_t idles; /* how often the deliverer was about to wait */
	atomic_bool submits_when_idle;
	atomic_bool copies_socket; /* the next one that is opened */
	int copy;
};

static void
submit(struct fixture *fixture)
{
	const struct herald_delivery delivery = {.url = fixture->url};

	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
}

static uint64_t
now_ms(void *state)
{
	struct fixture *fixture = state;
	const struct herald_delivery delivery = {.url = fixture->url};
	struct timespec now;

	/* Submitting asks for the time too: the countdown is over by then. */
	if (!pthread_equal(pthread_self(), fixture->main_thread) &&
	    atomic_load(&fixture->countdown) > 0 && atomic_fetch_sub(&fixture->countdown, 1) == 1)
		assert_int_equal(herald_reservation_submit(fixture->reservation, &delivery, NULL),
				 HERALD_OK);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t
wall_ms(void *state)
{
	(void)state;
	return 0;
}

static uint64_t
no_random(void *state)
{
	(void)state;
	return 0;
}

static void
idle(uint64_t due_ms, size_t in_flight, void *state)
{
	struct fixture *fixture = state;

	(void)due_ms;
	(void)in_flight;
	atomic_fetch_add(&fixture->idles, 1);
	if (atomic_exchange(&fixture->submits_when_idle, false))
		submit(fixture);
}

/* Copy the socket, as a fork would: to the kernel it is the same socket. */
static int
copy_socket(void *state, curl_socket_t fd, curlsocktype purpose)
{
	struct fixture *fixture = state;

	(void)purpose;
	if (atomic_exchange(&fixture->copies_socket, false))
		fixture->copy = dup(fd);
	return CURL_SOCKOPT_OK;
}

static bool
watch_sockets(CURL *easy, void *state)
{
	struct fixture *fixture = state;

	return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, copy_socket) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, fixture) == CURLE_OK;
}

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	misbehaving_server_init(&fixture->server, "0.0.0.0");
	fixture->server.delay_ms = 50;
	misbehaving_server_start(&fixture->server);
	recorder_init(&fixture->recorder);
	snprintf(fixture->url, sizeof(fixture->url), "http://127.0.0.1:%u/200",
		 fixture->server.port);
	fixture->main_thread = pthread_self();
	fixture->clock = (struct herald__delivery_clock){now_ms, wall_ms, no_random, idle, fixture};
	assert_int_equal(
		create_deliverer(
			&RECORDED_OPTIONS(&fixture->recorder, .addresses = HERALD_ADDRESSES_ANY,
					  .attempts = 1,
					  .transport = CURL_TRANSPORT(.setup = watch_sockets,
								      .state = fixture)),
			&fixture->clock, &fixture->deliverer, NULL),
		HERALD_OK);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	herald_deliverer_destroy(fixture->deliverer);
	misbehaving_server_stop(&fixture->server);
	recorder_finish(&fixture->recorder);
	free(fixture);
	return 0;
}

/* Between looking at the queue and going to sleep. */
static void
test_submitted_before_it_sleeps(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 1; i <= 20; i++) {
		atomic_store(&fixture->submits_when_idle, true);
		submit(fixture);
		recorder_wait(&fixture->recorder, 2 * i);
	}
	assert_int_equal(fixture->recorder.delivered, 40);
}

/* A reservation is submitted while a stop checks whether anything is left, at each place. */
static void
submit_while_stopping(struct fixture *fixture, unsigned place)
{
	/* The thread is idle, so the sequence of places is known from here on. */
	while (atomic_load(&fixture->idles) == 0)
		sched_yield();
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, strlen(fixture->url), 0,
						  &fixture->reservation, NULL),
			 HERALD_OK);
	atomic_store(&fixture->countdown, place);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 30000), 0);
	assert_int_equal(fixture->recorder.delivered, 1);
	assert_all_settled(fixture->deliverer);
}

static void
test_submitted_while_stopping_1(void **state)
{
	submit_while_stopping(*state, 1);
}

static void
test_submitted_while_stopping_2(void **state)
{
	submit_while_stopping(*state, 2);
}

static void
test_submitted_while_stopping_3(void **state)
{
	submit_while_stopping(*state, 3);
}

static void
test_submitted_while_stopping_4(void **state)
{
	submit_while_stopping(*state, 4);
}

static void
test_submitted_while_stopping_5(void **state)
{
	submit_while_stopping(*state, 5);
}

static void
deliver(struct fixture *fixture, const char *host, const char *path)
{
	size_t count = fixture->recorder.outcomes;

	snprintf(fixture->url, sizeof(fixture->url), "http://%s:%u%s", host, fixture->server.port,
		 path);
	submit(fixture);
	recorder_wait(&fixture->recorder, count + 1);
}

/* 50 ms in which it has nothing to do; to another name, for a new connection. */
static void
assert_does_not_spin(struct fixture *fixture)
{
	size_t idles = atomic_load(&fixture->idles);

	deliver(fixture, "127.0.0.2", "/slow");
	assert_true(atomic_load(&fixture->idles) - idles < 20);
}

/* A connection that its server closes while nobody uses it wakes the thread once. */
static void
test_closed_connections_do_not_spin(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 1; i <= 5; i++) {
		deliver(fixture, "127.0.0.1", "/bye");
		assert_does_not_spin(fixture);
	}
}

/* Nor does one that both sides closed wake it, as long as a forked child has it. */
static void
test_connections_of_a_child_do_not_spin(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 1; i <= 5; i++) {
		atomic_store(&fixture->copies_socket, true);
		deliver(fixture, "127.0.0.1", "/cut");
		assert_does_not_spin(fixture);
		close(fixture->copy);
	}
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_submitted_before_it_sleeps),
		TEST(test_submitted_while_stopping_1),
		TEST(test_submitted_while_stopping_2),
		TEST(test_submitted_while_stopping_3),
		TEST(test_submitted_while_stopping_4),
		TEST(test_submitted_while_stopping_5),
		TEST(test_closed_connections_do_not_spin),
		TEST(test_connections_of_a_child_do_not_spin),
	};

	return cmocka_run_group_tests_name("delivery_races", tests, NULL, NULL);
}
