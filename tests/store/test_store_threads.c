/*
 * A store with its threads: many senders at once, stops in the middle, hooks, and memory that runs
 * out. It waits for conditions only.
 */
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

#include "store/dispatch_work.h"
#include "support/failing_allocator.h"
#include "support/store_fixture.h"

#define SENDERS 4
#define EACH 200

static struct store_fixture *f;

static int
setup(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	return f ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	free(f);
	return 0;
}

static void
await_done(uint64_t count)
{
	while (store_counts(f).done < count)
		herald__dispatch_drain(f->store, 1);
}

static pthread_mutex_t submitting = PTHREAD_MUTEX_INITIALIZER;

static void *
send_many(void *state)
{
	const char *action = state;

	for (int i = 0; i < EACH; i++) {
		char id[16];

		pthread_mutex_lock(&submitting);
		snprintf(id, sizeof(id), "%zu", f->arrivals_count + 1);
		store_submit(f, id, action);
		pthread_mutex_unlock(&submitting);
	}
	return NULL;
}

static void
test_many_senders(void **state)
{
	static const char *const actions[SENDERS] = {"done", "join", "done", "join"};
	pthread_t senders[SENDERS];

	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.has_threads = true});
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&senders[i], NULL, send_many, (void *)actions[i]),
				 0);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	store_await_answers(f);
	store_await_runs(f, (size_t)SENDERS * EACH);
	assert_int_equal(herald_store_stop(f->store, 10000), 0);
	const struct herald_store_statistics counts = store_counts(f);
	assert_int_equal(counts.accepted, SENDERS * EACH);
	assert_int_equal(counts.done, SENDERS * EACH);
	assert_int_equal(counts.runs, SENDERS * EACH);
	assert_int_equal(counts.lost, 0);
	assert_int_equal(model_committed(f->model)->rows_count, 0);
	assert_int_equal(model_committed(f->model)->effects_count, SENDERS / 2 * EACH);
	store_fixture_finish(f);
}

/* A stop waits for functions up to its time, and gives back what has not begun. */
static void
test_stop_while_functions_run(void **state)
{
	(void)state;
	store_fixture_init(
		f, &(struct store_fixture_options){.has_threads = true, .store = {.workers = 2}});
	f->is_blocked = true;
	for (int i = 1; i <= 6; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		store_submit(f, id, "wait");
	}
	store_await_answers(f);
	store_await_runs(f, 2);
	assert_int_equal(herald_store_stop(f->store, 1), 2);
	assert_int_equal(f->runs_count, 2);
	pthread_mutex_lock(&f->mutex);
	f->is_blocked = false;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->mutex);
	assert_int_equal(herald_store_stop(f->store, 10000), 0);
	assert_int_equal(store_counts(f).done, 2);
	const struct model_tables *tables = model_committed(f->model);
	assert_int_equal(tables->rows_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(tables->rows[i]->state, MODEL_READY);
		assert_int_equal(tables->rows[i]->attempts, 0);
	}
	store_fixture_finish(f);
}

/* The thread for upkeep counts, and the first interruption comes too early to end that. */
static atomic_uint interruptions;
static atomic_bool counts;

static enum herald_status
count_until_interrupted_again(struct herald_session *session,
			      const struct herald_purge_filter *filter, uint64_t *count,
			      struct herald_error *error)
{
	(void)session;
	(void)filter;
	*count = 0;
	counts = true;
	for (int i = 0; interruptions < 2 && i < 20000; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "interrupted");
}

static void
note_interruption(struct herald_database *database)
{
	(void)database;
	interruptions++;
}

static void
adapt_count(struct herald_database_ops *ops)
{
	ops->pending = count_until_interrupted_again;
	ops->pending_most = NULL;
	ops->interrupt = note_interruption;
}

static void
test_a_count_that_begins_late_is_interrupted(void **state)
{
	(void)state;
	interruptions = 0;
	counts = false;
	store_fixture_init(
		f, &(struct store_fixture_options){.has_threads = true, .adapt = adapt_count});
	store_submit(f, "1", "done");
	store_await_answers(f);
	while (!counts)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	herald_service_destroy(f->service);
	herald_store_destroy(f->store);
	f->service = NULL;
	f->store = NULL;
	assert_true(interruptions >= 2);
	assert_false(store_logged(f, "upkeep failed"));
	store_fixture_finish(f);
}

