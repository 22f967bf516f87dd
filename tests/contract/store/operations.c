/*
 * Operations: dead letters are found by each filter, replayed, dropped and trimmed; counts, checks,
 * and waking other processes.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probe.h"

/* Dead letters: four events and three deliveries, which died one after the other at T0 + n. */
enum { LETTERS = 7 };

struct dead {
	struct process *p;
	uint64_t ids[LETTERS];
};

static uint64_t
kill_delivery(struct process *p, struct herald_stored_delivery *delivery,
	      enum herald_dead_reason why, int64_t ms)
{
	uint64_t id;

	delivery->owner = p->node;
	id = push(p, delivery);
	assert_false(COMPLETE_DELIVERY(p, id, 1, DEAD, .why = why, .now_ms = T0 + ms));
	return id;
}

static struct dead
start_dead(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct dead dead = {.p = p};

	dead.ids[0] = kill_event(p, EVENT(.event_type = "a", .source = "s", .event_id = "1"),
				 HERALD_DEAD_FAILED, 0);
	dead.ids[1] = kill_delivery(p, DELIVERY(.event_type = "a", .event_id = "1"),
				    HERALD_DEAD_REFUSED, 1);
	dead.ids[2] = kill_event(p, EVENT(.event_type = "b", .source = "s", .event_id = "2"),
				 HERALD_DEAD_ATTEMPTS, 2);
	dead.ids[3] = kill_event(p, EVENT(.queue = "q2", .event_type = "a", .source = "S"),
				 HERALD_DEAD_FAILED, 3);
	dead.ids[4] =
		kill_delivery(p, DELIVERY(.url = "http://b.example/hook"), HERALD_DEAD_EXPIRED, 4);
	dead.ids[5] =
		kill_event(p, EVENT(.event_type = "ü_%", .event_id = "2"), HERALD_DEAD_NO_ROUTE, 5);
	dead.ids[6] = kill_delivery(p, DELIVERY(.url = "http://b.example/%_hook"),
				    HERALD_DEAD_REFUSED, 6);
	return dead;
}

struct visits {
	uint64_t ids[64];
	size_t count;
	size_t stop_after; /* 0: never */
};

static bool
keep_id(const struct herald_dead_letter *letter, void *state)
{
	struct visits *visits = state;

	assert_true(visits->count < COUNT(visits->ids));
	visits->ids[visits->count++] = letter->id;
	return visits->count != visits->stop_after;
}

static void
visit(struct process *p, const struct herald_dead_filter *filter, struct visits *visits)
{
	struct herald_error error;

	visits->count = 0;
	assert_works(p->ops->dead_visit(p->session, filter, keep_id, visits, &error), &error);
}

/* Which of the letters, "0123456", a filter selects. */
#define BOTH HERALD_DEAD_BOTH
#define DELIVERIES HERALD_DEAD_DELIVERIES
static const struct {
	struct herald_dead_filter filter;
	const char *expected;
} filters[] = {
	{{.kind = HERALD_DEAD_EVENTS}, "0235"},
	{{.kind = DELIVERIES}, "146"},
	{{.kind = BOTH}, "0123456"},
	{{.kind = BOTH, .queue = "q"}, "025"},
	{{.kind = BOTH, .queue = "Q"}, ""},
	{{.queue = "q2"}, "3"},
	{{.queue = ""}, ""},
	{{.kind = BOTH, .event_type = "a"}, "013"},
	{{.event_type = "a"}, "03"},
	{{.event_type = "A"}, ""},
	{{.event_type = "ü_%"}, "5"},
	{{.event_type = "%"}, ""},
	{{.kind = BOTH, .source = "s"}, "02"},
	{{.source = "S"}, "3"},
	{{.source = ""}, "5"},
	{{.kind = BOTH, .event_id = "1"}, "01"},
	{{.event_id = "2"}, "25"},
	{{.event_id = "2", .source = "s"}, "2"},
	{{.kind = DELIVERIES, .destination = "http://b.example/"}, "46"},
	{{.kind = BOTH, .destination = "http://b.example/hook"}, "4"},
	{{.kind = DELIVERIES, .destination = "http://b.example/hook2"}, ""},
	{{.kind = DELIVERIES, .destination = "http://b.example/%"}, "6"},
	{{.kind = DELIVERIES, .destination = "HTTP://b"}, ""},
	{{.kind = DELIVERIES, .destination = ""}, "146"},
	{{.destination = "http:"}, ""},
	{{.reason = HERALD_DEAD_FAILED}, "03"},
	{{.kind = BOTH, .reason = HERALD_DEAD_REFUSED}, "16"},
	{{.reason = HERALD_DEAD_INTERRUPTED}, ""},
	{{.kind = BOTH, .from_ms = T0 + 2}, "23456"},
	{{.kind = BOTH, .to_ms = T0 + 2}, "01"},
	{{.kind = BOTH, .from_ms = T0 + 2, .to_ms = T0 + 5}, "234"},
	{{.kind = BOTH, .from_ms = T0 + 7}, ""},
	{{.kind = BOTH, .limit = 3}, "012"},
	{{.kind = BOTH, .limit = 99}, "0123456"},
	{{.kind = DELIVERIES, .limit = 1}, "1"},
	{{.kind = BOTH, .event_type = "a", .queue = "q", .reason = HERALD_DEAD_FAILED}, "0"},
};

