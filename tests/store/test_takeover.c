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

#include <herald/adapter/queue.h>

#include "store/dispatch_work.h"
#include "store/outbox_queue.h"
#include "support/store_fixture.h"

#define LEASE_MS 15000

static struct store_fixture *a, *b;
static struct model *model;

/* Calls of the database by `a` that fail, or before which its node's thread doubts, or during which
 * a standby takes over. */
static enum model_op failing, doubting; /* MODEL_OPS: none */
static unsigned asked;                  /* calls of delivery_owned() */

static int64_t
model_now_ms(void *state)
{
	(void)state;
	return a->wall_ms;
}

/* The model_hook callback. */
static enum herald_status
on_call(struct model_call *call, void *state)
{
	(void)state;
	if (!a->store || call->database != a->store->database)
		return MODEL_GO_ON;
	asked += call->op == MODEL_DELIVERY_OWNED;
	if (call->op == doubting) {
		doubting = MODEL_OPS;
		herald__outbox_doubt_all(a->store);
	}
	return call->op == failing ? HERALD_UNAVAILABLE : MODEL_GO_ON;
}

static int
setup(void **state)
{
	(void)state;
	a = calloc(1, sizeof(*a));
	b = calloc(1, sizeof(*b));
	if (!a || !b)
		return 1;
	failing = doubting = MODEL_OPS;
	asked = 0;
	model = model_create(&(struct model_options){
		.has_leases = true, .now_ms = model_now_ms, .hook = on_call});
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

/* When there are too many, one is given up of which nothing is left; else the first one. */
static void
test_too_many_takeovers(void **state)
{
	struct herald__formers *formers = &a->store->dispatch.formers;
	struct herald__job *job = begin_run("1");
	const uint64_t first = a->store->node.id;
	char line[80];

	(void)state;
	failing = MODEL_NODE_LEAVE;
	for (int i = 0; i < HERALD__FORMER_NODES; i++)
		take_over();
	const uint64_t idle = formers->all[3].node;
	formers->all[3].is_idle = true;
	take_over();
	assert_int_equal(formers->count, HERALD__FORMER_NODES);
	assert_int_equal(formers->all[0].node, first);
	for (size_t i = 0; i < formers->count; i++)
		assert_int_not_equal(formers->all[i].node, idle);
	assert_false(store_logged(a, "too many former nodes"));
	take_over();
	assert_int_equal(formers->count, HERALD__FORMER_NODES);
	snprintf(line, sizeof(line), "are thrown away node=%llu", (unsigned long long)first);
	assert_true(store_logged(a, "too many former nodes"));
	assert_true(store_logged(a, line));
	failing = MODEL_OPS;
	end_run(job);
	store_fixture_finish(a);
	store_fixture_finish(b);
}

/* The database fails, a standby takes over, and the first renewal of the former node's lease fails
 * as well: it is tried again soon, and not when that lease has ended. */
static void
test_the_first_keep_fails(void **state)
{
	struct herald__job *job = begin_run("1");

	(void)state;
	failing = MODEL_NODE_RENEW;
	for (int i = 1; i < 12; i++) {
		pass(1000);
		herald__node_step(a->store);
		if (i % 5 == 0)
			herald__node_step(b->store);
	}
	failing = MODEL_NODE_KEEP;
	model_take_over(model);
	do {
		pass(500);
		herald__node_step(a->store);
	} while (a->store->dispatch.formers.count == 0);
	herald__node_step(b->store);
	failing = MODEL_OPS;
	for (int ms = 0; ms < LEASE_MS; ms += 1000) {
		pass(1000);
		herald__node_step(b->store);
		herald__node_step(a->store);
		store_settle(b);
		assert_string_equal(b->runs, "");
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

/* Deliveries. */

/* Nobody waits for it, as there is no deliverer. */
static struct herald_delivery_queue *
open_outbox(void)
{
	const struct herald_delivery_queue_settings settings = {
		.max_claimed = 1000, .max_claimed_bytes = 1 << 20, .max_delay_ms = 1000};
	struct herald_delivery_queue *queue;
	struct herald_error error;

	assert_int_equal(herald_store_queue_create(a->store, &queue, &error), HERALD_OK);
	assert_int_equal(queue->ops->open(queue, &settings, NULL), HERALD_OK);
	/* So nothing wakes a deliverer, and a failed write is not repeated. */
	((struct herald__outbox_queue *)queue)->is_closing = true;
	return queue;
}

/* Deliveries that the database says the node of `a` owns, and that are not in memory. */
static void
push_unknown(unsigned count)
{
	struct herald_session *session = a->store->committer.session;
	const struct herald_database_ops *ops = a->store->database->ops;
	struct herald_stored_delivery delivery = {
		.delivery_id = "d",
		.url = "http://a.example/",
		.origin = "http://a.example:80",
		.event_type = "t",
		.event_id = "",
		.record = {"", 0},
		.last_error = "",
		.owner = a->store->node.id,
	};
	struct herald_error error;

	assert_int_equal(ops->begin(session, &error), HERALD_OK);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(ops->delivery_push(session, &delivery, 1, &error), HERALD_OK);
	assert_int_equal(ops->commit(session, &error), HERALD_OK);
}

/* What came while the outbox looked up what it owns is looked up, too. */
static void
test_a_doubt_while_it_is_looked_up(void **state)
{
	static const enum model_op ops[] = {MODEL_DELIVERY_OWNED, MODEL_COMMIT};

	(void)state;
	struct herald_delivery_queue *queue = open_outbox();
	for (size_t i = 0; i < 2; i++) {
		asked = 0;
		herald__outbox_doubt_all(a->store);
		doubting = ops[i];
		store_settle(a);
		assert_int_equal(doubting, MODEL_OPS);
		assert_int_equal(asked, 2);
		assert_false(herald__outbox_owns(a->store, a->store->node.id));
	}
	queue->ops->destroy(queue);
	store_fixture_finish(a);
	store_fixture_finish(b);
}

/* Claims of deliveries of the former node, with an unknown outcome, are given back, however many
 * they are. Then it leaves. */
static void
test_deliveries_to_give_back(void **state)
{
	const uint64_t former = a->store->node.id;

	(void)state;
	struct herald_delivery_queue *queue = open_outbox();
	push_unknown(2000);
	take_over();
	store_settle(a);
	assert_false(model_owns_rows(model, former));
	herald__node_step(a->store);
	assert_false(model_has_node(model, former));
	queue->ops->destroy(queue);
	store_fixture_finish(a);
	store_fixture_finish(b);
}

/* The committer has a turn after the former node is in the list, and before the outbox doubts. */
static void
test_a_former_node_is_not_idle_too_early(void **state)
{
	const uint64_t former = a->store->node.id;

	(void)state;
	struct herald_delivery_queue *queue = open_outbox();
	push_unknown(1);
	take_over();
	a->store->dispatch.formers.all[0].is_in_outbox = false;
	((struct herald__outbox_queue *)queue)->doubts = 0;
	herald__committer_turn(a->store);
	herald__node_step(a->store);
	assert_true(model_has_node(model, former));
	assert_false(store_logged(a, "they are recovered after its lease"));
	herald__outbox_doubt_all(a->store);
	a->store->dispatch.formers.all[0].is_in_outbox = true;
	store_settle(a);
	herald__node_step(a->store);
	assert_false(model_has_node(model, former));
	queue->ops->destroy(queue);
	store_fixture_finish(a);
	store_fixture_finish(b);
}

/* Ending. */

/* The process ends between two nodes: the former one leaves all the same, and what the database
 * says it owns is given back, although the committer has ended before. */
static void
test_ends_between_two_nodes(void **state)
{
	const uint64_t former = a->store->node.id;

	(void)state;
	a->due_ms = a->wall_ms + 1000;
	store_submit(a, "1", "done");
	store_settle(a);
	assert_int_equal(claim_unknown(1), 1);
	herald_store_stop(a->store, 0);
	store_settle(a);
	failing = MODEL_NODE_JOIN;
	take_over();
	assert_int_equal(a->store->node.id, 0);
	herald_service_destroy(a->service);
	a->service = NULL;
	herald_store_destroy(a->store);
	a->store = NULL;
	assert_false(model_has_node(model, former));
	assert_int_equal(store_row(b, "1")->attempts, 0);
	pass(1000);
	store_settle(b);
	herald__node_step(b->store); /* it has lost its node, too */
	store_settle(b);
	assert_string_equal(b->runs, "1/1");
	store_fixture_finish(a);
	store_fixture_finish(b);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_quick_takeovers),         TEST(test_a_former_node_that_cannot_leave),
		TEST(test_much_to_give_back),       TEST(test_a_doubt_while_it_is_looked_up),
		TEST(test_deliveries_to_give_back), TEST(test_a_former_node_is_not_idle_too_early),
		TEST(test_ends_between_two_nodes),  TEST(test_the_first_keep_fails),
		TEST(test_too_many_takeovers),
	};

	return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}