/* The last drain. */

static uint64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A database that cannot store ends until a time, or takes long for each. */
struct outage {
	atomic_uint_fast64_t until_ms;
	atomic_uint takes_ms;
};

static enum herald_status
hinder_ends(struct model_call *call, void *state)
{
	struct outage *outage = state;
	const struct timespec time = {.tv_nsec = (long)outage->takes_ms * 1000000};

	if (call->op != MODEL_COMPLETE)
		return MODEL_GO_ON;
	nanosleep(&time, NULL);
	return monotonic_ms() < outage->until_ms ? HERALD_UNAVAILABLE : MODEL_GO_ON;
}

static void
ignore_stopping(struct herald_database *database, uint32_t drain_ms)
{
	(void)database;
	(void)drain_ms;
}

static void
waits_for_locks(struct herald_database_ops *ops)
{
	ops->stopping = ignore_stopping;
}

#define NEVER_MS UINT64_MAX

/* What cannot be stored while a store is stopped gets 5 s when it is destroyed, also if each commit
 * takes long; and one second if the database waits for locks, and is unavailable. */
static const struct last_drain {
	bool waits_for_locks;
	uint64_t outage_ms;
	unsigned takes_ms; /* for each of eight ends */
	bool is_stored;
} last_drains[] = {
	{false, 2000, 0, true},
	{true, NEVER_MS, 0, false},
	{true, 0, 200, true},
};

static void
stop_in_an_outage(const struct last_drain *drain, struct outage *outage)
{
	pthread_mutex_lock(&f->mutex);
	f->is_blocked = true;
	pthread_mutex_unlock(&f->mutex);
	for (int i = 1; i <= 8; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		store_submit(f, id, "wait");
	}
	store_await_answers(f);
	store_await_runs(f, 8);
	outage->until_ms = drain->outage_ms == 0 ? 0 : NEVER_MS;
	outage->takes_ms = drain->takes_ms;
	pthread_mutex_lock(&f->mutex);
	f->is_blocked = false;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->mutex);
	herald_store_stop(f->store, 1);
	if (drain->outage_ms != 0 && drain->outage_ms != NEVER_MS)
		outage->until_ms = monotonic_ms() + drain->outage_ms;
}

static void
test_last_drain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(last_drains) / sizeof(last_drains[0]); i++) {
		const struct last_drain *drain = &last_drains[i];
		struct outage outage = {0};
		struct model *model = model_create(
			&(struct model_options){.hook = hinder_ends, .state = &outage});

		store_fixture_init(
			f, &(struct store_fixture_options){
				   .model = model,
				   .has_threads = true,
				   .store = {.workers = 8, .max_batch = 1},
				   .adapt = drain->waits_for_locks ? waits_for_locks : NULL});
		stop_in_an_outage(drain, &outage);
		const uint64_t began_ms = monotonic_ms();
		store_fixture_finish(f);
		assert_int_equal(model_committed(model)->rows_count, drain->is_stored ? 0 : 8);
		if (!drain->is_stored)
			assert_in_range(monotonic_ms() - began_ms, 900, 4000);
		model_destroy(model);
		memset(f, 0, sizeof(*f));
	}
}

/* A service can be destroyed and created again while the store runs. */
static void
test_service_comes_and_goes(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		store_fixture_init(f, &(struct store_fixture_options){.has_threads = true});
		for (int j = 0; j < 20; j++) {
			char id[16];

			snprintf(id, sizeof(id), "%d", j);
			store_submit(f, id, "done");
		}
		herald_service_destroy(f->service);
		f->service = NULL;
		for (int j = 0; j < 20; j++)
			assert_int_equal(f->arrivals[j].answers, 1);
		store_fixture_finish(f);
		memset(f, 0, sizeof(*f));
	}
}

static void *
wait_for_a_job(void *state)
{
	(void)state;
	herald__dispatch_worker_wait(f->store, &submitting);
	return NULL;
}

