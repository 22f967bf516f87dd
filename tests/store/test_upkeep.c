/*
 * Regular work, step by step: dead letters are deleted by age and by number, keys of deduplication
 * are forgotten, and a failure of one part does not stop the others.
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

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

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
submit_dead(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%zu", f->arrivals_count + 1);
		store_submit(f, id, "fail");
	}
	store_settle(f);
}

static size_t
rows(void)
{
	return model_committed(f->model)->rows_count;
}

static const struct {
	struct herald_store_options store;
	size_t left;       /* of 5 old ones and 5 young ones, after an hour */
	const char *first; /* the oldest that is left */
} trims[] = {
	{{0}, 10, "1"},
	{{.dead_max_age_ms = 3600000}, 5, "6"},
	{{.dead_max_count = 7}, 7, "4"},
	{{.dead_max_count = 3}, 3, "8"},
	{{.dead_max_age_ms = 3600000, .dead_max_count = 2}, 2, "9"},
	{{.dead_max_age_ms = 1}, 0, NULL},
};

static void
test_dead_letters_are_trimmed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(trims); i++) {
		store_fixture_init(f, &(struct store_fixture_options){.store = trims[i].store});
		submit_dead(5);
		f->wall_ms += 1800000;
		submit_dead(5);
		f->wall_ms += 1800001;
		herald__upkeep_step(f->store);
		assert_int_equal(rows(), trims[i].left);
		if (trims[i].first)
			assert_string_equal(
				model_committed(f->model)->rows[0]->texts[MODEL_EVENT_ID],
				trims[i].first);
		store_fixture_finish(f);
	}
}

/* In small transactions, so that others can write in between; and counted once, before them. */
static enum herald_status
count_drops(struct model_call *call, void *state)
{
	unsigned *counts = state;

	counts[0] += call->op == MODEL_DEAD_TRIM;
	counts[1] += call->op == MODEL_DEAD_SURPLUS;
	if (call->op == MODEL_DEAD_SURPLUS)
		assert_null(model_in_transaction(call->session));
	return MODEL_GO_ON;
}

static void
test_batches(void **state)
{
	unsigned counts[2] = {0};

	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){
				      .model_options = {.hook = count_drops, .state = counts},
				      .store = {.dead_max_count = 1}});
	submit_dead(501);
	herald__upkeep_step(f->store);
	assert_int_equal(rows(), 1);
	assert_int_equal(counts[0], 3);
	assert_int_equal(counts[1], 1);
	store_fixture_finish(f);
}

/* An id is remembered for one window at least, and two at most. */
static void
test_ids_are_forgotten(void **state)
{
	(void)state;
	store_fixture_init(f,
			   &(struct store_fixture_options){.store = {.seen_window_ms = 1000000}});
	herald__upkeep_step(f->store);
	store_submit(f, "a", "done");
	store_settle(f);
	for (int i = 0; i < 9; i++) {
		f->wall_ms += 100000;
		herald__upkeep_step(f->store);
	}
	store_submit(f, "a", "done");
	store_settle(f);
	assert_true(f->arrivals[1].event.is_duplicate);
	for (int i = 0; i < 12; i++) {
		f->wall_ms += 100000;
		herald__upkeep_step(f->store);
	}
	store_submit(f, "a", "done");
	store_settle(f);
	assert_false(f->arrivals[2].event.is_duplicate);
	store_fixture_finish(f);
}

/* Events that earlier processes have left count for max_pending from the first count on, and the
 * process's own at once. */
static void
test_max_pending_after_a_start(void **state)
{
	static const struct {
		bool is_counted;
		unsigned accepted; /* of four */
	} processes[] = {{false, 3}, {false, 3}, {true, 0}};
	struct model *model = model_create(&(struct model_options){.secret = 1});

	(void)state;
	for (unsigned i = 0; i < COUNT(processes); i++) {
		store_fixture_init(f, &(struct store_fixture_options){.model = model,
								      .store = {.max_pending = 3}});
		f->due_ms = f->wall_ms + 3600000;
		if (processes[i].is_counted)
			herald__upkeep_step(f->store);
		for (unsigned j = 0; j < 4; j++) {
			char id[16];

			snprintf(id, sizeof(id), "%u.%u", i, j);
			store_submit(f, id, "done");
			store_settle(f);
			assert_int_equal(f->arrivals[j].event.status, j < processes[i].accepted
									      ? HERALD_OK
									      : HERALD_UNAVAILABLE);
		}
		store_fixture_finish(f);
	}
	model_destroy(model);
}

/* A database that can tell how many there are at most. */
static struct {
	uint64_t most;
	enum herald_status status;
} told;

static enum herald_status
tell_most(struct herald_session *session, uint64_t *count, struct herald_error *error)
{
	(void)session;
	if (told.status != HERALD_OK)
		return herald_error_set(error, told.status, HERALD_NO_OFFSET, "not now");
	*count = told.most;
	return HERALD_OK;
}

static void
tells_most(struct herald_database_ops *ops)
{
	ops->pending_most = tell_most;
}

static enum herald_status
count_counts(struct model_call *call, void *state)
{
	if (call->op == MODEL_PENDING)
		++*(unsigned *)state;
	return MODEL_GO_ON;
}

/* Events are not counted while there cannot be as many as max_pending, even if many come before the
 * next look. */
