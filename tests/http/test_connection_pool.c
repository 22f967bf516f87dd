/*
 * Connections without sockets whose events a pool handles. A thread of the pool holds an event
 * until the test lets it go, so that a connection can end in every way meanwhile.
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

#include <cmocka.h>

#include "http/connection_fixture.h"
#include "support/failing_allocator.h"

/* Pools. A worker thread holds an event until the test lets it go. */

struct held {
	struct wire wire;
	struct herald_pool *pool;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned holding, released, woken;
};

static void
hold(void *state)
{
	struct held *held = state;

	pthread_mutex_lock(&held->mutex);
	unsigned turn = ++held->holding;
	pthread_cond_broadcast(&held->changed);
	while (held->released < turn)
		pthread_cond_wait(&held->changed, &held->mutex);
	pthread_mutex_unlock(&held->mutex);
}

static void
wake(void *state)
{
	struct held *held = state; /* its first member is the wire */

	pthread_mutex_lock(&held->mutex);
	held->woken++;
	pthread_cond_broadcast(&held->changed);
	pthread_mutex_unlock(&held->mutex);
}

static void
wait_for(struct held *held, const unsigned *counter, unsigned count)
{
	pthread_mutex_lock(&held->mutex);
	while (*counter < count)
		pthread_cond_wait(&held->changed, &held->mutex);
	pthread_mutex_unlock(&held->mutex);
}

static void
release(struct held *held)
{
	pthread_mutex_lock(&held->mutex);
	held->released++;
	pthread_cond_broadcast(&held->changed);
	pthread_mutex_unlock(&held->mutex);
	wait_for(held, &held->woken, held->released);
}

static void
create_held(struct held *held, struct herald_server_options *options)
{
	*held = (struct held){0};
	pthread_mutex_init(&held->mutex, NULL);
	pthread_cond_init(&held->changed, NULL);
	assert_int_equal(herald_pool_create(&HERALD_POOL_OPTIONS(.threads = 1), &held->pool, NULL),
			 HERALD_OK);
	options->pool = held->pool;
	assert_int_equal(wire_create(&held->wire, options, wake), HERALD_OK);
	held->wire.hold = hold;
	held->wire.hold_state = held;
	assert_true(wire_connect(&held->wire));
}

static void
destroy_held(struct held *held)
{
	herald_pool_destroy(held->pool);
	wire_destroy(&held->wire);
	pthread_mutex_destroy(&held->mutex);
	pthread_cond_destroy(&held->changed);
}

static void
events_on_a_pool(void **state)
{
	static const char *const requests[] = {DONE, CHUNKED_EVENT};
	struct herald_server_options options = HERALD_SERVER_OPTIONS(.quiet = true);
	struct held held;
	struct wire *wire = &held.wire;

	(void)state;
	create_held(&held, &options);
	for (unsigned i = 0; i < HERALD_COUNT(requests); i++) {
		unsigned turn = 2 * i;

		/* The next request waits until the first is answered. */
		send_text(wire, requests[i]);
		wait_for(&held, &held.holding, turn + 1);
		assert_int_equal(wire_wants(wire), 0);
		assert_true(herald_http_connection_deadline(wire->connection) == UINT64_MAX);
		release(&held);
		assert_ptr_equal(herald_http_worker_resume(wire->worker, wire->now_ms),
				 wire->connection);
		assert_null(herald_http_worker_resume(wire->worker, wire->now_ms));
		wire_flush(wire);
		assert_int_equal(wire_wants(wire), HERALD_HTTP_READ | HERALD_HTTP_IDLE);
		send_text(wire, LAST "x");
		wait_for(&held, &held.holding, turn + 2);
		wire_end(wire);
		release(&held);
		assert_ptr_equal(herald_http_worker_resume(wire->worker, wire->now_ms),
				 wire->connection);
		assert_null(herald_http_worker_resume(wire->worker, wire->now_ms));
		wire_flush(wire);
		assert_null(wire->connection);
		assert_answers(wire, SUCCESS "200 {\"status\":\"success\"} close\n");
		assert_true(wire_connect(wire));
	}
	destroy_held(&held);
}

