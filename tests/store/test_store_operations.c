/*
 * Operations: lists in pages, replays, drops and purges in batches, and what they refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "support/option_error.h"
#include "support/store_fixture.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static struct store_fixture *f;

/* A store with `count` dead letters "1", "2", ... */
static void
setup_dead_with(size_t count, const struct store_fixture_options *options)
{
	store_fixture_init(f, options);
	for (size_t i = 1; i <= count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%zu", i);
		store_submit(f, id, "fail");
	}
	store_settle(f);
	f->wall_ms += 1000;
	f->runs[0] = '\0';
}

static void
setup_dead(size_t count)
{
	setup_dead_with(count, &(struct store_fixture_options){0});
}

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

struct seen {
	size_t count;
	size_t stop_at;
	uint64_t last_id;
	char ids[4096];
};

static bool
see(const struct herald_dead_letter *letter, void *state)
{
	struct seen *seen = state;
	size_t used = strlen(seen->ids);

	assert_true(letter->id > seen->last_id);
	seen->last_id = letter->id;
	snprintf(seen->ids + used, sizeof(seen->ids) - used, "%s ", letter->event_id);
	return ++seen->count != seen->stop_at;
}

static void
test_visit_in_pages(void **state)
{
	static const struct {
		uint64_t limit;
		size_t stop_at, count;
	} cases[] = {{0, 0, 250},    {100, 0, 100}, {101, 0, 101},
		     {1000, 0, 250}, {0, 7, 7},     {0, 100, 100}};

	(void)state;
	setup_dead(250);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct herald_dead_filter filter = {.limit = cases[i].limit};
		struct seen seen = {.stop_at = cases[i].stop_at};
		struct herald_error error;

		assert_int_equal(herald_store_dead_visit(f->store, &filter, see, &seen, &error),
				 HERALD_OK);
		assert_int_equal(seen.count, cases[i].count);
		assert_memory_equal(seen.ids, "1 2 3 4 5 6 7 ", 14);
	}
	store_fixture_finish(f);
}

static void
test_filters_that_are_refused(void **state)
{
	static const struct {
		struct herald_dead_filter filter;
		const char *path, *message;
	} cases[] = {
		{{.kind = (enum herald_dead_kind)3}, "kind", "not one of HERALD_DEAD_EVENTS, ..."},
		{{.reason = HERALD_DEAD_REASON_COUNT}, "reason", "not one of HERALD_DEAD_ANY, ..."},
		{{.from_ms = -1}, "from_ms", "before 1970"},
		{{.to_ms = -1}, "to_ms", "before 1970"},
		{{.from_ms = 5, .to_ms = 5}, "to_ms", "not after from_ms"},
		{{.id = UINT64_C(1) << 63},
		 "id",
		 "larger than any id, which are up to 9223372036854775807"},
		{{.after_id = UINT64_MAX},
		 "after_id",
		 "larger than any id, which are up to 9223372036854775807"},
	};

	(void)state;
	setup_dead(1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_error error;
		struct seen seen = {0};
		uint64_t count = 99;

		assert_int_equal(
			herald_store_dead_visit(f->store, &cases[i].filter, see, &seen, &error),
			HERALD_BAD_VALUE);
		assert_int_equal(error.status, HERALD_BAD_VALUE);
		assert_option_error(&error, cases[i].path, cases[i].message);
		assert_int_equal(
			herald_store_dead_replay(f->store, &cases[i].filter, NULL, &count, NULL),
			HERALD_BAD_VALUE);
		assert_int_equal(count, 0);
		assert_int_equal(
			herald_store_dead_drop(f->store, &cases[i].filter, NULL, &count, NULL),
			HERALD_BAD_VALUE);
	}
	assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
	store_fixture_finish(f);
}

/* Replayed events run again, once, although they die again, and their ids are known. */
static void
test_replay(void **state)
{
	const struct herald_dead_filter all = {0};
	uint64_t count;

	(void)state;
	setup_dead(3);
	assert_int_equal(herald_store_dead_replay(f->store, &all, NULL, &count, NULL), HERALD_OK);
	assert_int_equal(count, 3);
	store_settle(f);
	assert_string_equal(f->runs, "1/1 2/1 3/1");
	assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
	assert_int_equal(store_row(f, "1")->replays, 1);
	store_fixture_finish(f);
}

