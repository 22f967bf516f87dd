/*
 * Stopping an endpoint, which affects all of its requests, and stopping one adapter, which affects
 * only the adapter's requests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <pthread.h>
#include <sched.h>

#include <cmocka.h>

#include <herald/adapter/drain.h>

#include "http/endpoint_fixture.h"

/* Not a grace that a test waits for. */
#define GRACE_MS 1

struct stoppable {
	struct fixture fixture;
	struct herald_http_drain drain;
	bool of_endpoint;
};

static void
open_stoppable(struct stoppable *stoppable, bool of_endpoint)
{
	stoppable->fixture = open_default();
	stoppable->of_endpoint = of_endpoint;
	assert_true(herald_http_drain_init(&stoppable->drain));
}

static void
close_stoppable(struct stoppable *stoppable)
{
	herald_http_drain_finish(&stoppable->drain);
	close_endpoint(&stoppable->fixture);
}

static struct herald_http_request *
begin(struct fixture *fixture, struct herald_http_drain *drain)
{
	const struct herald_http_head head = {
		.method = "POST",
		.content_type = "application/json",
		.content_length = HERALD_HTTP_NO_LENGTH,
		.drain = drain,
	};
	struct herald_http_request *request = herald_http_request_create(fixture->endpoint, &head);

	assert_non_null(request);
	return request;
}

static struct herald_http_request *
begin_at(struct stoppable *stoppable)
{
	return begin(&stoppable->fixture, stoppable->of_endpoint ? NULL : &stoppable->drain);
}

static size_t
stop(struct stoppable *stoppable, uint32_t drain_ms)
{
	if (stoppable->of_endpoint)
		return herald_endpoint_stop(stoppable->fixture.endpoint, drain_ms);
	return herald_http_drain_stop(&stoppable->drain, GRACE_MS, drain_ms);
}

static void
assert_refused(struct herald_http_request *request)
{
	const struct herald_http_response *response = herald_http_request_response(request);

	assert_non_null(response);
	assert_int_equal(response->status, 503);
	assert_int_equal(response->retry_after_s, 1);
	assert_memory_equal(response->body, "{\"error\":\"the server is stopping\"}",
			    response->body_bytes);
}

static void
assert_handled(struct herald_http_request *request)
{
	assert_true(herald_http_request_append(request, SEED_EVENT, strlen(SEED_EVENT)));
	assert_int_equal(herald_http_request_finish(request)->status, 200);
	herald_http_request_destroy(request);
}

static void
stop_without_requests(void **state)
{
	(void)state;
	for (int of_endpoint = 0; of_endpoint < 2; of_endpoint++) {
		struct stoppable stoppable;

		open_stoppable(&stoppable, of_endpoint);
		herald_http_request_destroy(begin_at(&stoppable));
		assert_int_equal(stop(&stoppable, UINT32_MAX), 0);
		assert_int_equal(stop(&stoppable, 0), 0);
		close_stoppable(&stoppable);
	}
}

static void
stop_counts_what_is_left(void **state)
{
	(void)state;
	for (int of_endpoint = 0; of_endpoint < 2; of_endpoint++) {
		struct stoppable stoppable;

		open_stoppable(&stoppable, of_endpoint);
		struct herald_http_request *first = begin_at(&stoppable);
		struct herald_http_request *second = begin_at(&stoppable);
		assert_int_equal(stop(&stoppable, 0), 2);
		assert_int_equal(stop(&stoppable, 20), 2);

		/* New ones are refused, and open until they end. */
		struct herald_http_request *late = begin_at(&stoppable);
		assert_refused(late);
		assert_int_equal(stop(&stoppable, 0), 3);
		herald_http_request_destroy(late);

		/* Requests that were open before are still handled. */
		assert_handled(first);
		assert_int_equal(stop(&stoppable, 0), 1);
		herald_http_request_destroy(second);
		assert_int_equal(stop(&stoppable, 0), 0);
		close_stoppable(&stoppable);
	}
}

static void *
stop_in_thread(void *stoppable)
{
	return (void *)stop(stoppable, UINT32_MAX);
}

static void
stop_waits_for_the_last_request(void **state)
{
	(void)state;
	for (int of_endpoint = 0; of_endpoint < 2; of_endpoint++) {
		struct stoppable stoppable;
		pthread_t stopper;
		void *left;
		bool stopping = false;

		open_stoppable(&stoppable, of_endpoint);
		struct herald_http_request *request = begin_at(&stoppable);
		assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, &stoppable), 0);
		while (!stopping) {
			struct herald_http_request *late = begin_at(&stoppable);

			stopping = herald_http_request_response(late) != NULL;
			herald_http_request_destroy(late);
		}
		herald_http_request_destroy(request);
		pthread_join(stopper, &left);
		assert_int_equal((size_t)left, 0);
		close_stoppable(&stoppable);
	}
}

