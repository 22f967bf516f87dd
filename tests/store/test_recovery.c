/*
 * Dead processes, leases that are lost, and events that kill their process, step by step, with
 * several processes on one model of a database.
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

#include <herald/adapter/queue.h>

#include "store/dispatch_work.h"
#include "store/outbox_queue.h"
#include "support/store_fixture.h"

#define HOUR_MS UINT64_C(3600000)
#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static struct store_fixture *a, *b;
static char folder[] = "/tmp/herald-recovery-XXXXXX";
static struct model *model;

static int64_t
model_now_ms(void *state)
{
	(void)state;
	return a->wall_ms;
}

static void
join_model(struct store_fixture *f, const struct herald_store_options *store)
{
	struct store_fixture_options options = {.model = model, .store = *store};

	options.store.in_flight_folder = folder;
	store_fixture_init(f, &options);
}

/* Both use the model, and a clock of their own. */
static void
setup_two(bool has_leases, const struct herald_store_options *store)
{
	model = model_create(
		&(struct model_options){.has_leases = has_leases, .now_ms = model_now_ms});
	a->wall_ms = 1000000;
	join_model(a, store);
	join_model(b, store);
	store_settle(a);
	store_settle(b);
}

static void
pass(uint64_t ms)
{
	a->wall_ms += (int64_t)ms;
	b->wall_ms += (int64_t)ms;
}

static int
setup(void **state)
{
	(void)state;
	a = calloc(1, sizeof(*a));
	b = calloc(1, sizeof(*b));
	return a && b ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	free(a);
	free(b);
	return 0;
}

/* A worker is about to run an event. */
static void
begin(struct store_fixture *process, unsigned worker, const char *id)
{
	const struct model_row *row = store_row(b, id);

	herald__in_flight_begin(&process->store->node.in_flight, worker, row->owner, row->id);
}

/* `a` claims events "1" and "2", is about to run the first one, and dies. */
static void
die_in_the_first(const char *action)
{
	store_submit(a, "1", action);
	store_submit(a, "2", action);
	herald__committer_turn(a->store);
	assert_int_equal(store_row(b, "1")->state, MODEL_RUNNING);
	assert_int_equal(store_row(b, "2")->state, MODEL_RUNNING);
	begin(a, 0, "1");
	store_fixture_kill(a);
}

static void
test_only_the_culprit_is_charged(void **state)
{
	(void)state;
	setup_two(false, &(struct herald_store_options){0});
	die_in_the_first("done");
	herald__node_step(b->store);
	assert_int_equal(store_row(b, "1")->state, MODEL_READY);
	assert_int_equal(store_row(b, "1")->attempts, 1);
	assert_int_equal(store_row(b, "1")->interrupted, 1);
	assert_int_equal(store_row(b, "2")->attempts, 0);
	assert_int_equal(store_row(b, "2")->interrupted, 0);
	assert_int_equal(store_counts(b).interrupted, 2);
	assert_true(store_logged(b, "info recovered the events of a dead process"));
	assert_true(store_logged(b, "ready=2 dead=0 suspects=1 running_known=true"));
	/* A process that is killed soon after each start must not blame the first one it runs. */
	store_settle(b);
	assert_string_equal(b->runs, "2/1");
	pass(299);
	store_settle(b);
	assert_int_equal(store_counts(b).done, 1);
	pass(1);
	store_settle(b);
	assert_int_equal(store_counts(b).done, 2);
	assert_int_equal(model_nodes_count(model), 1);
	store_fixture_finish(b);
	model_destroy(model);
}

/* The process dies max_interrupted times during the same event. */
static void
check_an_event_that_kills(bool kills_again)
{
	setup_two(false, &(struct herald_store_options){.max_interrupted = 2});
	die_in_the_first("done");
	herald__node_step(b->store);
	pass(300);
	herald__committer_turn(b->store);
	begin(b, 0, "1");
	store_fixture_kill(b);

	join_model(b, &(struct herald_store_options){.max_interrupted = 2});
	herald__node_step(b->store);
	assert_int_equal(store_row(b, "1")->state, MODEL_READY);
	assert_int_equal(store_row(b, "1")->interrupted, 2);
	store_settle(b);
	pass(300);
	if (kills_again) {
		/* Its handlers are told, without a run. That kills, too. */
		herald__committer_turn(b->store);
		begin(b, 0, "1");
		store_fixture_kill(b);
		join_model(b, &(struct herald_store_options){.max_interrupted = 2});
		herald__node_step(b->store);
		assert_true(store_logged(b, "warning recovered the events of a dead process"));
	}
	store_settle(b);
	assert_int_equal(store_row(b, "1")->state, MODEL_DEAD);
	assert_int_equal(store_row(b, "1")->why, HERALD_DEAD_INTERRUPTED);
	assert_int_equal(store_row(b, "1")->attempts, kills_again ? 3 : 2);
	if (!kills_again) /* otherwise the recovery itself has made it a dead letter */
		assert_true(store_logged(b, "attempts=2 why=interrupted"));
	assert_string_equal(b->runs, kills_again ? "" : "2/1");
	assert_int_equal(store_counts(b).dead, 1);
	store_fixture_finish(b);
	model_destroy(model);
}

