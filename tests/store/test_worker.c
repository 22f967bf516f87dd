/*
 * Runs and their ends, step by step: verdicts, attempts, delays, dead letters, and transactions
 * that events join.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/node.h"
#include "support/failing_allocator.h"
#include "support/store_fixture.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define LEASE_MS 15000

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

static size_t
effects(void)
{
	return model_committed(f->model)->effects_count;
}

/* How an event becomes a dead letter. */
static const struct {
	const char *action;
	enum herald_dead_reason why;
	unsigned attempts;
	const char *reason;
	const char *path;
	bool has_offset;
} deaths[] = {
	{"fail", HERALD_DEAD_FAILED, 1, "no good", "", false},
	{"retry", HERALD_DEAD_ATTEMPTS, 3, "not yet", "", false},
	{"later", HERALD_DEAD_ATTEMPTS, 3, "in a while", "", false},
	{"join-retry", HERALD_DEAD_ATTEMPTS, 3, "not yet", "", false},
	{"bad", HERALD_DEAD_UNDECODABLE, 1, "id is required, but missing", "/payload/id", true},
	{"unknown", HERALD_DEAD_NO_ROUTE, 1, "no route for event type \"other\"", "/event_type",
	 false},
};

static void
test_dead_letters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(deaths); i++) {
		char logged[256];

		store_fixture_init(f,
				   &(struct store_fixture_options){.store = {.max_attempts = 3}});
		store_submit(f, "7", deaths[i].action);
		store_settle(f);
		store_pass(f, 3600000);
		store_pass(f, 3600000);
		const struct model_row *row = store_row(f, "7");
		assert_non_null(row);
		assert_int_equal(row->state, MODEL_DEAD);
		assert_string_equal(herald_dead_reason_name(row->why),
				    herald_dead_reason_name(deaths[i].why));
		assert_int_equal(row->attempts, deaths[i].attempts);
		assert_string_equal(row->texts[MODEL_REASON], deaths[i].reason);
		assert_string_equal(row->texts[MODEL_PATH], deaths[i].path);
		assert_int_equal(row->offset >= 0, deaths[i].has_offset);
		assert_int_equal(store_counts(f).dead, 1);
		assert_int_equal(store_counts(f).retries, deaths[i].attempts - 1);
		assert_int_equal(effects(), 0);
		snprintf(logged, sizeof(logged), "why=%s reason=%s",
			 herald_dead_reason_name(deaths[i].why), deaths[i].reason);
		assert_true(store_logged(f, "warning event is a dead letter id="));
		assert_true(store_logged(f, logged));
		store_fixture_finish(f);
	}
}

/* An event that has no route any more holds its key if it was accepted so, also if it was claimed
 * later. */
static void
test_dead_letters_without_a_run_hold_their_keys(void **state)
{
	static const struct {
		const char *action;
		bool holds_keys;
		uint64_t delay_ms; /* then it is claimed */
	} cases[] = {
		{"unknown", true, 0},
		{"unknown", true, 50},
		{"unknown", false, 0},
		{"unknown", false, 50},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		store_fixture_init(f, &(struct store_fixture_options){0});
		f->holds_keys = cases[i].holds_keys;
		f->due_ms = cases[i].delay_ms ? f->wall_ms + (int64_t)cases[i].delay_ms : 0;
		store_submit_keyed(f, "1", cases[i].action, "key");
		f->due_ms = 0;
		store_submit_keyed(f, "2", "done", "key");
		store_settle(f);
		store_pass(f, 50);
		assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
		assert_int_equal(store_row(f, "1")->is_held, cases[i].holds_keys);
		assert_string_equal(f->runs, cases[i].holds_keys ? "" : "2/1");
		store_fixture_finish(f);
	}
}

/* The delays of the backoff: from the options, and from the verdict. */
static const struct {
	const char *action;
	struct herald_store_options store;
	uint64_t delays[3];
} delays[] = {
	{"retry", {.backoff = HERALD_BACKOFF_NO_JITTER}, {1000, 2000, 4000}},
	{"retry", {.backoff = HERALD_BACKOFF_FIXED, .first_delay_ms = 50}, {50, 50, 50}},
	{"retry",
	 {.backoff = HERALD_BACKOFF_NO_JITTER,
	  .first_delay_ms = 10,
	  .factor = 100,
	  .max_delay_ms = 500},
	 {10, 500, 500}},
	{"later", {.backoff = HERALD_BACKOFF_NO_JITTER}, {70, 70, 70}},
	{"join-retry", {.backoff = HERALD_BACKOFF_NO_JITTER}, {1000, 2000, 4000}},
};

