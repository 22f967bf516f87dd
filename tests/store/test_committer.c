/*
 * Turns of the committer, step by step, on a model of a database: what one transaction stores, and
 * what is left when it fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/failing_allocator.h"
#include "support/store_fixture.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* On the heap, as it is large. */
static struct store_fixture *f;

static void
setup_with(const struct store_fixture_options *options)
{
	store_fixture_init(f, options);
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

static void
submit_many(size_t count, const char *action)
{
	for (size_t i = 0; i < count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%zu", f->arrivals_count + 1);
		store_submit(f, id, action);
	}
}

static void
check_answers(size_t first, size_t count, enum herald_status status)
{
	for (size_t i = first; i < first + count; i++) {
		assert_int_equal(f->arrivals[i].answers, 1);
		assert_string_equal(herald_status_name(f->arrivals[i].event.status),
				    herald_status_name(status));
	}
}

static void
test_one_transaction_for_all(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){0});
	submit_many(100, "done");
	herald__committer_turn(f->store);
	check_answers(0, 100, HERALD_OK);
	assert_int_equal(store_counts(f).commits, 1);
	assert_int_equal(model_committed(f->model)->rows_count, 100);
	/* As many as the workers have room for are running already. */
	assert_int_equal(store_counts(f).claimed, 8);
	store_settle(f);
	assert_int_equal(store_counts(f).done, 100);
	assert_int_equal(store_counts(f).runs, 100);
	assert_int_equal(model_committed(f->model)->rows_count, 0);
	store_fixture_finish(f);
}

static void
test_batches_are_limited(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.store = {.max_batch = 10}});
	submit_many(25, "done");
	herald__committer_turn(f->store);
	check_answers(0, 10, HERALD_OK);
	check_answers(10, 0, HERALD_OK);
	assert_int_equal(f->arrivals[10].answers, 0);
	herald__committer_turn(f->store);
	herald__committer_turn(f->store);
	check_answers(0, 25, HERALD_OK);
	store_settle(f);
	assert_int_equal(store_counts(f).done, 25);
	store_fixture_finish(f);
}

static void
test_duplicates(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){0});
	store_submit(f, "a", "done");
	store_submit(f, "a", "done");
	store_submit(f, "", "done");
	store_submit(f, "", "done");
	herald__committer_turn(f->store);
	check_answers(0, 4, HERALD_OK);
	assert_false(f->arrivals[0].event.is_duplicate);
	assert_true(f->arrivals[1].event.is_duplicate);
	assert_false(f->arrivals[2].event.is_duplicate);
	assert_false(f->arrivals[3].event.is_duplicate);
	store_settle(f);
	store_submit(f, "a", "done");
	store_settle(f);
	assert_true(f->arrivals[4].event.is_duplicate);
	assert_int_equal(store_counts(f).duplicates, 2);
	assert_int_equal(store_counts(f).accepted, 3);
	assert_int_equal(store_counts(f).runs, 3);
	store_fixture_finish(f);
}

/* Events of one key: one after the other, in the order in which they were accepted. */
static void
test_order_of_a_key(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){0});
	store_submit_keyed(f, "1", "retry", "k");
	store_submit_keyed(f, "2", "done", "k");
	store_submit_keyed(f, "3", "done", "other");
	store_submit_keyed(f, "4", "done", "k");
	store_settle(f);
	assert_string_equal(f->runs, "1/1 3/1");
	assert_int_equal(store_row(f, "2")->state, MODEL_BLOCKED);
	for (int i = 0; i < 30; i++)
		store_pass(f, 3600000);
	assert_string_equal(strstr(f->runs, "1/20"), "1/20 2/1 4/1");
	store_fixture_finish(f);
}

/* What fails, and what the senders get. */
static const struct {
	enum model_op op;
	unsigned n;
	enum herald_status status;
	bool takes_place;
	enum herald_status answer;
	bool is_stored;
} faults[] = {
	{MODEL_BEGIN, 1, HERALD_UNAVAILABLE, false, HERALD_UNAVAILABLE, false},
	{MODEL_ACCEPT, 1, HERALD_UNAVAILABLE, false, HERALD_UNAVAILABLE, false},
	{MODEL_ACCEPT, 1, HERALD_NO_MEMORY, false, HERALD_NO_MEMORY, false},
	{MODEL_COMMIT, 1, HERALD_UNAVAILABLE, false, HERALD_UNAVAILABLE, false},
	{MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, false, HERALD_UNKNOWN_OUTCOME, false},
	{MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, true, HERALD_UNKNOWN_OUTCOME, true},
};