static void
test_an_event_that_kills(void **state)
{
	(void)state;
	check_an_event_that_kills(false);
	check_an_event_that_kills(true);
}

/* An event has ended, its end is not committed, and nothing else runs. */
static void
test_an_event_that_kills_before_its_commit(void **state)
{
	static const struct {
		const char *running; /* by another worker */
		unsigned interrupted[3];
	} cases[] = {{NULL, {1, 1, 0}}, {"3", {0, 0, 1}}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		setup_two(false, &(struct herald_store_options){.workers = 2});
		store_submit(a, "1", "done");
		store_submit(a, "2", "fail");
		store_submit(a, "3", "done");
		herald__committer_turn(a->store);
		herald__worker_step(&a->store->workers[0]);
		herald__worker_step(&a->store->workers[0]);
		assert_string_equal(a->runs, "1/1 2/1");
		if (cases[i].running)
			begin(a, 1, cases[i].running);
		store_fixture_die(a);
		herald__node_step(b->store);
		for (size_t j = 0; j < 3; j++) {
			const struct model_row *row =
				store_row(b, (const char *[]){"1", "2", "3"}[j]);

			assert_int_equal(row->state, MODEL_READY);
			assert_int_equal(row->interrupted, cases[i].interrupted[j]);
			assert_int_equal(row->attempts, cases[i].interrupted[j]);
		}
		store_fixture_kill(a);
		pass(300);
		store_settle(b);
		assert_int_equal(store_counts(b).done, 2);
		store_fixture_finish(b);
		model_destroy(model);
	}
}

/* The database of b is a backup of the one that a uses: a's node counts as dead there, but its
 * in-flight file says that the process lives. */
static void
test_a_process_that_lives_is_not_blamed(void **state)
{
	char path[sizeof(a->store->node.path)];

	(void)state;
	setup_two(false, &(struct herald_store_options){.workers = 1});
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	begin(a, 0, "1");
	strcpy(path, a->store->node.path);
	model_kill(a->store->database);
	herald__node_step(b->store);
	assert_int_equal(store_row(b, "1")->state, MODEL_READY);
	assert_int_equal(store_row(b, "1")->interrupted, 0);
	assert_int_equal(store_row(b, "1")->attempts, 1);
	assert_int_equal(access(path, F_OK), 0);
	store_fixture_kill(a);
	store_settle(b);
	assert_int_equal(store_counts(b).done, 1);
	store_fixture_finish(b);
	assert_int_equal(unlink(path), 0);
	model_destroy(model);
}

/* It was paused, and is killed after it was recovered: nobody else deletes its file. */
static void
test_the_file_of_a_process_that_is_killed_late(void **state)
{
	char path[sizeof(a->store->node.path)];

	(void)state;
	setup_two(false, &(struct herald_store_options){.workers = 1});
	strcpy(path, a->store->node.path);
	model_kill(a->store->database);
	herald__node_step(b->store);
	pass(2 * HOUR_MS);
	herald__node_step(b->store);
	assert_int_equal(access(path, F_OK), 0);
	store_fixture_kill(a);
	pass(1000);
	herald__node_step(b->store);
	/* If it runs on another copy of the database, its recovery there reads the file. */
	pass(HOUR_MS - 1);
	herald__node_step(b->store);
	assert_int_equal(access(path, F_OK), 0);
	pass(1);
	herald__node_step(b->store);
	pass(1000);
	herald__node_step(b->store);
	assert_int_equal(access(path, F_OK), -1);
	store_fixture_finish(b);
	model_destroy(model);
}