static void
assert_letters(const struct dead *dead, const struct visits *visits, const char *expected,
	       size_t row)
{
	if (visits->count != strlen(expected))
		fail_msg("filter %zu: %zu letters instead of \"%s\"", row, visits->count, expected);
	for (size_t i = 0; i < visits->count; i++)
		if (visits->ids[i] != dead->ids[expected[i] - '0'])
			fail_msg("filter %zu: letter %zu", row, i);
}

static void
test_filters(const struct contract_store *kind)
{
	struct dead dead = start_dead(kind);
	struct visits visits = {.count = 0};

	for (size_t i = 0; i < COUNT(filters); i++) {
		visit(dead.p, &filters[i].filter, &visits);
		assert_letters(&dead, &visits, filters[i].expected, i);
	}
	for (size_t i = 0; i < LETTERS; i++) {
		char expected[2] = {(char)('0' + i), '\0'};

		visit(dead.p, &(struct herald_dead_filter){.kind = BOTH, .id = dead.ids[i]},
		      &visits);
		assert_letters(&dead, &visits, expected, 100 + i);
		visit(dead.p, &(struct herald_dead_filter){.kind = BOTH, .after_id = dead.ids[i]},
		      &visits);
		assert_letters(&dead, &visits, &"0123456"[i + 1], 200 + i);
	}
	visit(dead.p, &(struct herald_dead_filter){.kind = BOTH, .id = dead.ids[6] + 100}, &visits);
	assert_int_equal(visits.count, 0);
	stop(dead.p);
}

static void
test_pages(const struct contract_store *kind)
{
	struct dead dead = start_dead(kind);
	struct herald_dead_filter filter = {.kind = BOTH, .limit = 2};
	struct visits visits = {.count = 0};
	size_t count = 0;

	do {
		visit(dead.p, &filter, &visits);
		for (size_t i = 0; i < visits.count; i++)
			assert_int_equal(visits.ids[i], dead.ids[count++]);
		if (visits.count > 0)
			filter.after_id = visits.ids[visits.count - 1];
	} while (visits.count > 0);
	assert_int_equal(count, LETTERS);
	/* A visitor that returns false is not called again. */
	visits.stop_after = 3;
	visit(dead.p, &(struct herald_dead_filter){.kind = BOTH}, &visits);
	assert_int_equal(visits.count, 3);
	stop(dead.p);
}

/* The filters select for a replay and a drop as they do for a visit. Each is rolled back. */
static void
test_filters_of_changes(const struct contract_store *kind)
{
	struct dead dead = start_dead(kind);
	const struct herald_dead_filter all = {.kind = HERALD_DEAD_BOTH};
	struct process *p = dead.p;
	struct visits visits = {.count = 0};

	for (size_t i = 0; i < 2 * COUNT(filters); i++) {
		const struct herald_dead_filter *filter = &filters[i / 2].filter;
		const char *expected = filters[i / 2].expected;
		struct herald_error error;
		uint64_t count;

		begin(p);
		if (i % 2)
			assert_works(
				p->ops->dead_replay(p->session, filter, 100, T0, &count, &error),
				&error);
		else
			assert_works(p->ops->dead_drop(p->session, filter, 100, &count, &error),
				     &error);
		assert_int_equal(count, strlen(expected));
		visit(p, &all, &visits);
		assert_int_equal(visits.count, LETTERS - strlen(expected));
		for (size_t j = 0; j < visits.count; j++)
			for (const char *letter = expected; *letter; letter++)
				assert_int_not_equal(visits.ids[j], dead.ids[*letter - '0']);
		rollback(p);
	}
	visit(p, &all, &visits);
	assert_int_equal(visits.count, LETTERS);
	stop(p);
}

