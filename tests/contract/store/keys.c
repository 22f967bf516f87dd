/*
 * Order per key: of the events with one key at most one is READY or RUNNING, and none while a dead
 * letter holds the key; the oldest BLOCKED one goes on.
 */
#include <stdio.h>
#include <string.h>

#include "probe.h"

/* Three events with one key, of types "a", "b" and "c", and one without, "free". */
struct line {
	struct process *p;
	uint64_t a, b, c, free;
};

static struct line
start_line(const struct contract_store *kind)
{
	struct line line = {.p = start(kind)};

	line.a = accept_event(line.p, EVENT(.event_type = "a", .key_hash = 7));
	line.b = accept_event(line.p, EVENT(.event_type = "b", .key_hash = 7));
	line.c = accept_event(line.p, EVENT(.event_type = "c", .key_hash = 7));
	line.free = accept_event(line.p, EVENT(.event_type = "free", .due_ms = T0 + 100));
	assert_state(line.p, "a", READY);
	assert_state(line.p, "b", BLOCKED);
	assert_state(line.p, "c", BLOCKED);
	return line;
}

/* solid_queue#456: the next one goes on in the transaction that ends the one before. */
static void
test_done(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	assert_int_equal(claim_only(line.p, line.a, T0), 1);
	assert_nothing_to_claim(line.p, T0);
	assert_false(COMPLETE(line.p, line.a, 1, DONE, .key_hash = 7));
	assert_state(line.p, "b", READY);
	assert_state(line.p, "c", BLOCKED);
	assert_int_equal(claim_only(line.p, line.b, T0), 1);
	assert_false(COMPLETE(line.p, line.b, 1, DONE, .key_hash = 7));
	assert_int_equal(claim_only(line.p, line.c, T0), 1);
	assert_false(COMPLETE(line.p, line.c, 1, DONE, .key_hash = 7));
	assert_nothing_to_claim(line.p, T0);
	/* The key is free again. */
	accept_event(line.p, EVENT(.event_type = "d", .key_hash = 7));
	assert_state(line.p, "d", READY);
	stop(line.p);
}

static void
test_retry_keeps_its_place(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_false(COMPLETE(line.p, line.a, 1, RETRY, .key_hash = 7, .due_ms = T0 + 50));
	assert_state(line.p, "b", BLOCKED);
	assert_nothing_to_claim(line.p, T0 + 49);
	assert_int_equal(claim_only(line.p, line.a, T0 + 50), 2);
	assert_state(line.p, "b", BLOCKED);
	stop(line.p);
}

static void
test_release_keeps_its_place(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_false(COMPLETE(line.p, line.a, 1, RELEASE, .key_hash = 7));
	assert_state(line.p, "b", BLOCKED);
	assert_int_equal(claim_only(line.p, line.a, T0), 1);
	stop(line.p);
}

static void
test_dead_lets_the_next_go_on(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_false(COMPLETE(line.p, line.a, 1, DEAD, .key_hash = 7));
	assert_state(line.p, "a", DEAD);
	assert_state(line.p, "b", READY);
	assert_state(line.p, "c", BLOCKED);
	stop(line.p);
}

static void
test_dead_and_held(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_false(COMPLETE(line.p, line.a, 1, DEAD, .key_hash = 7, .is_held = true));
	assert_state(line.p, "b", BLOCKED);
	accept_event(line.p, EVENT(.event_type = "d", .key_hash = 7, .owner = line.p->node));
	assert_state(line.p, "d", BLOCKED);
	accept_event(line.p, EVENT(.event_type = "other", .key_hash = 8));
	assert_state(line.p, "other", READY);
	stop(line.p);
}

/* A held dead letter blocks also those that come when there is no other one. */
static void
test_held_alone(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT(.key_hash = 7));

	claim_only(p, id, T0);
	assert_false(COMPLETE(p, id, 1, DEAD, .key_hash = 7, .is_held = true));
	accept_event(p, EVENT(.event_type = "a", .key_hash = 7));
	assert_state(p, "a", BLOCKED);
	assert_nothing_to_claim(p, T0);
	stop(p);
}