/* Where the process dies in a step of a worker, before a call of the database. */
static const struct {
	const char *actions[2]; /* of events "1" and "2" */
	enum model_op op;
	unsigned call; /* from 1 */
	unsigned interrupted[2];
} deaths[] = {
	/* Waiting for another writer is not a run. */
	{{"join", "join"}, MODEL_BEGIN, 1, {0, 0}},
	{{"join", "join"}, MODEL_SAVEPOINT, 1, {1, 0}},
	{{"join", "join"}, MODEL_SAVEPOINT_RELEASE, 1, {1, 0}},
	{{"join", "join"}, MODEL_SAVEPOINT_RELEASE, 2, {0, 1}},
	{{"join", "join"}, MODEL_COMMIT, 1, {1, 1}},
	/* Nor is the commit of another event, or what follows it. */
	{{"join", "done"}, MODEL_COMMIT, 1, {1, 0}},
	/* Only what has ended, and is not committed, may be guilty. */
	{{"done", "join"}, MODEL_BEGIN, 1, {1, 0}},
};

struct death {
	enum model_op op;
	unsigned calls; /* until then; 0: it does not die */
};

static enum herald_status
die_at(struct model_call *call, void *state)
{
	struct death *death = state;

	if (death->calls == 0 || call->op != death->op || --death->calls > 0)
		return MODEL_GO_ON;
	store_fixture_die(a);
	herald__node_step(b->store);
	return MODEL_GO_ON;
}

static void
test_dies_in_a_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(deaths); i++) {
		struct death death = {.op = deaths[i].op};

		model = model_create(&(struct model_options){.hook = die_at, .state = &death});
		join_model(a, &(struct herald_store_options){.workers = 1});
		join_model(b, &(struct herald_store_options){.workers = 1});
		store_submit(a, "1", deaths[i].actions[0]);
		store_submit(a, "2", deaths[i].actions[1]);
		herald__committer_turn(a->store);
		death.calls = deaths[i].call;
		while (herald__worker_step(&a->store->workers[0]) && death.calls > 0)
			;
		assert_int_equal(death.calls, 0);
		for (size_t j = 0; j < 2; j++) {
			const struct model_row *row = store_row(b, j == 0 ? "1" : "2");

			assert_int_equal(row->state, MODEL_READY);
			assert_int_equal(row->interrupted, deaths[i].interrupted[j]);
			assert_int_equal(row->attempts, deaths[i].interrupted[j]);
		}
		store_fixture_kill(a);
		b->wall_ms += 300;
		store_settle(b);
		assert_int_equal(store_counts(b).done, 2);
		store_fixture_finish(b);
		model_destroy(model);
	}
}

/* A stop that is in order blames nobody, also if the ends could not be stored. */
static void
test_a_stop_blames_nobody(void **state)
{
	(void)state;
	setup_two(false, &(struct herald_store_options){0});
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	herald__worker_step(&a->store->workers[0]);
	herald__node_close(a->store);
	store_fixture_die(a);
	herald__node_step(b->store);
	assert_int_equal(store_row(b, "1")->state, MODEL_READY);
	assert_int_equal(store_row(b, "1")->interrupted, 0);
	store_fixture_kill(a);
	store_fixture_finish(b);
	model_destroy(model);
}

/* The database refuses whatever would end the run: the row stays RUNNING until the next process
 * recovers it. The run counts, however often that happens, and although the stop was in order. */
static enum herald_status
refuse_ends(struct model_call *call, void *state)
{
	const bool *refuses = state;

	return *refuses && call->op == MODEL_COMPLETE ? HERALD_TOO_LARGE : MODEL_GO_ON;
}

