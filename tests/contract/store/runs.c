/*
 * How runs end, and the fence: a completion changes a row only if id, owner and attempts are
 * unchanged.
 */
#include <stdlib.h>
#include <string.h>

#include "probe.h"

static void
test_done_deletes(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT());

	assert_int_equal(claim_only(p, id, T0), 1);
	assert_false(COMPLETE(p, id, 1, DONE, .reason = NULL));
	assert_int_equal(count_events(p), 0);
	stop(p);
}

static void
test_retry(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT(.event_id = "e", .data = {"a\0b", 3}));
	struct claims *claims;

	for (unsigned attempt = 1; attempt <= 5; attempt++) {
		int64_t due_ms = T0 + attempt * 10;

		assert_int_equal(claim_only(p, id, due_ms - 10), attempt);
		assert_false(COMPLETE(p, id, attempt, RETRY, .due_ms = due_ms,
				      .reason = "über: \"kaputt\""));
		assert_nothing_to_claim(p, due_ms - 1);
	}
	claims = claim_all(p, T0 + 50);
	assert_int_equal(claims->count, 1);
	assert_int_equal(claims->rows[0].event.attempts, 6);
	assert_int_equal(claims->rows[0].event.interrupted, 0);
	assert_int_equal(claims->rows[0].event.due_ms, T0 + 50);
	assert_int_equal(claims->rows[0].event.created_ms, T0);
	assert_string_equal(claims->rows[0].event.event_id, "e");
	assert_string_equal(claims->rows[0].event.last_error, "über: \"kaputt\"");
	assert_memory_equal(claims->rows[0].event.data.data, "a\0b", 3);
	claims_free(claims);
	stop(p);
}

/* pg-boss#102: an event that was claimed and has not run goes back as it was. */
static void
test_release(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT(.due_ms = T0 + 3));
	struct claims *claims;

	assert_int_equal(claim_only(p, id, T0 + 3), 1);
	assert_false(COMPLETE(p, id, 1, RETRY, .due_ms = T0 + 7, .reason = "first"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(claim_only(p, id, T0 + 9), 2);
		assert_false(COMPLETE(p, id, 2, RELEASE, .due_ms = T0 + 1000, .reason = NULL));
	}
	/* It was due when it was claimed, so it is. */
	claims = claim_all(p, T0 + 6);
	assert_int_equal(claims->count, 1);
	assert_int_equal(claims->rows[0].event.attempts, 2);
	assert_int_equal(claims->rows[0].event.due_ms, T0 + 7);
	assert_string_equal(claims->rows[0].event.last_error, "first");
	claims_free(claims);
	stop(p);
}

/* It is not known whether it has run. */
static void
test_release_that_counts(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT());

	for (unsigned attempt = 1; attempt <= 3; attempt++) {
		assert_int_equal(claim_only(p, id, T0), attempt);
		assert_false(COMPLETE(p, id, attempt, RELEASE, .may_have_run = true));
	}
	assert_int_equal(claim_only(p, id, T0), 4);
	assert_false(COMPLETE(p, id, 4, RELEASE));
	assert_int_equal(claim_only(p, id, T0), 4);
	stop(p);
}

/* What was claimed only to end, and has to be told later: as a release, with a delay. */
static void
test_retry_without_a_run(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT(.event_id = "e"));

	assert_int_equal(claim_only(p, id, T0), 1);
	assert_false(COMPLETE(p, id, 1, RETRY, .due_ms = T0 + 5, .reason = "first"));
	for (int i = 1; i < 4; i++) {
		assert_int_equal(claim_only(p, id, T0 + 5 * i), 2);
		assert_false(COMPLETE(p, id, 2, RETRY, .has_not_run = true,
				      .due_ms = T0 + 5 * i + 5, .reason = "first"));
		assert_nothing_to_claim(p, T0 + 5 * i + 4);
	}
	assert_int_equal(claim_only(p, id, T0 + 20), 2);
	assert_false(COMPLETE(p, id, 2, DONE));
	stop(p);
}