static void
test_failed_accept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		setup_with(&(struct store_fixture_options){0});
		store_settle(f);
		model_fail(f->model, faults[i].op, faults[i].n, faults[i].status,
			   faults[i].takes_place);
		submit_many(3, "done");
		herald__committer_turn(f->store);
		assert_true(model_has_failed(f->model));
		check_answers(0, 3, faults[i].answer);
		assert_int_equal(model_committed(f->model)->rows_count,
				 faults[i].is_stored ? 3 : 0);
		assert_int_equal(herald_store_health(f->store, NULL), HERALD_UNAVAILABLE);
		assert_true(store_logged(f, "warning store is unavailable"));

		/* Within the pause: refused at once. */
		store_submit(f, "4", "done");
		herald__committer_turn(f->store);
		check_answers(3, 1, HERALD_UNAVAILABLE);
		assert_string_equal(f->arrivals[3].event.error.message,
				    "the store's database is unavailable");

		store_pass(f, 60);
		store_submit(f, "5", "done");
		store_settle(f);
		check_answers(4, 1, HERALD_OK);
		assert_int_equal(herald_store_health(f->store, NULL), HERALD_OK);
		assert_true(store_logged(f, "info store works again"));
		/* What was stored without our knowledge runs all the same. */
		assert_int_equal(store_counts(f).done, faults[i].is_stored ? 4 : 1);
		assert_int_equal(model_committed(f->model)->rows_count, 0);
		assert_int_equal(store_counts(f).lost, 0);
		store_fixture_finish(f);
	}
}

static unsigned tends;

static void
count_tends(struct herald_session *session, int64_t now_ms)
{
	(void)session;
	(void)now_ms;
	tends++;
}

static void
counts_tends(struct herald_database_ops *ops)
{
	ops->tend = count_tends;
}

/* The database makes room also after commits that fail, as they may fail because there is none;
 * but not in the pauses between them, nor after a failure for good. */
static void
test_tends_after_failures(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.adapt = counts_tends});
	store_settle(f);
	for (int i = 0; i < 3; i++) {
		tends = 0;
		model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNAVAILABLE, false);
		submit_many(1, "done");
		herald__committer_turn(f->store);
		assert_true(model_has_failed(f->model));
		assert_int_equal(tends, 1);
		submit_many(1, "done");
		herald__committer_turn(f->store);
		assert_int_equal(tends, 1);
		f->wall_ms += 1000;
	}
	tends = 0;
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_STORE_FAILED, false);
	submit_many(1, "done");
	herald__committer_turn(f->store);
	assert_true(model_has_failed(f->model));
	assert_int_equal(tends, 0);
	store_fixture_finish(f);
}

/* The end of a run is kept until it is stored. */
static void
test_failed_completion(void **state)
{
	static const struct {
		enum model_op op;
		enum herald_status status;
		bool takes_place;
	} cases[] = {
		{MODEL_BEGIN, HERALD_UNAVAILABLE, false},
		{MODEL_COMPLETE, HERALD_UNAVAILABLE, false},
		{MODEL_COMMIT, HERALD_UNAVAILABLE, false},
		{MODEL_COMMIT, HERALD_UNKNOWN_OUTCOME, false},
		{MODEL_COMMIT, HERALD_UNKNOWN_OUTCOME, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		setup_with(&(struct store_fixture_options){0});
		submit_many(3, "done");
		store_step(f);
		assert_int_equal(f->runs_count, 3);
		model_fail(f->model, cases[i].op, 1, cases[i].status, cases[i].takes_place);
		store_settle(f);
		assert_true(model_has_failed(f->model));
		store_pass(f, 60);
		assert_string_equal(f->runs, "1/1 2/1 3/1");
		assert_int_equal(model_committed(f->model)->rows_count, 0);
		assert_int_equal(store_counts(f).lost, 0);
		assert_false(store_logged(f, "taken over"));
		store_fixture_finish(f);
	}
}

/* A claim that was committed without our knowledge is given back. */
static void
test_unknown_claim(void **state)
{
	(void)state;
	for (int apart = 0; apart < 2; apart++) {
		setup_with(&(struct store_fixture_options){.model_options.claims_apart = apart});
		submit_many(3, "later");
		store_settle(f);
		f->wall_ms += 100;
		model_fail(f->model, apart ? MODEL_CLAIM : MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME,
			   true);
		store_settle(f);
		assert_true(model_has_failed(f->model));
		store_pass(f, 60);
		assert_string_equal(f->runs, "1/1 2/1 3/1 1/2 2/2 3/2");
		store_fixture_finish(f);
	}
}

/* river#1258: an event that is retried and claimed again in one commit, whose outcome is unknown,
 * is not RUNNING for ever: the end that is tried again does not hide the new claim. */
static void
test_unknown_retry_and_claim(void **state)
{
	(void)state;
	for (int takes_place = 0; takes_place < 2; takes_place++) {
		setup_with(&(struct store_fixture_options){0});
		store_submit(f, "1", "later");
		store_step(f);
		store_step(f);
		assert_string_equal(f->runs, "1/1");
		f->wall_ms += 100;
		model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, takes_place);
		store_settle(f);
		assert_true(model_has_failed(f->model));
		store_pass(f, 60);
		store_pass(f, 100);
		assert_string_equal(f->runs, "1/1 1/2 1/3");
		store_fixture_finish(f);
	}
}

/* A claim that fails does not undo what was committed before it. */
static void
test_failed_claim_apart(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.model_options.claims_apart = true});
	store_settle(f);
	f->wall_ms += 100; /* it is time to look */
	model_fail(f->model, MODEL_CLAIM, 1, HERALD_UNAVAILABLE, false);
	submit_many(3, "done");
	herald__committer_turn(f->store);
	assert_true(model_has_failed(f->model));
	check_answers(0, 3, HERALD_OK);
	assert_int_equal(store_counts(f).claimed, 3);
	store_pass(f, 60);
	assert_string_equal(f->runs, "1/1 2/1 3/1");
	assert_int_equal(model_committed(f->model)->rows_count, 0);
	store_fixture_finish(f);
}