static void
test_ends_that_are_refused_count(void **state)
{
	static const char *const actions[] = {"done", "retry", "fail"};
	bool refuses;

	(void)state;
	for (size_t i = 0; i < COUNT(actions); i++) {
		const struct herald_store_options options = {.max_interrupted = 3};

		model = model_create(
			&(struct model_options){.hook = refuse_ends, .state = &refuses});
		refuses = true;
		join_model(a, &options);
		store_submit(a, "1", actions[i]);
		store_settle(a);
		assert_string_equal(a->runs, "1/1");
		assert_int_equal(store_row(a, "1")->state, MODEL_RUNNING);
		/* Nor is it given back, when what this process owns is looked up. */
		refuses = false;
		model_fail(model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, false);
		store_submit(a, "2", "done");
		herald__committer_turn(a->store);
		assert_true(a->store->committer.claims.must_reconcile);
		store_pass(a, 2000);
		assert_false(a->store->committer.claims.must_reconcile);
		assert_string_equal(a->runs, "1/1");
		assert_int_equal(store_row(a, "1")->state, MODEL_RUNNING);
		assert_int_equal(store_row(a, "1")->attempts, 1);
		refuses = true;
		store_fixture_finish(a);
		join_model(b, &options);
		herald__node_step(b->store);
		assert_int_equal(store_row(b, "1")->state, MODEL_READY);
		assert_int_equal(store_row(b, "1")->attempts, 1);
		store_pass(b, 300);
		assert_string_equal(b->runs, "1/2");
		store_fixture_finish(b);
		join_model(a, &options);
		herald__node_step(a->store);
		store_pass(a, 300);
		assert_string_equal(a->runs, "1/3");
		store_fixture_finish(a);
		refuses = false;
		join_model(b, &options);
		herald__node_step(b->store);
		store_pass(b, 300);
		assert_string_equal(b->runs, "");
		assert_int_equal(store_row(b, "1")->state, MODEL_DEAD);
		assert_int_equal(store_row(b, "1")->why, HERALD_DEAD_INTERRUPTED);
		assert_int_equal(store_row(b, "1")->attempts, 3);
		store_fixture_finish(b);
		model_destroy(model);
	}
}

/* If the lease was lost meanwhile, the row was recovered with it: the node that the process is now
 * has not left it. */
static void
test_ends_that_are_refused_after_the_lease(void **state)
{
	bool refuses = true;

	(void)state;
	model = model_create(&(struct model_options){.has_leases = true,
						     .now_ms = model_now_ms,
						     .hook = refuse_ends,
						     .state = &refuses});
	a->wall_ms = 1000000;
	join_model(a, &(struct herald_store_options){0});
	join_model(b, &(struct herald_store_options){0});
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	const uint64_t id = store_row(b, "1")->id;
	assert_true(herald__worker_step(&a->store->workers[0]));
	assert_false(herald__worker_step(&a->store->workers[0]));
	pass(14000);
	herald__node_step(b->store);
	pass(2000);
	a->store->node.recover_at_ms = UINT64_MAX;
	herald__node_step(a->store);
	assert_true(store_logged(a, "info joined again"));
	store_settle(a);
	assert_true(store_logged(a, "error database refuses the end of an event"));
	assert_int_equal(a->store->committer.memory.count, 0);
	assert_false(herald__in_flight_has_left(&a->store->node.in_flight, a->store->node.id, id));
	store_fixture_kill(a);
	store_fixture_kill(b);
	model_destroy(model);
}

static struct herald__job *
next_job(struct herald__job_list *ended)
{
	return herald__dispatch_next(b->store, b, false, ended);
}

static void
end_job(struct herald__job *job, struct herald__job_list *ended)
{
	job->kind = HERALD_COMPLETE_DONE;
	herald__job_list_add(ended, job);
}

/* An event that was interrupted runs alone. */
static void
test_suspects_run_alone(void **state)
{
	struct herald__job_list none = {0}, ended = {0};

	(void)state;
	setup_two(false, &(struct herald_store_options){.workers = 3});
	die_in_the_first("done");
	herald__node_step(b->store);
	pass(300);
	herald__committer_turn(b->store);
	assert_int_equal(store_counts(b).claimed, 2);

	/* It is due last, and waits until the other one has ended. */
	struct herald__job *other = next_job(&none);
	assert_int_equal(other->interrupted, 0);
	assert_null(next_job(&none));
	end_job(other, &ended);
	struct herald__job *suspect = next_job(&ended);
	assert_int_equal(suspect->interrupted, 1);

	/* The next one waits until it has ended. */
	store_submit(b, "3", "done");
	herald__committer_turn(b->store);
	assert_null(next_job(&none));
	end_job(suspect, &ended);
	struct herald__job *next = next_job(&ended);
	assert_non_null(next);
	end_job(next, &ended);
	assert_null(next_job(&ended));
	store_settle(b);
	store_fixture_finish(b);
	model_destroy(model);
}

/* What is known of a dead process decides what is charged. */
static const struct {
	const char *host, *boot_id; /* of the dead one; NULL: as ours */
	bool has_file;
	unsigned attempts[2], interrupted[2];
} charges[] = {
	{NULL, NULL, true, {1, 0}, {1, 0}},
	{NULL, NULL, false, {1, 1}, {0, 0}},        /* nothing is known */
	{NULL, "another", true, {0, 0}, {0, 0}},    /* the machine died */
	{"other", NULL, true, {1, 0}, {1, 0}},      /* a container of this machine */
	{"other", "another", true, {1, 1}, {0, 0}}, /* another machine */
};