static void
test_counting_is_spared(void **state)
{
	static const struct {
		uint64_t max, most;
		enum herald_status status;
		bool is_counted;
	} rows[] = {
		{10000000, 8999999, HERALD_OK, false},
		{10000000, 9000000, HERALD_OK, true},
		{10000000, 11000000, HERALD_OK, true},
		{10000000, 5, HERALD_UNAVAILABLE, true},
		{1000001, 0, HERALD_OK, false},
		{1000000, 0, HERALD_OK, true},
		{3, 0, HERALD_OK, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned counts = 0;
		char logged[64];

		told.most = rows[i].most;
		told.status = rows[i].status;
		store_fixture_init(
			f, &(struct store_fixture_options){
				   .model_options = {.hook = count_counts, .state = &counts},
				   .store = {.max_pending = rows[i].max},
				   .adapt = tells_most});
		uint64_t due_ms = herald__upkeep_step(f->store);
		assert_int_equal(counts, rows[i].is_counted);
		assert_int_equal(f->store->dispatch.pending, rows[i].is_counted ? 0 : rows[i].most);
		assert_in_range(due_ms, f->wall_ms + 1, f->wall_ms + 1000);
		/* The log says which of the two it is. */
		f->store->dispatch.refusal = "not now";
		store_submit(f, "1", "done");
		snprintf(logged, sizeof(logged), " %s=%llu ",
			 rows[i].is_counted ? "pending" : "pending_at_most",
			 (unsigned long long)f->store->dispatch.pending);
		assert_true(store_logged(f, logged));
		f->wall_ms += 1000;
		told.most = rows[i].max;
		told.status = HERALD_OK;
		herald__upkeep_step(f->store);
		assert_int_equal(counts, 1 + rows[i].is_counted);
		store_fixture_finish(f);
	}
}

/* A part that fails is logged, and the others are done (pg-boss#492). */
static const struct {
	enum model_op op;
	const char *logged;
} failures[] = {
	{MODEL_PENDING, "warning upkeep failed what=counting events error=model: pending fails"},
	{MODEL_DEAD_SURPLUS, "warning upkeep failed what=counting dead letters error=model: "},
	{MODEL_DEAD_TRIM, "warning upkeep failed what=deleting old dead letters"},
	{MODEL_SEEN_ROTATE, "warning upkeep failed what=dropping old keys of deduplication"},
};

static void
test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(failures); i++) {
		store_fixture_init(f,
				   &(struct store_fixture_options){.store = {.dead_max_count = 1}});
		submit_dead(3);
		model_fail(f->model, failures[i].op, 1, HERALD_UNAVAILABLE, false);
		f->store->dispatch.pending = 99;
		uint64_t due_ms = herald__upkeep_step(f->store);
		assert_true(model_has_failed(f->model));
		assert_true(store_logged(f, failures[i].logged));
		assert_true(due_ms <= (uint64_t)f->wall_ms + 10000);
		assert_int_equal(rows(), failures[i].op == MODEL_DEAD_TRIM ||
							 failures[i].op == MODEL_DEAD_SURPLUS
						 ? 3
						 : 1);
		assert_int_equal(f->store->dispatch.pending,
				 failures[i].op == MODEL_PENDING ? 99 : 0);
		assert_int_equal(herald_store_health(f->store, NULL), HERALD_OK);
		/* A count is not a transaction. */
		assert_int_equal(f->store->counts.failures,
				 failures[i].op != MODEL_PENDING &&
					 failures[i].op != MODEL_DEAD_SURPLUS);
		f->wall_ms += 10000;
		herald__upkeep_step(f->store);
		assert_int_equal(rows(), 1);
		store_fixture_finish(f);
	}
}

/* A count of what is pending that takes 30 seconds, and may fail. */
static struct {
	unsigned counts;
	enum herald_status status;
} slow;

static enum herald_status
count_slowly(struct model_call *call, void *state)
{
	(void)state;
	if (call->op != MODEL_PENDING)
		return MODEL_GO_ON;
	slow.counts++;
	f->wall_ms += 30000;
	return slow.status;
}

static void
test_slow_counts(void **state)
{
	static const struct {
		enum herald_status status;
		int64_t pause_ms;
	} rows[] = {{MODEL_GO_ON, 3000000}, {HERALD_UNAVAILABLE, 60000}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		store_fixture_init(f, &(struct store_fixture_options){
					      .model_options = {.hook = count_slowly}});
		slow.status = rows[i].status;
		slow.counts = 0;
		herald__upkeep_step(f->store);
		f->wall_ms += rows[i].pause_ms - 1;
		herald__upkeep_step(f->store);
		assert_int_equal(slow.counts, 1);
		f->wall_ms++;
		herald__upkeep_step(f->store);
		assert_int_equal(slow.counts, 2);
		store_fixture_finish(f);
	}
}

/* An error of the disk fails the store, whatever connection sees it. */
static void
test_disk_error(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.dead_max_count = 1}});
	submit_dead(3);
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_STORE_FAILED, false);
	herald__upkeep_step(f->store);
	assert_int_equal(herald_store_health(f->store, NULL), HERALD_STORE_FAILED);
	store_submit(f, "x", "done");
	assert_int_equal(f->arrivals[3].event.status, HERALD_STORE_FAILED);
	assert_string_equal(f->arrivals[3].event.error.message, "the store has failed");
	store_fixture_finish(f);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_dead_letters_are_trimmed),
		TEST(test_batches),
		TEST(test_ids_are_forgotten),
		TEST(test_max_pending_after_a_start),
		TEST(test_counting_is_spared),
		TEST(test_failures),
		TEST(test_slow_counts),
		TEST(test_disk_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