static size_t
count_running(const struct model *model)
{
	const struct model_tables *tables = model_committed(model);
	size_t count = 0;

	for (size_t i = 0; i < tables->rows_count; i++)
		count += tables->rows[i]->state == MODEL_RUNNING;
	return count;
}

/* One of two queues' claims fails, each of which is a transaction of its own. */
static const struct {
	unsigned n;
	enum herald_status status;
	bool takes_place;
	bool stops;
} claim_faults[] = {
	{1, HERALD_UNAVAILABLE, false, false}, {1, HERALD_UNAVAILABLE, true, false},
	{1, HERALD_NO_MEMORY, true, false},    {2, HERALD_UNAVAILABLE, false, false},
	{2, HERALD_UNAVAILABLE, true, false},  {2, HERALD_UNKNOWN_OUTCOME, true, false},
	{1, HERALD_UNAVAILABLE, false, true},  {1, HERALD_UNAVAILABLE, true, true},
	{1, HERALD_NO_MEMORY, true, true},     {2, HERALD_UNAVAILABLE, false, true},
	{2, HERALD_UNAVAILABLE, true, true},   {2, HERALD_UNKNOWN_OUTCOME, true, true},
};

/* Two queues, each with two events that are due in 100 ms. The second one, which has no route, is
 * returned. */
static struct herald_service *
setup_two_queues(struct model *model)
{
	struct herald_service *first, *second = NULL;

	setup_with(&(struct store_fixture_options){.model = model, .queue = "a"});
	first = f->service;
	assert_int_equal(
		herald_service_create(&HERALD_SERVICE_OPTIONS(.store = f->store, .queue = "b"),
				      &second, NULL),
		HERALD_OK);
	f->due_ms = f->wall_ms + 100;
	submit_many(2, "done");
	f->service = second;
	submit_many(2, "done");
	f->service = first;
	store_settle(f);
	assert_string_equal(f->runs, "");
	return second;
}

/* What was claimed all the same does not stay RUNNING: not while the process lives, and not after
 * it has left. */
static void
test_failed_claims_of_two_queues(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(claim_faults); i++) {
		struct model *model = model_create(&(struct model_options){.claims_apart = true});
		struct herald_service *second = setup_two_queues(model);

		f->wall_ms += 100;
		model_fail(model, MODEL_CLAIM, claim_faults[i].n, claim_faults[i].status,
			   claim_faults[i].takes_place);
		herald__committer_turn(f->store);
		assert_true(model_has_failed(model));
		if (claim_faults[i].stops)
			herald_store_stop(f->store, 0);
		store_pass(f, 60);
		assert_int_equal(count_running(model), 0);
		assert_string_equal(f->runs, claim_faults[i].stops ? "" : "1/1 2/1");
		assert_int_equal(store_counts(f).dead, claim_faults[i].stops ? 0 : 2);
		assert_int_equal(store_counts(f).lost, 0);
		herald_service_destroy(second);
		store_fixture_finish(f);
		assert_int_equal(count_running(model), 0);
		assert_int_equal(model_nodes_count(model), 0);
		model_destroy(model);
	}
}

/* The claim of one queue that always fails does not keep back what the other queue's has claimed.
 */
static enum herald_status
fail_second_claim(struct model_call *call, void *state)
{
	unsigned *claims = state;

	if (call->op != MODEL_CLAIM || ++*claims % 2 == 1)
		return MODEL_GO_ON;
	return HERALD_UNAVAILABLE;
}

static void
test_claim_that_always_fails(void **state)
{
	unsigned claims = 0;
	struct model *model = model_create(&(struct model_options){
		.claims_apart = true, .hook = fail_second_claim, .state = &claims});
	struct herald_service *second = setup_two_queues(model);

	(void)state;
	claims = 0;
	store_pass(f, 100);
	assert_int_equal(claims, 2);
	store_pass(f, 1000);
	assert_int_equal(store_counts(f).done + store_counts(f).dead, 2);
	assert_int_equal(count_running(model), 0);
	herald_service_destroy(second);
	store_fixture_finish(f);
	model_destroy(model);
}

/* The store gets well by a claim, too: a service that answers 503 to a health check gets no events
 * that could show that the database works again. */
static void
test_health_after_a_failed_claim(void **state)
{
	(void)state;
	for (int apart = 0; apart < 2; apart++) {
		setup_with(&(struct store_fixture_options){.model_options.claims_apart = apart});
		store_settle(f);
		model_fail(f->model, MODEL_CLAIM, 1, HERALD_UNAVAILABLE, false);
		store_pass(f, 100);
		assert_true(model_has_failed(f->model));
		assert_int_equal(herald_store_health(f->store, NULL), HERALD_UNAVAILABLE);
		for (int i = 0; i < 30; i++)
			store_pass(f, 100);
		assert_int_equal(herald_store_health(f->store, NULL), HERALD_OK);
		assert_true(store_logged(f, "info store works again"));
		store_fixture_finish(f);
	}
}