static void
test_charges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(charges); i++) {
		setup_two(false, &(struct herald_store_options){0});
		struct herald__node *us = &b->store->node;
		if (charges[i].host)
			snprintf(us->host, sizeof(us->host), "%s", charges[i].host);
		if (charges[i].boot_id)
			snprintf(us->boot_id, sizeof(us->boot_id), "%s", charges[i].boot_id);
		if (!charges[i].has_file)
			assert_int_equal(unlink(a->store->node.path), 0);
		die_in_the_first("done");
		herald__node_step(b->store);
		for (size_t j = 0; j < 2; j++) {
			const struct model_row *row = store_row(b, j == 0 ? "1" : "2");

			assert_int_equal(row->state, MODEL_READY);
			assert_int_equal(row->attempts, charges[i].attempts[j]);
			assert_int_equal(row->interrupted, charges[i].interrupted[j]);
		}
		store_settle(b);
		store_fixture_finish(b);
		model_destroy(model);
	}
}

/* Leases. */

/* A process that is paused past its lease: another one takes over; what it does afterwards changes
 * nothing; it joins again. */
static void
test_zombie(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){0});
	store_submit(a, "1", "done");
	store_submit(a, "2", "done");
	herald__committer_turn(a->store);
	struct herald__job_list ended = {0};
	struct herald__job *job = herald__dispatch_next(a->store, a, false, &ended);
	assert_non_null(job);

	pass(14000); /* `b` goes on, `a` is silent */
	herald__node_step(b->store);
	pass(2000);
	herald__node_step(b->store);
	store_settle(b);
	assert_string_equal(b->runs, "1/2 2/2");

	/* It does not begin the second one, even before it knows. */
	job->kind = HERALD_COMPLETE_DONE;
	herald__job_list_add(&ended, job);
	assert_null(herald__dispatch_next(a->store, a, false, &ended));
	store_settle(a);
	assert_string_equal(a->runs, "");
	const uint64_t node = a->store->node.id;
	herald__node_step(a->store);
	assert_true(store_logged(a, "warning lease is lost"));
	assert_true(store_logged(a, "info joined again"));
	assert_true(a->store->node.id != node);
	store_settle(a);
	assert_int_equal(store_counts(a).lost, 1);
	assert_int_equal(store_counts(a).done, 0);
	store_submit(a, "3", "done");
	store_settle(a);
	assert_int_equal(store_counts(a).done, 1);
	store_fixture_finish(a);
	store_fixture_finish(b);
	model_destroy(model);
}

/* A process loses its lease, joins again, and dies before its first node is recovered: an event
 * that ran when the lease was lost, and has ended since, is not blamed. */
static void
test_lost_lease_blames_nobody(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){0});
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	begin(a, 0, "1");
	pass(14000);
	herald__node_step(b->store);
	pass(2000);
	a->store->node.recover_at_ms = UINT64_MAX;
	herald__node_step(a->store);
	assert_true(store_logged(a, "info joined again"));
	herald__in_flight_rest(&a->store->node.in_flight, 0);
	store_fixture_kill(a);
	pass(2000);
	herald__node_step(b->store);
	assert_int_equal(store_row(b, "1")->state, MODEL_READY);
	assert_int_equal(store_row(b, "1")->attempts, 1);
	assert_int_equal(store_row(b, "1")->interrupted, 0);
	pass(11000);
	herald__node_step(b->store);
	pass(11000);
	herald__node_step(b->store);
	store_settle(b);
	store_fixture_finish(b);
	model_destroy(model);
}

/* A process still runs an event when it has joined again, and dies: events that the new node has
 * ended are not blamed. */