/* Retention: they did not die in the order of their ids. */
static void
test_drop_by_age(const struct contract_store *kind)
{
	struct process *p = start(kind);
	const struct herald_dead_filter old = {.kind = BOTH, .to_ms = T0 + 6};
	struct visits visits = {.count = 0};

	kill_event(p, EVENT(.event_type = "a"), HERALD_DEAD_FAILED, 5);
	const uint64_t young = kill_event(p, EVENT(.event_type = "b"), HERALD_DEAD_FAILED, 9);
	kill_delivery(p, DELIVERY(.event_type = "c"), HERALD_DEAD_REFUSED, 1);
	kill_event(p, EVENT(.event_type = "d"), HERALD_DEAD_FAILED, 3);
	assert_int_equal(drop(p, &old, 2), 2);
	assert_int_equal(drop(p, &old, 2), 1);
	assert_int_equal(drop(p, &old, 2), 0);
	visit(p, &(struct herald_dead_filter){.kind = BOTH}, &visits);
	assert_int_equal(visits.count, 1);
	assert_int_equal(visits.ids[0], young);
	stop(p);
}

static void
test_max_of_changes(const struct contract_store *kind)
{
	for (int drops = 0; drops < 2; drops++) {
		struct dead dead = start_dead(kind);
		struct herald_dead_filter filter = {.kind = BOTH};
		struct visits visits = {.count = 0};

		for (size_t left = LETTERS; left > 0;) {
			size_t expected = left < 3 ? left : 3;
			uint64_t count =
				drops ? drop(dead.p, &filter, 3) : replay(dead.p, &filter, 3);

			assert_int_equal(count, expected);
			left -= expected;
			visit(dead.p, &filter, &visits);
			assert_int_equal(visits.count, left);
			if (left > 0)
				assert_int_equal(visits.ids[0], dead.ids[LETTERS - left]);
		}
		assert_int_equal(drop(dead.p, &filter, 3), 0);
		assert_int_equal(replay(dead.p, &filter, 3), 0);
		stop(dead.p);
	}
}

static bool
keep_replays(const struct herald_dead_letter *letter, void *state)
{
	*(unsigned *)state = letter->replays;
	return true;
}

static bool
check_content(const struct herald_dead_letter *letter, void *state)
{
	const bool is_there = *(const bool *)state;

	assert_string_equal(letter->content_type, is_there ? "text/plain" : "");
	assert_int_equal(letter->attributes.bytes, is_there ? 4 : 0);
	assert_int_equal(letter->data.bytes, is_there ? 3 : 0);
	assert_string_equal(letter->event_id, "e");
	assert_string_equal(letter->reason, "why");
	*(bool *)state = !is_there;
	return true;
}

/* A list without payloads is otherwise the same. */
static void
test_without_content(const struct contract_store *kind)
{
	struct process *p = start(kind);
	const uint64_t id =
		accept_event(p, EVENT(.event_id = "e", .content_type = "text/plain",
				      .attributes = {"a\0b\0", 4}, .data = {"a\0b", 3}));
	struct herald_error error;

	assert_int_equal(claim_only(p, id, T0), 1);
	assert_false(COMPLETE(p, id, 1, DEAD, .is_held = false));
	for (int i = 0; i < 2; i++) {
		const struct herald_dead_filter filter = {.without_content = i == 1};
		bool state = i == 0;

		assert_works(p->ops->dead_visit(p->session, &filter, check_content, &state, &error),
			     &error);
		assert_int_equal(state, i == 1);
	}
	stop(p);
}

/* wolverine#469, #1594, #2318, outpost#670: a replay runs like a new event, again and again. */
static void
test_replay(const struct contract_store *kind)
{
	static const unsigned char key[] = "0123456789abcde";
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT(.seen_key = key, .source = "s", .event_id = "e",
					    .data = {"a\0b", 3}, .created_ms = T0 - 9));

	for (unsigned replays = 0; replays < 3; replays++) {
		struct claims *claims = claim_all(p, T0);
		struct herald_error error;
		unsigned counted;

		assert_int_equal(claims->count, 1);
		assert_int_equal(claims->rows[0].event.id, id);
		assert_int_equal(claims->rows[0].event.attempts, 1);
		assert_int_equal(claims->rows[0].event.replays, replays);
		assert_int_equal(claims->rows[0].event.interrupted, 0);
		assert_int_equal(claims->rows[0].event.due_ms, T0);
		assert_int_equal(claims->rows[0].event.created_ms, T0 - 9);
		assert_string_equal(claims->rows[0].event.source, "s");
		assert_string_equal(claims->rows[0].event.event_id, "e");
		assert_memory_equal(claims->rows[0].event.data.data, "a\0b", 3);
		claims_free(claims);
		assert_false(COMPLETE(p, id, 1, RETRY, .replays = replays, .due_ms = T0 + 70));
		assert_int_equal(claim_only(p, id, T0 + 70), 2);
		assert_false(COMPLETE(p, id, 2, DEAD, .replays = replays, .is_held = true));
		assert_works(p->ops->dead_visit(p->session, &(struct herald_dead_filter){0},
						keep_replays, &counted, &error),
			     &error);
		assert_int_equal(counted, replays);
		assert_int_equal(replay(p, &(struct herald_dead_filter){.id = id}, 10), 1);
		assert_count(p, "t", DEAD, 0);
	}
	assert_true(is_duplicate(p, EVENT(.seen_key = key)));
	/* A late owner does not reach it. */
	assert_true(COMPLETE(p, id, 2, DONE, .replays = 2));
	assert_true(COMPLETE(p, id, 0, DONE, .replays = 2));
	assert_int_equal(claim_only(p, id, T0), 1);
	assert_false(COMPLETE(p, id, 1, DONE, .replays = 3));
	assert_int_equal(count_events(p), 0);
	stop(p);
}