/* What is given back is from before; events that are stored in the same transaction run on. */
static void
test_unknown_claim_beside_arrivals(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.store = {.max_batch = 3}});
	store_settle(f);
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, true);
	submit_many(6, "done");
	herald__committer_turn(f->store);
	check_answers(0, 3, HERALD_UNKNOWN_OUTCOME);
	f->wall_ms += 60;
	/* As if nothing older could wait: the next ones are stored as running. */
	f->store->dispatch.queues->next_ms = INT64_MAX;
	f->store->dispatch.queues->looked_ms = (uint64_t)f->wall_ms;
	herald__committer_turn(f->store);
	check_answers(3, 3, HERALD_OK);
	store_settle(f);
	assert_int_equal(f->runs_count, 6);
	assert_int_equal(store_counts(f).done, 6);
	assert_int_equal(store_counts(f).lost, 0);
	store_fixture_finish(f);
}

/* The outcome of giving claims back is unknown: the arrivals have not been stored for certain, and
 * it is done again. */
static void
test_unknown_reconciliation(void **state)
{
	(void)state;
	for (int takes_place = 0; takes_place < 2; takes_place++) {
		setup_with(&(struct store_fixture_options){.store = {.max_batch = 3}});
		store_settle(f);
		model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, true);
		submit_many(6, "done");
		herald__committer_turn(f->store);
		check_answers(0, 3, HERALD_UNKNOWN_OUTCOME);
		f->wall_ms += 60;
		model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, takes_place);
		herald__committer_turn(f->store);
		assert_true(model_has_failed(f->model));
		check_answers(3, 3, HERALD_UNAVAILABLE);
		assert_int_equal(model_committed(f->model)->rows_count, 3);
		for (int i = 0; i < 5; i++)
			store_pass(f, 200);
		store_settle(f);
		assert_int_equal(f->runs_count, 3);
		assert_int_equal(store_counts(f).done, 3);
		store_fixture_finish(f);
	}
}

/* One event that the database refuses for good does not fail the others. */
static enum herald_status
refuse_some(struct model_call *call, void *state)
{
	unsigned *refusals = state; /* a bit for each call */
	bool refuses = *refusals & 1;

	if (call->op != MODEL_ACCEPT)
		return MODEL_GO_ON;
	*refusals >>= 1;
	return refuses ? HERALD_BAD_VALUE : MODEL_GO_ON;
}

/* The call for the batch, and calls for some events alone. */
static const struct {
	unsigned refusals;
	const char *runs;
} refusals[] = {
	{1 | 1 << 1, "2/1 3/1 4/1"}, {1 | 1 << 2, "1/1 3/1 4/1"},
	{1 | 1 << 4, "1/1 2/1 3/1"}, {1 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4, ""},
	{1, "1/1 2/1 3/1 4/1"},
};

static void
test_refused_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		unsigned left = refusals[i].refusals;

		setup_with(&(struct store_fixture_options){
			.model_options = {.hook = refuse_some, .state = &left}});
		store_settle(f);
		submit_many(4, "done");
		store_settle(f);
		for (size_t j = 0; j < 4; j++)
			check_answers(j, 1,
				      refusals[i].refusals >> (j + 1) & 1 ? HERALD_BAD_VALUE
									  : HERALD_OK);
		assert_string_equal(f->runs, refusals[i].runs);
		assert_int_equal(model_committed(f->model)->rows_count, 0);
		assert_int_equal(herald_store_health(f->store, NULL), HERALD_OK);
		store_fixture_finish(f);
	}
}

/* The end of a run that the database refuses for good, such as a row that is too large: twice for
 * each end, in a batch and alone. */
static enum herald_status
refuse_ends(struct model_call *call, void *state)
{
	unsigned *left = state;

	if (call->op != MODEL_COMPLETE || *left == 0)
		return MODEL_GO_ON;
	--*left;
	return HERALD_TOO_LARGE;
}

static const struct {
	const char *action;
	unsigned refusals;
	unsigned state;
	const char *runs; /* in the end */
	int64_t delay_ms;
} refused_ends[] = {
	{"done", 2, MODEL_READY, "1/1 1/2", 1000},
	{"retry", 2, MODEL_READY, "1/1 1/2", 1000},
	{"fail", 2, MODEL_DEAD, "1/1", 1000},
	{"fail", 4, MODEL_READY, "1/1 1/2", 3600000},
};

static void
test_refused_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused_ends); i++) {
		unsigned left = refused_ends[i].refusals;

		setup_with(&(struct store_fixture_options){
			.store = {.backoff = HERALD_BACKOFF_FIXED},
			.model_options = {.hook = refuse_ends, .state = &left}});
		store_submit(f, "1", refused_ends[i].action);
		store_settle(f);
		const struct model_row *row = store_row(f, "1");
		assert_int_equal(row->state, refused_ends[i].state);
		assert_non_null(strstr(
			row->texts[row->state == MODEL_DEAD ? MODEL_REASON : MODEL_LAST_ERROR],
			"the database refuses the end of the run: "));
		assert_true(store_logged(f, "error database refuses the end of an event"));
		if (row->state == MODEL_READY)
			assert_int_equal(row->due_ms - f->wall_ms, refused_ends[i].delay_ms);
		store_pass(f, (uint64_t)refused_ends[i].delay_ms);
		assert_string_equal(f->runs, refused_ends[i].runs);
		assert_int_equal(herald_store_health(f->store, NULL), HERALD_OK);
		store_fixture_finish(f);
	}
}

