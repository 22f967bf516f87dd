/*
 * The tests' clock and recorder, and what a test of deliveries has around it. They know nothing about what
 * is right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "delivering.h"
#include "names.h"

#define WAIT_S 60

static uint64_t
clock_now_ms(void *state)
{
	struct test_clock *clock = state;

	return atomic_load(&clock->now_ms);
}

static int64_t
clock_wall_s(void *state)
{
	return TEST_CLOCK_WALL_S + (int64_t)(clock_now_ms(state) / 1000);
}

static uint64_t
clock_random(void *state)
{
	struct test_clock *clock = state;

	return atomic_load(&clock->random);
}

static void
clock_idle(uint64_t due_ms, size_t in_flight, void *state)
{
	struct test_clock *clock = state;

	if (in_flight == 0 && due_ms != UINT64_MAX && !atomic_load(&clock->stands) &&
	    due_ms > atomic_load(&clock->now_ms))
		atomic_store(&clock->now_ms, due_ms);
}

void
test_clock_init(struct test_clock *clock)
{
	atomic_init(&clock->now_ms, 0);
	atomic_init(&clock->random, 0);
	atomic_init(&clock->stands, false);
	clock->clock = (struct herald__delivery_clock){
		.now_ms = clock_now_ms,
		.wall_s = clock_wall_s,
		.random = clock_random,
		.idle = clock_idle,
		.state = clock,
	};
}

void
test_clock_advance(struct test_clock *clock, struct herald_deliverer *deliverer, uint64_t ms)
{
	atomic_fetch_add(&clock->now_ms, ms);
	herald__deliverer_wake(deliverer);
}

void
recorder_init(struct recorder *recorder)
{
	memset(recorder, 0, sizeof(*recorder));
	if (pthread_mutex_init(&recorder->mutex, NULL) != 0 ||
	    pthread_cond_init(&recorder->changed, NULL) != 0)
		abort();
}

void
recorder_finish(struct recorder *recorder)
{
	pthread_cond_destroy(&recorder->changed);
	pthread_mutex_destroy(&recorder->mutex);
}

static void
copy(struct recorded_report *out, const struct herald_delivery_report *report)
{
	const char *result = report->delivery->result;

	out->outcome = report->outcome;
	out->attempt = report->attempt;
	out->http_status = report->http_status;
	out->elapsed_ms = report->elapsed_ms;
	out->retry_in_ms = report->retry_in_ms;
	snprintf(out->id, sizeof(out->id), "%s", report->delivery->id);
	snprintf(out->url, sizeof(out->url), "%s", report->delivery->url);
	snprintf(out->result, sizeof(out->result), "%s", result ? result : "");
	snprintf(out->error, sizeof(out->error), "%s", report->error);
}

void
record_attempt(const struct herald_delivery_report *report, void *state)
{
	struct recorder *recorder = state;

	pthread_mutex_lock(&recorder->mutex);
	if (recorder->attempts < RECORDED_REPORTS)
		copy(&recorder->attempt_reports[recorder->attempts], report);
	recorder->attempts++;
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->mutex);
}

void
record_outcome(const struct herald_delivery_report *report, void *state)
{
	struct recorder *recorder = state;

	pthread_mutex_lock(&recorder->mutex);
	if (recorder->outcomes < RECORDED_REPORTS)
		copy(&recorder->outcome_reports[recorder->outcomes], report);
	recorder->outcomes++;
	recorder->delivered += report->outcome == HERALD_DELIVERY_DELIVERED;
	recorder->failed += report->outcome == HERALD_DELIVERY_FAILED;
	recorder->left += report->outcome == HERALD_DELIVERY_LEFT;
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->mutex);
}

static void
wait_for(struct recorder *recorder, const size_t *count, size_t wanted)
{
	struct timespec until;
	int failure = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&recorder->mutex);
	while (*count < wanted && failure == 0)
		failure = pthread_cond_timedwait(&recorder->changed, &recorder->mutex, &until);
	if (failure != 0) {
		fprintf(stderr, "waited for %zu reports, got %zu\n", wanted, *count);
		abort();
	}
	pthread_mutex_unlock(&recorder->mutex);
}

void
recorder_wait(struct recorder *recorder, size_t outcomes)
{
	wait_for(recorder, &recorder->outcomes, outcomes);
}

void
recorder_wait_attempts(struct recorder *recorder, size_t attempts)
{
	wait_for(recorder, &recorder->attempts, attempts);
}

struct delivery_fixture *
delivery_fixture_create(const char *address)
{
	struct delivery_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	misbehaving_server_init(&fixture->server, address);
	test_clock_init(&fixture->clock);
	recorder_init(&fixture->recorder);
	return fixture;
}

void
delivery_fixture_destroy(struct delivery_fixture *fixture)
{
	/* The server's thread may be in a hook of the test's, which uses the deliverer. */
	if (fixture->deliverer)
		herald_deliverer_stop(fixture->deliverer, 0);
	misbehaving_server_stop(&fixture->server);
	herald_deliverer_destroy(fixture->deliverer);
	recorder_finish(&fixture->recorder);
	names_clear();
	free(fixture);
}

int
delivery_fixture_setup(void **state)
{
	*state = delivery_fixture_create("127.0.0.1");
	return 0;
}

int
delivery_fixture_teardown(void **state)
{
	delivery_fixture_destroy(*state);
	return 0;
}