/* What was replayed runs, and dies again, before the next batch. */
static bool
die_again(uint64_t count, void *state)
{
	(void)count, (void)state;
	store_settle(f);
	return true;
}

/* Whether there are late ones is asked of an index: they are not read to find out. */
static enum herald_status
refuse_visits(struct model_call *call, void *state)
{
	(void)state;
	return call->op == MODEL_DEAD_VISIT ? HERALD_UNAVAILABLE : MODEL_GO_ON;
}

static void
test_dead_letters_are_not_read(void **state)
{
	const struct herald_dead_filter all = {0};
	uint64_t count;

	(void)state;
	store_fixture_init(f,
			   &(struct store_fixture_options){.model_options.hook = refuse_visits,
							   .model_options.has_many_writers = true});
	for (size_t i = 0; i < 2; i++) {
		store_submit(f, i ? "2" : "1", "fail");
		store_settle(f);
		assert_int_equal(i ? herald_store_dead_drop(f->store, &all, NULL, &count, NULL)
				   : herald_store_dead_replay(f->store, &all, NULL, &count, NULL),
				 HERALD_OK);
		assert_int_equal(count, i + 1); /* the first one has died again */
	}
	store_fixture_finish(f);
}

/* The clock was set back after they died: some of them, or all. Each is replayed once. */
static void
test_dead_letters_of_later(void **state)
{
	static const size_t late_from[] = {0, 1, 200, 249};

	(void)state;
	for (size_t i = 0; i < COUNT(late_from); i++) {
		const struct herald_dead_filter all = {0}, limited = {.limit = 7};
		const struct herald_bulk bulk = {.progress = die_again};
		const struct model_tables *tables;
		uint64_t count;

		setup_dead(250);
		tables = model_committed(f->model);
		for (size_t j = late_from[i]; j < tables->rows_count; j++)
			((struct model_row *)tables->rows[j])->dead_ms += 86400000;
		assert_int_equal(herald_store_dead_replay(f->store, &limited, NULL, &count, NULL),
				 HERALD_OK);
		assert_int_equal(count, 7);
		store_settle(f);
		assert_int_equal(herald_store_dead_replay(f->store, &all, &bulk, &count, NULL),
				 HERALD_OK);
		assert_int_equal(count, 250);
		store_settle(f);
		assert_int_equal(store_row(f, "7")->replays, 2);
		assert_int_equal(store_row(f, "8")->replays, 1);
		assert_int_equal(store_row(f, "250")->replays, 1);
		((struct model_row *)store_row(f, "250"))->dead_ms += 86400000;
		assert_int_equal(herald_store_dead_drop(f->store, &all, NULL, &count, NULL),
				 HERALD_OK);
		assert_int_equal(count, 250);
		store_fixture_finish(f);
	}
}

/* What another process does between two statements of a transaction, if they see it, as on
 * PostgreSQL: it stores a dead letter, or drops one. */
static struct {
	enum herald_status (*visit)(struct herald_session *session,
				    const struct herald_dead_filter *filter,
				    herald_dead_visitor *visit, void *state,
				    struct herald_error *error);
	struct model_row *appears; /* NULL: none, or it has */
	uint64_t dropped;          /* 0: none, or it was */
} other;

static enum herald_status
visit_beside_another(struct herald_session *session, const struct herald_dead_filter *filter,
		     herald_dead_visitor *visit, void *state, struct herald_error *error)
{
	enum herald_status status = other.visit(session, filter, visit, state, error);
	struct model_tables *tables = (struct model_tables *)model_committed(f->model);

	if (tables && other.appears)
		model_tables_put(tables, other.appears);
	if (tables && other.dropped)
		model_tables_remove(tables, other.dropped);
	other.appears = NULL;
	other.dropped = 0;
	return status;
}

static void
adapt_visit(struct herald_database_ops *ops)
{
	other.visit = ops->dead_visit;
	ops->dead_visit = visit_beside_another;
}