/* A retry is due when it is due, however rarely the store looks for events of other processes. */
static void
test_retries_do_not_wait_for_a_poll(void **state)
{
	static const char *const actions[] = {"retry", "join-retry"};

	(void)state;
	for (size_t i = 0; i < COUNT(actions); i++) {
		store_fixture_init(f, &(struct store_fixture_options){
					      .store = {.backoff = HERALD_BACKOFF_FIXED,
							.first_delay_ms = 50,
							.poll_ms = 60000}});
		store_submit(f, "1", actions[i]);
		store_settle(f);
		store_pass(f, 49);
		assert_string_equal(f->runs, "1/1");
		assert_int_equal(herald__committer_turn(f->store), f->wall_ms + 1);
		store_pass(f, 1);
		assert_string_equal(f->runs, "1/1 1/2");
		store_fixture_finish(f);
	}
}

/* MassTransit#4299: a retry waits in the database, and no transaction is open meanwhile. */
static void
test_delays(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(delays); i++) {
		store_fixture_init(f, &(struct store_fixture_options){.store = delays[i].store});
		store_submit(f, "1", delays[i].action);
		store_settle(f);
		for (size_t j = 0; j < COUNT(delays[i].delays); j++) {
			assert_int_equal(f->runs_count, j + 1);
			assert_null(model_in_transaction(f->store->committer.session));
			assert_false(f->store->workers[0].join.is_open);
			store_pass(f, delays[i].delays[j] - 1);
			assert_int_equal(f->runs_count, j + 1);
			store_pass(f, 1);
		}
		assert_string_equal(f->runs, "1/1 1/2 1/3 1/4");
		assert_string_equal(store_row(f, "1")->texts[MODEL_LAST_ERROR],
				    strcmp(delays[i].action, "later") == 0 ? "in a while"
									   : "not yet");
		store_fixture_finish(f);
	}
}

/* JOIN. */

static void
submit_joins(size_t count)
{
	for (size_t i = 1; i <= count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%zu", i);
		store_submit(f, id, "join");
	}
}

static void
test_join_is_one_commit(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
	store_settle(f);
	submit_joins(2);
	herald__committer_turn(f->store);
	const uint64_t commits = store_counts(f).commits;
	assert_true(herald__worker_step(f->store->workers));
	assert_true(herald__worker_step(f->store->workers));
	/* Both ran; neither is committed. */
	assert_string_equal(f->runs, "1/1 2/1");
	assert_int_equal(effects(), 0);
	assert_int_equal(store_row(f, "1")->state, MODEL_RUNNING);
	assert_true(herald__worker_step(f->store->workers));
	assert_int_equal(effects(), 2);
	assert_null(store_row(f, "1"));
	assert_int_equal(store_counts(f).commits, commits + 1);
	store_settle(f);
	assert_int_equal(store_counts(f).done, 2);
	store_fixture_finish(f);
}

/* An event without JOIN does not run within the transaction of others. */
static void
test_join_ends_before_others(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
	store_settle(f);
	submit_joins(1);
	store_submit(f, "2", "done");
	herald__committer_turn(f->store);
	herald__worker_step(f->store->workers);
	assert_int_equal(effects(), 0);
	herald__worker_step(f->store->workers);
	assert_int_equal(effects(), 1);
	store_settle(f);
	assert_int_equal(store_counts(f).done, 2);
	store_fixture_finish(f);
}

static void
test_join_undoes_one_of_several(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
	store_settle(f);
	store_submit(f, "1", "join");
	store_submit(f, "2", "join-retry");
	store_submit(f, "3", "join");
	store_settle(f);
	assert_string_equal(f->runs, "1/1 2/1 3/1");
	assert_int_equal(effects(), 2);
	assert_int_equal(model_committed(f->model)->effects[0], 1);
	assert_int_equal(model_committed(f->model)->effects[1], 3);
	assert_int_equal(store_row(f, "2")->state, MODEL_READY);
	assert_int_equal(store_counts(f).retries, 1);
	store_fixture_finish(f);
}

