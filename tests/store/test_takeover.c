/*
 * A standby takes over, again and again, and what the process runs for its former nodes goes on:
 * step by step, with two processes on one model of a database. The first takeovers are in
 * test_recovery.c.
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

#include "store/dispatch_work.h"
#include "support/store_fixture.h"

#define LEASE_MS 15000

static struct store_fixture *a, *b;
static struct model *model;

/* Calls of the database that fail. */
static enum model_op failing; /* MODEL_OPS: none */

static int64_t
model_now_ms(void *state)
{
	(void)state;
	return a->wall_ms;
}

/* The model_hook callback. */
static enum herald_status
fail_call(struct model_call *call, void *state)
{
	(void)state;
	return call->op == failing && call->database == a->store->database ? HERALD_UNAVAILABLE
									   : MODEL_GO_ON;
}

static int
setup(void **state)
{
	(void)state;
	a = calloc(1, sizeof(*a));
	b = calloc(1, sizeof(*b));
	if (!a || !b)
		return 1;
	failing = MODEL_OPS;
	model = model_create(&(struct model_options){
		.has_leases = true, .now_ms = model_now_ms, .hook = fail_call});
	a->wall_ms = 1000000;
	store_fixture_init(
		a, &(struct store_fixture_options){.model = model, .store.lease_ms = LEASE_MS});
	store_fixture_init(
		b, &(struct store_fixture_options){.model = model, .store.lease_ms = LEASE_MS});
	store_settle(a);
	store_settle(b);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	model_destroy(model);
	free(a);
	free(b);
	return 0;
}

static void
pass(uint64_t ms)
{
	a->wall_ms += (int64_t)ms;
	b->wall_ms += (int64_t)ms;
}

/* `a` notices it at once, `b` at its next renewal. */
static void
take_over(void)
{
	model_take_over(model);
	herald__dispatch_doubt(a->store, a->store->node.id);
	herald__node_step(a->store);
	herald__node_step(b->store);
}

/* A worker of `a` has begun an event, and runs it until end_run(). */
static struct herald__job *
begin_run(const char *id)
{
	struct herald__job_list none = {0};

	store_submit(a, id, "done");
	herald__committer_turn(a->store);
	struct herald__job *job = herald__dispatch_next(a->store, a, false, &none);
	assert_non_null(job);
	return job;
}

static void
end_run(struct herald__job *job)
{
	struct herald__job_list ended = {0};

	job->kind = HERALD_COMPLETE_DONE;
	herald__job_list_add(&ended, job);
	herald__dispatch_return(a->store, &ended);
	store_settle(a);
	assert_int_equal(store_counts(a).lost, 0);
	assert_int_equal(store_counts(b).interrupted, 0);
	assert_string_equal(b->runs, "");
}

/* Each takeover adds a former node. The leases of those before are renewed all the same. */
static void
test_quick_takeovers(void **state)
{
	struct herald__job *job = begin_run("1");

	(void)state;
	for (int i = 0; i < 6; i++) {
		pass(LEASE_MS / 3 - 100);
		take_over();
		store_settle(b);
		assert_int_equal(store_row(b, "1")->state, MODEL_RUNNING);
	}
	end_run(job);
	assert_int_equal(store_counts(a).done, 1);
	store_fixture_finish(a);
	store_fixture_finish(b);
}

/* A former node that cannot leave does not keep the lease of another one from being renewed. */
static void
test_a_former_node_that_cannot_leave(void **state)
{
	struct herald__job *job = begin_run("1");

	(void)state;
	take_over();
	take_over();
	store_settle(a);
	assert_int_equal(model_nodes_count(model), 4);
	failing = MODEL_NODE_LEAVE;
	for (int i = 0; i < 2 * LEASE_MS / 1000; i++) {
		herald__node_step(a->store);
		herald__node_step(b->store);
		store_settle(b);
		assert_int_equal(store_row(b, "1")->state, MODEL_RUNNING);
		pass(1000);
	}
	failing = MODEL_OPS;
	end_run(job);
	assert_int_equal(store_counts(a).done, 1);
	store_fixture_finish(a);
	store_fixture_finish(b);
}

/* The herald_stored_event_visitor callback. */
static bool
forget_claimed(const struct herald_stored_event *event, void *state)
{
	(void)event;
	(*(unsigned *)state)++;
	return true;
}

/* Claim events that are due within an hour, so that they are not in memory, as if nothing were
 * known of a commit. */
static unsigned
claim_unknown(size_t max_events)
{
	struct herald_session *session = a->store->committer.session;
	const struct herald_database_ops *ops = a->store->database->ops;
	const struct herald_claim claim = {.queue = a->store->dispatch.queues->name,
					   .owner = a->store->node.id,
					   .now_ms = a->wall_ms + 3600000,
					   .max_events = max_events,
					   .max_bytes = 1 << 20};
	struct herald_error error;
	int64_t next_ms;
	unsigned count = 0;

	assert_int_equal(ops->begin(session, &error), HERALD_OK);
	assert_int_equal(ops->claim(session, &claim, forget_claimed, &count, &next_ms, &error),
			 HERALD_OK);
	assert_int_equal(ops->commit(session, &error), HERALD_OK);
	return count;
}

/* More of a former node is to be given back than one transaction takes: that is not a failure. */
static void
test_much_to_give_back(void **state)
{
	const unsigned count = 700;
	struct herald_error error;
	char id[16];

	(void)state;
	a->due_ms = a->wall_ms + 1000;
	for (unsigned i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "%u", i);
		store_submit(a, id, "done");
	}
	store_settle(a);
	a->due_ms = 0;
	assert_int_equal(claim_unknown(count), count);
	const uint64_t former = a->store->node.id;
	take_over();
	for (bool has_more = true; has_more;) {
		const struct store_arrival *arrival = store_submit(a, "new", "done");

		const uint64_t next_ms = herald__committer_turn(a->store);
		has_more = model_owns_rows(model, former);
		assert_int_equal(arrival->answers, 1);
		assert_int_equal(arrival->event.status, HERALD_OK);
		assert_int_equal(herald_store_health(a->store, &error), HERALD_OK);
		assert_true(!has_more || next_ms <= (uint64_t)a->wall_ms + 10);
		pass(10);
	}
	herald__node_step(a->store);
	assert_false(model_has_node(model, former));
	store_pass(a, 1000);
	assert_int_equal(store_counts(a).done, count + 1);
	assert_null(strstr(a->runs, "/2")); /* the claims do not count */
	store_fixture_finish(a);
	store_fixture_finish(b);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_quick_takeovers),
		TEST(test_a_former_node_that_cannot_leave),
		TEST(test_much_to_give_back),
	};

	return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}