static void
test_a_run_longer_than_the_lease(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){.workers = 2});
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	struct herald__job_list ended = {0};
	struct herald__job *job = herald__dispatch_next(a->store, a->store->workers, false, &ended);
	assert_non_null(job);
	begin(a, 0, "1");
	pass(14000);
	herald__node_step(b->store);
	pass(2000);
	a->store->node.recover_at_ms = UINT64_MAX;
	herald__node_step(a->store);
	assert_true(store_logged(a, "info joined again"));
	store_submit(a, "2", "done");
	herald__committer_turn(a->store);
	assert_true(herald__worker_step(&a->store->workers[1]));
	assert_string_equal(a->runs, "2/1");
	herald__in_flight_close(&a->store->node.in_flight);
	store_fixture_die(a);
	for (int i = 0; i < 4; i++) {
		pass(5000);
		herald__node_step(b->store);
	}
	assert_int_equal(store_row(b, "1")->attempts, 1);
	assert_int_equal(store_row(b, "1")->interrupted, 0);
	assert_int_equal(store_row(b, "2")->attempts, 0);
	assert_int_equal(store_row(b, "2")->interrupted, 0);
	store_settle(b);
	assert_int_equal(store_counts(b).done, 2);
	herald__job_list_add(&ended, job);
	herald__dispatch_return(a->store, &ended);
	store_fixture_kill(a);
	store_fixture_finish(b);
	model_destroy(model);
}

/* A standby has taken over, and nothing is lost. What runs for the former node is still its own,
 * however long it takes, and what it has not begun goes back without a counted attempt. */
static void
test_a_run_longer_than_a_takeover(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){.max_attempts = 1});
	store_submit(a, "1", "done");
	store_submit(a, "2", "done");
	herald__committer_turn(a->store);
	struct herald__job_list ended = {0};
	struct herald__job *job = herald__dispatch_next(a->store, a, false, &ended);
	assert_non_null(job);
	model_take_over(model);
	pass(5000);
	herald__node_step(a->store);
	herald__node_step(b->store);
	assert_true(store_logged(a, "what runs now goes on under its lease"));
	store_settle(a);
	assert_string_equal(a->runs, "2/1");
	for (int i = 0; i < 8; i++) {
		pass(5000);
		herald__node_step(a->store);
		herald__node_step(b->store);
		store_settle(b);
		assert_int_equal(store_row(b, "1")->state, MODEL_RUNNING);
	}
	job->kind = HERALD_COMPLETE_DONE;
	herald__job_list_add(&ended, job);
	assert_null(herald__dispatch_next(a->store, a, false, &ended));
	store_settle(a);
	assert_int_equal(store_counts(a).done, 2);
	assert_int_equal(store_counts(a).lost, 0);
	assert_int_equal(store_counts(b).interrupted, 0);
	/* Then the former node leaves. */
	assert_int_equal(model_nodes_count(model), 3);
	herald__node_step(a->store);
	assert_int_equal(model_nodes_count(model), 2);
	store_fixture_finish(a);
	store_fixture_finish(b);
	model_destroy(model);
}

/* Claims of the former node that are not in memory, as their outcome was unknown, are given back
 * while another event of it still runs. */
static void
test_a_takeover_during_a_claim(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){.max_attempts = 1});
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	struct herald__job_list ended = {0};
	struct herald__job *job = herald__dispatch_next(a->store, a, false, &ended);
	assert_non_null(job);
	model_fail(model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, true);
	store_submit(a, "2", "done");
	herald__committer_turn(a->store);
	assert_true(model_has_failed(model));
	assert_int_equal(store_row(b, "2")->state, MODEL_RUNNING);
	model_take_over(model);
	pass(5000);
	herald__node_step(a->store);
	herald__node_step(b->store);
	store_settle(b);
	herald__node_step(b->store);
	store_settle(a);
	assert_string_equal(a->runs, "2/1");
	job->kind = HERALD_COMPLETE_DONE;
	herald__job_list_add(&ended, job);
	assert_null(herald__dispatch_next(a->store, a, false, &ended));
	store_settle(a);
	assert_int_equal(store_counts(a).done, 2);
	store_fixture_finish(a);
	assert_int_equal(model_nodes_count(model), 1);
	store_fixture_finish(b);
	model_destroy(model);
}

/* In a container each process has the pid of the one that died before it. */
static void
test_a_dead_process_whose_pid_is_in_use(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){0});
	die_in_the_first("done");
	pass(14000);
	herald__node_step(b->store);
	assert_int_equal(store_row(b, "1")->state, MODEL_RUNNING);
	pass(2000);
	herald__node_step(b->store);
	assert_int_equal(store_row(b, "1")->state, MODEL_READY);
	assert_int_equal(store_row(b, "1")->attempts, 1);
	assert_int_equal(store_row(b, "1")->interrupted, 1);
	assert_int_equal(store_row(b, "2")->attempts, 0);
	pass(300);
	store_settle(b);
	assert_int_equal(store_counts(b).done, 2);
	store_fixture_finish(b);
	model_destroy(model);
}

