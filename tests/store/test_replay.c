/*
 * Dead letters that are replayed while an end of their run is under way, of which nobody knows
 * whether it is stored: it does not end the next run, which has as many attempts. Step by step, on
 * a model of a database.
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

/* On the heap, as it is large. */
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
submit_many(unsigned count, const char *action)
{
	for (unsigned i = 1; i <= count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%u", i);
		store_submit(f, id, action);
	}
}

/* An end whose outcome is unknown waits behind another one, as a batch has room for one. Its event
 * is a dead letter, and is replayed meanwhile: the end does not belong to the next run, which has
 * as many attempts. */
static void
test_replay_of_an_unknown_end(void **state)
{
	const struct herald_dead_filter filter = {.event_id = "1"};

	(void)state;
	for (int apart = 0; apart <= 1; apart++) {
		uint64_t count;

		store_fixture_init(f, &(struct store_fixture_options){
					      .model_options = {.claims_apart = apart},
					      .store = {.max_batch = 1, .workers = 1}});
		submit_many(2, "fail");
		for (int i = 0; i < 2; i++)
			herald__committer_turn(f->store);
		while (herald__worker_step(f->store->workers))
			;
		assert_string_equal(f->runs, "1/1 2/1");
		model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, true);
		herald__committer_turn(f->store);
		assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
		assert_int_equal(herald_store_dead_replay(f->store, &filter, NULL, &count, NULL),
				 HERALD_OK);
		assert_int_equal(count, 1);
		f->wall_ms += 50;
		/* It is not claimed in the transaction that finds out that the end is lost. */
		for (int i = 0; i < (apart ? 2 : 3); i++)
			herald__committer_turn(f->store);
		assert_int_equal(store_row(f, "2")->state, MODEL_DEAD);
		assert_int_equal(store_row(f, "1")->state, MODEL_RUNNING);
		store_settle(f);
		assert_string_equal(f->runs, "1/1 2/1 1/1");
		assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
		assert_int_equal(store_counts(f).lost, 0);
		store_fixture_finish(f);
	}
}

/* The same, alone, and twice: the end's event is not claimed together with it, in a transaction of
 * which nothing is known either. */
static void
test_replay_of_a_twice_unknown_end(void **state)
{
	const struct herald_dead_filter filter = {.event_id = "1"};

	(void)state;
	for (int apart = 0; apart <= 1; apart++) {
		uint64_t count;

		store_fixture_init(
			f, &(struct store_fixture_options){.model_options = {.claims_apart = apart},
							   .store = {.workers = 1}});
		submit_many(1, "fail");
		herald__committer_turn(f->store);
		while (herald__worker_step(f->store->workers))
			;
		assert_string_equal(f->runs, "1/1");
		for (int i = 0; i < 2; i++) {
			/* The first commit of the second turn reconciles. */
			model_fail(f->model, MODEL_COMMIT, 1 + i, HERALD_UNKNOWN_OUTCOME, true);
			herald__committer_turn(f->store);
			assert_true(model_has_failed(f->model));
			if (i == 0)
				assert_int_equal(herald_store_dead_replay(f->store, &filter, NULL,
									  &count, NULL),
						 HERALD_OK);
			f->wall_ms += 100;
		}
		assert_int_equal(count, 1);
		store_settle(f);
		assert_string_equal(f->runs, "1/1 1/1");
		assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
		assert_int_equal(store_counts(f).lost, 0);
		store_fixture_finish(f);
	}
}

/* A worker's commit that takes place, and fails. */
struct lost_commit {
	bool is_armed;
	/* So is the claim after the replay. */
	bool loses_claim, claims_apart;
	bool is_over;
};

static enum herald_status
lose_commit(struct model_call *call, void *state)
{
	const struct lost_commit *lost = state;

	call->takes_place = lost->is_armed && call->op == MODEL_COMMIT &&
			    call->session == f->store->workers[0].join.session;
	return call->takes_place ? HERALD_UNKNOWN_OUTCOME : MODEL_GO_ON;
}

/* Before the worker learns of it, the dead letter is replayed, and the committer claims it. */
static void
replay_and_claim(const struct model_call *call, void *state)
{
	const struct herald_dead_filter filter = {.event_id = "1"};
	struct lost_commit *lost = state;
	uint64_t count;

	if (call->session != f->store->workers[0].join.session)
		return;
	lost->is_armed = false;
	lost->is_over = true;
	assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
	assert_int_equal(herald_store_dead_replay(f->store, &filter, NULL, &count, NULL),
			 HERALD_OK);
	assert_int_equal(count, 1);
	f->wall_ms += 100;
	if (lost->loses_claim)
		model_fail(f->model, lost->claims_apart ? MODEL_CLAIM : MODEL_COMMIT, 1,
			   HERALD_UNKNOWN_OUTCOME, true);
	herald__committer_turn(f->store);
	assert_true(model_has_failed(f->model));
	assert_int_equal(store_row(f, "1")->state, MODEL_RUNNING);
	assert_int_equal(store_row(f, "1")->attempts, 1);
}

/* The end is a retry, as the worker does not know that its commit has taken place. With one attempt
 * only, it would take it from the replayed event, whose function would not run at all. If the claim
 * is lost too, the event is given back: the job that waits for its end is not this claim. */
static void
test_replay_during_a_commit_of_a_worker(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct lost_commit lost = {.loses_claim = i & 1, .claims_apart = i & 2};

		store_fixture_init(f, &(struct store_fixture_options){
					      .model_options = {.claims_apart = lost.claims_apart,
								.hook = lose_commit,
								.after = replay_and_claim,
								.state = &lost},
					      .store = {.workers = 1, .max_attempts = 1}});
		submit_many(1, "join-retry");
		herald__committer_turn(f->store);
		lost.is_armed = true;
		while (herald__worker_step(f->store->workers))
			;
		assert_true(lost.is_over);
		store_settle(f);
		store_pass(f, 200);
		assert_string_equal(f->runs, "1/1 1/1");
		assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
		assert_int_equal(store_row(f, "1")->attempts, 1);
		assert_int_equal(store_row(f, "1")->replays, 1);
		assert_int_equal(store_counts(f).lost, 0);
		store_fixture_finish(f);
	}
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_replay_of_an_unknown_end),
		TEST(test_replay_of_a_twice_unknown_end),
		TEST(test_replay_during_a_commit_of_a_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