static void
test_held_is_replayed(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_false(COMPLETE(line.p, line.a, 1, DEAD, .key_hash = 7, .is_held = true));
	assert_int_equal(replay(line.p, &(struct herald_dead_filter){.id = line.a}, 10), 1);
	assert_state(line.p, "a", READY);
	assert_state(line.p, "b", BLOCKED);
	assert_int_equal(claim_only(line.p, line.a, T0), 1);
	assert_false(COMPLETE(line.p, line.a, 1, DONE, .replays = 1, .key_hash = 7));
	assert_state(line.p, "b", READY);
	stop(line.p);
}

static void
test_held_is_dropped(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_false(COMPLETE(line.p, line.a, 1, DEAD, .key_hash = 7, .is_held = true));
	assert_int_equal(drop(line.p, &(struct herald_dead_filter){.id = line.a}, 10), 1);
	assert_state(line.p, "b", READY);
	assert_state(line.p, "c", BLOCKED);
	stop(line.p);
}

/* A dead letter that is not held is replayed while a later event is READY or RUNNING: it waits. */
static void
test_replay_waits(const struct contract_store *kind)
{
	for (int runs = 0; runs < 2; runs++) {
		struct line line = start_line(kind);

		claim_only(line.p, line.a, T0);
		assert_false(COMPLETE(line.p, line.a, 1, DEAD, .key_hash = 7));
		if (runs)
			claim_only(line.p, line.b, T0);
		assert_int_equal(replay(line.p, &(struct herald_dead_filter){.id = line.a}, 10), 1);
		assert_state(line.p, "a", BLOCKED);
		if (!runs)
			claim_only(line.p, line.b, T0);
		assert_false(COMPLETE(line.p, line.b, 1, DONE, .key_hash = 7));
		assert_state(line.p, "a", READY); /* its id is smaller */
		assert_state(line.p, "c", BLOCKED);
		stop(line.p);
	}
}

/* Two dead letters of a key, the later one held: none runs before that one is replayed. */
static void
test_replay_under_a_hold(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_false(COMPLETE(line.p, line.a, 1, DEAD, .key_hash = 7));
	claim_only(line.p, line.b, T0);
	assert_false(COMPLETE(line.p, line.b, 1, DEAD, .key_hash = 7, .is_held = true));
	assert_int_equal(replay(line.p, &(struct herald_dead_filter){.id = line.a}, 10), 1);
	assert_state(line.p, "a", BLOCKED);
	assert_int_equal(replay(line.p, &(struct herald_dead_filter){.id = line.b}, 10), 1);
	assert_state(line.p, "a", READY);
	assert_state(line.p, "b", BLOCKED);
	assert_state(line.p, "c", BLOCKED);
	stop(line.p);
}

/* Replayed in one call: the first goes on, the others wait. */
static void
test_replay_together(const struct contract_store *kind)
{
	struct line line = start_line(kind);
	const uint64_t ids[] = {line.a, line.b, line.c};

	for (size_t i = 0; i < COUNT(ids); i++) {
		claim_only(line.p, ids[i], T0);
		assert_false(COMPLETE(line.p, ids[i], 1, DEAD, .key_hash = 7));
	}
	assert_int_equal(replay(line.p, &(struct herald_dead_filter){0}, 10), 3);
	assert_state(line.p, "a", READY);
	assert_state(line.p, "b", BLOCKED);
	assert_state(line.p, "c", BLOCKED);
	stop(line.p);
}

/* Dropping one that is not held changes nothing for the others. */
static void
test_drop_without_hold(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_false(COMPLETE(line.p, line.a, 1, DEAD, .key_hash = 7));
	assert_int_equal(drop(line.p, &(struct herald_dead_filter){.id = line.a}, 10), 1);
	assert_state(line.p, "b", READY);
	assert_state(line.p, "c", BLOCKED);
	stop(line.p);
}