/* What fails in the transaction of a worker; each event's effect is there once in the end. */
static const struct {
	enum model_op op;
	unsigned n;
	enum herald_status status;
	bool takes_place;
} join_faults[] = {
	{MODEL_BEGIN, 1, HERALD_UNAVAILABLE, false},
	{MODEL_SAVEPOINT, 1, HERALD_UNAVAILABLE, false},
	{MODEL_SAVEPOINT, 2, HERALD_UNAVAILABLE, false},
	{MODEL_COMPLETE, 1, HERALD_UNAVAILABLE, false},
	{MODEL_COMPLETE, 2, HERALD_UNAVAILABLE, false},
	{MODEL_SAVEPOINT_RELEASE, 2, HERALD_UNAVAILABLE, false},
	{MODEL_COMMIT, 1, HERALD_UNAVAILABLE, false},
	{MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, false},
	{MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, true},
};

static void
test_join_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(join_faults); i++) {
		store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
		store_settle(f);
		submit_joins(3);
		herald__committer_turn(f->store);
		model_fail(f->model, join_faults[i].op, join_faults[i].n, join_faults[i].status,
			   join_faults[i].takes_place);
		while (herald__worker_step(f->store->workers))
			;
		assert_true(model_has_failed(f->model));
		store_settle(f);
		store_pass(f, 3600000);
		assert_int_equal(effects(), 3);
		assert_int_equal(model_committed(f->model)->rows_count, 0);
		assert_int_equal(store_counts(f).lost, 0);
		store_fixture_finish(f);
	}
}

/* When the transaction is committed although more is ready. */
static void
test_join_limits(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
	store_settle(f);
	store_submit(f, "1000", "join");
	store_settle(f);
	submit_joins(200);
	for (int i = 0; i < 4; i++)
		herald__committer_turn(f->store);
	while (store_counts(f).claimed < 70) { /* as many as the workers are fast */
		store_step(f);
		herald__committer_turn(f->store);
	}
	while (f->store->workers->join.batch.count > 0)
		herald__worker_step(f->store->workers);

	/* After join_batch events. */
	const size_t before = effects();
	for (int i = 0; i < 63; i++) {
		assert_true(herald__worker_step(f->store->workers));
		assert_int_equal(effects(), before);
	}
	assert_true(herald__worker_step(f->store->workers));
	assert_int_equal(effects(), before + 64);

	/* After 5 ms. */
	assert_true(herald__worker_step(f->store->workers));
	f->wall_ms += 4;
	assert_true(herald__worker_step(f->store->workers));
	assert_int_equal(effects(), before + 64);
	f->wall_ms += 1;
	assert_true(herald__worker_step(f->store->workers));
	assert_int_equal(effects(), before + 67);
	store_settle(f);
	assert_int_equal(effects(), 201);
	store_fixture_finish(f);
}

/* After a failed commit each event is committed alone, so that one that makes it fail is found. */
static void
test_join_alone_after_a_failure(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
	store_settle(f);
	submit_joins(2);
	herald__committer_turn(f->store);
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNAVAILABLE, false);
	while (herald__worker_step(f->store->workers))
		;
	assert_int_equal(effects(), 0);
	store_settle(f);
	assert_int_equal(store_row(f, "1")->attempts, 1);
	f->wall_ms += 3600000;
	herald__committer_turn(f->store);
	for (size_t i = 1; i <= 2; i++) {
		assert_true(herald__worker_step(f->store->workers));
		assert_int_equal(effects(), i);
	}
	assert_string_equal(f->runs, "1/1 2/1 1/2 2/2");
	store_settle(f);
	store_fixture_finish(f);
}

/* Claim an event that runs again, behind a new one. */
static void
claim_behind_another(const char *id)
{
	struct herald__job_list *ready = &f->store->dispatch.ready;

	store_submit(f, id, "join");
	f->wall_ms += 3600000;
	herald__committer_turn(f->store);
	assert_int_equal(ready->count, 2);
	if (ready->first->attempts > 1) {
		struct herald__job *again = herald__job_list_take(ready);

		herald__job_list_add(ready, again);
	}
}