/* Nothing can be stored instead: the next process that joins recovers the event. */
static void
test_ends_that_are_always_refused(void **state)
{
	static struct store_fixture next;
	unsigned left = 1000;
	struct model *model =
		model_create(&(struct model_options){.hook = refuse_ends, .state = &left});

	(void)state;
	setup_with(&(struct store_fixture_options){.model = model});
	store_submit(f, "1", "fail");
	store_settle(f);
	assert_int_equal(store_row(f, "1")->state, MODEL_RUNNING);
	store_fixture_finish(f); /* the model aborts if the node leaves */
	assert_int_equal(left, 1000 - 2 * 3);
	left = 0;
	store_fixture_init(&next, &(struct store_fixture_options){.model = model});
	store_settle(&next);
	herald__node_step(next.store);
	store_pass(&next, 1000);
	assert_int_equal(store_row(&next, "1")->state, MODEL_DEAD);
	assert_string_equal(store_row(&next, "1")->texts[MODEL_REASON], "no good");
	store_fixture_finish(&next);
	model_destroy(model);
}

/* Event 1 was left RUNNING: the database refuses its end. */
static void
leave_one(const char *folder, size_t others, unsigned max_attempts)
{
	static unsigned left;

	left = 1000;
	setup_with(&(struct store_fixture_options){
		.model_options = {.hook = refuse_ends, .state = &left},
		.store = {.in_flight_folder = folder, .max_attempts = max_attempts}});
	store_submit(f, "1", "fail");
	store_settle(f);
	assert_int_equal(store_row(f, "1")->state, MODEL_RUNNING);
	for (size_t i = 0; i < others; i++)
		herald__in_flight_leave(&f->store->node.in_flight, f->store->node.id, 1000 + i);
	left = 0;
}

/* Event 2 was claimed by a commit whose outcome is unknown. */
static void
claim_another_unknown(void)
{
	store_submit(f, "2", "later");
	store_settle(f);
	f->wall_ms += 100;
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, true);
	store_settle(f);
	assert_true(model_has_failed(f->model));
	assert_int_equal(store_row(f, "2")->state, MODEL_RUNNING);
	assert_int_equal(store_row(f, "2")->attempts, 2);
}

/* What the database owns and the store does not know is given back. A run that was left is not, as
 * long as the in-flight file names all of them, and what is given back does not count; otherwise
 * both count. */
static const struct {
	bool has_file;
	size_t others; /* that were left, too */
	bool counts;
} left_runs[] = {
	{true, 0, false},
	{true, HERALD__IN_FLIGHT_LEFT - 1, false},
	{true, HERALD__IN_FLIGHT_LEFT, true},
	{false, 0, true},
};

static void
test_runs_that_were_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(left_runs); i++) {
		char folder[] = "/tmp/herald-committer-XXXXXX";
		char path[4096];

		assert_non_null(mkdtemp(folder));
		leave_one(left_runs[i].has_file ? folder : NULL, left_runs[i].others, 0);
		snprintf(path, sizeof(path), "%s", f->store->node.path);
		claim_another_unknown();
		store_pass(f, 1000);
		assert_memory_equal(f->runs, "1/1 2/1", 7);
		assert_null(strstr(f->runs + 3, "1/1"));
		assert_int_equal(strstr(f->runs, " 1/2") != NULL, left_runs[i].counts);
		assert_int_equal(strstr(f->runs, " 2/2") != NULL, !left_runs[i].counts);
		assert_int_equal(strstr(f->runs, " 2/3") != NULL, left_runs[i].counts);
		store_fixture_finish(f);
		assert_int_equal(unlink(path), left_runs[i].has_file ? 0 : -1);
		assert_int_equal(rmdir(folder), 0);
	}
}

/* The process lives, and what is given back has no error. */
static void
test_a_last_run_that_was_left(void **state)
{
	(void)state;
	leave_one(NULL, 0, 1);
	f->store->committer.claims.must_reconcile = true;
	store_submit(f, "2", "done");
	store_settle(f);
	store_pass(f, 1000);
	assert_string_equal(f->runs, "1/1 2/1");
	assert_int_equal(store_row(f, "1")->state, MODEL_DEAD);
	assert_int_equal(store_row(f, "1")->why, HERALD_DEAD_ATTEMPTS);
	assert_string_equal(store_row(f, "1")->texts[MODEL_REASON],
			    "its last attempt, number 1, did not end");
	assert_int_equal(store_row(f, "1")->attempts, 1);
	assert_true(store_logged(f, "attempts=1 why=attempts"));
	store_fixture_finish(f);
}

/* The database fails while events are stored one by one: the rest is not tried. */
static enum herald_status
refuse_then_fail(struct model_call *call, void *state)
{
	unsigned *calls = state;

	if (call->op != MODEL_ACCEPT)
		return MODEL_GO_ON;
	++*calls;
	return *calls == 1 ? HERALD_BAD_VALUE : *calls == 3 ? HERALD_UNAVAILABLE : MODEL_GO_ON;
}

static void
test_failure_one_by_one(void **state)
{
	unsigned calls = 0;

	(void)state;
	setup_with(&(struct store_fixture_options){
		.model_options = {.hook = refuse_then_fail, .state = &calls}});
	submit_many(4, "done");
	herald__committer_turn(f->store);
	assert_int_equal(calls, 3);
	check_answers(0, 1, HERALD_OK);
	check_answers(1, 3, HERALD_UNAVAILABLE);
	store_settle(f);
	store_pass(f, 60);
	assert_string_equal(f->runs, "1/1");
	store_fixture_finish(f);
}