/* The first of the line is purged: the next one goes on. */
static void
test_purge(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	purge_type(line.p, "a");
	assert_state(line.p, "b", READY);
	assert_state(line.p, "c", BLOCKED);
	purge_type(line.p, "c");
	assert_state(line.p, "b", READY);
	assert_int_equal(claim_only(line.p, line.b, T0), 1);
	assert_false(COMPLETE(line.p, line.b, 1, DONE, .key_hash = 7));
	assert_nothing_to_claim(line.p, T0);
	stop(line.p);
}

/* Delayed: it holds its place although it is not due, and a blocked one keeps its time. */
static void
test_delayed(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t a = accept_event(p, EVENT(.event_type = "a", .key_hash = 7, .due_ms = T0 + 20));
	uint64_t b = accept_event(p, EVENT(.event_type = "b", .key_hash = 7, .due_ms = T0 + 90));
	uint64_t c = accept_event(p, EVENT(.event_type = "c", .key_hash = 7));

	assert_nothing_to_claim(p, T0 + 19);
	assert_int_equal(claim_only(p, a, T0 + 20), 1);
	assert_false(COMPLETE(p, a, 1, DONE, .key_hash = 7));
	assert_nothing_to_claim(p, T0 + 89);
	assert_int_equal(claim_only(p, b, T0 + 90), 1);
	assert_false(COMPLETE(p, b, 1, DONE, .key_hash = 7));
	assert_int_equal(claim_only(p, c, T0), 1);
	stop(p);
}

/* In one call, some end, and others may go on. */
static void
test_many_in_one_call(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_completion completions[10];
	uint64_t ids[COUNT(completions)];
	struct herald_error error;
	struct claims *claims;

	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = accept_event(p, EVENT(.key_hash = 1 + i));
	for (size_t i = 0; i < COUNT(ids); i++)
		accept_event(p, EVENT(.event_type = "next", .key_hash = 1 + i));
	assert_count(p, "next", BLOCKED, COUNT(ids));
	claims = claim_all(p, T0);
	assert_int_equal(claims->count, COUNT(ids));
	claims_free(claims);
	for (size_t i = 0; i < COUNT(ids); i++)
		completions[i] = (struct herald_completion){
			.id = ids[i],
			.owner = p->node,
			.attempts = 1,
			.kind = i % 2 ? HERALD_COMPLETE_DONE : HERALD_COMPLETE_DEAD,
			.key_hash = 1 + i,
			.is_held = i % 4 == 0,
			.now_ms = T0,
			.why = HERALD_DEAD_FAILED,
			.reason = "no",
			.path = "",
			.offset = -1,
		};
	begin(p);
	assert_works(p->ops->complete(p->session, completions, COUNT(ids), &error), &error);
	commit(p);
	assert_count(p, "next", READY, 7);
	assert_count(p, "next", BLOCKED, 3);
	stop(p);
}

/* solid_queue#689: in one transaction, the end of one and the arrival of another with the same
 * key, in both orders. */
static void
test_end_and_arrival(const struct contract_store *kind)
{
	for (int arrives_first = 0; arrives_first < 2; arrives_first++) {
		struct process *p = start(kind);
		struct herald_stored_event next = *EVENT(.event_type = "next", .key_hash = 7);
		uint64_t id = accept_event(p, EVENT(.key_hash = 7, .owner = p->node));
		struct herald_completion completion = {.id = id,
						       .owner = p->node,
						       .attempts = 1,
						       .kind = HERALD_COMPLETE_DONE,
						       .key_hash = 7};
		struct herald_error error;

		begin(p);
		if (arrives_first)
			assert_works(p->ops->accept(p->session, &next, 1, &error), &error);
		assert_works(p->ops->complete(p->session, &completion, 1, &error), &error);
		if (!arrives_first)
			assert_works(p->ops->accept(p->session, &next, 1, &error), &error);
		commit(p);
		assert_false(completion.is_lost);
		assert_state(p, "next", READY);
		stop(p);
	}
}