/* A connection that is gone is freed when the pool is done with it. */
static void
destroy_while_a_pool_works(bool resumes)
{
	struct failing_allocator memory;
	struct held held;

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	create_held(&held, &HERALD_SERVER_OPTIONS(.allocator = memory.allocator));
	send_text(&held.wire, DONE DONE);
	wait_for(&held, &held.holding, 1);
	wire_disconnect(&held.wire);
	release(&held);
	if (resumes)
		assert_null(herald_http_worker_resume(held.wire.worker, held.wire.now_ms));
	destroy_held(&held);
	assert_all_released(&memory);
}

static void
destroyed_while_a_pool_works(void **state)
{
	(void)state;
	destroy_while_a_pool_works(true);
	destroy_while_a_pool_works(false); /* its worker is destroyed first */
}

/* The same when its client does not take the answers before. */
static void
expired_while_a_pool_works(void **state)
{
	struct herald_server_options options = timeouts();
	struct failing_allocator memory;
	struct held held;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	options.allocator = memory.allocator;
	create_held(&held, &options);
	send_text(&held.wire, GET("/echo") DONE DONE);
	wait_for(&held, &held.holding, 1);
	assert_int_equal(wire_wants(&held.wire), HERALD_HTTP_WRITE);
	let_expire(&held.wire, 400);
	assert_null(held.wire.connection);
	release(&held);
	assert_null(herald_http_worker_resume(held.wire.worker, held.wire.now_ms));
	/* If it is resumed before it is destroyed, it remains closed. */
	assert_true(wire_connect(&held.wire));
	send_text(&held.wire, GET("/echo") DONE DONE);
	wait_for(&held, &held.holding, 2);
	held.wire.now_ms += 400;
	herald_http_connection_expire(held.wire.connection, held.wire.now_ms);
	assert_int_equal(wire_wants(&held.wire), HERALD_HTTP_CLOSE);
	release(&held);
	assert_ptr_equal(herald_http_worker_resume(held.wire.worker, held.wire.now_ms),
			 held.wire.connection);
	assert_int_equal(wire_wants(&held.wire), HERALD_HTTP_CLOSE);
	destroy_held(&held);
	assert_all_released(&memory);
}

/* And when there is no memory for what it sends meanwhile: the event is answered, then closed. */
static void
no_memory_while_a_pool_works(void **state)
{
	struct failing_allocator memory;
	struct held held;
	struct wire *wire = &held.wire;
	struct herald_server_options options = HERALD_SERVER_OPTIONS(.quiet = true);

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	create_held(&held, &options);
	wire_disconnect(wire);
	herald_http_worker_destroy(wire->worker);
	options.allocator = memory.allocator;
	assert_int_equal(herald_http_worker_create(wire->endpoint, &options, wake, wire,
						   &wire->worker, NULL),
			 HERALD_OK);
	assert_true(wire_connect(wire));
	memory.mode = FAIL_ONLY;
	memory.fail_at = memory.calls + 1;
	send_text(wire, DONE DONE);
	wait_for(&held, &held.holding, 1);
	assert_int_equal(memory.failures, 1);
	assert_int_equal(wire_wants(wire), 0);
	release(&held);
	assert_ptr_equal(herald_http_worker_resume(wire->worker, wire->now_ms), wire->connection);
	wire_flush(wire);
	assert_answers(wire, "200 {\"status\":\"success\"} close\n");
	destroy_held(&held);
	assert_all_released(&memory);
}