static bool
keep_owned(const struct herald_stored_event *event, void *state)
{
	*(struct herald_stored_event *)state = *event;
	return true;
}

/* The end of a run before the replay, which has as many attempts and the same owner, is lost. It
 * comes when a commit took place, and its process has not learned of that before. */
static void
test_fence_of_a_replay(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT());
	struct herald_stored_event owned = {.id = 0};
	struct herald_error error;

	assert_int_equal(claim_only(p, id, T0), 1);
	assert_false(COMPLETE(p, id, 1, DEAD));
	assert_int_equal(replay(p, &(struct herald_dead_filter){.id = id}, 10), 1);
	assert_int_equal(claim_only(p, id, T0), 1);
	assert_true(COMPLETE(p, id, 1, DONE));
	assert_true(COMPLETE(p, id, 1, RETRY));
	assert_true(COMPLETE(p, id, 1, RELEASE));
	assert_true(COMPLETE(p, id, 1, DEAD));
	assert_true(COMPLETE(p, id, 1, DONE, .replays = 2));
	assert_count(p, "t", RUNNING, 1);
	begin(p);
	assert_works(p->ops->owned(p->session, p->node, keep_owned, &owned, &error), &error);
	commit(p);
	assert_int_equal(owned.id, id);
	assert_int_equal(owned.attempts, 1);
	assert_int_equal(owned.replays, 1);
	assert_false(COMPLETE(p, id, 1, RELEASE, .replays = owned.replays));
	assert_count(p, "t", READY, 1);
	stop(p);
}

static bool
keep_owned_delivery(const struct herald_stored_delivery *delivery, void *state)
{
	*(struct herald_stored_delivery *)state = *delivery;
	return true;
}

static void
test_fence_of_a_replayed_delivery(const struct contract_store *kind)
{
	const struct herald_dead_filter filter = {.kind = DELIVERIES};
	struct process *p = start(kind);
	uint64_t id = push(p, DELIVERY());
	struct herald_stored_delivery owned = {.id = 0};
	struct herald_error error;

	assert_int_equal(claim_delivery(p, id, T0), 1);
	assert_false(COMPLETE_DELIVERY(p, id, 1, DEAD));
	assert_int_equal(replay(p, &filter, 10), 1);
	assert_int_equal(claim_delivery(p, id, T0), 1);
	assert_true(COMPLETE_DELIVERY(p, id, 1, DONE));
	assert_true(COMPLETE_DELIVERY(p, id, 1, RETRY));
	assert_true(COMPLETE_DELIVERY(p, id, 1, RELEASE));
	assert_true(COMPLETE_DELIVERY(p, id, 1, DEAD));
	assert_deliveries(p, RUNNING, 1);
	begin(p);
	assert_works(
		p->ops->delivery_owned(p->session, p->node, keep_owned_delivery, &owned, &error),
		&error);
	commit(p);
	assert_int_equal(owned.id, id);
	assert_int_equal(owned.attempts, 1);
	assert_int_equal(owned.replays, 1);
	assert_false(COMPLETE_DELIVERY(p, id, 1, RELEASE, .replays = owned.replays));
	assert_deliveries(p, READY, 1);
	stop(p);
}