static void
await_idle(void)
{
	bool is_idle = false;

	while (!is_idle) {
		pthread_mutex_lock(&f->store->dispatch.mutex);
		is_idle = f->store->dispatch.idle == 1;
		pthread_mutex_unlock(&f->store->dispatch.mutex);
	}
}

/* Only the worker with a transaction takes events that join it. What is behind them does not wait
 * for that worker: when it has taken the last one, others are woken. */
static void
test_wakes_for_what_is_behind_a_join(void **state)
{
	struct herald__job_list ended = {0};
	struct herald__worker *joiner;
	struct timespec until;
	pthread_t other;

	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){0});
	joiner = &f->store->workers[0];
	store_submit(f, "1", "join");
	store_settle(f);
	assert_null(herald__dispatch_next(f->store, joiner, true, &ended));
	store_submit(f, "2", "join");
	store_submit(f, "3", "done");
	herald__committer_turn(f->store);
	assert_int_equal(store_counts(f).claimed, 2);
	assert_int_equal(pthread_create(&other, NULL, wait_for_a_job, NULL), 0);
	await_idle();

	struct herald__job *job = herald__dispatch_next(f->store, joiner, true, &ended);
	assert_string_equal(job->event_id, "2");
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	assert_int_equal(pthread_timedjoin_np(other, NULL, &until), 0);
	job->kind = HERALD_COMPLETE_DONE;
	herald__job_list_add(&ended, job);
	herald__dispatch_return(f->store, &ended);
	store_settle(f);
	assert_int_equal(store_counts(f).done, 3);
	store_fixture_finish(f);
}

/* Long runs leave no worker idle while events wait, however small the commits are. */
static void
test_long_runs_keep_all_workers_busy(void **state)
{
	struct herald__job_list ended = {0}, none = {0};
	struct herald__job *job;
	size_t busy = 0;

	(void)state;
	store_fixture_init(
		f, &(struct store_fixture_options){.store = {.workers = 8, .max_batch = 1}});
	for (int i = 1; i <= 12; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		store_submit(f, id, "done");
	}
	for (int i = 0; i < 20; i++) {
		herald__committer_turn(f->store);
		while (busy < 8 &&
		       (job = herald__dispatch_next(f->store, f->store->workers, false, &none))) {
			job->kind = HERALD_COMPLETE_DONE;
			herald__job_list_add(&ended, job);
			busy++;
		}
	}
	assert_int_equal(busy, 8);
	herald__dispatch_return(f->store, &ended);
	store_fixture_finish(f);
}

struct hooks {
	atomic_uint started, stopped;
};

static void
on_start(void *state)
{
	((struct hooks *)state)->started++;
}

static void
on_stop(void *state)
{
	((struct hooks *)state)->stopped++;
}

static void
test_hooks(void **state)
{
	struct hooks hooks = {0};

	(void)state;
	store_fixture_init(
		f, &(struct store_fixture_options){
			   .has_threads = true,
			   .store = {.workers = 3, .thread_hooks = {on_start, on_stop, &hooks}}});
	store_submit(f, "1", "done");
	store_await_answers(f);
	store_fixture_finish(f);
	assert_int_equal(hooks.started, 3);
	assert_int_equal(hooks.stopped, 3);
}

static void
test_no_memory(void **state)
{
	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_error error;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = store_fixture_try(
			f,
			&(struct store_fixture_options){.allocator = &memory.allocator,
							.has_threads = true},
			&error);
		if (status == HERALD_OK) {
			store_submit(f, "1", "done");
			store_submit(f, "2", "join");
			store_await_answers(f);
			await_done(2);
		} else {
			assert_int_equal(status, HERALD_NO_MEMORY);
		}
		store_fixture_finish(f);
		assert_all_released(&memory);
		if (memory.failures == 0)
			break;
		memset(f, 0, sizeof(*f));
	}
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_many_senders),
		TEST(test_stop_while_functions_run),
		TEST(test_a_count_that_begins_late_is_interrupted),
		TEST(test_last_drain),
		TEST(test_service_comes_and_goes),
		TEST(test_wakes_for_what_is_behind_a_join),
		TEST(test_long_runs_keep_all_workers_busy),
		TEST(test_hooks),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
