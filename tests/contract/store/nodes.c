/*
 * Nodes: who is alive, and how the events of those who died go on.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct nodes {
	size_t count;
	uint64_t ids[16];
	char host[64], boot_id[64], path[512]; /* of the last one */
	long pid;
};

static bool
keep_node(const struct herald_node *node, void *state)
{
	struct nodes *nodes = state;

	assert_true(nodes->count < COUNT(nodes->ids));
	nodes->ids[nodes->count++] = node->id;
	snprintf(nodes->host, sizeof(nodes->host), "%s", node->host);
	snprintf(nodes->boot_id, sizeof(nodes->boot_id), "%s", node->boot_id);
	snprintf(nodes->path, sizeof(nodes->path), "%s", node->in_flight_path);
	nodes->pid = node->pid;
	return true;
}

static struct nodes
dead_nodes(struct process *p)
{
	struct nodes nodes = {.count = 0};
	struct herald_error error;

	assert_works(p->ops->node_dead(p->nodes, T0, keep_node, &nodes, &error), &error);
	return nodes;
}

static void
leave(struct process *p)
{
	struct herald_error error;

	assert_works(p->ops->node_leave(p->nodes, p->node, &error), &error);
}

/* oban#424, #862: an id is never used again, although host, process and boot are the same. */
static void
test_ids_are_new(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t ids[6];

	for (size_t i = 0; i < COUNT(ids); i++) {
		ids[i] = p->node;
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
		leave(p);
		if (i == 3) { /* and not after a restart */
			struct process *next = start_tool(p);

			p->node = 0;
			stop(p);
			p = next;
		}
		join(p);
	}
	assert_int_equal(dead_nodes(p).count, 0);
	stop(p);
}

static void
test_in_flight_path(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_node node = {
		.host = "h", .boot_id = "b", .pid = 1, .in_flight_path = "/dev/shm"};
	struct herald_error error;
	char path[512];

	leave(p);
	assert_works(p->ops->node_join(p->nodes, &node, T0, &error), &error);
	assert_int_equal(strncmp(node.in_flight_path, "/dev/shm/", 9), 0);
	assert_true(strlen(node.in_flight_path) > 9);
	snprintf(path, sizeof(path), "%s", node.in_flight_path);
	accept_event(p, EVENT());
	assert_string_equal(node.in_flight_path, path);
	assert_works(p->ops->node_leave(p->nodes, node.id, &error), &error);
	p->node = 0;
	stop(p);
}

static void
test_dead_node_is_visited(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *survivor = start_tool(p);
	struct herald_node node = {
		.host = "über", .boot_id = "6f1c-02", .pid = 4711, .in_flight_path = "/dev/shm"};
	struct herald_error error;
	struct nodes nodes;
	char path[512];

	leave(p);
	assert_works(p->ops->node_join(p->nodes, &node, T0, &error), &error);
	p->node = node.id;
	snprintf(path, sizeof(path), "%s", node.in_flight_path);
	assert_int_equal(dead_nodes(survivor).count, 0);
	die(p, survivor);
	nodes = dead_nodes(survivor);
	assert_int_equal(nodes.count, 1);
	assert_int_equal(nodes.ids[0], node.id);
	assert_string_equal(nodes.host, "über");
	assert_string_equal(nodes.boot_id, "6f1c-02");
	assert_int_equal(nodes.pid, 4711);
	assert_string_equal(nodes.path, path);
	/* Until it was recovered. */
	assert_int_equal(dead_nodes(survivor).count, 1);
	assert_true(recover(survivor, node.id, RECOVER_ALL).is_taken);
	assert_int_equal(dead_nodes(survivor).count, 0);
	assert_false(recover(survivor, node.id, RECOVER_ALL).is_taken);
	stop(survivor);
}

/* wolverine#2361, oban#1141: a node that is alive keeps what it has claimed. */
static void
test_alive_node_is_left_alone(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *other = start_tool(p);
	struct herald_recovery recovery;
	uint64_t id = accept_event(p, EVENT());

	claim_only(p, id, T0);
	assert_int_equal(dead_nodes(p).count, 0);
	assert_int_equal(dead_nodes(other).count, 0);
	recovery = recover(other, p->node, RECOVER_ALL);
	assert_false(recovery.is_taken);
	assert_int_equal(recovery.ready, 0);
	assert_int_equal(recovery.dead, 0);
	assert_count(p, "t", RUNNING, 1);
	assert_false(recover(other, p->node + 1000, RECOVER_ALL).is_taken);
	assert_false(COMPLETE(p, id, 1, DONE));
	stop(other);
	stop(p);
}