/* Letters that are there all the time are replayed once, or dropped. */
static void
test_dead_letters_beside_another_process(void **state)
{
	static const struct {
		bool appears, is_dropped, drops;
		uint64_t count;
	} cases[] = {
		{true, false, false, 249}, {false, true, false, 249}, {true, true, false, 248},
		{true, false, true, 249},  {false, true, true, 249},  {true, true, true, 248},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct herald_dead_filter all = {0};
		const struct herald_bulk bulk = {.progress = die_again};
		struct model_tables *tables;
		uint64_t count;

		setup_dead_with(250, &(struct store_fixture_options){.adapt = adapt_visit});
		tables = (struct model_tables *)model_committed(f->model);
		for (size_t j = 0; j < tables->rows_count; j++)
			tables->rows[j]->dead_ms += 86400000;
		if (cases[i].is_dropped)
			other.dropped = store_row(f, "5")->id;
		if (cases[i].appears) {
			other.appears = model_row_copy(store_row(f, "3"));
			model_tables_remove(tables, other.appears->id);
		}
		assert_int_equal((cases[i].drops ? herald_store_dead_drop
						 : herald_store_dead_replay)(f->store, &all, &bulk,
									     &count, NULL),
				 HERALD_OK);
		assert_int_equal(count, cases[i].count);
		store_settle(f);
		tables = (struct model_tables *)model_committed(f->model);
		assert_int_equal(tables->rows_count,
				 cases[i].drops ? cases[i].appears : 250 - cases[i].is_dropped);
		for (size_t j = 0; j < tables->rows_count; j++) {
			const char *id = tables->rows[j]->texts[MODEL_EVENT_ID];
			const bool has_appeared = cases[i].appears && strcmp(id, "3") == 0;

			if (tables->rows[j]->replays != !has_appeared)
				fail_msg("case %zu: %s was replayed %u times", i, id,
					 tables->rows[j]->replays);
		}
		store_fixture_finish(f);
	}
}

struct progress {
	unsigned calls;
	uint64_t last;
	uint64_t stop_at;
};

static bool
follow(uint64_t count, void *state)
{
	struct progress *progress = state;

	progress->calls++;
	assert_true(count > progress->last);
	progress->last = count;
	return count < progress->stop_at;
}