static void
test_replay_of_deliveries(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = push(p, DELIVERY(.created_ms = T0 - 5000, .expires_ms = T0 - 1000));
	struct claimed_deliveries *claimed;

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(claim_delivery(p, id, T0), 1);
		assert_false(COMPLETE_DELIVERY(p, id, 1, DEAD, .replays = i));
		assert_int_equal(
			replay(p, &(struct herald_dead_filter){.kind = DELIVERIES, .id = id}, 10),
			1);
	}
	claimed = claim_deliveries(p, T0);
	assert_int_equal(claimed->count, 1);
	assert_int_equal(claimed->rows[0].delivery.id, id);
	assert_int_equal(claimed->rows[0].delivery.attempts, 1);
	assert_int_equal(claimed->rows[0].delivery.replays, 3);
	assert_int_equal(claimed->rows[0].delivery.due_ms, T0);
	/* It has 4,000 ms, as at first, and not more each time. */
	assert_int_equal(claimed->rows[0].delivery.created_ms, T0);
	assert_int_equal(claimed->rows[0].delivery.expires_ms, T0 + 4000);
	assert_string_equal(claimed->rows[0].delivery.delivery_id, "d");
	assert_string_equal(claimed->rows[0].delivery.url, "http://a.example/");
	assert_string_equal(claimed->rows[0].delivery.origin, "http://a.example:80");
	claimed_deliveries_free(claimed);
	stop(p);
}

static uint64_t
trim(struct process *p, uint64_t keep, size_t max)
{
	struct herald_error error;
	uint64_t count;

	begin(p);
	assert_works(find_and_trim(p, keep, max, &count, &error), &error);
	commit(p);
	return count;
}

/* pgmq#229: dead letters do not grow without bound. */
static void
test_trim(const struct contract_store *kind)
{
	struct dead dead = start_dead(kind);
	struct visits visits = {.count = 0};
	struct process *p = dead.p;

	assert_int_equal(trim(p, LETTERS, 100), 0);
	assert_int_equal(trim(p, LETTERS + 1, 100), 0);
	assert_int_equal(trim(p, 5, 100), 2);
	visit(p, &(struct herald_dead_filter){.kind = BOTH}, &visits);
	assert_int_equal(visits.count, 5);
	assert_int_equal(visits.ids[0], dead.ids[2]);
	assert_int_equal(trim(p, 1, 3), 3);
	assert_int_equal(trim(p, 1, 3), 1);
	visit(p, &(struct herald_dead_filter){.kind = BOTH}, &visits);
	assert_int_equal(visits.count, 1);
	assert_int_equal(visits.ids[0], dead.ids[6]);
	stop(p);
}

/* Of letters that died at the same time, the one with the smallest id is the oldest. Letters
 * that die after the count stay. */
static void
test_trim_up_to_a_place(const struct contract_store *kind)
{
	struct visits visits = {.count = 0};
	struct process *p = start(kind);
	struct herald_dead_place last;
	struct herald_error error;
	uint64_t ids[6], count;
	bool is_any = false;

	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = kill_event(p, EVENT(), HERALD_DEAD_FAILED, 1);
	assert_works(p->ops->dead_surplus(p->session, 2, &last, &is_any, &error), &error);
	assert_true(is_any);
	assert_int_equal(last.dead_ms, T0 + 1);
	assert_int_equal(last.id, ids[3]);
	kill_event(p, EVENT(), HERALD_DEAD_FAILED, 2);
	for (size_t left = 4; left > 0; left -= 2) {
		begin(p);
		assert_works(p->ops->dead_trim(p->session, &last, 2, &count, &error), &error);
		commit(p);
		assert_int_equal(count, 2);
	}
	begin(p);
	assert_works(p->ops->dead_trim(p->session, &last, 2, &count, &error), &error);
	commit(p);
	assert_int_equal(count, 0);
	visit(p, &(struct herald_dead_filter){.kind = BOTH}, &visits);
	assert_int_equal(visits.count, 3);
	assert_int_equal(visits.ids[0], ids[4]);
	assert_works(p->ops->dead_surplus(p->session, 3, &last, &is_any, &error), &error);
	assert_false(is_any);
	stop(p);
}

/* Held dead letters stay, and what waits for them. */
static void
test_trim_keeps_held_ones(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t held = accept_event(p, EVENT(.event_type = "held", .key_hash = 4));

	claim_only(p, held, T0);
	assert_false(COMPLETE(p, held, 1, DEAD, .is_held = true, .now_ms = T0));
	accept_event(p, EVENT(.event_type = "waits", .key_hash = 4));
	for (int i = 1; i < 8; i++)
		kill_event(p, EVENT(.event_type = "free"), HERALD_DEAD_FAILED, i);
	/* They count, so that another one goes. */
	assert_int_equal(trim(p, 8, 100), 0);
	assert_int_equal(trim(p, 7, 100), 1);
	assert_int_equal(trim(p, 4, 100), 3);
	assert_count(p, "free", DEAD, 3);
	assert_int_equal(trim(p, 0, 100), 3);
	assert_state(p, "held", DEAD);
	assert_state(p, "waits", BLOCKED);
	assert_int_equal(trim(p, 0, 100), 0);
	stop(p);
}