/* What happens to a claimed event of a node that died. */
struct fate {
	bool is_suspect, is_known;
	unsigned earlier_attempts; /* that ended with a retry */
	unsigned max_interrupted, max_attempts;
	/* Expected. */
	unsigned attempts, interrupted;
	enum herald_dead_reason why; /* ANY: READY again */
};

static const struct fate fates[] = {
	/* It had not begun: the attempt does not count. */
	{false, true, 0, 3, 20, 0, 0, HERALD_DEAD_ANY},
	{false, true, 4, 3, 20, 4, 0, HERALD_DEAD_ANY},
	{false, true, 4, 1, 5, 4, 0, HERALD_DEAD_ANY},
	/* It was running. */
	{true, true, 0, 3, 20, 1, 1, HERALD_DEAD_ANY},
	{true, true, 4, 2, 6, 5, 1, HERALD_DEAD_ANY},
	{true, true, 0, 1, 20, 1, 1, HERALD_DEAD_INTERRUPTED},
	{true, true, 4, 3, 5, 5, 1, HERALD_DEAD_INTERRUPTED},
	{true, false, 0, 1, 20, 1, 1, HERALD_DEAD_INTERRUPTED},
	/* Not known: it counts. */
	{false, false, 0, 1, 20, 1, 0, HERALD_DEAD_ANY},
	{false, false, 4, 3, 6, 5, 0, HERALD_DEAD_ANY},
	{false, false, 4, 3, 5, 5, 0, HERALD_DEAD_ATTEMPTS},
};

struct letters {
	size_t count;
	uint64_t id;
	enum herald_dead_reason why;
	unsigned attempts, interrupted;
	bool is_held;
	int64_t dead_ms;
	bool has_reason;
};

static bool
keep_letter(const struct herald_dead_letter *letter, void *state)
{
	struct letters *letters = state;

	letters->count++;
	letters->id = letter->id;
	letters->why = letter->why;
	letters->attempts = letter->attempts;
	letters->interrupted = letter->interrupted;
	letters->is_held = letter->is_held;
	letters->dead_ms = letter->dead_ms;
	letters->has_reason = strlen(letter->reason) > 0 && !strchr(letter->reason, '\n');
	assert_string_equal(letter->path, "");
	assert_int_equal(letter->offset, -1);
	return true;
}

static struct letters
dead_letters(struct process *p)
{
	struct letters letters = {.count = 0};
	struct herald_error error;

	assert_works(p->ops->dead_visit(p->session, &(struct herald_dead_filter){0}, keep_letter,
					&letters, &error),
		     &error);
	return letters;
}

static uint64_t
claim_after_retries(struct process *p, unsigned retries)
{
	uint64_t id = accept_event(p, EVENT());

	for (unsigned attempt = 1; attempt <= retries; attempt++) {
		claim_only(p, id, T0);
		assert_false(COMPLETE(p, id, attempt, RETRY));
	}
	assert_int_equal(claim_only(p, id, T0), retries + 1);
	return id;
}

static void
assert_fate(struct process *p, uint64_t id, const struct fate *fate)
{
	struct letters letters = dead_letters(p);
	struct claims *claims = claim_all(p, T0);

	assert_int_equal(claims->count, fate->why == HERALD_DEAD_ANY);
	assert_int_equal(letters.count, fate->why != HERALD_DEAD_ANY);
	if (fate->why != HERALD_DEAD_ANY) {
		assert_int_equal(letters.id, id);
		assert_int_equal(letters.why, fate->why);
		assert_int_equal(letters.attempts, fate->attempts);
		assert_int_equal(letters.interrupted, fate->interrupted);
		assert_int_equal(letters.dead_ms, T0);
		assert_true(letters.has_reason);
		assert_false(letters.is_held);
	} else {
		assert_int_equal(claims->rows[0].event.id, id);
		assert_int_equal(claims->rows[0].event.attempts, fate->attempts + 1);
		assert_int_equal(claims->rows[0].event.interrupted, fate->interrupted);
		assert_int_equal(claims->rows[0].event.due_ms, T0);
	}
	claims_free(claims);
}

