/*
 * Connections without sockets whose events a store has: when the thread is woken, in which order
 * the answers come, and connections that end before the commit.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/connection.h>
#include <herald/herald.h>

#include "support/failing_allocator.h"
#include "support/fake_inbox.h"

#define EVENT                                                                                      \
	"{\"event_type\":\"order_placed\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":7}"
#define POST                                                                                       \
	"POST /event HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"                    \
	"Content-Length: 76\r\n\r\n" EVENT
#define ACCEPTED "HTTP/1.1 202 Accepted\r\n"

static enum herald_verdict
on_order(struct herald_context *ctx, const struct herald_json *json)
{
	(void)ctx;
	(void)json;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, herald_json);

struct fixture {
	struct failing_allocator memory;
	struct fake_inbox inbox;
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct herald_http_worker *worker;
	atomic_uint woken;
};

static void
wake(void *state)
{
	struct fixture *fixture = state;

	atomic_fetch_add(&fixture->woken, 1);
}

static void
create(struct fixture *fixture)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("order_placed", herald_json, on_order, NULL),
	};

	memset(fixture, 0, sizeof(*fixture));
	failing_allocator_init(&fixture->memory, FAIL_NEVER, 0);
	fake_inbox_init(&fixture->inbox);
	fixture->inbox.answers_at_once = false;
	assert_int_equal(herald_service_create(
				 &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
							 .store = fake_inbox_store(&fixture->inbox),
							 .allocator = fixture->memory.allocator),
				 &fixture->service, NULL),
			 HERALD_OK);
	assert_int_equal(herald_endpoint_create(fixture->service, NULL, &fixture->endpoint, NULL),
			 HERALD_OK);
	assert_int_equal(herald_http_worker_create(
				 fixture->endpoint,
				 &HERALD_SERVER_OPTIONS(.allocator = fixture->memory.allocator),
				 wake, fixture, &fixture->worker, NULL),
			 HERALD_OK);
}

static void
destroy(struct fixture *fixture)
{
	herald_http_worker_destroy(fixture->worker);
	herald_endpoint_destroy(fixture->endpoint);
	herald_service_destroy(fixture->service);
	fake_inbox_finish(&fixture->inbox);
	assert_all_released(&fixture->memory);
}

static struct herald_http_connection *
connect_and_send(struct fixture *fixture, const char *requests)
{
	struct herald_http_connection *connection =
		herald_http_connection_create(fixture->worker, fixture, 0);
	char *copy = strdup(requests);

	assert_non_null(connection);
	assert_non_null(copy);
	herald_http_connection_receive(connection, copy, strlen(copy), 0);
	/* As the buffer of a loop, which is used for the next connection. */
	memset(copy, '#', strlen(copy));
	free(copy);
	return connection;
}

/* Take the output, which must begin with this. */
static void
assert_output(struct herald_http_connection *connection, const char *beginning)
{
	const char *data;
	size_t bytes = herald_http_connection_output(connection, &data);

	assert_true(bytes >= strlen(beginning));
	if (*beginning != '\0')
		assert_memory_equal(data, beginning, strlen(beginning));
	else
		assert_int_equal(bytes, 0);
	herald_http_connection_sent(connection, bytes, 0);
}