static void
test_bulk(void **state)
{
	static const struct {
		struct herald_dead_filter filter;
		struct herald_bulk bulk;
		uint64_t stop_at, count, left;
		unsigned calls;
	} cases[] = {
		{.count = 250, .left = 0, .calls = 3, .stop_at = UINT64_MAX},
		{.filter.limit = 120, .count = 120, .left = 130, .calls = 2, .stop_at = UINT64_MAX},
		{.stop_at = 150, .count = 200, .left = 50, .calls = 2},
		{.bulk.is_dry_run = true, .count = 250, .left = 250, .calls = 0},
		{.bulk.is_dry_run = true, .filter.limit = 7, .count = 7, .left = 250, .calls = 0},
		{.bulk.per_second = 1000000,
		 .count = 250,
		 .left = 0,
		 .calls = 3,
		 .stop_at = UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct progress progress = {.stop_at = cases[i].stop_at};
		struct herald_bulk bulk = cases[i].bulk;
		uint64_t count;

		bulk.progress = follow;
		bulk.state = &progress;
		setup_dead(250);
		assert_int_equal(
			herald_store_dead_drop(f->store, &cases[i].filter, &bulk, &count, NULL),
			HERALD_OK);
		assert_int_equal(count, cases[i].count);
		assert_int_equal(model_committed(f->model)->rows_count, cases[i].left);
		assert_int_equal(progress.calls, cases[i].calls);
		store_fixture_finish(f);
	}
}

/* A failure leaves what was done before, and says how much. */
static void
test_bulk_that_fails(void **state)
{
	const struct herald_dead_filter all = {0};
	struct herald_error error;
	uint64_t count;

	(void)state;
	for (int i = 0; i < 2; i++) {
		setup_dead_with(250, &(struct store_fixture_options){
					     .model_options.has_many_writers = i == 1});
		/* In the second batch: a call for each letter, or one. */
		model_fail(f->model, MODEL_DEAD_DROP, i == 1 ? 2 : 102, HERALD_UNAVAILABLE, false);
		assert_int_equal(herald_store_dead_drop(f->store, &all, NULL, &count, &error),
				 HERALD_UNAVAILABLE);
		assert_string_equal(error.message, "model: dead_drop fails by order");
		assert_int_equal(count, 100);
		assert_int_equal(model_committed(f->model)->rows_count, 150);
		store_fixture_finish(f);
	}
}

/* With one writer, a search in a transaction would stop all others. */
static enum herald_status
check_search(struct model_call *call, void *state)
{
	(void)state;
	if (call->op == MODEL_DEAD_VISIT || call->op == MODEL_PURGE_FIND)
		assert_null(model_in_transaction(call->session));
	return MODEL_GO_ON;
}

static void
test_search_before_the_transaction(void **state)
{
	const struct herald_dead_filter all = {0};
	uint64_t count;

	(void)state;
	setup_dead_with(250, &(struct store_fixture_options){.model_options.hook = check_search});
	assert_int_equal(herald_store_dead_replay(f->store, &all, NULL, &count, NULL), HERALD_OK);
	assert_int_equal(count, 250);
	store_settle(f);
	assert_int_equal(herald_store_dead_drop(f->store, &all, NULL, &count, NULL), HERALD_OK);
	assert_int_equal(count, 250);
	store_fixture_finish(f);
}

/* A member that is empty is not given, in lists as in changes. */
static void
test_empty_members(void **state)
{
	const struct herald_dead_filter empty = {.queue = "",
						 .event_type = "",
						 .source = "",
						 .event_id = "",
						 .destination = "",
						 .after_id = 0};
	const struct herald_dead_filter last = {.after_id = INT64_MAX}, none = {.id = INT64_MAX};
	const struct herald_purge_filter purge = {.queue = "", .event_type = ""};
	struct seen seen = {0}, nothing = {0};
	uint64_t count;

	(void)state;
	setup_dead(3);
	store_submit_keyed(f, "a", "later", "k");
	store_settle(f);
	assert_int_equal(herald_store_dead_visit(f->store, &empty, see, &seen, NULL), HERALD_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(herald_store_dead_visit(f->store, &last, see, &nothing, NULL), HERALD_OK);
	assert_int_equal(herald_store_dead_visit(f->store, &none, see, &nothing, NULL), HERALD_OK);
	assert_int_equal(nothing.count, 0);
	for (int i = 1; i >= 0; i--) {
		const struct herald_bulk bulk = {.is_dry_run = i};

		assert_int_equal(herald_store_purge(f->store, &purge, &bulk, &count, NULL),
				 HERALD_OK);
		assert_int_equal(count, 1);
	}
	assert_int_equal(herald_store_dead_drop(f->store, &empty, NULL, &count, NULL), HERALD_OK);
	assert_int_equal(count, 3);
	store_fixture_finish(f);
}

static bool
add(const struct herald_count *count, void *state)
{
	uint64_t *counts = state;

	counts[count->state] += count->count;
	return true;
}

/* A dry run counts what the purge then deletes. */
static const struct {
	struct herald_purge_filter filter;
	uint64_t expected;
} purges[] = {
	{{0}, 2},
	{{.queue = "other"}, 0},
	{{.event_type = "other"}, 0},
	{{.created_before_ms = 1}, 0},
	{{.deliveries = true}, 0},
};

static void
test_counts_and_purge(void **state)
{
	uint64_t counts[HERALD_COUNT_DEAD + 1] = {0}, count;

	(void)state;
	setup_dead(2);
	store_submit_keyed(f, "a", "later", "k");
	store_submit_keyed(f, "b", "done", "k");
	store_settle(f);
	assert_int_equal(herald_store_counts(f->store, add, counts, NULL), HERALD_OK);
	assert_int_equal(counts[HERALD_COUNT_DEAD], 2);
	assert_int_equal(counts[HERALD_COUNT_DELAYED], 1);
	assert_int_equal(counts[HERALD_COUNT_BLOCKED], 1);
	for (size_t i = 0; i < COUNT(purges); i++) {
		assert_int_equal(herald_store_purge(f->store, &purges[i].filter,
						    &(struct herald_bulk){.is_dry_run = true},
						    &count, NULL),
				 HERALD_OK);
		assert_int_equal(count, purges[i].expected);
		assert_int_equal(model_committed(f->model)->rows_count, 4);
	}
	for (size_t i = COUNT(purges); i > 0; i--) {
		assert_int_equal(
			herald_store_purge(f->store, &purges[i - 1].filter, NULL, &count, NULL),
			HERALD_OK);
		assert_int_equal(count, purges[i - 1].expected);
	}
	assert_int_equal(model_committed(f->model)->rows_count, 2);
	store_fixture_finish(f);
}

/* The searches of a purge. After the first one, an event that it found starts. */
static struct {
	enum herald_status (*find)(struct herald_session *session,
				   const struct herald_purge_filter *filter, uint64_t after_id,
				   size_t max, uint64_t *ids, size_t *count,
				   struct herald_error *error);
	size_t searches;
	uint64_t last_id;
} searching;

static enum herald_status
find_and_start(struct herald_session *session, const struct herald_purge_filter *filter,
	       uint64_t after_id, size_t max, uint64_t *ids, size_t *count,
	       struct herald_error *error)
{
	enum herald_status status =
		searching.find(session, filter, after_id, max, ids, count, error);

	assert_null(model_in_transaction(session));
	assert_int_equal(after_id, searching.last_id);
	if (searching.searches++ == 0) {
		struct model_tables *tables = (struct model_tables *)model_committed(f->model);
		struct model_row *started = model_row_copy(model_tables_find(tables, ids[1]));

		started->state = MODEL_RUNNING;
		model_tables_put(tables, started);
	}
	if (*count > 0)
		searching.last_id = ids[*count - 1];
	return status;
}

static void
starts_meanwhile(struct herald_database_ops *ops)
{
	searching.find = ops->purge_find;
	ops->purge_find = find_and_start;
}

/* Found before the transaction, where it stops nobody, and from where the last search has ended;
 * and what runs then, stays. */
static void
test_purge_beside_workers(void **state)
{
	uint64_t count;

	(void)state;
	memset(&searching, 0, sizeof(searching));
	store_fixture_init(f, &(struct store_fixture_options){.adapt = starts_meanwhile});
	f->due_ms = f->wall_ms + 3600000;
	for (size_t i = 0; i < 250; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%zu", i);
		store_submit(f, id, "done");
		store_settle(f);
	}
	assert_int_equal(model_committed(f->model)->rows_count, 250);
	assert_int_equal(
		herald_store_purge(f->store, &(struct herald_purge_filter){0}, NULL, &count, NULL),
		HERALD_OK);
	assert_int_equal(count, 249);
	assert_int_equal(searching.searches, 3);
	assert_int_equal(model_committed(f->model)->rows_count, 1);
	assert_int_equal(model_committed(f->model)->rows[0]->state, MODEL_RUNNING);
	store_fixture_finish(f);
}

static void
test_purges_that_are_refused(void **state)
{
	static const struct {
		struct herald_purge_filter filter;
		const char *path, *message;
	} cases[] = {
		{{.deliveries = true, .queue = "q"}, "queue", "deliveries are in no queue"},
		{{.created_before_ms = -1}, "created_before_ms", "before 1970"},
	};

	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){0});
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const struct herald_bulk bulk = {.is_dry_run = i % 2 == 1};
		struct herald_error error;
		uint64_t count = 99;

		assert_int_equal(
			herald_store_purge(f->store, &cases[i / 2].filter, &bulk, &count, &error),
			HERALD_BAD_VALUE);
		assert_int_equal(error.status, HERALD_BAD_VALUE);
		assert_option_error(&error, cases[i / 2].path, cases[i / 2].message);
		assert_int_equal(count, 0);
	}
	store_fixture_finish(f);
}