/* sidekiq#4069, hindsight#2675: the attempt is counted before the run, so poison ends. */
static void
test_fates(const struct contract_store *kind)
{
	struct process *processes[COUNT(fates)];
	uint64_t ids[COUNT(fates)];

	for (size_t i = 0; i < COUNT(fates); i++) {
		processes[i] = start_mortal(kind);
		ids[i] = claim_after_retries(processes[i], fates[i].earlier_attempts);
	}
	for (size_t i = 0; i < COUNT(fates); i++) {
		const struct fate *fate = &fates[i];
		struct process *survivor = start_tool(processes[i]);
		uint64_t node = processes[i]->node;
		struct herald_recovery recovery = {.suspects = &ids[i],
						   .suspects_count = fate->is_suspect,
						   .is_known = fate->is_known,
						   .max_interrupted = fate->max_interrupted,
						   .max_attempts = fate->max_attempts};

		die(processes[i], survivor);
		recovery = recover(survivor, node, recovery);
		assert_true(recovery.is_taken);
		assert_int_equal(recovery.ready, fate->why == HERALD_DEAD_ANY);
		assert_int_equal(recovery.dead, fate->why != HERALD_DEAD_ANY);
		join(survivor);
		assert_fate(survivor, ids[i], fate);
		stop(survivor);
	}
}

/* An event during which the process dies each time is dead after max_interrupted. */
static void
test_poison(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	uint64_t id = accept_event(p, EVENT(.event_type = "poison"));

	for (unsigned death = 1; death <= 3; death++) {
		struct process *next = start_mortal_tool(p);
		uint64_t node = p->node;
		struct herald_recovery recovery = {.suspects = &id,
						   .suspects_count = 1,
						   .is_known = true,
						   .max_interrupted = 3,
						   .max_attempts = 20};

		assert_int_equal(claim_only(p, id, T0), death);
		die(p, next);
		recovery = recover(next, node, recovery);
		assert_int_equal(recovery.dead, death == 3);
		assert_int_equal(recovery.ready, death < 3);
		join(next);
		p = next;
	}
	assert_state(p, "poison", DEAD);
	assert_nothing_to_claim(p, T0);
	assert_int_equal(dead_letters(p).interrupted, 3);
	stop(p);
}

/* A suspect is due later, if the store says so; others are due when they were. */
static void
test_suspect_is_due_later(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *survivor = start_tool(p);
	uint64_t node = p->node;
	uint64_t suspect = accept_event(p, EVENT());
	uint64_t other = accept_event(p, EVENT());
	struct herald_recovery recovery = {.suspects = &suspect,
					   .suspects_count = 1,
					   .suspects_due_ms = T0 + 300,
					   .is_known = true,
					   .max_interrupted = 3,
					   .max_attempts = 20};

	claims_free(claim_all(p, T0));
	die(p, survivor);
	assert_int_equal(recover(survivor, node, recovery).ready, 2);
	join(survivor);
	claim_only(survivor, other, T0 + 299);
	claim_only(survivor, suspect, T0 + 300);
	stop(survivor);
}

/* The clock was set back before the process died: nothing waits for the time that it was due at. */
static void
test_recovery_when_the_clock_is_set_back(const struct contract_store *kind)
{
	static const struct {
		int64_t back_ms, later_ms;
	} rows[] = {{1, 300}, {300, 300}, {86400000, 300}, {86400000, 0}, {T0 - 1, -5}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct process *p = start_mortal(kind);
		struct process *survivor = start_tool(p);
		const int64_t now_ms = T0 - rows[i].back_ms;
		const int64_t due_ms = now_ms + (rows[i].later_ms > 0 ? rows[i].later_ms : 0);
		uint64_t node = p->node;
		uint64_t other = accept_event(p, EVENT(.owner = node));
		uint64_t retried = accept_event(p, EVENT(.created_ms = 0, .due_ms = T0 - 1));
		uint64_t suspects[] = {accept_event(p, EVENT()), push(p, DELIVERY())};
		uint64_t delivery = push(p, DELIVERY(.owner = node));
		struct claimed_deliveries *deliveries;
		struct claims *claims;

		claims_free(claim_all(p, T0));
		claim_delivery(p, suspects[1], T0);
		die(p, survivor);
		recover(survivor, node,
			(struct herald_recovery){.now_ms = now_ms,
						 .suspects = suspects,
						 .suspects_count = COUNT(suspects),
						 .suspects_due_ms = now_ms + rows[i].later_ms,
						 .is_known = true,
						 .max_interrupted = 3,
						 .max_attempts = 20});
		join(survivor);
		if (due_ms > now_ms) {
			claims = claim_all(survivor, due_ms - 1);
			assert_int_equal(claims->count, 2);
			assert_int_equal(claims->rows[0].event.id, retried);
			assert_int_equal(claims->rows[1].event.id, other);
			assert_int_equal(claims->next_ms, due_ms);
			claims_free(claims);
			claim_only(survivor, suspects[0], due_ms);
		} else {
			claims = claim_all(survivor, now_ms);
			assert_int_equal(claims->count, 3);
			claims_free(claims);
		}
		deliveries = claim_deliveries(survivor, now_ms);
		assert_int_equal(deliveries->count, 2);
		assert_int_equal(deliveries->rows[0].delivery.id, suspects[1]);
		assert_int_equal(deliveries->rows[1].delivery.id, delivery);
		claimed_deliveries_free(deliveries);
		stop(survivor);
	}
}