/* A commit wakes the thread once, and again only when it has seen all. */
static void
one_commit_wakes_once(void **state)
{
	struct herald_http_connection *connections[4];
	struct fixture fixture;

	(void)state;
	create(&fixture);
	for (unsigned i = 0; i < 3; i++) {
		connections[i] = connect_and_send(&fixture, POST);
		assert_int_equal(herald_http_connection_wants(connections[i]), 0);
		assert_output(connections[i], "");
	}
	assert_int_equal(fixture.woken, 0);
	assert_int_equal(fake_inbox_commit(&fixture.inbox), 3);
	assert_int_equal(fixture.woken, 1);
	assert_ptr_equal(herald_http_worker_resume(fixture.worker, 0), connections[0]);
	/* Another commit, while the thread is busy with the first one. */
	connections[3] = connect_and_send(&fixture, POST);
	assert_int_equal(fake_inbox_commit(&fixture.inbox), 1);
	assert_int_equal(fixture.woken, 1);
	for (unsigned i = 1; i < 4; i++)
		assert_ptr_equal(herald_http_worker_resume(fixture.worker, 0), connections[i]);
	assert_null(herald_http_worker_resume(fixture.worker, 0));
	for (unsigned i = 0; i < 4; i++) {
		assert_output(connections[i], ACCEPTED);
		assert_int_equal(herald_http_connection_wants(connections[i]),
				 HERALD_HTTP_READ | HERALD_HTTP_IDLE);
		herald_http_connection_destroy(connections[i]);
	}

	connections[0] = connect_and_send(&fixture, POST);
	assert_int_equal(fake_inbox_commit(&fixture.inbox), 1);
	assert_int_equal(fixture.woken, 2);
	assert_ptr_equal(herald_http_worker_resume(fixture.worker, 0), connections[0]);
	assert_null(herald_http_worker_resume(fixture.worker, 0));
	herald_http_connection_destroy(connections[0]);
	destroy(&fixture);
}

/* The store answers before it returns: the thread wakes itself. */
static void
store_answers_at_once(void **state)
{
	struct fixture fixture;

	(void)state;
	create(&fixture);
	fixture.inbox.answers_at_once = true;
	struct herald_http_connection *connection = connect_and_send(&fixture, POST POST);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(fixture.woken, 1);
		assert_output(connection, "");
		assert_ptr_equal(herald_http_worker_resume(fixture.worker, 0), connection);
		assert_output(connection, ACCEPTED);
	}
	assert_null(herald_http_worker_resume(fixture.worker, 0));
	herald_http_connection_destroy(connection);
	destroy(&fixture);
}

/* The connection ends; its event is stored, counts, and is freed when the store has answered. */
static void
connection_ends_before_the_commit(void **state)
{
	struct herald_statistics counts;
	struct fixture fixture;

	(void)state;
	create(&fixture);
	herald_http_connection_destroy(connect_and_send(&fixture, POST));
	/* Once more, but then the store does not take it. */
	assert_int_equal(fake_inbox_commit(&fixture.inbox), 1);
	fake_inbox_set(&fixture.inbox, false, HERALD_UNAVAILABLE);
	herald_http_connection_destroy(connect_and_send(&fixture, POST));
	assert_int_equal(fake_inbox_commit(&fixture.inbox), 1);
	assert_null(herald_http_worker_resume(fixture.worker, 0));
	herald_service_statistics(fixture.service, &counts);
	assert_int_equal(counts.accepted, 1);
	assert_int_equal(counts.retry, 1);
	assert_int_equal(fixture.inbox.stored_count, 1);
	destroy(&fixture);
}

static void *
commit_later(void *state)
{
	/* Time for the other thread, which would otherwise free what the commit uses. */
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	return (void *)fake_inbox_commit(state);
}

/* A worker is destroyed when the store has answered the events of its connections. */
static void
worker_waits_for_the_commit(void **state)
{
	struct fixture fixture;
	pthread_t committer;
	void *count;

	(void)state;
	create(&fixture);
	for (int i = 0; i < 3; i++)
		herald_http_connection_destroy(connect_and_send(&fixture, POST));
	assert_int_equal(pthread_create(&committer, NULL, commit_later, &fixture.inbox), 0);
	herald_http_worker_destroy(fixture.worker);
	fixture.worker = NULL;
	pthread_join(committer, &count);
	assert_int_equal((size_t)count, 3);
	destroy(&fixture);
}

static void
store_without_wake(void **state)
{
	struct herald_http_worker *worker = NULL;
	struct herald_error error;
	struct fixture fixture;

	(void)state;
	create(&fixture);
	assert_int_equal(
		herald_http_worker_create(fixture.endpoint, NULL, NULL, NULL, &worker, &error),
		HERALD_BAD_OPTION);
	assert_null(worker);
	assert_string_equal(error.path, "store");
	assert_string_equal(error.message,
			    "store: needs a function that wakes the worker's thread");
	/* Of any endpoint. */
	const struct herald_server_path paths[] = {{.path = "/b", .endpoint = fixture.endpoint}};
	assert_int_equal(
		herald_http_worker_create(NULL, &HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths)),
					  NULL, NULL, &worker, &error),
		HERALD_BAD_OPTION);
	assert_string_equal(error.path, "store");
	destroy(&fixture);
}

