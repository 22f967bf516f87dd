/*
 * Creating a store: defaults, limits, what is refused, and what of it is freed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/store.h>

#include "support/failing_allocator.h"
#include "support/option_error.h"
#include "support/store_fixture.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const struct {
	struct herald_store_options options;
	const char *path, *message;
} refused[] = {
	{{.workers = 1025}, "workers", "must be at most 1024, not 1025"},
	{{.max_batch = 10001}, "max_batch", "must be at most 10000, not 10001"},
	{{.max_waiting = 10000001}, "max_waiting", "must be at most 10000000, not 10000001"},
	{{.max_pending = UINT64_MAX},
	 "max_pending",
	 "must be at most 9223372036854775807, not 18446744073709551615"},
	{{.max_claimed_bytes = SIZE_MAX},
	 "max_claimed_bytes",
	 "must be at most 9223372036854775807, not 18446744073709551615"},
	{{.max_attempts = 10001}, "max_attempts", "must be at most 10000, not 10001"},
	{{.max_interrupted = 10001}, "max_interrupted", "must be at most 10000, not 10001"},
	{{.first_delay_ms = 2, .max_delay_ms = 1},
	 "first_delay_ms",
	 "2 is more than max_delay_ms, 1"},
	{{.factor = 0.5}, "factor", "expected 1 to 1000, found 0.5"},
	{{.factor = 1001}, "factor", "expected 1 to 1000, found 1001"},
	{{.backoff = (enum herald_backoff)9}, "backoff", "not one of HERALD_BACKOFF_...: 9"},
	{{.seen_window_ms = UINT64_MAX},
	 "seen_window_ms",
	 "must be at most 315360000000, not 18446744073709551615"},
	{{.dead_max_age_ms = UINT64_MAX},
	 "dead_max_age_ms",
	 "must be at most 3153600000000, not 18446744073709551615"},
	{{.dead_max_count = UINT64_MAX},
	 "dead_max_count",
	 "must be at most 9223372036854775807, not 18446744073709551615"},
	{{.lease_ms = 999}, "lease_ms", "must be at least 1000, not 999"},
	{{.lease_ms = 3600001}, "lease_ms", "must be at most 3600000, not 3600001"},
	{{.poll_ms = 60001}, "poll_ms", "must be at most 60000, not 60001"},
	{{.wal_warning_bytes = UINT64_MAX},
	 "wal_warning_bytes",
	 "must be at most 9223372036854775807, not 18446744073709551615"},
	{{.allocator.state = NULL, .allocator.allocate = (void *(*)(size_t, void *))abort},
	 "allocator",
	 "needs all three functions, or none"},
};

static struct herald_store *const untouched = (struct herald_store *)&refused;

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct model *model = model_create(&(struct model_options){0});
		struct herald_store_options options = refused[i].options;
		struct herald_store *store = untouched;
		struct herald_error error;

		options.struct_size = sizeof(options);
		options.database = model_open(model);
		assert_int_equal(herald_store_create(&options, &store, &error), HERALD_BAD_OPTION);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
		assert_option_error(&error, refused[i].path, refused[i].message);
		assert_ptr_equal(store, untouched);
		model_destroy(model); /* the database was destroyed */
	}
}