/* Blame: of 64 that were claimed, one was running. */
static void
test_blame(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *survivor = start_tool(p);
	uint64_t node = p->node;
	uint64_t ids[64], suspects[3];
	struct herald_recovery recovery;
	struct claims *claims;

	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = accept_event(p, EVENT(.due_ms = T0 - 64 + (int64_t)i));
	claims = claim_all(p, T0);
	assert_int_equal(claims->count, COUNT(ids));
	claims_free(claims);
	suspects[0] = ids[0] - 1; /* one that has gone meanwhile */
	suspects[1] = ids[17];
	suspects[2] = ids[63] + 1;
	die(p, survivor);
	join(survivor);
	recovery = recover(survivor, node,
			   (struct herald_recovery){.suspects = suspects,
						    .suspects_count = 3,
						    .is_known = true,
						    .max_interrupted = 3,
						    .max_attempts = 20});
	assert_true(recovery.is_taken);
	assert_int_equal(recovery.ready, COUNT(ids));
	claims = claim_all(survivor, T0);
	assert_int_equal(claims->count, COUNT(ids));
	for (size_t i = 0; i < COUNT(ids); i++) {
		assert_int_equal(claims->rows[i].event.id, ids[i]);
		assert_int_equal(claims->rows[i].event.attempts, i == 17 ? 2 : 1);
		assert_int_equal(claims->rows[i].event.interrupted, i == 17);
		assert_int_equal(claims->rows[i].event.due_ms, T0 - 64 + (int64_t)i);
	}
	claims_free(claims);
	stop(survivor);
}

/* wolverine#3971: nothing sweeps over all rows; only its own events are recovered. */
static void
test_recovery_of_one_node(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *other = start_on(p);
	uint64_t node = p->node;
	uint64_t theirs = accept_event(p, EVENT());
	uint64_t kept;
	struct herald_recovery recovery;

	claim_only(p, theirs, T0);
	kept = accept_event(p, EVENT());
	claim_only(other, kept, T0);
	accept_event(p, EVENT(.event_type = "free", .due_ms = T0 + 10));
	die(p, other);
	recovery = recover(other, node, RECOVER_ALL);
	assert_int_equal(recovery.ready, 1);
	assert_int_equal(claim_only(other, theirs, T0), 1);
	assert_false(COMPLETE(other, kept, 1, DONE));
	assert_count(other, "free", DELAYED, 1);
	stop(other);
}

/* river#1302: what has ended before the process died stays as it is. */
static void
test_recovery_after_ends(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *survivor = start_tool(p);
	uint64_t node = p->node;
	uint64_t ids[4];
	struct herald_recovery recovery;

	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = accept_event(p, EVENT(.owner = node));
	assert_false(COMPLETE(p, ids[0], 1, DONE));
	assert_false(COMPLETE(p, ids[1], 1, RETRY, .due_ms = T0 + 50));
	assert_false(COMPLETE(p, ids[2], 1, DEAD));
	die(p, survivor);
	recovery = recover(survivor, node,
			   (struct herald_recovery){.suspects = ids,
						    .suspects_count = COUNT(ids),
						    .is_known = true,
						    .max_interrupted = 1,
						    .max_attempts = 1});
	assert_int_equal(recovery.ready, 0);
	assert_int_equal(recovery.dead, 1);
	assert_count(survivor, "t", DEAD, 2);
	assert_count(survivor, "t", DELAYED, 1);
	assert_int_equal(count_events(survivor), 3);
	join(survivor);
	assert_int_equal(claim_only(survivor, ids[1], T0 + 50), 2);
	stop(survivor);
}