static void
test_failed_store(void **state)
{
	struct herald_error error;

	(void)state;
	setup_with(&(struct store_fixture_options){0});
	submit_many(2, "done");
	store_step(f);
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_STORE_FAILED, false);
	submit_many(2, "done");
	herald__committer_turn(f->store);
	check_answers(2, 2, HERALD_STORE_FAILED);
	submit_many(1, "done");
	check_answers(4, 1, HERALD_STORE_FAILED);
	store_pass(f, 100000);
	assert_int_equal(herald_store_health(f->store, &error), HERALD_STORE_FAILED);
	assert_string_equal(error.message, "model: commit fails by order");
	assert_true(store_logged(f, "error store has failed"));
	assert_string_equal(f->runs, "1/1 2/1");
	store_fixture_finish(f);
}

/* After that, nothing that was claimed begins. */
static void
test_failed_store_runs_nothing(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){0});
	store_settle(f);
	submit_many(4, "done");
	herald__committer_turn(f->store);
	assert_int_equal(store_counts(f).claimed, 4);
	model_fail(f->model, MODEL_COMMIT, 1, HERALD_STORE_FAILED, false);
	submit_many(1, "done");
	herald__committer_turn(f->store);
	store_settle(f);
	assert_string_equal(f->runs, "");
	assert_int_equal(store_row(f, "1")->state, MODEL_RUNNING);
	submit_many(1, "done");
	assert_string_equal(f->arrivals[5].event.error.message, "the store has failed");
	store_fixture_finish(f);
}

/* What is pending is known between two counts, too. */
static void
test_pending(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.store = {.max_pending = 5}});
	submit_many(4, "later");
	store_settle(f);
	submit_many(1, "later");
	store_settle(f);
	submit_many(1, "done");
	check_answers(0, 5, HERALD_OK);
	check_answers(5, 1, HERALD_UNAVAILABLE);
	herald__upkeep_step(f->store);
	submit_many(1, "done");
	check_answers(6, 1, HERALD_UNAVAILABLE);
	for (int i = 0; i < 30; i++)
		store_pass(f, 70);
	assert_int_equal(store_counts(f).dead, 5);
	submit_many(1, "join");
	submit_many(4, "done");
	store_settle(f);
	check_answers(7, 5, HERALD_OK);
	submit_many(5, "done");
	check_answers(12, 0, HERALD_OK);
	store_settle(f);
	check_answers(12, 5, HERALD_OK);
	store_fixture_finish(f);
}

/* Pauses grow to a second. */
static enum herald_status
fail_begin(struct model_call *call, void *state)
{
	return *(bool *)state && call->op == MODEL_BEGIN ? HERALD_UNAVAILABLE : MODEL_GO_ON;
}

static void
test_pauses(void **state)
{
	static const uint64_t pauses[] = {50, 100, 200, 400, 800, 1000, 1000};
	bool fails = false;

	(void)state;
	setup_with(&(struct store_fixture_options){
		.model_options = {.hook = fail_begin, .state = &fails}});
	submit_many(1, "done");
	store_step(f);
	herald__worker_step(f->store->workers); /* gives it back */
	fails = true;
	for (size_t i = 0; i < COUNT(pauses); i++) {
		assert_int_equal(herald__committer_turn(f->store),
				 (uint64_t)f->wall_ms + pauses[i]);
		f->wall_ms += (int64_t)pauses[i] - 1;
		const uint64_t failures = store_counts(f).failures;
		herald__committer_turn(f->store);
		assert_int_equal(store_counts(f).failures, failures);
		f->wall_ms++;
	}
	fails = false;
	store_settle(f);
	assert_int_equal(store_counts(f).done, 1);
	assert_int_equal(herald_store_health(f->store, NULL), HERALD_OK);
	fails = true;
	f->wall_ms += 100;
	assert_int_equal(herald__committer_turn(f->store), (uint64_t)f->wall_ms + 50);
	fails = false;
	f->wall_ms += 50;
	store_settle(f);
	store_fixture_finish(f);
}

static enum herald_status
fail_begin_after_long(struct model_call *call, void *state)
{
	const enum herald_status status = fail_begin(call, state);

	if (status == HERALD_UNAVAILABLE)
		f->wall_ms += 10000;
	return status;
}

/* A wait for a lock of another process: senders that came meanwhile do not wait as long again. */
static void
test_pause_after_a_long_failure(void **state)
{
	bool fails = true;

	(void)state;
	setup_with(&(struct store_fixture_options){
		.model_options = {.hook = fail_begin_after_long, .state = &fails}});
	submit_many(1, "done");
	const uint64_t next_ms = herald__committer_turn(f->store);
	assert_int_equal(next_ms, (uint64_t)f->wall_ms + 50);
	store_submit(f, "2", "done");
	herald__committer_turn(f->store);
	check_answers(0, 2, HERALD_UNAVAILABLE);
	assert_int_equal(store_counts(f).failures, 1);
	store_fixture_finish(f);
}

/* A full disk: looking for events still works, which does not mean that writing does. After a
 * while without a failure the store counts as working, so that senders come back. */
