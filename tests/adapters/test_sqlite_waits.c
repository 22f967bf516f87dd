/*
 * Waits of the database on SQLite for other connections: how long each lasts, and that a stop ends
 * it.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/adapter/queue.h>
#include <herald/sqlite.h>
#include <herald/store.h>

#include "../../adapters/store/sqlite/shared.h"
#include "support/sqlite_file.h"

static const struct herald_database_ops *
ops(const struct sqlite_file *file)
{
	return file->database->ops;
}

static enum herald_status
accept_one(struct sqlite_file *file, struct herald_session *session, struct herald_error *error)
{
	return sqlite_file_accept(file, session, "{}", 2, error);
}

#define assert_works(CALL, ERROR)                                                                  \
	do {                                                                                       \
		if ((CALL) != HERALD_OK)                                                           \
			fail_msg("%s: %s", #CALL, (ERROR)->message);                               \
	} while (0)

static void
assert_message(const struct herald_error *error, const char *part)
{
	if (!strstr(error->message, part))
		fail_msg("expected \"%s\", found \"%s\"", part, error->message);
}

/* SQLite's sleep in waits for locks: the adapter calls this function instead. */
static struct {
	atomic_uint count, total_ms;
	atomic_uint others;          /* not of BUSY_PAUSE_MS */
	bool is_fake;                /* takes no time */
	void (*before)(void *state); /* called by the first one; NULL: nothing */
	void *state;
} sleeps;

int
sqlite3_sleep(int ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000L};

	if (sleeps.before && sleeps.count == 0)
		sleeps.before(sleeps.state);
	sleeps.count++;
	sleeps.total_ms += (unsigned)ms;
	sleeps.others += ms != 5;
	if (!sleeps.is_fake)
		nanosleep(&time, NULL);
	return ms;
}

static void
forget_sleeps(void)
{
	memset(&sleeps, 0, sizeof(sleeps));
}