/* solid_queue#735, graphile/worker#204, #222: no key stays locked after a crash. A dead letter of
 * the recovery lets its key go on, unless the event holds it. */
static void
test_recovery_and_keys(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *survivor = start_tool(p);
	uint64_t node = p->node;
	uint64_t suspects[2];
	struct herald_recovery recovery;

	suspects[0] = accept_event(p, EVENT(.event_type = "a", .key_hash = 1, .owner = node));
	suspects[1] = accept_event(
		p, EVENT(.event_type = "b", .key_hash = 2, .owner = node, .holds_key = true));
	accept_event(p, EVENT(.event_type = "c", .key_hash = 3, .owner = node));
	accept_event(p, EVENT(.event_type = "a2", .key_hash = 1));
	accept_event(p, EVENT(.event_type = "b2", .key_hash = 2));
	accept_event(p, EVENT(.event_type = "c2", .key_hash = 3));
	die(p, survivor);
	recovery = recover(survivor, node,
			   (struct herald_recovery){.suspects = suspects,
						    .suspects_count = 2,
						    .is_known = true,
						    .max_interrupted = 1,
						    .max_attempts = 20});
	assert_int_equal(recovery.dead, 2);
	assert_int_equal(recovery.ready, 1);
	assert_state(survivor, "a", DEAD);
	assert_state(survivor, "b", DEAD);
	assert_state(survivor, "c", READY);
	assert_state(survivor, "a2", READY);
	assert_state(survivor, "b2", BLOCKED);
	assert_state(survivor, "c2", BLOCKED);
	assert_int_equal(drop(survivor, &(struct herald_dead_filter){.id = suspects[1]}, 10), 1);
	assert_state(survivor, "b2", READY);
	stop(survivor);
}

/* wolverine#565, #585: deliveries of a dead process go on, each once. If it is known which ones
 * were being sent, only their attempts stay counted. */
static void
test_recovery_of_deliveries(const struct contract_store *kind)
{
	for (int is_known = 0; is_known < 2; is_known++) {
		struct process *p = start_mortal(kind);
		struct process *survivor = start_tool(p);
		struct herald_recovery recovery = RECOVER_ALL;
		uint64_t node = p->node, ids[4], suspects[3];

		for (size_t i = 0; i < COUNT(ids); i++) {
			ids[i] = push(p, DELIVERY());
			assert_int_equal(claim_delivery(p, ids[i], T0), 1);
		}
		suspects[0] = ids[0] - 1; /* one that has gone meanwhile */
		suspects[1] = ids[1];
		suspects[2] = ids[2];
		die(p, survivor);
		join(survivor);
		recovery.is_known = is_known;
		recovery.suspects = suspects;
		recovery.suspects_count = COUNT(suspects);
		recovery.suspects_due_ms = T0 + 300; /* of events */
		assert_true(recover(survivor, node, recovery).is_taken);
		struct claimed_deliveries *claimed = claim_deliveries(survivor, T0);
		assert_int_equal(claimed->count, COUNT(ids));
		for (size_t i = 0; i < COUNT(ids); i++) {
			unsigned attempts = !is_known || i == 1 || i == 2 ? 2 : 1;

			assert_int_equal(claimed->rows[i].delivery.id, ids[i]);
			assert_int_equal(claimed->rows[i].delivery.attempts, attempts);
			assert_false(COMPLETE_DELIVERY(survivor, ids[i], attempts, DONE));
		}
		claimed_deliveries_free(claimed);
		assert_deliveries(survivor, READY, 0);
		stop(survivor);
	}
}

struct race {
	struct process *process;
	uint64_t node;
	struct herald_recovery recovery;
	enum herald_status status;
	pthread_barrier_t *barrier;
};

static void *
run_recovery(void *state)
{
	struct race *race = state;
	struct herald_error error;

	race->recovery = RECOVER_ALL;
	race->recovery.node = race->node;
	race->recovery.now_ms = T0;
	pthread_barrier_wait(race->barrier);
	do
		race->status = race->process->ops->node_recover(race->process->nodes,
								&race->recovery, &error);
	while (race->status == HERALD_UNAVAILABLE);
	return NULL;
}