/* solid_queue#761: a completion that comes too late promotes nothing. */
static void
test_lost(const struct contract_store *kind)
{
	struct line line = start_line(kind);

	claim_only(line.p, line.a, T0);
	assert_true(COMPLETE(line.p, line.a, 2, DONE, .key_hash = 7));
	assert_state(line.p, "b", BLOCKED);
	assert_false(COMPLETE(line.p, line.a, 1, DONE, .key_hash = 7));
	claim_only(line.p, line.b, T0);
	assert_true(COMPLETE(line.p, line.a, 1, DONE, .key_hash = 7));
	assert_state(line.p, "c", BLOCKED);
	stop(line.p);
}

static void
test_rolled_back(const struct contract_store *kind)
{
	struct line line = start_line(kind);
	struct herald_completion completion = {.id = line.a,
					       .owner = line.p->node,
					       .attempts = 1,
					       .kind = HERALD_COMPLETE_DONE,
					       .key_hash = 7};
	struct herald_error error;

	claim_only(line.p, line.a, T0);
	begin(line.p);
	assert_works(line.p->ops->complete(line.p->session, &completion, 1, &error), &error);
	rollback(line.p);
	assert_state(line.p, "a", RUNNING);
	assert_state(line.p, "b", BLOCKED);
	/* An arrival that is rolled back blocks nobody. */
	begin(line.p);
	assert_works(line.p->ops->accept(line.p->session, EVENT(.key_hash = 9), 1, &error), &error);
	rollback(line.p);
	accept_event(line.p, EVENT(.event_type = "nine", .key_hash = 9));
	assert_state(line.p, "nine", READY);
	stop(line.p);
}

/* Hashes are compared as 64 bits. */
static void
test_all_hashes(const struct contract_store *kind)
{
	static const uint64_t hashes[] = {
		1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX, UINT64_MAX - 1, 1ull << 32,
	};
	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(hashes); i++) {
		accept_event(p, EVENT(.event_type = "a", .key_hash = hashes[i]));
		accept_event(p, EVENT(.event_type = "b", .key_hash = hashes[i]));
		accept_event(p, EVENT(.event_type = "none"));
	}
	assert_count(p, "a", READY, COUNT(hashes));
	assert_count(p, "b", BLOCKED, COUNT(hashes));
	assert_count(p, "none", READY, COUNT(hashes));
	stop(p);
}

const struct contract_store_case contract_store_keys[] = {
	{"test_done", test_done, NEEDS_NOTHING},
	{"test_retry_keeps_its_place", test_retry_keeps_its_place, NEEDS_NOTHING},
	{"test_release_keeps_its_place", test_release_keeps_its_place, NEEDS_NOTHING},
	{"test_dead_lets_the_next_go_on", test_dead_lets_the_next_go_on, NEEDS_NOTHING},
	{"test_dead_and_held", test_dead_and_held, NEEDS_NOTHING},
	{"test_held_alone", test_held_alone, NEEDS_NOTHING},
	{"test_held_is_replayed", test_held_is_replayed, NEEDS_NOTHING},
	{"test_held_is_dropped", test_held_is_dropped, NEEDS_NOTHING},
	{"test_replay_waits", test_replay_waits, NEEDS_NOTHING},
	{"test_replay_under_a_hold", test_replay_under_a_hold, NEEDS_NOTHING},
	{"test_replay_together", test_replay_together, NEEDS_NOTHING},
	{"test_drop_without_hold", test_drop_without_hold, NEEDS_NOTHING},
	{"test_purge_in_a_line", test_purge, NEEDS_NOTHING},
	{"test_delayed", test_delayed, NEEDS_NOTHING},
	{"test_many_in_one_call", test_many_in_one_call, NEEDS_NOTHING},
	{"test_end_and_arrival", test_end_and_arrival, NEEDS_NOTHING},
	{"test_lost_promotes_nothing", test_lost, NEEDS_NOTHING},
	{"test_rolled_back_keys", test_rolled_back, NEEDS_NOTHING},
	{"test_all_hashes", test_all_hashes, NEEDS_NOTHING},
};
const size_t contract_store_keys_count = COUNT(contract_store_keys);