struct letter {
	size_t count;
	struct herald_dead_letter copy;
	char texts[10][128];
};

static const char *
copied(char to[128], const char *from)
{
	assert_non_null(from);
	assert_true(strlen(from) < 128);
	return strcpy(to, from);
}

static bool
keep_letter(const struct herald_dead_letter *letter, void *state)
{
	struct letter *kept = state;

	kept->count++;
	kept->copy = *letter;
	kept->copy.queue = copied(kept->texts[0], letter->queue);
	kept->copy.event_type = copied(kept->texts[1], letter->event_type);
	kept->copy.source = copied(kept->texts[2], letter->source);
	kept->copy.event_id = copied(kept->texts[3], letter->event_id);
	kept->copy.destination = copied(kept->texts[4], letter->destination);
	kept->copy.reason = copied(kept->texts[5], letter->reason);
	kept->copy.path = copied(kept->texts[6], letter->path);
	kept->copy.content_type = copied(kept->texts[7], letter->content_type);
	assert_true(letter->attributes.bytes <= 128 && letter->data.bytes <= 128);
	kept->copy.attributes.data =
		memcpy(kept->texts[8], letter->attributes.data, letter->attributes.bytes);
	kept->copy.data.data = memcpy(kept->texts[9], letter->data.data, letter->data.bytes);
	return true;
}

/* An event that was claimed only to end: the claim is not counted. */
static void
test_dead_without_a_run(const struct contract_store *kind)
{
	static struct letter letter;
	struct process *p = start(kind);
	uint64_t ids[2] = {accept_event(p, EVENT(.data = {"1", 1})),
			   accept_event(p, EVENT(.data = {"2", 1}))};
	struct herald_error error;

	for (size_t i = 0; i < COUNT(ids); i++) {
		letter.count = 0;
		claims_free(claim_all(p, T0));
		assert_false(COMPLETE(p, ids[i], i + 1, DEAD, .has_not_run = i == 0));
		if (i == 0)
			assert_false(COMPLETE(p, ids[1], 1, RETRY));
		assert_works(
			p->ops->dead_visit(p->session,
					   &(struct herald_dead_filter){.after_id = ids[i] - 1},
					   keep_letter, &letter, &error),
			&error);
		assert_int_equal(letter.count, 1);
		assert_int_equal(letter.copy.attempts, i == 0 ? 0 : 2);
	}
	stop(p);
}

/* It asks for times, not for kinds. */
static void
test_dead_since(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_error error;
	bool is_there = true;

	assert_works(p->ops->dead_since(p->session, 0, &is_there, &error), &error);
	assert_false(is_there);
	for (int i = 0; i < 2; i++) {
		const uint64_t id = accept_event(p, EVENT());

		claim_only(p, id, T0 + 10 * i);
		assert_false(COMPLETE(p, id, 1, DEAD, .now_ms = T0 + 10 * i));
		for (int j = -1; j < 2; j++) {
			assert_works(
				p->ops->dead_since(p->session, T0 + 10 * i + j, &is_there, &error),
				&error);
			assert_int_equal(is_there, j < 1);
		}
	}
	stop(p);
}