/* Nor does it join the transaction of an event that runs for the first time. */
static void
test_join_again_behind_others(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
	store_settle(f);
	store_submit(f, "1", "join-retry");
	store_settle(f);
	claim_behind_another("2");
	assert_true(herald__worker_step(f->store->workers));
	assert_int_equal(effects(), 0);
	const uint64_t commits = store_counts(f).commits;
	assert_true(herald__worker_step(f->store->workers));
	assert_int_equal(store_counts(f).commits, commits + 2);
	assert_string_equal(f->runs, "1/1 2/1 1/2");
	assert_int_equal(effects(), 1);
	assert_int_equal(f->store->workers->join.batch.count, 0);
	store_settle(f);
	store_fixture_finish(f);
}

/* What the committer has to store when the second of two transactions begins. */
struct second_begin {
	unsigned begins;
	size_t ended;
};

static enum herald_status
note_second_begin(struct model_call *call, void *state)
{
	struct second_begin *second = state;

	if (call->op == MODEL_BEGIN && call->session != f->store->committer.session &&
	    ++second->begins == 2)
		second->ended = f->store->dispatch.ended.count;
	return MODEL_GO_ON;
}

/* An event that ends the transaction of others may wait and run for long; meanwhile the committer
 * stores their ends. */
static void
test_join_gives_back_before_a_run_alone(void **state)
{
	struct second_begin second = {0};

	(void)state;
	store_fixture_init(f,
			   &(struct store_fixture_options){
				   .store = {.workers = 1},
				   .model_options = {.hook = note_second_begin, .state = &second}});
	store_settle(f);
	store_submit(f, "1", "join-retry");
	store_settle(f);
	claim_behind_another("2");
	second.begins = 0;
	assert_true(herald__worker_step(f->store->workers));
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNAVAILABLE, false);
	assert_true(herald__worker_step(f->store->workers));
	assert_true(model_has_failed(f->model));
	assert_string_equal(f->runs, "1/1 2/1 1/2");
	assert_int_equal(second.begins, 2);
	assert_int_equal(second.ended, 1);
	store_settle(f);
	store_pass(f, 3600000);
	assert_int_equal(effects(), 1);
	store_fixture_finish(f);
}

/* A commit of a worker that takes longer than the lease. */
static enum herald_status
let_lease_end(struct model_call *call, void *state)
{
	bool *is_slow = state;

	if (*is_slow && call->op == MODEL_COMMIT && call->session != f->store->committer.session) {
		f->wall_ms += LEASE_MS;
		*is_slow = false;
	}
	return MODEL_GO_ON;
}

/* A handler that notes what it is told, among the runs. */
static void
witness_rejected(struct herald_handler *handler, struct herald_context *ctx,
		 const struct herald_rejection *rejection)
{
	(void)handler, (void)ctx, (void)rejection;
	store_note(f, "rejected");
}

static void
witness_dead(struct herald_handler *handler, struct herald_context *ctx,
	     const struct herald_result *result)
{
	(void)handler, (void)ctx, (void)result;
	store_note(f, "dead");
}

static const struct herald_handler_ops witness_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "witness",
	.rejected = witness_rejected,
	.dead = witness_dead,
};

/* The worker commits the transaction of earlier events before it begins one that does not join. If
 * that takes longer than the lease, another node may have the event: nothing of the user's runs,
 * and the event comes again without a lost attempt. */