/* By default as long as the header says. */
static void
a_wait_for_a_lock_has_a_default(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	sqlite_file_open(&file);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	file.user = sqlite_file_connect(&file);
	assert_int_equal(sqlite3_exec(file.user, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	forget_sleeps();
	sleeps.is_fake = true;
	assert_int_equal(accept_one(&file, session, &error), HERALD_UNAVAILABLE);
	assert_message(&error, "a.db: another connection has been writing for longer than "
			       "busy_timeout_ms (10000)");
	assert_in_range(sleeps.total_ms, 9990, 10000);
	forget_sleeps();
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

/* A file that is not in WAL mode yet, and another connection that first writes, then keeps all
 * others out. */
static void
keep_others_out(void *state)
{
	assert_int_equal(sqlite3_exec(state, "COMMIT; BEGIN EXCLUSIVE", NULL, NULL, NULL),
			 SQLITE_OK);
}

/* The wait for WAL mode has its own pauses, and no others of SQLite's, which would come on top. */
static void
a_wait_for_wal_mode_is_one_wait(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	sqlite_file_init(&file);
	file.user = sqlite_file_connect(&file);
	assert_int_equal(
		sqlite3_exec(file.user, "CREATE TABLE a (b); BEGIN IMMEDIATE", NULL, NULL, NULL),
		SQLITE_OK);
	forget_sleeps();
	sleeps.before = keep_others_out;
	sleeps.state = file.user;
	assert_int_equal(
		sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.busy_timeout_ms = 50), NULL, &error),
		HERALD_UNAVAILABLE);
	assert_message(&error, "a.db is locked by another connection for longer than "
			       "busy_timeout_ms (50)");
	assert_true(sleeps.count > 0);
	assert_int_equal(sleeps.others, 0);
	forget_sleeps();
	sqlite_file_close(&file);
}

static void
a_writer_that_takes_long_is_named(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	sqlite_file_init(&file);
	assert_works(
		sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.busy_timeout_ms = 50), NULL, &error),
		&error);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
	struct herald_session *other = sqlite_file_session(&file, HERALD_SESSION_ADMIN);
	sqlite3 *user = sqlite_file_connect(&file);
	assert_int_equal(sqlite3_exec(user, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(accept_one(&file, session, &error), HERALD_UNAVAILABLE);
	assert_message(&error, "a.db: another connection has been writing for longer than "
			       "busy_timeout_ms (50)");
	sqlite3_close(user);
	assert_works(ops(&file)->begin(other, &error), &error);
	assert_int_equal(accept_one(&file, session, &error), HERALD_UNAVAILABLE);
	assert_message(&error, "a.db: another transaction of this process has lasted for longer "
			       "than busy_timeout_ms (50)");
	ops(&file)->rollback(other);
	assert_works(accept_one(&file, session, &error), &error);
	ops(&file)->session_close(other);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

static void
interrupt(void *state)
{
	struct sqlite_file *file = state;

	ops(file)->interrupt(file->database);
}

static void
a_wait_for_a_lock_is_interrupted(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	sqlite_file_open(&file);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_ADMIN);
	file.user = sqlite_file_connect(&file);
	assert_int_equal(sqlite3_exec(file.user, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	forget_sleeps();
	sleeps.is_fake = true;
	sleeps.before = interrupt;
	sleeps.state = &file;
	assert_int_equal(ops(&file)->begin(session, &error), HERALD_UNAVAILABLE);
	assert_message(&error, "interrupted: the store is being destroyed");
	assert_int_equal(sleeps.count, 1);
	forget_sleeps();
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

static uint64_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* A stop, while another connection has the lock of writers for as long as it likes. */

struct waiter {
	struct sqlite_file *file;
	struct herald_session *session;
	enum herald_status status;
	struct herald_error error;
};

static void *
wait_for_the_lock(void *state)
{
	struct waiter *waiter = state;

	waiter->status = ops(waiter->file)->begin(waiter->session, &waiter->error);
	return NULL;
}

/* The turn is taken as by a session of this process that does not go on. */
static struct herald__fair_lock *
take_turn(const struct sqlite_file *file)
{
	struct herald__fair_lock *turn = &((struct sqlite_database *)file->database)->writer;

	assert_true(herald__fair_lock_take(turn, 0, NULL));
	return turn;
}

/* The time that a session waits for its turn is not waited again for SQLite's lock. */
static void
a_wait_for_both_locks_is_one_wait(void **unused)
{
	static const struct timespec turn_time = {.tv_nsec = 200000000};
	struct waiter waiter;
	struct sqlite_file file;
	pthread_t thread;

	(void)unused;
	sqlite_file_open(&file);
	waiter = (struct waiter){.file = &file,
				 .session = sqlite_file_session(&file, HERALD_SESSION_COMMIT)};
	file.user = sqlite_file_connect(&file);
	assert_int_equal(sqlite3_exec(file.user, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	struct herald__fair_lock *turn = take_turn(&file);
	forget_sleeps();
	sleeps.is_fake = true;
	assert_int_equal(pthread_create(&thread, NULL, wait_for_the_lock, &waiter), 0);
	while (sqlite_file_waiters(&file) == 0)
		sched_yield();
	nanosleep(&turn_time, NULL);
	herald__fair_lock_give(turn);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(waiter.status, HERALD_UNAVAILABLE);
	assert_in_range(sleeps.total_ms, 1000, 10000 - 150);
	forget_sleeps();
	/* The next wait begins anew. */
	assert_int_equal(herald__sqlite_session(waiter.session)->wait.turn_ms, 0);
	ops(&file)->session_close(waiter.session);
	sqlite_file_close(&file);
}

/* The turn does not come: the test hangs if nothing ends the wait for it. */
static void
a_wait_for_a_turn_is_interrupted(void **unused)
{
	struct sqlite_file file;
	struct herald_error error;
	pthread_t thread;

	(void)unused;
	sqlite_file_init(&file);
	assert_works(sqlite_file_try(&file, &HERALD_SQLITE_OPTIONS(.busy_timeout_ms = 600000), NULL,
				     &error),
		     &error);
	struct waiter waiter = {.file = &file,
				.session = sqlite_file_session(&file, HERALD_SESSION_ADMIN)};
	struct herald__fair_lock *turn = take_turn(&file);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_the_lock, &waiter), 0);
	while (sqlite_file_waiters(&file) == 0)
		sched_yield();
	interrupt(&file);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(waiter.status, HERALD_UNAVAILABLE);
	assert_message(&waiter.error, "interrupted: the store is being destroyed");
	herald__fair_lock_give(turn);
	ops(&file)->session_close(waiter.session);
	sqlite_file_close(&file);
}

/* After the drain, a wait for a turn still has half a second: for a transaction that is about to
 * end. On a slow machine, it may not be enough each time. */
static void
a_wait_after_the_drain_is_short(void **unused)
{
	enum herald_status status = HERALD_UNAVAILABLE;
	struct sqlite_file file;

	(void)unused;
	sqlite_file_open(&file);
	ops(&file)->stopping(file.database, 0);
	for (int i = 0; i < 20 && status != HERALD_OK; i++) {
		struct waiter waiter = {.file = &file};
		struct herald__fair_lock *turn = take_turn(&file);
		pthread_t thread;

		waiter.session = sqlite_file_session(&file, HERALD_SESSION_COMMIT);
		assert_int_equal(pthread_create(&thread, NULL, wait_for_the_lock, &waiter), 0);
		bool has_ended = false;
		while (sqlite_file_waiters(&file) == 0 && !has_ended)
			has_ended = pthread_tryjoin_np(thread, NULL) == 0;
		herald__fair_lock_give(turn);
		if (!has_ended)
			assert_int_equal(pthread_join(thread, NULL), 0);
		status = waiter.status;
		ops(&file)->session_close(waiter.session);
	}
	assert_int_equal(status, HERALD_OK);
	sqlite_file_close(&file);
}

/* One waits for SQLite's lock, and the others for their turn: all waits end with the drain, and not
 * one after the other. */
static void
a_stop_ends_waits_for_locks(void **unused)
{
	struct waiter waiters[3];
	pthread_t threads[3];
	struct sqlite_file file;

	(void)unused;
	sqlite_file_open(&file);
	for (int i = 0; i < 3; i++)
		waiters[i] = (struct waiter){
			.file = &file,
			.session = sqlite_file_session(&file, i == 0 ? HERALD_SESSION_COMMIT
								     : HERALD_SESSION_JOIN)};
	sqlite3 *user = sqlite_file_connect(&file);
	assert_int_equal(sqlite3_exec(user, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	forget_sleeps();
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_the_lock, &waiters[i]),
				 0);
	while (sleeps.count == 0 || sqlite_file_waiters(&file) < 2)
		sched_yield();
	ops(&file)->stopping(file.database, 100);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(waiters[i].status, HERALD_UNAVAILABLE);
		assert_message(&waiters[i].error, "a.db: another connection is writing, and the "
						  "store is being stopped");
	}
	/* busy_timeout_ms is 10 s for each, and half a second each would be 1.5 s. */
	assert_in_range(sleeps.total_ms, 100, 1000);
	forget_sleeps();
	sqlite3_close(user);
	/* When the lock is free, what has ended is still stored. */
	for (int i = 0; i < 3; i++) {
		struct herald_error error;

		assert_works(accept_one(&file, waiters[i].session, &error), &error);
		ops(&file)->session_close(waiters[i].session);
	}
	sqlite_file_close(&file);
}

/* Another session has the turn, and goes on. */
static void
a_stop_ends_a_wait_for_a_turn(void **unused)
{
	struct waiter waiter;
	struct sqlite_file file;
	struct herald_error error;
	struct timespec late;
	pthread_t thread;

	(void)unused;
	sqlite_file_open(&file);
	struct herald_session *session = sqlite_file_session(&file, HERALD_SESSION_JOIN);
	waiter = (struct waiter){.file = &file,
				 .session = sqlite_file_session(&file, HERALD_SESSION_COMMIT)};
	assert_works(ops(&file)->begin(session, &error), &error);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_the_lock, &waiter), 0);
	while (sqlite_file_waiters(&file) == 0)
		sched_yield();
	ops(&file)->stopping(file.database, 0);
	clock_gettime(CLOCK_REALTIME, &late);
	late.tv_sec += 8; /* busy_timeout_ms is 10 s */
	assert_int_equal(pthread_timedjoin_np(thread, NULL, &late), 0);
	assert_int_equal(waiter.status, HERALD_UNAVAILABLE);
	assert_message(&waiter.error, "the store is being stopped");
	assert_works(ops(&file)->commit(session, &error), &error);
	assert_works(accept_one(&file, waiter.session, &error), &error);
	ops(&file)->session_close(waiter.session);
	ops(&file)->session_close(session);
	sqlite_file_close(&file);
}

static void
a_store_stops_within_its_drains(void **unused)
{
	struct herald_store_options options = HERALD_STORE_OPTIONS(.workers = 2);
	struct herald_delivery_queue *queue = NULL;
	struct herald_store *store = NULL;
	struct sqlite_file file;
	struct herald_error error;

	(void)unused;
	sqlite_file_init(&file);
	assert_works(herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = file.path),
					  &options.database, &error),
		     &error);
	assert_works(herald_store_create(&options, &store, &error), &error);
	/* It starts the threads. */
	assert_works(herald_store_queue_create(store, &queue, &error), &error);
	sqlite3 *user = sqlite_file_connect(&file);
	assert_int_equal(sqlite3_exec(user, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	const uint64_t began_s = seconds();
	herald_store_stop(store, 100);
	queue->ops->destroy(queue);
	herald_store_destroy(store);
	assert_true(seconds() - began_s < 8);
	sqlite3_close(user);
	/* Its node is still there, and is recovered by the next one. */
	assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_node"), 1);
	sqlite_file_close(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_for_a_lock_has_a_default),
		cmocka_unit_test(a_wait_for_wal_mode_is_one_wait),
		cmocka_unit_test(a_writer_that_takes_long_is_named),
		cmocka_unit_test(a_wait_for_both_locks_is_one_wait),
		cmocka_unit_test(a_wait_for_a_lock_is_interrupted),
		cmocka_unit_test(a_wait_for_a_turn_is_interrupted),
		cmocka_unit_test(a_wait_after_the_drain_is_short),
		cmocka_unit_test(a_stop_ends_waits_for_locks),
		cmocka_unit_test(a_stop_ends_a_wait_for_a_turn),
		cmocka_unit_test(a_store_stops_within_its_drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