static void
test_dead(const struct contract_store *kind)
{
	static struct letter letter;
	struct process *p = start(kind);
	uint64_t id =
		accept_event(p, EVENT(.event_type = "order", .source = "shop", .event_id = "e-9",
				      .content_type = "text/x", .attributes = {"n\0v\0", 4},
				      .data = {"\0\xff", 2}, .created_ms = T0 - 500));
	struct herald_error error;

	letter.count = 0;
	claim_only(p, id, T0);
	assert_false(COMPLETE(p, id, 1, RETRY));
	claim_only(p, id, T0);
	assert_false(COMPLETE(p, id, 2, DEAD, .why = HERALD_DEAD_UNDECODABLE, .path = "/a/0/ü",
			      .offset = 0, .reason = "not a number", .now_ms = T0 + 88,
			      .is_held = true));
	assert_nothing_to_claim(p, T0 + 100);
	assert_works(p->ops->dead_visit(p->session, &(struct herald_dead_filter){0}, keep_letter,
					&letter, &error),
		     &error);
	assert_int_equal(letter.count, 1);
	assert_int_equal(letter.copy.kind, HERALD_DEAD_EVENTS);
	assert_int_equal(letter.copy.id, id);
	assert_string_equal(letter.copy.queue, "q");
	assert_string_equal(letter.copy.event_type, "order");
	assert_string_equal(letter.copy.source, "shop");
	assert_string_equal(letter.copy.event_id, "e-9");
	assert_string_equal(letter.copy.destination, "");
	assert_int_equal(letter.copy.why, HERALD_DEAD_UNDECODABLE);
	assert_string_equal(letter.copy.reason, "not a number");
	assert_string_equal(letter.copy.path, "/a/0/ü");
	assert_int_equal(letter.copy.offset, 0);
	assert_int_equal(letter.copy.attempts, 2);
	assert_int_equal(letter.copy.interrupted, 0);
	assert_int_equal(letter.copy.replays, 0);
	assert_true(letter.copy.is_held);
	assert_int_equal(letter.copy.created_ms, T0 - 500);
	assert_int_equal(letter.copy.dead_ms, T0 + 88);
	assert_string_equal(letter.copy.content_type, "text/x");
	assert_int_equal(letter.copy.attributes.bytes, 4);
	assert_memory_equal(letter.copy.attributes.data, "n\0v\0", 4);
	assert_int_equal(letter.copy.data.bytes, 2);
	assert_memory_equal(letter.copy.data.data, "\0\xff", 2);
	stop(p);
}

/* What a completion must match; each row differs in one of them. */
static void
test_fence(const struct contract_store *kind)
{
	static const struct {
		int id, owner, attempts; /* how much they are off */
		bool is_lost;
	} rows[] = {
		{0, 0, 0, false}, {1, 0, 0, true}, {-1, 0, 0, true}, {0, 1, 0, true},
		{0, -1, 0, true}, {0, 0, 1, true}, {0, 0, -1, true},
	};
	static const enum herald_completion_kind kinds[] = {
		HERALD_COMPLETE_DONE, HERALD_COMPLETE_RETRY, HERALD_COMPLETE_RELEASE,
		HERALD_COMPLETE_DEAD};

	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(rows) * COUNT(kinds); i++) {
		size_t row = i / COUNT(kinds);
		uint64_t id = accept_event(p, EVENT());
		struct herald_completion completion = {
			.id = id + (uint64_t)rows[row].id,
			.owner = p->node + (uint64_t)rows[row].owner,
			.attempts = 2 + (unsigned)rows[row].attempts,
			.kind = kinds[i % COUNT(kinds)],
			.now_ms = T0,
			.due_ms = T0 + 50,
			.why = HERALD_DEAD_FAILED,
			.reason = "why",
			.path = "",
			.offset = -1,
			.is_lost = !rows[row].is_lost, /* set in both cases */
		};

		claim_only(p, id, T0);
		assert_false(COMPLETE(p, id, 1, RETRY));
		claim_only(p, id, T0);
		if (complete_with(p, completion) != rows[row].is_lost)
			fail_msg("row %zu, kind %d", row, (int)completion.kind);
		assert_count(p, "t", RUNNING, rows[row].is_lost);
		/* The right one changes it nevertheless. */
		assert_int_equal(COMPLETE(p, id, 2, DONE), !rows[row].is_lost);
		purge_all(p);
		drop(p, &(struct herald_dead_filter){0}, 100);
		assert_int_equal(count_events(p), 0);
	}
	stop(p);
}