static void
test_lease_ends_in_the_commit_before(void **state)
{
	static const struct {
		const char *action, *runs;
		unsigned runs_begun;
		bool is_dead;
	} cases[] = {
		{"done", "9/1 1/1 2/1", 3, false},
		{"fail", "9/1 1/1 2/1", 3, true},
		{"bad", "9/1 1/1 rejected dead", 3, true},
		{"unknown", "9/1 1/1 rejected dead", 3, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_handler witness = {.ops = &witness_ops};
		bool is_slow = false;

		store_fixture_init(f, &(struct store_fixture_options){
					      .store = {.workers = 1, .lease_ms = LEASE_MS},
					      .handler = &witness,
					      .model_options = {.has_leases = true,
								.hook = let_lease_end,
								.state = &is_slow}});
		store_settle(f);
		store_submit(f, "9", "join");
		store_settle(f);
		store_submit(f, "1", "join");
		store_submit(f, "2", cases[i].action);
		herald__committer_turn(f->store);
		assert_true(herald__worker_step(f->store->workers));
		is_slow = true;
		assert_true(herald__worker_step(f->store->workers));
		assert_false(is_slow);
		assert_string_equal(f->runs, "9/1 1/1");
		assert_int_equal(store_counts(f).runs, 2);
		store_settle(f);
		f->wall_ms += 3600000;
		herald__node_step(f->store);
		store_settle(f);
		assert_string_equal(f->runs, cases[i].runs);
		assert_int_equal(store_counts(f).runs, cases[i].runs_begun);
		assert_int_equal(effects(), 2);
		assert_int_equal(store_counts(f).dead, cases[i].is_dead);
		if (cases[i].is_dead)
			assert_int_equal(store_row(f, "2")->attempts, 1);
		store_fixture_finish(f);
	}
}

/* A commit that fails counts as an attempt, also as the last one. */
static void
test_join_exhausted(void **state)
{
	(void)state;
	store_fixture_init(
		f, &(struct store_fixture_options){.store = {.workers = 1, .max_attempts = 1}});
	store_settle(f);
	submit_joins(1);
	herald__committer_turn(f->store);
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNAVAILABLE, false);
	while (herald__worker_step(f->store->workers))
		;
	store_settle(f);
	store_pass(f, 3600000);
	assert_int_equal(effects(), 0);
	assert_string_equal(f->runs, "1/1");
	assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
	assert_int_equal(store_row(f, "1")->why, HERALD_DEAD_ATTEMPTS);
	assert_int_equal(store_row(f, "1")->attempts, 1);
	assert_string_equal(store_row(f, "1")->texts[MODEL_REASON], "model: commit fails by order");
	store_fixture_finish(f);
}

/* Where there is one writer, a second worker leaves to the first one what will join. */
static void
test_one_joiner(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 2}});
	struct herald__worker *workers = f->store->workers;
	store_settle(f);
	store_submit(f, "9", "join");
	store_settle(f);
	submit_joins(3);
	store_submit(f, "5", "done");
	herald__committer_turn(f->store);
	assert_true(herald__worker_step(&workers[0]));
	assert_false(herald__worker_step(&workers[1]));
	assert_string_equal(f->runs, "9/1 1/1");
	assert_true(herald__worker_step(&workers[0]));
	assert_true(herald__worker_step(&workers[0]));
	/* The next one is not expected to join. */
	assert_true(herald__worker_step(&workers[1]));
	assert_string_equal(f->runs, "9/1 1/1 2/1 3/1 5/1");
	assert_true(herald__worker_step(&workers[0]));
	assert_false(herald__worker_step(&workers[0]));
	assert_int_equal(effects(), 4);
	store_submit(f, "6", "join");
	herald__committer_turn(f->store);
	assert_true(herald__worker_step(&workers[1]));
	assert_true(herald__worker_step(&workers[1]));
	store_settle(f);
	assert_int_equal(store_counts(f).done, 6);
	store_fixture_finish(f);
}

/* An event that only ends needs memory all the same. Without it the end comes later: as the same
 * dead letter, with the attempts and the reason that it had. */
static void
test_dead_later_without_memory(void **state)
{
	struct failing_allocator memory;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	store_fixture_init(
		f, &(struct store_fixture_options){.store = {.workers = 1, .max_attempts = 2},
						   .service_allocator = &memory.allocator});
	store_submit(f, "1", "retry");
	store_settle(f);
	struct model_row *row = (struct model_row *)store_row(f, "1");
	row->attempts = 2;
	herald_service_destroy(f->service); /* with the memory that it keeps */
	store_fixture_service(f);
	f->wall_ms += 3600000;
	herald__committer_turn(f->store);
	memory.mode = FAIL_FROM;
	memory.fail_at = 1;
	store_settle(f);
	memory.mode = FAIL_NEVER;
	assert_string_equal(f->runs, "1/1");
	assert_int_equal(store_row(f, "1")->state, MODEL_READY);
	assert_int_equal(store_row(f, "1")->attempts, 2);
	assert_string_equal(store_row(f, "1")->texts[MODEL_LAST_ERROR], "not yet");
	store_pass(f, 3600000);
	assert_string_equal(f->runs, "1/1");
	assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
	assert_int_equal(store_row(f, "1")->attempts, 2);
	assert_string_equal(store_row(f, "1")->texts[MODEL_REASON], "not yet");
	store_fixture_finish(f);
}