/* wolverine#585: two processes recover the same node; one succeeds. */
static void
test_recovery_race(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *survivors[2] = {start_tool(p), start_tool(p)};
	uint64_t node = p->node;
	pthread_barrier_t barrier;
	struct race races[2];
	pthread_t threads[2];

	for (int i = 0; i < 50; i++)
		accept_event(p, EVENT(.owner = node));
	die(p, survivors[0]);
	pthread_barrier_init(&barrier, NULL, 2);
	for (size_t i = 0; i < 2; i++) {
		races[i] =
			(struct race){.process = survivors[i], .node = node, .barrier = &barrier};
		assert_int_equal(pthread_create(&threads[i], NULL, run_recovery, &races[i]), 0);
	}
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(races[i].status, HERALD_OK);
		assert_int_equal(races[i].recovery.ready, races[i].recovery.is_taken ? 50 : 0);
	}
	assert_int_equal(races[0].recovery.is_taken + races[1].recovery.is_taken, 1);
	assert_count(survivors[0], "t", READY, 50);
	stop(survivors[1]);
	stop(survivors[0]);
}

/* A node that has left, or was recovered, gets nothing new: it would never run again. */
static void
test_gone_owner(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t gone = p->node;
	struct herald_error error;
	int64_t next_ms;

	accept_event(p, EVENT(.event_type = "free"));
	push(p, DELIVERY());
	leave(p);
	join(p);

	begin(p);
	assert_status(p->ops->accept(p->session, EVENT(.owner = gone), 1, &error),
		      HERALD_LEASE_LOST, &error);
	rollback(p);
	begin(p);
	assert_status(p->ops->delivery_push(p->session, DELIVERY(.owner = gone), 1, &error),
		      HERALD_LEASE_LOST, &error);
	rollback(p);
	if (!p->ops->claims_apart)
		begin(p);
	assert_status(p->ops->claim(p->session,
				    &(struct herald_claim){.queue = "q",
							   .owner = gone,
							   .now_ms = T0,
							   .max_events = 9,
							   .max_bytes = 9},
				    NULL, NULL, &next_ms, &error),
		      HERALD_LEASE_LOST, &error);
	rollback(p);
	if (!p->ops->claims_apart)
		begin(p);
	assert_status(p->ops->delivery_claim(p->session,
					     &(struct herald_delivery_claim){.owner = gone,
									     .now_ms = T0,
									     .max_deliveries = 9,
									     .max_bytes = 9,
									     .max_delay_ms = 9},
					     NULL, NULL, &next_ms, &error),
		      HERALD_LEASE_LOST, &error);
	rollback(p);
	assert_int_equal(count_events(p), 1);
	assert_count(p, "free", READY, 1);
	assert_deliveries(p, READY, 1);
	stop(p);
}

static void
assert_stays(struct process *p)
{
	struct herald_error error;

	assert_status(p->ops->node_leave(p->nodes, p->node, &error), HERALD_BAD_VALUE, &error);
	assert_non_null(strstr(error.message, "RUNNING"));
}

/* A node that has RUNNING rows cannot leave, as nobody would recover them. Rows that
 * wait do not matter. */
static void
test_leave_with_rows(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t event = accept_event(p, EVENT(.owner = p->node));
	uint64_t delivery = push(p, DELIVERY());

	accept_event(p, EVENT(.event_type = "free", .due_ms = T0 + 10));
	assert_stays(p);
	assert_int_equal(claim_delivery(p, delivery, T0), 1);
	assert_stays(p);
	assert_false(COMPLETE(p, event, 1, RETRY, .due_ms = T0 + 10));
	assert_stays(p); /* for the delivery */
	/* It is a node as before. */
	event = accept_event(p, EVENT(.owner = p->node));
	assert_false(COMPLETE_DELIVERY(p, delivery, 1, DONE));
	assert_stays(p);
	assert_false(COMPLETE(p, event, 1, DONE));
	leave(p);
	leave(p);
	assert_count(p, NULL, DELAYED, 2);
	p->node = 0;
	stop(p);
}

/* The rows of others do not keep a node. */
static void
test_leave_of_one_node(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *other = start_on(p);
	uint64_t event = accept_event(other, EVENT(.owner = other->node));
	uint64_t delivery = push(other, DELIVERY());

	assert_int_equal(claim_delivery(other, delivery, T0), 1);
	leave(p);
	p->node = 0;
	assert_stays(other);
	assert_false(COMPLETE(other, event, 1, DONE));
	assert_false(COMPLETE_DELIVERY(other, delivery, 1, DONE));
	stop(p);
	stop(other);
}