static void
test_health_does_not_flap(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){0});
	store_settle(f);
	for (int i = 0; i < 5; i++) {
		model_fail(f->model, MODEL_ACCEPT, 1, HERALD_UNAVAILABLE, false);
		submit_many(1, "done");
		herald__committer_turn(f->store);
		store_pass(f, 1000);
		assert_int_equal(herald_store_health(f->store, NULL), HERALD_UNAVAILABLE);
	}
	assert_false(store_logged(f, "works again"));
	char *first = strstr(f->log, "store is unavailable");
	assert_non_null(first);
	assert_null(strstr(first + 1, "store is unavailable"));
	store_pass(f, 1499);
	assert_int_equal(herald_store_health(f->store, NULL), HERALD_UNAVAILABLE);
	store_pass(f, 1101);
	assert_int_equal(herald_store_health(f->store, NULL), HERALD_OK);
	store_fixture_finish(f);
}

/* One line about refused events in ten seconds. */
static void
test_refusals_are_logged(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.store = {.max_waiting = 1}});
	submit_many(5, "done");
	char *first = strstr(f->log, "warning events are refused reason=too many events wait");
	assert_non_null(first);
	assert_null(strstr(first + 9, "events are refused"));
	store_settle(f);
	f->wall_ms += 10000;
	submit_many(2, "done");
	assert_non_null(strstr(first + 9, "events are refused"));
	store_settle(f);
	store_fixture_finish(f);
}

static void
test_limits(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.store = {.max_waiting = 3}});
	assert_int_equal(f->store->inbox.max_waiting, 3); /* endpoints take no larger batches */
	submit_many(5, "done");
	check_answers(3, 2, HERALD_UNAVAILABLE);
	assert_string_equal(f->arrivals[4].event.error.message,
			    "too many events wait for a commit (max_waiting)");
	store_settle(f);
	check_answers(0, 3, HERALD_OK);
	assert_int_equal(store_counts(f).refused, 2);
	herald__dispatch_pending(f->store, 10000000, false);
	submit_many(1, "done");
	check_answers(5, 1, HERALD_UNAVAILABLE);
	assert_string_equal(f->arrivals[5].event.error.message,
			    "too many events are pending (max_pending)");
	herald_store_stop(f->store, 0);
	submit_many(1, "done");
	assert_string_equal(f->arrivals[6].event.error.message, "the store is stopped");
	store_fixture_finish(f);
}

/* Events that have not begun are given back at a stop, and lose no attempt. */
static void
test_stop_gives_back(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){0});
	submit_many(6, "done");
	herald__committer_turn(f->store);
	assert_int_equal(store_counts(f).claimed, 6);
	herald_store_stop(f->store, 0);
	store_settle(f);
	assert_int_equal(store_counts(f).claimed, 0);
	assert_string_equal(f->runs, "");
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(store_row(f, f->arrivals[i].id)->state, MODEL_READY);
		assert_int_equal(store_row(f, f->arrivals[i].id)->attempts, 0);
	}
	store_fixture_finish(f);
}

/* A queue with much to do does not starve another one. */
static void
test_queues_share(void **state)
{
	struct herald_service *first, *second = NULL;
	size_t claimed[2] = {0};

	(void)state;
	setup_with(&(struct store_fixture_options){.queue = "a"});
	first = f->service;
	assert_int_equal(
		herald_service_create(&HERALD_SERVICE_OPTIONS(.store = f->store, .queue = "b"),
				      &second, NULL),
		HERALD_OK);
	submit_many(50, "done");
	f->service = second;
	submit_many(50, "done");
	f->service = first;
	herald__committer_turn(f->store);
	for (const struct herald__job *job = f->store->dispatch.ready.first; job; job = job->next)
		claimed[job->queue->name[0] == 'b']++;
	assert_int_equal(claimed[0], 4);
	assert_int_equal(claimed[1], 4);
	store_settle(f);
	assert_int_equal(store_counts(f).done + store_counts(f).dead, 100);
	herald_service_destroy(second);
	store_fixture_finish(f);
}

/* What does not fit into memory stays in the database. */
static void
test_claimed_bytes(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.store = {.max_claimed_bytes = 2048}});
	store_settle(f);
	submit_many(5, "done");
	herald__committer_turn(f->store);
	assert_int_equal(store_counts(f).claimed, 2);
	store_settle(f);
	assert_int_equal(store_counts(f).done, 5);
	store_fixture_finish(f);
}

/* Functions are faster than the database: their ends do not become more and more, because nothing
 * is claimed while many of them wait. */
static void
test_ends_are_limited(void **state)
{
	const uint32_t max_batch = 4, workers = 2;
	size_t most = 0;

	(void)state;
	setup_with(&(struct store_fixture_options){
		.store = {.max_batch = max_batch, .workers = workers, .poll_ms = 60000}});
	submit_many(300, "done");
	while (store_counts(f).accepted < 300)
		herald__committer_turn(f->store);
	while (store_counts(f).done < 300) {
		herald__committer_turn(f->store);
		while (herald__worker_step(&f->store->workers[0]))
			;
		if (f->store->committer.memory.count > most)
			most = f->store->committer.memory.count;
	}
	assert_in_range(most, 2 * max_batch, 3 * max_batch + workers);
	/* Turns still store as much as they can. */
	assert_in_range(store_counts(f).commits, 2 * 300 / max_batch, 2 * 300 / max_batch + 10);
	store_fixture_finish(f);
}