struct counts {
	struct {
		struct herald_count count;
		char queue[16], type[16];
	} rows[32];
	size_t count;
	size_t stop_after;
};

static bool
keep_count(const struct herald_count *count, void *state)
{
	struct counts *counts = state;
	size_t i = counts->count++;

	assert_true(i < COUNT(counts->rows));
	counts->rows[i].count = *count;
	snprintf(counts->rows[i].queue, sizeof(counts->rows[i].queue), "%s", count->queue);
	snprintf(counts->rows[i].type, sizeof(counts->rows[i].type), "%s", count->event_type);
	return counts->count != counts->stop_after;
}

static void
assert_one_count(const struct counts *counts, bool is_delivery, const char *queue, const char *type,
		 enum herald_count_state state, uint64_t count, int64_t oldest_ms)
{
	size_t found = 0;

	for (size_t i = 0; i < counts->count; i++) {
		const struct herald_count *row = &counts->rows[i].count;

		if (row->is_delivery != is_delivery || row->state != state ||
		    strcmp(counts->rows[i].queue, queue) != 0 ||
		    strcmp(counts->rows[i].type, type) != 0)
			continue;
		found++;
		assert_int_equal(row->count, count);
		assert_int_equal(row->oldest_ms, oldest_ms);
	}
	assert_int_equal(found, 1);
}

static void
test_counts(const struct contract_store *kind)
{
	static struct counts counts;
	struct process *p = start(kind);
	struct herald_error error;

	accept_event(p, EVENT(.event_type = "a", .created_ms = T0 - 3));
	accept_event(p, EVENT(.event_type = "a", .created_ms = T0 - 5));
	accept_event(p, EVENT(.event_type = "a", .created_ms = T0 - 4, .due_ms = T0 + 10));
	accept_event(p, EVENT(.event_type = "a", .created_ms = T0 - 4, .due_ms = T0 + 11));
	accept_event(p, EVENT(.event_type = "a", .queue = "q2"));
	accept_event(p, EVENT(.event_type = "b", .key_hash = 1));
	accept_event(p, EVENT(.event_type = "b", .key_hash = 1, .created_ms = T0 - 1));
	accept_event(p, EVENT(.event_type = "b", .owner = p->node));
	kill_event(p, EVENT(.event_type = "a", .created_ms = T0 - 99), HERALD_DEAD_FAILED, 8);
	kill_event(p, EVENT(.event_type = "a", .created_ms = T0 - 99), HERALD_DEAD_FAILED, 7);
	push(p, DELIVERY(.event_type = "a", .due_ms = T0 + 10));
	push(p, DELIVERY(.event_type = "a", .due_ms = T0 + 11));
	push(p, DELIVERY(.owner = p->node));
	kill_delivery(p, DELIVERY(.event_type = "a"), HERALD_DEAD_REFUSED, 9);

	counts = (struct counts){.count = 0};
	assert_works(p->ops->counts(p->session, T0 + 10, keep_count, &counts, &error), &error);
	assert_int_equal(counts.count, 11);
	assert_one_count(&counts, false, "q", "a", HERALD_COUNT_READY, 3, T0 - 5);
	assert_one_count(&counts, false, "q", "a", HERALD_COUNT_DELAYED, 1, T0 - 4);
	assert_one_count(&counts, false, "q", "a", HERALD_COUNT_DEAD, 2, T0 + 7);
	assert_one_count(&counts, false, "q2", "a", HERALD_COUNT_READY, 1, T0);
	assert_one_count(&counts, false, "q", "b", HERALD_COUNT_READY, 1, T0);
	assert_one_count(&counts, false, "q", "b", HERALD_COUNT_BLOCKED, 1, T0 - 1);
	assert_one_count(&counts, false, "q", "b", HERALD_COUNT_RUNNING, 1, T0);
	assert_one_count(&counts, true, "", "a", HERALD_COUNT_READY, 1, T0);
	assert_one_count(&counts, true, "", "a", HERALD_COUNT_DELAYED, 1, T0);
	assert_one_count(&counts, true, "", "t", HERALD_COUNT_RUNNING, 1, T0);
	assert_one_count(&counts, true, "", "a", HERALD_COUNT_DEAD, 1, T0 + 9);

	counts = (struct counts){.stop_after = 3};
	assert_works(p->ops->counts(p->session, T0 + 10, keep_count, &counts, &error), &error);
	assert_int_equal(counts.count, 3);
	stop(p);
}

enum { TYPES = 300 };