/* A node that could not leave is recovered after its process has ended. */
static void
test_recovery_after_a_refused_leave(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *survivor = start_tool(p);
	uint64_t node = p->node;
	uint64_t event = accept_event(p, EVENT(.owner = node));

	assert_stays(p);
	die(p, survivor);
	join(survivor);
	assert_int_equal(recover(survivor, node, RECOVER_ALL).ready, 1);
	assert_int_equal(claim_only(survivor, event, T0), 1);
	stop(survivor);
}

/* With leases: a process that was paused wakes up after another one has taken over. */
static void
test_late_owner(const struct contract_store *kind)
{
	static const enum herald_completion_kind kinds[] = {
		HERALD_COMPLETE_DONE, HERALD_COMPLETE_RETRY, HERALD_COMPLETE_RELEASE,
		HERALD_COMPLETE_DEAD};
	struct process *p = start_mortal(kind);
	struct process *other = start_on(p);
	uint64_t node = p->node;
	uint64_t ids[COUNT(kinds)];
	uint64_t delivery = push(p, DELIVERY());
	struct herald_error error;

	for (size_t i = 0; i < COUNT(kinds); i++)
		ids[i] = accept_event(p, EVENT(.owner = node));
	assert_int_equal(claim_delivery(p, delivery, T0), 1);
	wait_dead(other, node);
	assert_status(p->ops->node_renew(p->nodes, node, T0, &error), HERALD_LEASE_LOST, &error);
	assert_true(recover(other, node, RECOVER_ALL).is_taken);
	assert_status(p->ops->node_renew(p->nodes, node, T0, &error), HERALD_LEASE_LOST, &error);
	for (int taken = 0; taken < 2; taken++) {
		for (size_t i = 0; i < COUNT(kinds); i++)
			assert_true(complete_with(
				p, (struct herald_completion){.id = ids[i],
							      .owner = node,
							      .attempts = 1,
							      .kind = kinds[i],
							      .now_ms = T0,
							      .due_ms = T0,
							      .reason = "late",
							      .path = "",
							      .offset = -1,
							      .why = HERALD_DEAD_FAILED}));
		assert_true(COMPLETE_DELIVERY(p, delivery, 1, DONE));
		if (!taken) {
			claims_free(claim_all(other, T0));
			assert_int_equal(claim_delivery(other, delivery, T0), 1);
		}
		assert_count(other, "t", RUNNING, COUNT(kinds));
		assert_deliveries(other, RUNNING, 1);
	}
	/* Its new life is another node. */
	join(p);
	assert_int_not_equal(p->node, node);
	stop(p);
	stop(other);
}

/* With leases: a node lives as long as it renews, and not longer, whatever its own clock says
 * (quartznet#435). Its events run as long as they like (river#682, hexpm#1825). */
static void
test_renewal(const struct contract_store *kind)
{
	for (int attempt = 0;; attempt++) {
		struct process *p = start_mortal(kind);
		struct process *other = start_tool(p);
		uint64_t began_ms = now_ms(), last_ms = began_ms, longest_ms = 0;
		size_t dead = 0;
		uint64_t id = accept_event(p, EVENT(.owner = p->node));
		struct herald_error error;

		while (now_ms() - began_ms < 5 * SHORT_LEASE_MS / 2) {
			struct timespec pause = {.tv_nsec = 50000000};
			enum herald_status status;
			uint64_t ms;

			nanosleep(&pause, NULL);
			dead += dead_nodes(other).count;
			status = p->ops->node_renew(p->nodes, p->node, T0, &error);
			ms = now_ms();
			longest_ms = ms - last_ms > longest_ms ? ms - last_ms : longest_ms;
			last_ms = ms;
			dead += status != HERALD_OK;
		}
		/* A machine that was too busy to renew proves nothing. */
		if (longest_ms > SHORT_LEASE_MS / 2 && attempt < 10) {
			stop(other);
			stop(p);
			continue;
		}
		assert_int_equal(dead, 0);
		assert_false(COMPLETE(p, id, 1, DONE));
		wait_dead(other, p->node);
		assert_true(now_ms() - last_ms >= SHORT_LEASE_MS * 9 / 10);
		stop(other);
		stop(p);
		return;
	}
}