static void *
stop_with_grace(void *drain)
{
	return (void *)herald_http_drain_stop(drain, 300, UINT32_MAX);
}

/* What begins within the grace is handled, and a connection is to be closed; later it is not, and a
 * second stop has no grace. */
static void
grace(void **state)
{
	struct fixture fixture = open_default();
	struct herald_http_drain drain;
	struct herald_http_request *request = NULL;
	pthread_t stopper;
	void *left;

	(void)state;
	assert_true(herald_http_drain_init(&drain));
	assert_false(herald_http_drain_is_stopping(&drain));
	assert_int_equal(pthread_create(&stopper, NULL, stop_with_grace, &drain), 0);
	while (!herald_http_drain_is_stopping(&drain))
		sched_yield();
	assert_handled(begin(&fixture, &drain));
	pthread_join(stopper, &left);
	assert_null(left);
	for (int i = 0; i < 2; i++) {
		request = begin(&fixture, &drain);
		assert_refused(request);
		herald_http_request_destroy(request);
		assert_int_equal(herald_http_drain_stop(&drain, UINT32_MAX, UINT32_MAX), 0);
	}
	herald_http_drain_finish(&drain);
	close_endpoint(&fixture);
}

/* The others at the same endpoint go on, until the endpoint itself is stopped. */
static void
adapters_of_one_endpoint(void **state)
{
	struct fixture fixture = open_default();
	struct herald_http_drain stopped, other;

	(void)state;
	assert_true(herald_http_drain_init(&stopped) && herald_http_drain_init(&other));
	struct herald_http_request *mine = begin(&fixture, &stopped);
	struct herald_http_request *theirs = begin(&fixture, &other);
	struct herald_http_request *nobodys = begin(&fixture, NULL);

	assert_int_equal(herald_http_drain_stop(&stopped, GRACE_MS, 0), 1);
	assert_false(herald_http_drain_is_stopping(&other));
	assert_handled(mine);
	assert_int_equal(herald_http_drain_stop(&stopped, GRACE_MS, UINT32_MAX), 0);
	assert_handled(begin(&fixture, &other));
	assert_handled(begin(&fixture, NULL));

	assert_int_equal(herald_endpoint_stop(fixture.endpoint, 0), 2);
	struct herald_http_request *late = begin(&fixture, &other);
	assert_refused(late);
	herald_http_request_destroy(late);
	assert_handled(theirs);
	assert_handled(nobodys);
	assert_int_equal(herald_http_drain_stop(&other, GRACE_MS, UINT32_MAX), 0);
	assert_int_equal(herald_endpoint_stop(fixture.endpoint, UINT32_MAX), 0);
	herald_http_drain_finish(&stopped);
	herald_http_drain_finish(&other);
	close_endpoint(&fixture);
}

/* A refusal that is known from the head comes first: it will not be another one the next time. */
static void
refusals_come_before_the_stop(void **state)
{
	struct stoppable stoppable;

	(void)state;
	open_stoppable(&stoppable, false);
	assert_int_equal(stop(&stoppable, 0), 0);
	const struct herald_http_head head = {.method = "GET", .drain = &stoppable.drain};
	struct herald_http_request *request =
		herald_http_request_create(stoppable.fixture.endpoint, &head);
	assert_int_equal(herald_http_request_response(request)->status, 405);
	assert_int_equal(stop(&stoppable, 0), 1);
	herald_http_request_destroy(request);
	assert_int_equal(stop(&stoppable, 0), 0);
	close_stoppable(&stoppable);
}

static void
graces_by_the_option(void **state)
{
	static const struct {
		uint32_t idle_grace_ms, drain_ms, expected;
	} rows[] = {
		{0, 0, 0},          {0, 1, 0},       {0, 499, 249},        {0, 500, 250},
		{0, 501, 250},      {0, 10000, 250}, {0, UINT32_MAX, 250}, {1, 0, 0},
		{1, 10000, 1},      {400, 300, 300}, {300, 300, 300},      {299, 300, 299},
		{5000, 6000, 5000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(herald_http_idle_grace_ms(rows[i].idle_grace_ms, rows[i].drain_ms),
				 rows[i].expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_without_requests),
		cmocka_unit_test(stop_counts_what_is_left),
		cmocka_unit_test(stop_waits_for_the_last_request),
		cmocka_unit_test(grace),
		cmocka_unit_test(adapters_of_one_endpoint),
		cmocka_unit_test(refusals_come_before_the_stop),
		cmocka_unit_test(graces_by_the_option),
	};

	return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