static bool
sum_type(const struct herald_count *count, void *state)
{
	uint64_t *sums = state;
	const unsigned long type = strtoul(count->event_type, NULL, 10);

	assert_true(type < TYPES);
	assert_int_equal(sums[type], 0); /* each group is visited once */
	sums[type] = count->count;
	return true;
}

static void
test_counts_of_many_types(const struct contract_store *kind)
{
	static struct herald_stored_event events[TYPES + TYPES / 2];
	static char types[TYPES][8];
	struct process *p = start(kind);
	uint64_t sums[TYPES] = {0};
	struct herald_error error;

	for (size_t i = 0; i < COUNT(events); i++) {
		const size_t type = i < TYPES ? i : (i - TYPES) * 2;

		snprintf(types[type], sizeof(types[type]), "%zu", type);
		events[i] = *EVENT(.event_type = types[type]);
	}
	begin(p);
	assert_works(p->ops->accept(p->session, events, COUNT(events), &error), &error);
	commit(p);
	assert_works(p->ops->counts(p->session, T0, sum_type, sums, &error), &error);
	for (size_t i = 0; i < TYPES; i++)
		assert_int_equal(sums[i], i % 2 == 0 ? 2 : 1);
	stop(p);
}

static bool
keep_finding(const struct herald_finding *finding, void *state)
{
	size_t *count = state;

	if (finding->is_problem)
		fail_msg("%s: %s", finding->name, finding->text);
	assert_true(strlen(finding->name) > 0);
	assert_null(strchr(finding->name, ' '));
	assert_true(strlen(finding->text) > 0);
	assert_null(strchr(finding->text, '\n'));
	++*count;
	return true;
}

/* A database in use has no problem: empty, and with rows in all states. */
static void
test_check(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_error error;
	size_t count = 0, again = 0;

	assert_works(p->ops->check(p->session, T0, keep_finding, &count, &error), &error);
	assert_true(count > 0);
	accept_event(p, EVENT(.key_hash = 1));
	accept_event(p, EVENT(.key_hash = 1));
	accept_event(p, EVENT(.owner = p->node));
	kill_event(p, EVENT(.key_hash = 2), HERALD_DEAD_FAILED, 0);
	push(p, DELIVERY(.owner = p->node));
	assert_works(p->ops->check(p->session, T0, keep_finding, &again, &error), &error);
	assert_true(again > 0);
	stop(p);
}

/* What opens with must_exist. */
static void
open_existing(const struct contract_store *kind, void *place, enum herald_status expected)
{
	struct herald_database *database = kind->create(place);
	struct herald_error error = {.message = ""};
	enum herald_status status = database->ops->open(
		database,
		&(struct herald_database_settings){
			.allocator = herald_allocator_libc, .lease_ms = 15000, .must_exist = true},
		&error);

	database->ops->destroy(database);
	assert_status(status, expected, &error);
	if (expected == HERALD_OK)
		return;
	assert_true(strlen(error.path) > 0);
	/* It says what to do. */
	if (!strstr(error.message, "a service with a store creates"))
		fail_msg("%s", error.message);
}

/* A tool that looks at the wrong place leaves nothing there. */
static void
test_must_exist(const struct contract_store *kind)
{
	void *place = kind->place_create();
	struct herald_database *database;
	struct herald_session *session;
	struct herald_error error;

	open_existing(kind, place, HERALD_BAD_OPTION);
	open_existing(kind, place, HERALD_BAD_OPTION); /* nothing was created by the first */
	database = kind->create(place);
	assert_works(
		database->ops->open(database,
				    &(struct herald_database_settings){
					    .allocator = herald_allocator_libc, .lease_ms = 15000},
				    &error),
		&error);
	assert_works(database->ops->session_open(database, HERALD_SESSION_COMMIT, &session, &error),
		     &error);
	assert_works(database->ops->begin(session, &error), &error);
	open_existing(kind, place, HERALD_OK); /* in use */
	assert_works(database->ops->commit(session, &error), &error);
	database->ops->session_close(session);
	database->ops->destroy(database);
	open_existing(kind, place, HERALD_OK);
	kind->place_destroy(place);
}

static void
test_sql(const struct contract_store *kind)
{
	struct process *p = start(kind);
	const char *sql = p->ops->sql(p->database);

	assert_non_null(sql);
	assert_true(strlen(sql) > 0);
	assert_int_equal(sql[strlen(sql) - 1], '\n');
	assert_ptr_equal(p->ops->sql(p->database), sql);
	assert_true(strlen(p->ops->name) > 0);
	assert_true(p->ops->join_batch > 0);
	stop(p);
}

static uint64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct watcher {
	struct process *process;
	uint32_t timeout_ms;
	atomic_bool has_begun;
	enum herald_status status;
	uint64_t took_ms;
};