/* Where only one process may use the database. */
static void
test_second_node_is_refused(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *second;
	struct herald_node node = {.host = "h", .boot_id = "b", .pid = 2};
	struct herald_error error;

	if (kind->is_exclusive) {
		second = start_tool(p);
		assert_status(second->ops->node_join(second->nodes, &node, T0, &error),
			      HERALD_BAD_OPTION, &error);
		assert_true(strlen(error.message) > 20); /* it says what to do */
	} else {
		second = start_on(p);
		assert_int_not_equal(second->node, p->node);
	}
	stop(second);
	stop(p);
}

struct dead_findings {
	size_t nodes, others;
	char text[512];
};

static bool
keep_problem(const struct herald_finding *finding, void *state)
{
	struct dead_findings *findings = state;

	if (!finding->is_problem)
		return true;
	if (strcmp(finding->name, "dead_node") == 0) {
		findings->nodes++;
		snprintf(findings->text, sizeof(findings->text), "%s", finding->text);
	} else {
		findings->others++;
	}
	return true;
}

/* Rows that wait for a dead process are found, until another process has taken them over. */
static void
test_check_finds_dead_nodes(const struct contract_store *kind)
{
	struct process *p = start_mortal(kind);
	struct process *survivor = start_tool(p);
	struct dead_findings findings = {.nodes = 0};
	struct herald_error error;
	char process[64];

	const uint64_t node = p->node;
	accept_event(p, EVENT(.owner = node));
	push(p, DELIVERY(.owner = node));
	die(p, survivor);
	assert_works(survivor->ops->check(survivor->session, T0, keep_problem, &findings, &error),
		     &error);
	assert_int_equal(findings.nodes, 1);
	assert_int_equal(findings.others, 0);
	snprintf(process, sizeof(process), "process %ld on host", (long)getpid());
	assert_non_null(strstr(findings.text, process));

	assert_true(recover(survivor, node, RECOVER_ALL).is_taken);
	findings = (struct dead_findings){.nodes = 0};
	assert_works(survivor->ops->check(survivor->session, T0, keep_problem, &findings, &error),
		     &error);
	assert_int_equal(findings.nodes + findings.others, 0);
	stop(survivor);
}

const struct contract_store_case contract_store_nodes[] = {
	{"test_ids_are_new", test_ids_are_new, NEEDS_NOTHING},
	{"test_in_flight_path", test_in_flight_path, NEEDS_NOTHING},
	{"test_dead_node_is_visited", test_dead_node_is_visited, NEEDS_NOTHING},
	{"test_check_finds_dead_nodes", test_check_finds_dead_nodes, NEEDS_NOTHING},
	{"test_alive_node_is_left_alone", test_alive_node_is_left_alone, NEEDS_NOTHING},
	{"test_fates", test_fates, NEEDS_NOTHING},
	{"test_poison", test_poison, NEEDS_NOTHING},
	{"test_suspect_is_due_later", test_suspect_is_due_later, NEEDS_NOTHING},
	{"test_recovery_when_the_clock_is_set_back", test_recovery_when_the_clock_is_set_back,
	 NEEDS_NOTHING},
	{"test_blame", test_blame, NEEDS_NOTHING},
	{"test_recovery_of_one_node", test_recovery_of_one_node, NEEDS_TWO_NODES},
	{"test_recovery_after_ends", test_recovery_after_ends, NEEDS_NOTHING},
	{"test_recovery_and_keys", test_recovery_and_keys, NEEDS_NOTHING},
	{"test_recovery_of_deliveries", test_recovery_of_deliveries, NEEDS_NOTHING},
	{"test_recovery_race", test_recovery_race, NEEDS_NOTHING},
	{"test_gone_owner", test_gone_owner, NEEDS_NOTHING},
	{"test_leave_with_rows", test_leave_with_rows, NEEDS_NOTHING},
	{"test_leave_of_one_node", test_leave_of_one_node, NEEDS_TWO_NODES},
	{"test_recovery_after_a_refused_leave", test_recovery_after_a_refused_leave, NEEDS_NOTHING},
	{"test_late_owner", test_late_owner, NEEDS_LEASES},
	{"test_renewal", test_renewal, NEEDS_LEASES},
	{"test_second_node_is_refused", test_second_node_is_refused, NEEDS_NOTHING},
};
const size_t contract_store_nodes_count = COUNT(contract_store_nodes);