/* The thread is woken once for what it has not seen, and sees it in order. */
static void
events_of_several_connections(void **state)
{
	struct herald_http_connection *connections[3];
	struct herald_server_options options = HERALD_SERVER_OPTIONS(.quiet = true);
	struct herald_http_worker *worker;
	struct held held;

	(void)state;
	create_held(&held, &options);
	worker = held.wire.worker;
	for (unsigned i = 0; i < HERALD_COUNT(connections); i++) {
		char event[] = DONE;

		connections[i] = herald_http_connection_create(worker, NULL, 0);
		herald_http_connection_receive(connections[i], event, strlen(event), 0);
	}
	pthread_mutex_lock(&held.mutex);
	held.released = HERALD_COUNT(connections);
	pthread_cond_broadcast(&held.changed);
	pthread_mutex_unlock(&held.mutex);
	assert_int_equal(herald_pool_stop(held.pool, 10000), 0);
	assert_int_equal(held.woken, 1);
	for (unsigned i = 0; i < HERALD_COUNT(connections); i++) {
		assert_ptr_equal(herald_http_worker_resume(worker, 0), connections[i]);
		assert_int_equal(herald_http_connection_wants(connections[i]),
				 HERALD_HTTP_READ | HERALD_HTTP_WRITE);
		herald_http_connection_destroy(connections[i]);
	}
	assert_null(herald_http_worker_resume(worker, 0));
	destroy_held(&held);
}

struct slow_wake {
	atomic_bool begun, ended;
};

static void
wake_slowly(void *state)
{
	struct slow_wake *slow = state;

	atomic_store(&slow->begun, true);
	/* Time for the other thread, which would otherwise find the connection and free us. */
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	atomic_store(&slow->ended, true);
}

static void
a_wake_ends_before_its_event_is_found(void **state)
{
	struct herald_server_options options = HERALD_SERVER_OPTIONS(.quiet = true);
	struct slow_wake slow = {0};
	struct held held;
	struct herald_http_worker *worker;
	char event[] = DONE;

	(void)state;
	create_held(&held, &options);
	held.released = 1;
	assert_int_equal(herald_http_worker_create(held.wire.endpoint, &options, wake_slowly, &slow,
						   &worker, NULL),
			 HERALD_OK);
	struct herald_http_connection *connection = herald_http_connection_create(worker, NULL, 0);
	herald_http_connection_receive(connection, event, strlen(event), 0);
	while (!atomic_load(&slow.begun))
		sched_yield();
	assert_ptr_equal(herald_http_worker_resume(worker, 0), connection);
	assert_true(atomic_load(&slow.ended));
	herald_http_connection_destroy(connection);
	herald_http_worker_destroy(worker);
	destroy_held(&held);
}

static void
pool_without_wake(void **state)
{
	struct herald_server_options options = HERALD_SERVER_OPTIONS(.quiet = true);
	struct herald_http_worker *worker = NULL;
	struct herald_error error;
	struct held held;

	(void)state;
	create_held(&held, &options);
	assert_int_equal(herald_http_worker_create(held.wire.endpoint, &options, NULL, NULL,
						   &worker, &error),
			 HERALD_BAD_OPTION);
	assert_null(worker);
	assert_string_equal(error.path, "pool");
	assert_string_equal(error.message, "pool: needs a function that wakes the worker's thread");
	destroy_held(&held);
}

/* A pool that stops. */
static void
full_pool(void **state)
{
	struct herald_server_options options = HERALD_SERVER_OPTIONS(.quiet = true);
	struct held held;

	(void)state;
	create_held(&held, &options);
	herald_pool_stop(held.pool, 0);
	send_text(&held.wire, DONE DONE);
	wire_flush(&held.wire);
	assert_answers(&held.wire,
		       "503 Retry-After: 1 {\"error\":\"too many events are waiting\"}\n"
		       "503 Retry-After: 1 {\"error\":\"too many events are waiting\"}\n");
	destroy_held(&held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_on_a_pool),
		cmocka_unit_test(destroyed_while_a_pool_works),
		cmocka_unit_test(expired_while_a_pool_works),
		cmocka_unit_test(no_memory_while_a_pool_works),
		cmocka_unit_test(events_of_several_connections),
		cmocka_unit_test(a_wake_ends_before_its_event_is_found),
		cmocka_unit_test(pool_without_wake),
		cmocka_unit_test(full_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
