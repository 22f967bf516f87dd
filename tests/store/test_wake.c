/*
 * How processes find out about each other's events: by telling, by waiting, and by asking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/store_fixture.h"

static struct store_fixture *f, *other;
static struct model *model;

/* A database that can tell and wait. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static unsigned tellings;
static bool has_news, has_ended, fails;
static unsigned failures;

static enum herald_status
tell(struct herald_session *session, struct herald_error *error)
{
	(void)session;
	(void)error;
	pthread_mutex_lock(&mutex);
	tellings++;
	has_news = true;
	pthread_cond_broadcast(&told);
	pthread_mutex_unlock(&mutex);
	return HERALD_OK;
}

static enum herald_status
watch(struct herald_session *session, uint32_t timeout_ms, struct herald_error *error)
{
	(void)session;
	(void)timeout_ms;
	pthread_mutex_lock(&mutex);
	enum herald_status status = HERALD_OK;
	if (fails) {
		failures++;
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "gone");
	}
	while (!fails && !has_news && !has_ended)
		pthread_cond_wait(&told, &mutex);
	has_news = false;
	pthread_mutex_unlock(&mutex);
	return status;
}

static void
watch_end(struct herald_session *session)
{
	(void)session;
	pthread_mutex_lock(&mutex);
	has_ended = true;
	pthread_cond_broadcast(&told);
	pthread_mutex_unlock(&mutex);
}

static void
add_watch(struct herald_database_ops *ops)
{
	ops->notify = tell;
	ops->watch = watch;
	ops->watch_end = watch_end;
}

static int
setup(void **state)
{
	(void)state;
	tellings = failures = 0;
	has_news = has_ended = fails = false;
	f = calloc(1, sizeof(*f));
	other = calloc(1, sizeof(*other));
	model = model_create(&(struct model_options){0});
	return f && other ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	model_destroy(model);
	free(f);
	free(other);
	return 0;
}

static void
submit(struct store_fixture *to, size_t count, const char *action)
{
	for (size_t i = 0; i < count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%zu", to->arrivals_count + 1);
		store_submit(to, id, action);
	}
}

/* Others are not told of events that run here at once, and are told every 20 ms at most. */
static void
test_tellings(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.model = model, .adapt = add_watch});
	store_settle(f);
	submit(f, 3, "done");
	store_settle(f);
	assert_int_equal(tellings, 0);

	submit(f, 20, "done");
	herald__committer_turn(f->store);
	assert_int_equal(tellings, 1);
	for (int i = 0; i < 19; i++) {
		submit(f, 20, "done");
		f->wall_ms++;
		assert_true(herald__committer_turn(f->store) <= (uint64_t)f->wall_ms + 19);
	}
	assert_int_equal(tellings, 1);
	f->wall_ms++;
	herald__committer_turn(f->store);
	assert_int_equal(tellings, 2);
	store_settle(f);
	store_pass(f, 20);
	store_fixture_finish(f);
}

/* Another process stores an event that it cannot run itself. */
static void
store_elsewhere(void)
{
	store_fixture_init(other, &(struct store_fixture_options){
					  .model = model, .adapt = add_watch, .queue = "jobs"});
	store_settle(other);
	herald__dispatch_doubt(other->store, other->store->node.id); /* it may own nothing */
	store_submit(other, "1", "done");
	herald__committer_turn(other->store);
	assert_int_equal(other->arrivals[0].event.status, HERALD_OK);
}

/* Wait until it has looked for events, and found none. */
static void
await_first_look(void)
{
	while (store_counts(f).commits == 0)
		herald__dispatch_drain(f->store, 1);
}

static void
test_found_at_once(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.model = model,
							      .adapt = add_watch,
							      .queue = "jobs",
							      .has_threads = true,
							      .store = {.poll_ms = 60000}});
	await_first_look();
	store_elsewhere();
	assert_int_equal(tellings, 1);
	store_await_runs(f, 1); /* 20 s: polling would not find it */
	herald_store_stop(f->store, 10000);
	store_fixture_finish(f);
	store_fixture_finish(other);
}

/* If waiting fails, polling still finds it. */
static void
test_found_by_polling(void **state)
{
	(void)state;
	fails = true;
	store_fixture_init(f, &(struct store_fixture_options){.model = model,
							      .adapt = add_watch,
							      .queue = "jobs",
							      .has_threads = true,
							      .store = {.poll_ms = 5}});
	store_elsewhere();
	store_await_runs(f, 1);
	pthread_mutex_lock(&mutex);
	assert_true(failures < 100);
	pthread_mutex_unlock(&mutex);
	store_fixture_finish(f);
	store_fixture_finish(other);
}

/* A user's own transaction has stored something. */
static void
test_found_by_wake(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.model = model,
							      .queue = "jobs",
							      .has_threads = true,
							      .store = {.poll_ms = 60000}});
	await_first_look();
	store_elsewhere();
	herald_store_wake(f->store);
	store_await_runs(f, 1);
	store_fixture_finish(f);
	store_fixture_finish(other);
}

/* The second connection of the node's kind, the one to wait on, fails once. */
static unsigned opened;
static enum herald_status (*real_open)(struct herald_database *database,
				       enum herald_session_use use, struct herald_session **out,
				       struct herald_error *error);

static enum herald_status
open_some(struct herald_database *database, enum herald_session_use use,
	  struct herald_session **out, struct herald_error *error)
{
	if (use == HERALD_SESSION_NODE && ++opened == 2)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "no");
	return real_open(database, use, out, error);
}

static void
add_failing_watch(struct herald_database_ops *ops)
{
	add_watch(ops);
	real_open = ops->session_open;
	ops->session_open = open_some;
}

/* Threads that were started are ended, and can be started again. */
static void
test_start_again(void **state)
{
	struct herald_error error;

	(void)state;
	opened = 0;
	assert_int_equal(
		store_fixture_try(f,
				  &(struct store_fixture_options){.model = model,
								  .adapt = add_failing_watch,
								  .has_threads = true},
				  &error),
		HERALD_UNAVAILABLE);
	assert_int_equal(model_nodes_count(model), 0);
	has_ended = false;
	store_fixture_service(f);
	store_submit(f, "1", "done");
	store_await_runs(f, 1);
	store_fixture_finish(f);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_tellings),      TEST(test_found_at_once), TEST(test_found_by_polling),
		TEST(test_found_by_wake), TEST(test_start_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