/* river#1258: only what is RUNNING can be completed. */
static void
test_fence_of_states(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t ready = accept_event(p, EVENT(.event_type = "ready", .due_ms = T0 + 9));
	uint64_t blocked;
	uint64_t dead = accept_event(p, EVENT(.event_type = "dead", .owner = p->node));
	uint64_t done = accept_event(p, EVENT(.event_type = "done", .owner = p->node));
	uint64_t released = accept_event(p, EVENT(.event_type = "released", .owner = p->node));

	accept_event(p, EVENT(.key_hash = 3, .due_ms = T0 + 9));
	blocked = accept_event(p, EVENT(.event_type = "blocked", .key_hash = 3));
	assert_false(COMPLETE(p, dead, 1, DEAD));
	assert_false(COMPLETE(p, done, 1, DONE));
	assert_false(COMPLETE(p, released, 1, RELEASE));
	for (unsigned attempts = 0; attempts < 3; attempts++) {
		assert_true(COMPLETE(p, ready, attempts, DONE));
		assert_true(COMPLETE(p, blocked, attempts, DONE));
		assert_true(COMPLETE(p, dead, attempts, DONE));
		assert_true(COMPLETE(p, dead, attempts, RETRY));
		assert_true(COMPLETE(p, done, attempts, RETRY));
		assert_true(COMPLETE(p, done, attempts, DEAD));
		assert_true(COMPLETE(p, released, attempts, DONE));
		/* Owner 0 is nobody. */
		assert_true(COMPLETE(p, ready, attempts, DONE, .owner = 0));
		assert_true(COMPLETE(p, dead, attempts, DONE, .owner = 0));
	}
	assert_state(p, "blocked", BLOCKED);
	assert_state(p, "dead", DEAD);
	assert_count(p, "done", DEAD, 0);
	assert_int_equal(count_events(p), 5);
	stop(p);
}

/* A claim by the same owner is another one: attempts differ. */
static void
test_fence_of_an_earlier_claim(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT());

	claim_only(p, id, T0);
	assert_false(COMPLETE(p, id, 1, RETRY));
	claim_only(p, id, T0);
	assert_true(COMPLETE(p, id, 1, DONE));
	assert_true(COMPLETE(p, id, 1, RETRY, .due_ms = T0 + 100));
	assert_false(COMPLETE(p, id, 2, DONE));
	stop(p);
}

/* solid_queue#589: one call, the same event twice; the second one is lost. */
static void
test_twice_in_one_call(const struct contract_store *kind)
{
	static const enum herald_completion_kind kinds[][2] = {
		{HERALD_COMPLETE_DONE, HERALD_COMPLETE_DONE},
		{HERALD_COMPLETE_DONE, HERALD_COMPLETE_DEAD},
		{HERALD_COMPLETE_DEAD, HERALD_COMPLETE_DONE},
		{HERALD_COMPLETE_RETRY, HERALD_COMPLETE_DONE},
		{HERALD_COMPLETE_RELEASE, HERALD_COMPLETE_RELEASE},
	};

	for (size_t row = 0; row < COUNT(kinds); row++) {
		struct process *p = start(kind);
		struct herald_completion both[2];
		struct herald_error error;
		uint64_t id = accept_event(p, EVENT());

		claim_only(p, id, T0);
		for (size_t i = 0; i < 2; i++)
			both[i] = (struct herald_completion){.id = id,
							     .owner = p->node,
							     .attempts = 1,
							     .kind = kinds[row][i],
							     .now_ms = T0,
							     .due_ms = T0,
							     .reason = "no",
							     .path = "",
							     .offset = -1,
							     .why = HERALD_DEAD_FAILED};
		begin(p);
		assert_works(p->ops->complete(p->session, both, 2, &error), &error);
		commit(p);
		assert_false(both[0].is_lost);
		assert_true(both[1].is_lost);
		assert_count(p, "t", DEAD, kinds[row][0] == HERALD_COMPLETE_DEAD);
		assert_count(p, "t", READY,
			     kinds[row][0] >= HERALD_COMPLETE_RETRY &&
				     kinds[row][0] <= HERALD_COMPLETE_RELEASE);
		stop(p);
	}
}