/* An operation on another thread, and where it is. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_running, is_interrupted;
	enum herald_status status;
	struct herald_error error;
	uint64_t count;
	void (*interrupt)(struct herald_database *database);
	enum herald_status (*visit)(struct herald_session *session,
				    const struct herald_dead_filter *filter,
				    herald_dead_visitor *visit, void *state,
				    struct herald_error *error);
} operation = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void
operation_set(bool *what)
{
	pthread_mutex_lock(&operation.mutex);
	*what = true;
	pthread_cond_broadcast(&operation.changed);
	pthread_mutex_unlock(&operation.mutex);
}

static void
operation_wait(const bool *what)
{
	pthread_mutex_lock(&operation.mutex);
	while (!*what)
		pthread_cond_wait(&operation.changed, &operation.mutex);
	pthread_mutex_unlock(&operation.mutex);
}

static void
note_interrupt(struct herald_database *database)
{
	operation_set(&operation.is_interrupted);
	operation.interrupt(database);
}

static void
adapt_interrupt(struct herald_database_ops *ops)
{
	operation.is_running = operation.is_interrupted = false;
	operation.interrupt = ops->interrupt;
	ops->interrupt = note_interrupt;
}

/* The first page of a list waits. */
static enum herald_status
visit_when_interrupted(struct herald_session *session, const struct herald_dead_filter *filter,
		       herald_dead_visitor *visit, void *state, struct herald_error *error)
{
	operation_set(&operation.is_running);
	operation_wait(&operation.is_interrupted);
	return operation.visit(session, filter, visit, state, error);
}