/* A function that ends the store's transaction itself: the others run again, this one is dead. */
static void
test_join_ended_by_function(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
	store_settle(f);
	store_submit(f, "1", "join");
	store_submit(f, "2", "join-end");
	store_submit(f, "3", "join");
	store_settle(f);
	store_pass(f, 3600000);
	assert_int_equal(effects(), 2);
	assert_int_equal(store_row(f, "2")->state, MODEL_DEAD);
	assert_int_equal(store_row(f, "2")->why, HERALD_DEAD_FAILED);
	assert_string_equal(store_row(f, "2")->texts[MODEL_REASON],
			    "model: the transaction has ended");
	assert_null(store_row(f, "1"));
	assert_null(store_row(f, "3"));
	store_fixture_finish(f);
}

/* If it has committed the transaction, the event is done, and so are those before it. */
static void
test_join_committed_by_function(void **state)
{
	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
	store_settle(f);
	store_submit(f, "1", "join");
	store_submit(f, "2", "join-commit");
	store_submit(f, "3", "join");
	store_settle(f);
	store_pass(f, 3600000);
	assert_string_equal(f->runs, "1/1 2/1 3/1");
	assert_int_equal(effects(), 3);
	assert_null(store_row(f, "1"));
	assert_null(store_row(f, "2"));
	assert_null(store_row(f, "3"));
	assert_true(store_logged(
		f, "error function has committed the store's transaction: its event is done"));
	assert_int_equal(store_counts(f).dead, 0);
	assert_int_equal(store_counts(f).lost, 0);
	store_fixture_finish(f);
}

/* An upcaster cannot have the room for its struct: out of memory may be over in the next run, the
 * limit of the service is not. */
struct old_thing {
	const char *id;
};
HERALD_SCHEMA(old_thing, HERALD_FIELD(old_thing, id, .required = true));

struct large_thing {
	const char *id;
	char rest[1 << 20];
};
HERALD_SCHEMA(large_thing, HERALD_FIELD(large_thing, id, .required = true),
	      HERALD_PRIVATE(large_thing, rest));

/* What the first of two upcasters does, before the second one needs room. */
static struct {
	struct failing_allocator memory;
	bool is_out_of_memory; /* from now on */
	bool ends_transaction;
	unsigned runs;
} upcasting;

static enum herald_verdict
rewrite(struct herald_context *ctx, const struct old_thing *from, struct old_thing *to)
{
	struct herald_session *session = herald_context_session(ctx);

	upcasting.runs++;
	to->id = from->id;
	if (upcasting.is_out_of_memory) {
		upcasting.memory.mode = FAIL_FROM;
		upcasting.memory.fail_at = 1;
	}
	if (upcasting.ends_transaction)
		model_connection_rollback(session->database->ops->handle(session));
	return HERALD_DONE;
}
HERALD_UPCASTER(rewrite, old_thing, old_thing);

static enum herald_verdict
enlarge(struct herald_context *ctx, const struct old_thing *from, struct large_thing *to)
{
	(void)ctx;
	to->id = from->id;
	return HERALD_DONE;
}
HERALD_UPCASTER(enlarge, old_thing, large_thing);

static enum herald_verdict
on_large(struct herald_context *ctx, const struct large_thing *thing, struct store_fixture *unused)
{
	(void)ctx, (void)thing, (void)unused;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_large, large_thing, store_fixture);

static void
create_upcasting_service(size_t max_arena_bytes)
{
	const struct herald_route routes[] = {HERALD_ROUTE("task", large_thing, on_large, f,
							   .version = "3",
							   .transaction = HERALD_TRANSACTION_JOIN)};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("task", "1", old_thing, "2", old_thing, rewrite),
		HERALD_UPCAST("task", "2", old_thing, "3", large_thing, enlarge)};
	struct herald_error error;

	herald_service_destroy(f->service);
	if (herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
					    .store = f->store, .max_arena_bytes = max_arena_bytes,
					    .allocator = upcasting.memory.allocator),
		    &f->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