/* It is neither used nor freed by a second store, whatever else is wrong. */
static void
test_database_of_another_store(void **state)
{
	static const struct {
		unsigned workers;
		const char *path, *message;
	} rows[] = {
		{0, "database", "is another store's already"},
		{1025, "workers", "must be at most 1024, not 1025"},
	};
	struct model *model = model_create(&(struct model_options){0});
	struct herald_database *database = model_open(model);
	struct herald_store *store, *other = untouched;

	(void)state;
	assert_int_equal(
		herald_store_create(&HERALD_STORE_OPTIONS(.database = database), &store, NULL),
		HERALD_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_error error;

		assert_int_equal(
			herald_store_create(&HERALD_STORE_OPTIONS(.database = database,
								  .workers = rows[i].workers),
					    &other, &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		assert_non_null(strstr(error.message, rows[i].message));
		assert_ptr_equal(other, untouched);
	}
	assert_int_equal(herald_store_health(store, NULL), HERALD_OK);
	herald_store_destroy(store);
	model_destroy(model);
}

static void
test_no_database(void **state)
{
	struct herald_store *store = untouched;
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_store_create(&HERALD_STORE_OPTIONS(.workers = 1), &store, &error),
			 HERALD_BAD_OPTION);
	assert_option_error(&error, "database",
			    "missing: create one, such as by herald_sqlite_create()");
	assert_int_equal(herald_store_create(NULL, &store, &error), HERALD_BAD_OPTION);
	assert_int_equal(herald_store_create(&(struct herald_store_options){0}, &store, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "struct_size");
	assert_ptr_equal(store, untouched);
}

static void
test_defaults(void **state)
{
	struct model *model = model_create(&(struct model_options){0});
	struct herald_store *store;

	(void)state;
	assert_int_equal(herald_store_create(&HERALD_STORE_OPTIONS(.database = model_open(model)),
					     &store, NULL),
			 HERALD_OK);
	const struct herald_store_options *options = &store->settings.options;
	assert_int_equal(options->workers, 4);
	assert_int_equal(options->max_batch, 256);
	assert_int_equal(options->max_waiting, 10000);
	assert_int_equal(options->max_pending, 10000000);
	assert_int_equal(options->max_claimed_bytes, 64 << 20);
	assert_int_equal(options->max_attempts, 20);
	assert_int_equal(options->max_interrupted, 3);
	assert_int_equal(options->first_delay_ms, 1000);
	assert_int_equal(options->max_delay_ms, 3600000);
	assert_true(options->factor == 2);
	assert_int_equal(options->backoff, HERALD_BACKOFF_FULL_JITTER);
	assert_int_equal(options->seen_window_ms, 86400000);
	assert_int_equal(options->dead_max_age_ms, 0);
	assert_int_equal(options->dead_max_count, 0);
	assert_int_equal(options->lease_ms, 15000);
	assert_int_equal(options->poll_ms, 100);
	assert_int_equal(options->wal_warning_bytes, 64 << 20);
	assert_int_equal(herald_store_health(store, NULL), HERALD_OK);
	/* Nothing has joined or connected: a tool may do the same. */
	assert_int_equal(model_nodes_count(model), 0);
	assert_int_equal(herald_store_stop(store, 0), 0);
	herald_store_destroy(store);
	model_destroy(model);
	assert_int_equal(herald_store_stop(NULL, 0), 0);
	herald_store_destroy(NULL);
}

/* Deduplication by a consumer works in a process that runs no events: it joins nothing. */
static void
test_accept_in(void **state)
{
	struct model *model = model_create(&(struct model_options){0});
	struct herald_database *database = model_open(model);
	struct herald_session *session;
	struct herald_store *store;
	bool is_new;

	(void)state;
	assert_int_equal(
		herald_store_create(&HERALD_STORE_OPTIONS(.database = database), &store, NULL),
		HERALD_OK);
	struct model_connection *connection = model_connect(database);
	model_connection_begin(connection);
	assert_int_equal(database->ops->session_wrap(database, connection, &session, NULL),
			 HERALD_OK);
	const char *const events[][3] = {{"s", "1", "new"}, {"s", "1", ""}, {"s", "2", "new"},
					 {"t", "1", "new"}, {"t", "1", ""}, {"", "s1", "new"},
					 {"s1", "", "new"}, {"", "s1", ""}};
	for (size_t i = 0; i < COUNT(events); i++) {
		assert_int_equal(herald_store_accept_in(store, session, events[i][0], events[i][1],
							&is_new, NULL),
				 HERALD_OK);
		assert_int_equal(is_new, *events[i][2] != '\0');
	}
	database->ops->session_close(session);
	model_connection_rollback(connection);
	model_connection_close(connection);
	assert_int_equal(model_nodes_count(model), 0);
	herald_store_destroy(store);
	model_destroy(model);
}

static struct store_fixture *f;

/* A store that cannot start: the service says why, and can be created later. */
static void
test_start_that_fails(void **state)
{
	static const struct {
		enum model_op op;
		enum herald_status status;
	} cases[] = {
		{MODEL_SECRET, HERALD_UNAVAILABLE}, /* when it is created, likewise */
		{MODEL_NODE_JOIN, HERALD_UNAVAILABLE},
		{MODEL_NODE_JOIN, HERALD_BAD_OPTION},
	};

	(void)state;
	f = calloc(1, sizeof(*f));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct model *model = model_create(&(struct model_options){0});
		struct herald_error error;

		model_fail(model, cases[i].op, 1, cases[i].status, false);
		assert_int_equal(store_fixture_try(f,
						   &(struct store_fixture_options){
							   .model = model, .has_threads = true},
						   &error),
				 cases[i].status);
		assert_true(model_has_failed(model));
		assert_non_null(strstr(error.message, "fails by order"));
		store_fixture_finish(f);
		store_fixture_init(
			f, &(struct store_fixture_options){.model = model, .has_threads = true});
		store_fixture_finish(f);
		model_destroy(model);
	}
	free(f);
}

/* Two services of one queue. */
static void
test_queue_that_is_taken(void **state)
{
	struct herald_service *second = NULL;
	struct herald_error error;

	(void)state;
	f = calloc(1, sizeof(*f));
	store_fixture_init(f, &(struct store_fixture_options){.queue = "orders"});
	assert_int_equal(
		herald_service_create(&HERALD_SERVICE_OPTIONS(.store = f->store, .queue = "orders"),
				      &second, &error),
		HERALD_BAD_OPTION);
	assert_option_error(&error, "queue",
			    "another service of this store has the queue \"orders\"");
	assert_int_equal(
		herald_service_create(&HERALD_SERVICE_OPTIONS(.store = f->store, .queue = "other"),
				      &second, &error),
		HERALD_OK);
	herald_service_destroy(second);
	assert_int_equal(
		herald_service_create(&HERALD_SERVICE_OPTIONS(.store = f->store, .queue = "other"),
				      &second, &error),
		HERALD_OK);
	herald_service_destroy(second);
	store_fixture_finish(f);
	free(f);
}

/* The n-th allocation fails, for every n: nothing leaks, nothing hangs, no event is lost. */
static void
test_no_memory(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_error error;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = store_fixture_try(
			f,
			&(struct store_fixture_options){.allocator = &memory.allocator,
							.store.in_flight_folder = "/tmp"},
			&error);
		if (status == HERALD_OK) {
			store_submit(f, "1", "done");
			store_submit(f, "2", "join");
			store_submit(f, "3", "fail");
			store_settle(f);
			store_pass(f, 100);
			herald__node_step(f->store);
			herald__upkeep_step(f->store);
			store_pass(f, 5000);
			assert_int_equal(f->arrivals[0].event.status, HERALD_OK);
			assert_null(store_row(f, "1"));
			assert_null(store_row(f, "2"));
			assert_int_equal(store_row(f, "3")->state, MODEL_DEAD);
		} else {
			assert_int_equal(status, HERALD_NO_MEMORY);
			assert_string_equal(error.message, "out of memory");
		}
		store_fixture_finish(f);
		assert_all_released(&memory);
		if (memory.failures == 0)
			break;
	}
	free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_database),
		cmocka_unit_test(test_database_of_another_store),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_accept_in),
		cmocka_unit_test(test_start_that_fails),
		cmocka_unit_test(test_queue_that_is_taken),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