/* Each completion of a call gets its own is_lost. */
static void
test_lost_among_others(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_completion completions[64];
	struct herald_error error;

	for (size_t i = 0; i < COUNT(completions); i++) {
		uint64_t id = accept_event(p, EVENT(.owner = p->node));

		completions[i] = (struct herald_completion){
			.id = id,
			.owner = p->node,
			.attempts = i % 3 == 0 ? 9 : 1,
			.kind = (enum herald_completion_kind)(i % 4),
			.now_ms = T0,
			.due_ms = T0 + 5,
			.reason = "no",
			.path = "",
			.offset = -1,
			.why = HERALD_DEAD_FAILED,
		};
	}
	begin(p);
	assert_works(p->ops->complete(p->session, completions, COUNT(completions), &error), &error);
	commit(p);
	for (size_t i = 0; i < COUNT(completions); i++)
		assert_int_equal(completions[i].is_lost, i % 3 == 0);
	assert_count(p, "t", RUNNING, 22);
	assert_count(p, "t", DEAD, 10);
	assert_int_equal(count_events(p), 64 - 10);
	stop(p);
}

struct owned {
	struct herald_stored_event events[MAX_ROWS];
	size_t count;
};

static bool
keep_owned(const struct herald_stored_event *event, void *state)
{
	struct owned *owned = state;

	owned->events[owned->count++] = *event;
	return true;
}

static void
find_owned(struct process *p, uint64_t node, struct owned *owned)
{
	struct herald_error error;

	owned->count = 0;
	begin(p);
	assert_works(p->ops->owned(p->session, node, keep_owned, owned, &error), &error);
	commit(p);
}

static void
test_owned(const struct contract_store *kind)
{
	static struct owned owned;
	struct process *p = start(kind);
	uint64_t a = accept_event(p, EVENT(.key_hash = 5));
	uint64_t b = accept_event(p, EVENT(.owner = p->node));

	accept_event(p, EVENT(.due_ms = T0 + 50));
	find_owned(p, p->node, &owned);
	assert_int_equal(owned.count, 1);
	assert_int_equal(owned.events[0].id, b);
	claim_only(p, a, T0);
	assert_false(COMPLETE(p, a, 1, RETRY));
	claim_only(p, a, T0);
	find_owned(p, p->node, &owned);
	assert_int_equal(owned.count, 2);
	for (size_t i = 0; i < 2; i++) {
		bool is_a = owned.events[i].id == a;

		assert_true(is_a || owned.events[i].id == b);
		assert_int_equal(owned.events[i].attempts, is_a ? 2 : 1);
		assert_int_equal(owned.events[i].key_hash, is_a ? 5 : 0);
	}
	assert_int_not_equal(owned.events[0].id, owned.events[1].id);
	find_owned(p, p->node + 1, &owned);
	assert_int_equal(owned.count, 0);
	assert_false(COMPLETE(p, a, 2, DONE, .key_hash = 5));
	assert_false(COMPLETE(p, b, 1, RELEASE));
	find_owned(p, p->node, &owned);
	assert_int_equal(owned.count, 0);
	stop(p);
}

const struct contract_store_case contract_store_runs[] = {
	{"test_done_deletes", test_done_deletes, NEEDS_NOTHING},
	{"test_retry", test_retry, NEEDS_NOTHING},
	{"test_release", test_release, NEEDS_NOTHING},
	{"test_release_that_counts", test_release_that_counts, NEEDS_NOTHING},
	{"test_retry_without_a_run", test_retry_without_a_run, NEEDS_NOTHING},
	{"test_dead_since", test_dead_since, NEEDS_NOTHING},
	{"test_dead_without_a_run", test_dead_without_a_run, NEEDS_NOTHING},
	{"test_dead", test_dead, NEEDS_NOTHING},
	{"test_fence", test_fence, NEEDS_NOTHING},
	{"test_fence_of_states", test_fence_of_states, NEEDS_NOTHING},
	{"test_fence_of_an_earlier_claim", test_fence_of_an_earlier_claim, NEEDS_NOTHING},
	{"test_twice_in_one_call", test_twice_in_one_call, NEEDS_NOTHING},
	{"test_lost_among_others", test_lost_among_others, NEEDS_NOTHING},
	{"test_owned", test_owned, NEEDS_NOTHING},
};
const size_t contract_store_runs_count = COUNT(contract_store_runs);