/* Delays are honoured to the millisecond, and nothing is asked of the database in between. */
static void
test_due_times(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.store = {.poll_ms = 60000}});
	store_submit(f, "1", "later");
	store_settle(f);
	assert_int_equal(herald__committer_turn(f->store), f->wall_ms + 70);
	const uint64_t commits = store_counts(f).commits;
	store_pass(f, 69);
	assert_int_equal(store_counts(f).commits, commits);
	assert_string_equal(f->runs, "1/1");
	store_pass(f, 1);
	assert_string_equal(f->runs, "1/1 1/2");
	store_fixture_finish(f);
}

/* Memory is short for a while: events wait in the database, and the committer waits, too. */
static void
test_short_of_memory(void **state)
{
	struct failing_allocator memory;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	setup_with(&(struct store_fixture_options){.allocator = &memory.allocator});
	store_settle(f);
	memory.fail_at = memory.calls + 1;
	memory.mode = FAIL_FROM;
	submit_many(3, "done");
	herald__committer_turn(f->store);
	check_answers(0, 3, HERALD_OK);
	for (int i = 0; i < 20; i++) {
		uint64_t next_ms = herald__committer_turn(f->store);

		assert_true(next_ms > (uint64_t)f->wall_ms);
		f->wall_ms = (int64_t)next_ms;
	}
	memory.mode = FAIL_NEVER;
	store_pass(f, 1000);
	assert_int_equal(store_counts(f).done, 3);
	assert_int_equal(store_counts(f).lost, 0);
	store_fixture_finish(f);
	assert_all_released(&memory);
}

/* There is memory for everything but the events. */
static bool has_no_blocks;

static void *
allocate_small(size_t bytes, void *state)
{
	return has_no_blocks && bytes == 1024 ? NULL : herald_allocator_libc.allocate(bytes, state);
}

static void
test_short_of_blocks(void **state)
{
	struct herald_allocator allocator = herald_allocator_libc;

	(void)state;
	allocator.allocate = allocate_small;
	setup_with(&(struct store_fixture_options){.allocator = &allocator});
	store_settle(f);
	has_no_blocks = true;
	submit_many(3, "done");
	herald__committer_turn(f->store);
	check_answers(0, 3, HERALD_OK);
	uint64_t began_ms = (uint64_t)f->wall_ms;
	for (int i = 0; i < 20; i++) {
		uint64_t next_ms = herald__committer_turn(f->store);

		if (next_ms > (uint64_t)f->wall_ms)
			f->wall_ms = (int64_t)next_ms;
	}
	/* Ten attempts a second, not as many as are possible. */
	assert_true((uint64_t)f->wall_ms >= began_ms + 900);
	has_no_blocks = false;
	store_pass(f, 1000);
	assert_int_equal(store_counts(f).done, 3);
	assert_int_equal(store_counts(f).lost, 0);
	store_fixture_finish(f);
}

/* An event that is accepted for later does not run before. */
static void
test_accepted_for_later(void **state)
{
	(void)state;
	setup_with(&(struct store_fixture_options){.store = {.poll_ms = 60000}});
	store_settle(f);
	f->due_ms = f->wall_ms + 500;
	submit_many(1, "done");
	f->due_ms = 0;
	submit_many(1, "done");
	store_settle(f);
	assert_string_equal(f->runs, "2/1");
	assert_int_equal(store_row(f, "1")->state, MODEL_READY);
	assert_int_equal(herald__committer_turn(f->store), f->wall_ms + 500);
	store_pass(f, 499);
	assert_string_equal(f->runs, "2/1");
	store_pass(f, 1);
	assert_string_equal(f->runs, "2/1 1/1");
	store_fixture_finish(f);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_transaction_for_all),
		TEST(test_batches_are_limited),
		TEST(test_duplicates),
		TEST(test_order_of_a_key),
		TEST(test_failed_accept),
		TEST(test_failed_completion),
		TEST(test_tends_after_failures),
		TEST(test_unknown_claim),
		TEST(test_unknown_claim_beside_arrivals),
		TEST(test_unknown_reconciliation),
		TEST(test_failed_store_runs_nothing),
		TEST(test_pending),
		TEST(test_unknown_retry_and_claim),
		TEST(test_refused_event),
		TEST(test_refused_ends),
		TEST(test_ends_that_are_always_refused),
		TEST(test_runs_that_were_left),
		TEST(test_a_last_run_that_was_left),
		TEST(test_failure_one_by_one),
		TEST(test_failed_store),
		TEST(test_failed_claim_apart),
		TEST(test_failed_claims_of_two_queues),
		TEST(test_claim_that_always_fails),
		TEST(test_health_after_a_failed_claim),
		TEST(test_limits),
		TEST(test_pauses),
		TEST(test_pause_after_a_long_failure),
		TEST(test_health_does_not_flap),
		TEST(test_refusals_are_logged),
		TEST(test_stop_gives_back),
		TEST(test_claimed_bytes),
		TEST(test_ends_are_limited),
		TEST(test_queues_share),
		TEST(test_due_times),
		TEST(test_short_of_memory),
		TEST(test_short_of_blocks),
		TEST(test_accepted_for_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