/* river#1258: an event that was claimed before the lease was lost, and by the next node again, with
 * as many attempts. The outcome of the second claim is unknown; it is given back nevertheless. */
static void
test_claimed_by_both_nodes(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){0});
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	struct herald__job_list ended = {0};
	struct herald__job *job = herald__dispatch_next(a->store, a, false, &ended);
	assert_non_null(job);
	assert_int_equal(job->attempts, 1);
	pass(14000);
	herald__node_step(b->store);
	pass(2000);
	struct herald_recovery recovery = {.node = a->store->node.id,
					   .is_known = true, /* it had not begun */
					   .max_interrupted = 3,
					   .max_attempts = 20};
	struct herald_error error;
	assert_int_equal(
		b->store->database->ops->node_recover(b->store->node.session, &recovery, &error),
		HERALD_OK);
	assert_int_equal(recovery.ready, 1);
	herald__node_step(a->store);
	model_fail(model, MODEL_COMMIT, 1, HERALD_UNKNOWN_OUTCOME, true);
	herald__committer_turn(a->store);
	assert_true(model_has_failed(model));
	assert_int_equal(store_row(a, "1")->state, MODEL_RUNNING);
	job->kind = HERALD_COMPLETE_DONE;
	herald__job_list_add(&ended, job);
	assert_null(herald__dispatch_next(a->store, a, false, &ended));
	pass(100);
	store_settle(a);
	assert_null(store_row(a, "1"));
	assert_string_equal(a->runs, "1/1");
	store_fixture_finish(a);
	store_fixture_finish(b);
	model_destroy(model);
}

/* Within the margin before the end of its lease a process begins nothing; a renewal lets it go on,
 * and what has ended meanwhile is stored. */
static void
test_fence(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){0});
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	pass(12999);
	herald__node_step(b->store);
	struct herald__job_list none = {0};
	struct herald__job *job = herald__dispatch_next(a->store, a, false, &none);
	assert_non_null(job);
	job->kind = HERALD_COMPLETE_DONE;
	store_submit(a, "2", "done");
	herald__committer_turn(a->store);
	pass(1);
	assert_null(herald__dispatch_next(a->store, a, false, &none));
	struct herald__job_list ended = {0};
	herald__job_list_add(&ended, job);
	assert_null(herald__dispatch_next(a->store, a, false, &ended));
	herald__node_step(a->store);
	store_settle(a);
	assert_string_equal(a->runs, "2/1");
	assert_int_equal(store_counts(a).done, 2);
	assert_int_equal(store_counts(a).lost, 0);
	store_fixture_finish(a);
	store_fixture_finish(b);
	model_destroy(model);
}

/* A lease that could not be renewed is tried again soon. */
static void
test_renewal_that_fails(void **state)
{
	(void)state;
	setup_two(true, &(struct herald_store_options){0});
	pass(5000);
	model_fail(model, MODEL_NODE_RENEW, 1, HERALD_UNAVAILABLE, false);
	assert_true(herald__node_step(a->store) <= (uint64_t)a->wall_ms + 1001);
	assert_true(store_logged(a, "warning lease could not be renewed"));
	pass(1001);
	herald__node_step(a->store);
	herald__node_step(b->store);
	pass(9000);
	store_submit(a, "1", "done");
	store_settle(a);
	assert_string_equal(a->runs, "1/1");
	store_fixture_finish(a);
	store_fixture_finish(b);
	model_destroy(model);
}

/* The database says that the node is gone. */

static struct answer {
	enum model_op op;
	bool is_late;
	bool was_given;
} answer;

/* While the call waits, the lease ends, and the process joins as another node. */
static enum herald_status
answer_late(struct model_call *call, void *state)
{
	(void)state;
	if (call->op != answer.op || answer.was_given)
		return MODEL_GO_ON;
	answer.was_given = true;
	if (answer.is_late) {
		pass(16000);
		a->store->node.recover_at_ms = UINT64_MAX;
		herald__node_step(a->store);
	}
	return HERALD_LEASE_LOST;
}