static void *
run_watch(void *state)
{
	struct watcher *watcher = state;
	struct herald_error error;
	uint64_t began_ms = monotonic_ms();

	atomic_store(&watcher->has_begun, true);
	watcher->status =
		watcher->process->ops->watch(watcher->process->nodes, watcher->timeout_ms, &error);
	watcher->took_ms = monotonic_ms() - began_ms;
	return NULL;
}

/* watch() may return early, so what counts is that it returns; it is ended until it has. */
static void
watch_until(struct process *p, struct process *notifier)
{
	struct watcher watcher = {.process = p, .timeout_ms = 30000};
	struct timespec pause = {.tv_nsec = 20000000};
	struct herald_error error;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_watch, &watcher), 0);
	while (!atomic_load(&watcher.has_begun))
		nanosleep(&pause, NULL);
	nanosleep(&pause, NULL);
	if (notifier && notifier->ops->notify)
		assert_works(notifier->ops->notify(notifier->session, &error), &error);
	else if (notifier)
		accept_event(notifier, EVENT());
	else
		p->ops->watch_end(p->nodes);
	pthread_join(thread, NULL);
	assert_int_equal(watcher.status, HERALD_OK);
	assert_true(watcher.took_ms < 25000);
}

static void
test_watch(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *other = start_tool(p);
	struct watcher watcher = {.process = p, .timeout_ms = 50};

	if (p->ops->watch) {
		run_watch(&watcher);
		assert_int_equal(watcher.status, HERALD_OK);
		assert_true(watcher.took_ms < 25000);
		watch_until(p, NULL);
		watch_until(p, other);
	}
	assert_int_equal(!p->ops->watch, !p->ops->watch_end);
	stop(other);
	stop(p);
}

/* A watch may return early, but not always: the thread that calls it would spin. */
static void
wait_for_a_whole_watch(struct process *p)
{
	struct watcher watcher = {.process = p, .timeout_ms = 50};

	for (int i = 0; i < 100 && watcher.took_ms < 45; i++) {
		run_watch(&watcher);
		assert_int_equal(watcher.status, HERALD_OK);
	}
	assert_true(watcher.took_ms >= 45);
}

/* The end of one watch is not the end of later ones, nor of the watches of other sessions. */
static void
test_watch_after_its_end(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_session *first = p->nodes;
	struct herald_error error;

	if (p->ops->watch) {
		wait_for_a_whole_watch(p);
		p->ops->watch_end(p->nodes);
		wait_for_a_whole_watch(p);
		p->ops->watch_end(first);
		assert_works(
			p->ops->session_open(p->database, HERALD_SESSION_NODE, &p->nodes, &error),
			&error);
		wait_for_a_whole_watch(p);
		p->ops->session_close(p->nodes);
		p->nodes = first;
	}
	stop(p);
}

const struct contract_store_case contract_store_operations[] = {
	{"test_filters", test_filters, NEEDS_NOTHING},
	{"test_pages", test_pages, NEEDS_NOTHING},
	{"test_filters_of_changes", test_filters_of_changes, NEEDS_NOTHING},
	{"test_max_of_changes", test_max_of_changes, NEEDS_NOTHING},
	{"test_drop_by_age", test_drop_by_age, NEEDS_NOTHING},
	{"test_without_content", test_without_content, NEEDS_NOTHING},
	{"test_replay", test_replay, NEEDS_NOTHING},
	{"test_replay_of_deliveries", test_replay_of_deliveries, NEEDS_NOTHING},
	{"test_fence_of_a_replay", test_fence_of_a_replay, NEEDS_NOTHING},
	{"test_fence_of_a_replayed_delivery", test_fence_of_a_replayed_delivery, NEEDS_NOTHING},
	{"test_trim", test_trim, NEEDS_NOTHING},
	{"test_trim_up_to_a_place", test_trim_up_to_a_place, NEEDS_NOTHING},
	{"test_trim_keeps_held_ones", test_trim_keeps_held_ones, NEEDS_NOTHING},
	{"test_counts", test_counts, NEEDS_NOTHING},
	{"test_counts_of_many_types", test_counts_of_many_types, NEEDS_NOTHING},
	{"test_check", test_check, NEEDS_NOTHING},
	{"test_must_exist", test_must_exist, NEEDS_NOTHING},
	{"test_sql", test_sql, NEEDS_NOTHING},
	{"test_watch", test_watch, NEEDS_NOTHING},
	{"test_watch_after_its_end", test_watch_after_its_end, NEEDS_NOTHING},
};
const size_t contract_store_operations_count = COUNT(contract_store_operations);