static void
adapt_list(struct herald_database_ops *ops)
{
	adapt_interrupt(ops);
	operation.visit = ops->dead_visit;
	ops->dead_visit = visit_when_interrupted;
}

static void
adapt_no_interrupt(struct herald_database_ops *ops)
{
	operation.is_running = false;
	operation.is_interrupted = true;
	ops->interrupt = NULL;
}

static void *
run_visit(void *state)
{
	const struct herald_dead_filter all = {0};
	struct seen seen = {0};

	(void)state;
	operation.status = herald_store_dead_visit(f->store, &all, see, &seen, &operation.error);
	return NULL;
}

static bool
note_progress(uint64_t count, void *state)
{
	(void)count;
	(void)state;
	operation_set(&operation.is_running);
	return true;
}

/* A letter every 10 s: it sleeps nearly always. */
static void *
run_slow_drop(void *state)
{
	const struct herald_dead_filter all = {0};
	const struct herald_bulk bulk = {.per_second = 1, .progress = note_progress};

	(void)state;
	operation.status =
		herald_store_dead_drop(f->store, &all, &bulk, &operation.count, &operation.error);
	return NULL;
}

/* herald_store_destroy() ends what other threads run, and waits for it. */
static void
test_operations_when_the_store_is_destroyed(void **state)
{
	static const struct {
		void *(*run)(void *state);
		void (*adapt)(struct herald_database_ops *ops);
		const char *message;
	} cases[] = {
		{run_visit, adapt_list, "model: interrupted: the store is being destroyed"},
		{run_slow_drop, adapt_interrupt, "the store is being destroyed"},
		{run_slow_drop, adapt_no_interrupt, "the store is being destroyed"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		pthread_t thread;

		setup_dead_with(250, &(struct store_fixture_options){.adapt = cases[i].adapt});
		assert_int_equal(pthread_create(&thread, NULL, cases[i].run, NULL), 0);
		operation_wait(&operation.is_running);
		store_fixture_finish(f);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(operation.status, HERALD_UNAVAILABLE);
		assert_string_equal(operation.error.message, cases[i].message);
		assert_true(operation.count < 3);
	}
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(herald_dead_reason_name(HERALD_DEAD_ANY), "any");
	assert_string_equal(herald_dead_reason_name(HERALD_DEAD_NO_ROUTE), "no_route");
	assert_string_equal(herald_dead_reason_name(HERALD_DEAD_REASON_COUNT), "?");
	assert_string_equal(herald_count_state_name(HERALD_COUNT_BLOCKED), "blocked");
	assert_string_equal(herald_count_state_name((enum herald_count_state)99), "?");
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_visit_in_pages),
		TEST(test_filters_that_are_refused),
		TEST(test_replay),
		TEST(test_dead_letters_are_not_read),
		TEST(test_dead_letters_of_later),
		TEST(test_dead_letters_beside_another_process),
		TEST(test_bulk),
		TEST(test_bulk_that_fails),
		TEST(test_search_before_the_transaction),
		TEST(test_empty_members),
		TEST(test_counts_and_purge),
		TEST(test_operations_when_the_store_is_destroyed),
		TEST(test_names),
		TEST(test_purge_beside_workers),
		TEST(test_purges_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