/* One worker for services with and without a store: each has its own answer. */
static void
both_kinds_of_services(void **state)
{
	static const char plain_post[] = "POST /plain HTTP/1.1\r\nHost: t\r\n"
					 "Content-Type: application/json\r\n"
					 "Content-Length: 76\r\n\r\n" EVENT;
	const struct herald_route routes[] = {
		HERALD_ROUTE("order_placed", herald_json, on_order, NULL),
	};
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct herald_http_worker *worker;
	struct fixture fixture;

	(void)state;
	create(&fixture);
	fixture.inbox.answers_at_once = true;
	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)),
					       &service, NULL),
			 HERALD_OK);
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	const struct herald_server_path paths[] = {{.path = "/plain", .endpoint = endpoint}};
	assert_int_equal(
		herald_http_worker_create(fixture.endpoint,
					  &HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths)), wake,
					  &fixture, &worker, NULL),
		HERALD_OK);
	struct herald_http_connection *connection = herald_http_connection_create(worker, NULL, 0);
	assert_non_null(connection);
	for (int i = 0; i < 6; i++) {
		bool is_stored = i % 3 != 1;
		char request[256];

		snprintf(request, sizeof(request), "%s", is_stored ? POST : plain_post);
		herald_http_connection_receive(connection, request, strlen(request), 0);
		assert_ptr_equal(herald_http_worker_resume(worker, 0),
				 is_stored ? connection : NULL);
		if (is_stored)
			assert_null(herald_http_worker_resume(worker, 0));
		const char *data;
		size_t bytes = herald_http_connection_output(connection, &data);
		const char *body =
			is_stored ? "{\"status\":\"accepted\"}" : "{\"status\":\"success\"}";
		assert_true(bytes > strlen(body));
		assert_memory_equal(data, is_stored ? "HTTP/1.1 202" : "HTTP/1.1 200", 12);
		assert_memory_equal(data + bytes - strlen(body), body, strlen(body));
		herald_http_connection_sent(connection, bytes, 0);
	}
	herald_http_connection_destroy(connection);
	herald_http_worker_destroy(worker);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	destroy(&fixture);
}

/* Whatever allocation fails, the event is stored and answered with 202, or neither. */
static void
memory_fails(void **state)
{
	(void)state;
	for (size_t n = 1;; n++) {
		struct fixture fixture;
		const char *data;

		create(&fixture);
		fixture.inbox.answers_at_once = true;
		struct herald_http_connection *connection =
			herald_http_connection_create(fixture.worker, NULL, 0);
		char request[] = POST;

		fixture.memory.mode = FAIL_ONLY;
		fixture.memory.fail_at = fixture.memory.calls + n;
		herald_http_connection_receive(connection, request, strlen(request), 0);
		while (herald_http_worker_resume(fixture.worker, 0))
			;
		size_t failures = fixture.memory.failures;
		size_t bytes = herald_http_connection_output(connection, &data);
		bool is_accepted = bytes > 0 && strncmp(data, ACCEPTED, strlen(ACCEPTED)) == 0;
		if (!is_accepted && bytes > 0)
			assert_memory_equal(data, "HTTP/1.1 503 ", 13);
		/* The answer itself may not have had memory. */
		if (is_accepted)
			assert_int_equal(fixture.inbox.stored_count, 1);
		assert_true(failures > 0 || is_accepted);
		herald_http_connection_destroy(connection);
		destroy(&fixture);
		if (failures == 0)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_commit_wakes_once),
		cmocka_unit_test(store_answers_at_once),
		cmocka_unit_test(connection_ends_before_the_commit),
		cmocka_unit_test(worker_waits_for_the_commit),
		cmocka_unit_test(store_without_wake),
		cmocka_unit_test(both_kinds_of_services),
		cmocka_unit_test(memory_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