/* Of version 1. */
static void
submit_old_thing(void)
{
	struct store_arrival *arrival = store_submit(f, "1", "done");

	arrival->event.data.bytes = (size_t)snprintf(
		arrival->data, sizeof(arrival->data),
		"{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"task\","
		"\"metadata\":{\"id\":\"1\",\"version\":\"1\"},\"payload\":{\"id\":\"1\"}}");
}

static const struct {
	bool is_out_of_memory, ends_transaction;
	size_t max_arena_bytes;
	unsigned state, why, runs;
	const char *reason;
} upcasts[] = {
	{true, false, 4 << 20, MODEL_READY, 0, 2, "out of memory"},
	{true, true, 4 << 20, MODEL_DEAD, HERALD_DEAD_FAILED, 1,
	 "model: the transaction has ended"},
	{false, false, 1 << 19, MODEL_DEAD, HERALD_DEAD_UNDECODABLE, 1,
	 "the event needs more than 524288 bytes of memory"},
	{false, true, 1 << 19, MODEL_DEAD, HERALD_DEAD_UNDECODABLE, 1,
	 "the event needs more than 524288 bytes of memory"},
};

static void
test_statuses_of_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(upcasts); i++) {
		upcasting.runs = 0;
		upcasting.is_out_of_memory = upcasts[i].is_out_of_memory;
		upcasting.ends_transaction = upcasts[i].ends_transaction;
		failing_allocator_init(&upcasting.memory, FAIL_NEVER, 0);
		store_fixture_init(f, &(struct store_fixture_options){.store = {.workers = 1}});
		create_upcasting_service(upcasts[i].max_arena_bytes);
		submit_old_thing();
		store_settle(f);
		const struct model_row *row = store_row(f, "1");
		assert_int_equal(row->state, upcasts[i].state);
		assert_int_equal(row->attempts, 1);
		assert_int_equal(row->why, upcasts[i].why);
		assert_string_equal(
			row->texts[row->state == MODEL_DEAD ? MODEL_REASON : MODEL_LAST_ERROR],
			upcasts[i].reason);
		upcasting.is_out_of_memory = false;
		upcasting.memory.mode = FAIL_NEVER;
		store_pass(f, 3600000);
		assert_int_equal(upcasting.runs, upcasts[i].runs);
		assert_int_equal(!store_row(f, "1"), upcasts[i].state == MODEL_READY);
		store_fixture_finish(f);
		assert_all_released(&upcasting.memory);
	}
}

/* Out of memory in each run: the attempts count, and the last one is followed by an end alone. */
static void
test_exhausted_without_memory(void **state)
{
	(void)state;
	upcasting.runs = 0;
	upcasting.is_out_of_memory = true;
	upcasting.ends_transaction = false;
	failing_allocator_init(&upcasting.memory, FAIL_NEVER, 0);
	store_fixture_init(
		f, &(struct store_fixture_options){.store = {.workers = 1, .max_attempts = 3}});
	create_upcasting_service(4 << 20);
	submit_old_thing();
	for (int i = 0; i < 6; i++) {
		store_pass(f, 3600000);
		upcasting.memory.mode = FAIL_NEVER;
	}
	assert_int_equal(upcasting.runs, 3);
	assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
	assert_int_equal(store_row(f, "1")->why, HERALD_DEAD_ATTEMPTS);
	assert_int_equal(store_row(f, "1")->attempts, 3);
	assert_string_equal(store_row(f, "1")->texts[MODEL_REASON], "out of memory");
	store_fixture_finish(f);
	assert_all_released(&upcasting.memory);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_dead_letters),
		TEST(test_dead_letters_without_a_run_hold_their_keys),
		TEST(test_delays),
		TEST(test_retries_do_not_wait_for_a_poll),
		TEST(test_join_is_one_commit),
		TEST(test_join_ends_before_others),
		TEST(test_join_undoes_one_of_several),
		TEST(test_join_faults),
		TEST(test_join_limits),
		TEST(test_join_alone_after_a_failure),
		TEST(test_join_again_behind_others),
		TEST(test_join_gives_back_before_a_run_alone),
		TEST(test_lease_ends_in_the_commit_before),
		TEST(test_join_exhausted),
		TEST(test_one_joiner),
		TEST(test_dead_later_without_memory),
		TEST(test_join_ended_by_function),
		TEST(test_join_committed_by_function),
		TEST(test_statuses_of_runs),
		TEST(test_exhausted_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