/* A deliverer asks for a delivery. It does not wait for the answer: there is none to be woken. */
static void
ask_for_a_delivery(struct herald_delivery_queue *queue)
{
	const struct herald_delivery_queue_settings settings = {
		.max_claimed = 1, .max_claimed_bytes = 4096, .max_delay_ms = 1000};
	uint64_t wait_ms;

	assert_int_equal(queue->ops->open(queue, &settings, NULL), HERALD_OK);
	assert_null(queue->ops->claim(queue, &(struct herald_delivery_time){.wall_ms = a->wall_ms},
				      &wait_ms));
	((struct herald__outbox_queue *)queue)->is_closing = true;
}

/* An event is accepted, events and deliveries are claimed, and one of the answers is that the node
 * is gone. */
static struct herald_delivery_queue *
ask_for_rows(enum model_op op, bool claims_apart, bool is_late)
{
	struct herald_delivery_queue *queue;
	struct herald_error error;

	answer = (struct answer){.op = MODEL_OPS, .is_late = is_late};
	model = model_create(&(struct model_options){.has_leases = true,
						     .claims_apart = claims_apart,
						     .now_ms = model_now_ms,
						     .hook = answer_late});
	a->wall_ms = 1000000;
	join_model(a, &(struct herald_store_options){0});
	store_settle(a);
	assert_int_equal(herald_store_queue_create(a->store, &queue, &error), HERALD_OK);
	ask_for_a_delivery(queue);
	answer.op = op;
	pass(1000); /* a claim is due */
	store_submit(a, "1", "done");
	herald__committer_turn(a->store);
	assert_true(answer.was_given);
	return queue;
}

static const struct {
	enum model_op op;
	bool claims_apart;
} askers[] = {
	{MODEL_ACCEPT, false}, {MODEL_ACCEPT, true},         {MODEL_CLAIM, false},
	{MODEL_CLAIM, true},   {MODEL_DELIVERY_CLAIM, true},
};

/* The answer is about a node that another one has replaced meanwhile: that one goes on. */
static void
test_late_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(askers); i++) {
		struct herald_delivery_queue *queue =
			ask_for_rows(askers[i].op, askers[i].claims_apart, true);
		const uint64_t node = a->store->node.id;
		assert_int_equal(herald__dispatch_lease(a->store), node);
		/* What the earlier one has claimed runs as well. */
		a->store->node.recover_at_ms = 0;
		herald__node_step(a->store);
		assert_int_equal(a->store->node.id, node);
		store_settle(a);
		queue->ops->destroy(queue);
		assert_int_equal(store_counts(a).done, 1);
		store_fixture_finish(a);
		model_destroy(model);
	}
}

/* The answer is wrong: a connection has compared the node's row with a lease that was just being
 * renewed. Nothing begins until the database was asked once more; then the node goes on. */
static void
test_wrong_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(askers); i++) {
		struct herald_delivery_queue *queue =
			ask_for_rows(askers[i].op, askers[i].claims_apart, false);
		const uint64_t node = a->store->node.id;
		assert_int_equal(herald__dispatch_lease(a->store), 0);
		herald__node_step(a->store);
		assert_int_equal(a->store->node.id, node);
		assert_int_equal(herald__dispatch_lease(a->store), node);
		assert_false(store_logged(a, "lease is lost"));
		store_settle(a);
		queue->ops->destroy(queue);
		assert_int_equal(store_counts(a).done, 1);
		store_fixture_finish(a);
		model_destroy(model);
	}
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_only_the_culprit_is_charged),
		TEST(test_an_event_that_kills),
		TEST(test_an_event_that_kills_before_its_commit),
		TEST(test_a_process_that_lives_is_not_blamed),
		TEST(test_the_file_of_a_process_that_is_killed_late),
		TEST(test_dies_in_a_step),
		TEST(test_a_stop_blames_nobody),
		TEST(test_ends_that_are_refused_count),
		TEST(test_ends_that_are_refused_after_the_lease),
		TEST(test_suspects_run_alone),
		TEST(test_charges),
		TEST(test_zombie),
		TEST(test_lost_lease_blames_nobody),
		TEST(test_a_run_longer_than_the_lease),
		TEST(test_a_run_longer_than_a_takeover),
		TEST(test_a_takeover_during_a_claim),
		TEST(test_a_dead_process_whose_pid_is_in_use),
		TEST(test_claimed_by_both_nodes),
		TEST(test_fence),
		TEST(test_renewal_that_fails),
		TEST(test_late_answers),
		TEST(test_wrong_answers),
	};

	if (!mkdtemp(folder))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	/* Nothing is left in it. */
	return rmdir(folder) == 0 ? failed : failed + 1;
}
