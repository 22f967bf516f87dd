/*
 * Events: what is stored comes back, in order, when it is due, and not more than asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

static void
assert_text(struct herald_text text, const char *bytes, size_t count)
{
	assert_int_equal(text.bytes, count);
	if (count > 0)
		assert_memory_equal(text.data, bytes, count);
}

static void
test_all_members(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT(.event_type = "order.created", .source = "shop/7",
					    .event_id = "e-1", .content_type = "text/plain",
					    .attributes = {"a\0b\0", 4}, .data = {"[1]", 3},
					    .created_ms = T0 - 5, .due_ms = T0 - 4,
					    .key_hash = UINT64_MAX, .holds_key = true));
	struct claims *claims = claim_all(p, T0);
	const struct herald_stored_event *event = &claims->rows[0].event;

	assert_int_equal(claims->count, 1);
	assert_int_equal(event->id, id);
	assert_string_equal(event->queue, "q");
	assert_string_equal(event->event_type, "order.created");
	assert_string_equal(event->source, "shop/7");
	assert_string_equal(event->event_id, "e-1");
	assert_string_equal(event->content_type, "text/plain");
	assert_text(event->attributes, "a\0b\0", 4);
	assert_text(event->data, "[1]", 3);
	assert_int_equal(event->created_ms, T0 - 5);
	assert_int_equal(event->due_ms, T0 - 4);
	assert_true(event->key_hash == UINT64_MAX);
	assert_true(event->holds_key);
	assert_int_equal(event->attempts, 1);
	assert_int_equal(event->interrupted, 0);
	assert_string_equal(event->last_error, "");
	assert_int_equal(claims->next_ms, INT64_MAX);
	claims_free(claims);
	stop(p);
}

static void
test_bytes(const struct contract_store *kind)
{
	static char every[256];
	static char large[1 << 20];
	const struct herald_text rows[] = {
		{"", 0},
		{NULL, 0},
		{"\0", 1},
		{"a\0b", 3},
		{"\r\n\\'\"", 5},
		{"\xff\xfe\x80", 3},
		{every, sizeof(every)},
		{large, sizeof(large)},
	};
	struct process *p = start(kind);

	for (size_t i = 0; i < sizeof(every); i++)
		every[i] = (char)i;
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)(i * i >> 3);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct claims *claims;

		accept_event(p, EVENT(.data = rows[i]));
		accept_event(p, EVENT(.attributes = rows[i]));
		claims = claim_all(p, T0);
		assert_int_equal(claims->count, 2);
		assert_text(claims->rows[0].event.data, rows[i].data, rows[i].bytes);
		assert_text(claims->rows[1].event.attributes, rows[i].data, rows[i].bytes);
		claims_free(claims);
	}
	stop(p);
}

static void
test_texts(const struct contract_store *kind)
{
	static char text[500];
	static const char *const rows[] = {
		"",
		"a",
		"Bestellung über 5 €",
		"注文",
		"\xf0\x9f\x98\x80",
		"it's; DROP TABLE x --",
		"\\x41 %s $1 {}",
		"\"quoted\"",
		"a,b\tc",
		text,
	};
	struct process *p = start(kind);

	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct claims *claims;

		accept_event(p, EVENT(.event_type = rows[i], .source = rows[i], .event_id = rows[i],
				      .content_type = rows[i]));
		claims = claim_all(p, T0);
		assert_int_equal(claims->count, 1);
		assert_string_equal(claims->rows[0].event.event_type, rows[i]);
		assert_string_equal(claims->rows[0].event.source, rows[i]);
		assert_string_equal(claims->rows[0].event.event_id, rows[i]);
		assert_string_equal(claims->rows[0].event.content_type, rows[i]);
		assert_count(p, rows[i], RUNNING, 1);
		claims_free(claims);
	}
	stop(p);
}

/* Ordered by due_ms, and by id where that is the same. */
static void
test_order(const struct contract_store *kind)
{
	static const int due[] = {5, 3, 5, 1, 3, 4, 1, 2};
	static const size_t expected[] = {3, 6, 7, 1, 4, 5, 0, 2};
	struct process *p = start(kind);
	uint64_t ids[COUNT(due)];
	struct claims *claims;

	for (size_t i = 0; i < COUNT(due); i++)
		ids[i] = accept_event(p, EVENT(.due_ms = T0 + due[i]));
	claims = claim_all(p, T0 + 10);
	assert_int_equal(claims->count, COUNT(due));
	for (size_t i = 0; i < COUNT(due); i++)
		assert_int_equal(claims->rows[i].event.id, ids[expected[i]]);
	claims_free(claims);
	stop(p);
}

/* river#785, solid_queue#751: a delayed event is claimed when it is due; nothing has to move it. */
static void
test_due(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t late = accept_event(p, EVENT(.due_ms = T0 + 100));
	uint64_t later = accept_event(p, EVENT(.due_ms = T0 + 200));
	struct claims *claims = claim_all(p, T0 + 99);

	assert_int_equal(claims->count, 0);
	assert_int_equal(claims->next_ms, T0 + 100);
	claims_free(claims);

	claims = claim_all(p, T0 + 100);
	assert_int_equal(claims->count, 1);
	assert_int_equal(claims->rows[0].event.id, late);
	assert_int_equal(claims->next_ms, T0 + 200);
	claims_free(claims);

	/* The clock is set back. */
	assert_nothing_to_claim(p, T0);
	assert_int_equal(claim_only(p, later, T0 + 1000000), 1);
	claims = claim_all(p, T0);
	assert_int_equal(claims->count, 0);
	assert_int_equal(claims->next_ms, INT64_MAX);
	claims_free(claims);
	stop(p);
}

static bool
add_delayed(const struct herald_count *count, void *state)
{
	if (count->state == HERALD_COUNT_DELAYED)
		*(uint64_t *)state += count->count;
	return true;
}

static uint64_t
delayed_at(struct process *p, int64_t now_ms)
{
	struct herald_error error;
	uint64_t count = 0;

	assert_works(p->ops->counts(p->session, now_ms, add_delayed, &count, &error), &error);
	return count;
}

/* An event that runs at once when it is stored is due whatever the clock says later. */
static void
test_clock_set_back(const struct contract_store *kind)
{
	static const int64_t back_ms[] = {1, 1000, HERALD_CLOCK_SKEW_MS, 86400000, T0};
	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(back_ms); i++) {
		const int64_t now_ms = T0 - back_ms[i];
		uint64_t first = accept_event(p, EVENT(.key_hash = 5));
		uint64_t delayed = accept_event(p, EVENT(.due_ms = T0 + 1));
		uint64_t due = accept_event(p, EVENT(.created_ms = 0, .due_ms = now_ms));
		uint64_t soon = accept_event(p, EVENT(.created_ms = 0, .due_ms = now_ms + 1));
		uint64_t next = accept_event(p, EVENT(.key_hash = 5));
		uint64_t new = accept_event(p, EVENT(.created_ms = now_ms, .due_ms = now_ms));
		uint64_t last = accept_event(p, EVENT(.due_ms = T0 - 1));
		struct claims *claims = claim_with(p, &(struct herald_claim){.queue = "q",
									     .owner = p->node,
									     .now_ms = now_ms,
									     .max_events = 1,
									     .max_bytes = 1000});

		/* In the order of due_ms. */
		assert_int_equal(claims->count, 1);
		assert_int_equal(claims->rows[0].event.id, due);
		assert_true(claims->next_ms <= now_ms);
		claims_free(claims);
		claims = claim_all(p, now_ms);
		assert_int_equal(claims->count, 3);
		assert_int_equal(claims->rows[0].event.id, new);
		assert_int_equal(claims->rows[1].event.id, last);
		assert_int_equal(claims->rows[2].event.id, first);
		assert_int_equal(claims->rows[2].event.due_ms, T0);
		assert_int_equal(claims->next_ms, now_ms + 1);
		claims_free(claims);
		assert_int_equal(delayed_at(p, now_ms), 2);
		assert_count(p, "t", RUNNING, 4);

		/* What has been claimed stays due; so does what has waited for a key. */
		assert_false(COMPLETE(p, new, 1, RELEASE, .now_ms = now_ms));
		assert_false(COMPLETE(p, last, 1, RETRY, .now_ms = now_ms, .due_ms = now_ms));
		assert_false(COMPLETE(p, first, 1, DONE, .key_hash = 5));
		assert_false(COMPLETE(p, due, 1, DONE));
		claims = claim_all(p, now_ms - 1);
		assert_int_equal(claims->count, 3);
		assert_int_equal(claims->rows[2].event.id, next);
		claims_free(claims);

		/* A delay until a time is meant so. */
		assert_int_equal(claim_only(p, soon, now_ms + 1), 1);
		assert_false(COMPLETE(p, soon, 1, DONE));
		assert_int_equal(claim_only(p, delayed, T0 + 1), 1);
		assert_false(COMPLETE(p, delayed, 1, RELEASE, .now_ms = now_ms));
		assert_int_equal(claim_only(p, delayed, now_ms), 1);
		assert_false(COMPLETE(p, delayed, 1, DONE));
		assert_false(COMPLETE(p, next, 1, DONE, .key_hash = 5));
		assert_false(COMPLETE(p, last, 2, DONE));
		assert_false(COMPLETE(p, new, 1, DONE));
		assert_int_equal(count_events(p), 0);
	}
	stop(p);
}

/* A retry waits for its delay, and by the skew of clocks longer at most. */
static void
test_clock_set_back_before_a_retry(const struct contract_store *kind)
{
	static const struct {
		int64_t delay_ms, back_ms;
		bool is_due;
	} rows[] = {
		{1, 1, false},
		{1, HERALD_CLOCK_SKEW_MS, false},
		{1, HERALD_CLOCK_SKEW_MS + 1, true},
		{0, 1, true},
		{0, HERALD_CLOCK_SKEW_MS + 1, true},
		{86400000 * 30LL, HERALD_CLOCK_SKEW_MS, false},
		{86400000 * 30LL, HERALD_CLOCK_SKEW_MS + 1, true},
		{86400000 * 30LL, -1, false},
		{1000, 86400000, true},
	};
	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const int64_t now_ms = T0 - rows[i].back_ms, due_ms = T0 + rows[i].delay_ms;
		uint64_t id = accept_event(p, EVENT());
		uint64_t other = accept_event(p, EVENT(.queue = "q2"));
		struct claims *claims;

		claim_only(p, id, T0);
		assert_false(COMPLETE(p, id, 1, RETRY, .now_ms = T0, .due_ms = due_ms));
		assert_int_equal(delayed_at(p, now_ms), !rows[i].is_due);
		claims = claim_all(p, now_ms);
		if (claims->count != rows[i].is_due ||
		    claims->next_ms != (rows[i].is_due ? INT64_MAX : due_ms))
			fail_msg("row %zu: %zu claimed, next_ms %lld", i, claims->count,
				 (long long)claims->next_ms);
		if (claims->count == 1)
			assert_int_equal(claims->rows[0].event.attempts, 2);
		else
			assert_int_equal(claim_only(p, id, due_ms), 2);
		claims_free(claims);
		assert_false(COMPLETE(p, id, 2, DONE));
		assert_true(other > id);
		purge_all(p);
		assert_int_equal(count_events(p), 0);
	}
	stop(p);
}

/* Retries that wait at T0, and were stored then. */
static void
store_retries(struct process *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t id = accept_event(p, EVENT());

		claim_only(p, id, T0);
		assert_false(
			COMPLETE(p, id, 1, RETRY, .now_ms = T0, .due_ms = T0 + 10 + (int64_t)i));
	}
}

/* A claim ends the delays of what it takes, and of nothing else: if the clock is put right again,
 * the others wait as before. */
static void
test_late_ones_that_are_left(const struct contract_store *kind)
{
	static const struct {
		size_t max_events, max_bytes, expected;
	} rows[] = {{0, 100, 0}, {1, 100, 1}, {2, 100, 2}, {4, 100, 3}, {3, 2, 1}, {3, 4, 2}};
	const int64_t back_ms = T0 - 86400000;
	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const size_t left = 3 - rows[i].expected;
		struct claims *claims;

		store_retries(p, 3);
		claims = claim_with(p, &(struct herald_claim){.queue = "q",
							      .owner = p->node,
							      .now_ms = back_ms,
							      .max_events = rows[i].max_events,
							      .max_bytes = rows[i].max_bytes});
		assert_int_equal(claims->count, rows[i].expected);
		assert_int_equal(claims->next_ms, left > 0 ? back_ms : INT64_MAX);
		for (size_t j = 0; j < claims->count; j++) {
			assert_int_equal(claims->rows[j].event.due_ms, T0 + 10 + (int64_t)j);
			assert_false(COMPLETE(p, claims->rows[j].event.id, 2, DONE));
		}
		claims_free(claims);
		assert_int_equal(delayed_at(p, T0), left);
		claims = claim_all(p, T0);
		assert_int_equal(claims->count, 0);
		assert_int_equal(claims->next_ms, left > 0 ? T0 + 13 - (int64_t)left : INT64_MAX);
		claims_free(claims);
		claims = claim_all(p, T0 + 12);
		assert_int_equal(claims->count, left);
		for (size_t j = 0; j < claims->count; j++)
			assert_false(COMPLETE(p, claims->rows[j].event.id, 2, DONE));
		claims_free(claims);
	}
	stop(p);
}

static void
test_max_events(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_claim claim = {.queue = "q",
				     .owner = p->node,
				     .now_ms = T0,
				     .max_events = 4,
				     .max_bytes = 1 << 20};
	uint64_t ids[10];

	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = accept_event(p, EVENT(.due_ms = T0));
	for (size_t first = 0; first < COUNT(ids); first += 4) {
		struct claims *claims = claim_with(p, &claim);
		size_t left = COUNT(ids) - first;

		assert_int_equal(claims->count, left < 4 ? left : 4);
		for (size_t i = 0; i < claims->count; i++)
			assert_int_equal(claims->rows[i].event.id, ids[first + i]);
		if (left > 4)
			assert_true(claims->next_ms <= T0); /* there are more */
		else
			assert_int_equal(claims->next_ms, INT64_MAX);
		claims_free(claims);
	}
	stop(p);
}

/* A limit of bytes ends the claim at the first event that does not fit. */
static void
test_max_bytes(const struct contract_store *kind)
{
	static const struct {
		size_t bytes[5];
		size_t max_bytes;
		size_t expected;
	} rows[] = {
		{{10, 10, 10, 10, 10}, 50, 5},  {{10, 10, 10, 10, 10}, 49, 4},
		{{10, 10, 10, 10, 10}, 10, 1},  {{10, 10, 10, 10, 10}, 9, 1},
		{{10, 10, 10, 10, 10}, 0, 1},   {{100, 10, 10, 10, 10}, 50, 1},
		{{10, 100, 10, 10, 10}, 50, 1}, {{10, 30, 20, 0, 0}, 50, 2},
		{{10, 30, 10, 0, 0}, 50, 5},    {{0, 0, 0, 0, 1}, 0, 4},
	};
	static char data[128];

	struct process *p = start(kind);

	for (size_t row = 0; row < COUNT(rows); row++) {
		struct claims *claims;

		for (size_t i = 0; i < 5; i++)
			accept_event(p, EVENT(.data = {data, rows[row].bytes[i]}));
		claims = claim_with(p, &(struct herald_claim){.queue = "q",
							      .owner = p->node,
							      .now_ms = T0,
							      .max_events = 100,
							      .max_bytes = rows[row].max_bytes});
		if (claims->count != rows[row].expected)
			fail_msg("row %zu: %zu events", row, claims->count);
		assert_true(claims->count == 5 || claims->next_ms <= T0);
		assert_count(p, "t", READY, 5 - claims->count);
		for (size_t i = 0; i < claims->count; i++)
			assert_false(COMPLETE(p, claims->rows[i].event.id, 1, DONE));
		purge_all(p);
		claims_free(claims);
	}
	stop(p);
}

/* At most 0 events: nothing is claimed, and next_ms says that there are more. */
static void
test_max_events_0(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct claims *claims;

	accept_event(p, EVENT());
	claims =
		claim_with(p, &(struct herald_claim){.queue = "q", .owner = p->node, .now_ms = T0});
	assert_int_equal(claims->count, 0);
	assert_true(claims->next_ms <= T0);
	claims_free(claims);
	assert_count(p, "t", READY, 1);
	stop(p);
}

static void
test_queues(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(p, EVENT(.queue = "Q"));
	struct claims *claims;

	accept_event(p, EVENT(.queue = "q2", .due_ms = T0 - 10));
	accept_event(p, EVENT(.queue = "", .due_ms = T0 - 10));
	assert_nothing_to_claim(p, T0);
	claims = claim_with(p, &(struct herald_claim){.queue = "Q",
						      .owner = p->node,
						      .now_ms = T0,
						      .max_events = 10,
						      .max_bytes = 100});
	assert_int_equal(claims->count, 1);
	assert_int_equal(claims->rows[0].event.id, id);
	assert_string_equal(claims->rows[0].event.queue, "Q");
	assert_int_equal(claims->next_ms, INT64_MAX); /* of this queue */
	claims_free(claims);
	stop(p);
}

/* 63 bytes are the limit of a queue's name. */
static void
test_longest_queue(const struct contract_store *kind)
{
	char name[64];
	struct process *p = start(kind);
	struct claims *claims;

	memset(name, 'n', 63);
	name[63] = '\0';
	accept_event(p, EVENT(.queue = name));
	name[62] = '\0';
	claims = claim_with(p, &(struct herald_claim){.queue = name,
						      .owner = p->node,
						      .now_ms = T0,
						      .max_events = 10,
						      .max_bytes = 100});
	assert_int_equal(claims->count, 0);
	claims_free(claims);
	name[62] = 'n';
	claims = claim_with(p, &(struct herald_claim){.queue = name,
						      .owner = p->node,
						      .now_ms = T0,
						      .max_events = 10,
						      .max_bytes = 100});
	assert_int_equal(claims->count, 1);
	assert_string_equal(claims->rows[0].event.queue, name);
	claims_free(claims);
	stop(p);
}

/* A visitor that returns false is not called again. */
static void
test_visitor_stops(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct claims *claims;

	for (size_t i = 0; i < 5; i++)
		accept_event(p, EVENT());
	claims = claim_until(p, T0, 2);
	assert_int_equal(claims->count, 2);
	assert_int_equal(count_of(p, false, "t", HERALD_COUNT_RUNNING) +
				 count_of(p, false, "t", HERALD_COUNT_READY),
			 5);
	claims_free(claims);
	stop(p);
}

/* Ids increase in the order of acceptance, and are not used twice. */
static void
test_ids(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct process *again;
	uint64_t last = 0;

	for (int i = 0; i < 20; i++) {
		/* The clock jumps back and forth. */
		uint64_t id = accept_event(p, EVENT(.created_ms = T0 + (i % 3) * 100000));

		assert_true(id > last);
		last = id;
		claim_only(p, id, T0);
		if (i % 2 == 0)
			assert_false(COMPLETE(p, id, 1, DONE));
	}
	begin(p);
	for (int i = 0; i < 5; i++) {
		struct herald_stored_event event = *EVENT();
		struct herald_error error;

		assert_works(p->ops->accept(p->session, &event, 1, &error), &error);
		assert_true(event.id > last);
		last = event.id;
	}
	commit(p);
	/* Ids that were deleted last are not used again after a restart. */
	purge_all(p);
	again = start_tool(p);
	assert_true(accept_event(again, EVENT()) > last);
	stop(again);
	stop(p);
}

/* One call stores many, in its order. */
static void
test_accept_many(const struct contract_store *kind)
{
	static struct herald_stored_event events[1000];
	static char types[COUNT(events)][16];
	struct process *p = start(kind);
	struct herald_error error;
	struct claims *claims;

	for (size_t i = 0; i < COUNT(events); i++) {
		snprintf(types[i], sizeof(types[i]), "type-%zu", i);
		events[i] = *EVENT(.event_type = types[i], .data = {types[i], i % 7});
	}
	begin(p);
	assert_works(p->ops->accept(p->session, events, COUNT(events), &error), &error);
	commit(p);
	for (size_t i = 1; i < COUNT(events); i++)
		assert_true(events[i].id > events[i - 1].id);
	claims = claim_all(p, T0);
	assert_int_equal(claims->count, COUNT(events));
	for (size_t i = 0; i < COUNT(events); i++) {
		assert_int_equal(claims->rows[i].event.id, events[i].id);
		assert_string_equal(claims->rows[i].event.event_type, types[i]);
		assert_text(claims->rows[i].event.data, types[i], i % 7);
	}
	claims_free(claims);
	stop(p);
}

static void
test_accept_none(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_error error;

	begin(p);
	assert_works(p->ops->accept(p->session, NULL, 0, &error), &error);
	assert_works(p->ops->complete(p->session, NULL, 0, &error), &error);
	commit(p);
	assert_int_equal(count_events(p), 0);
	stop(p);
}

/* An owner: stored as RUNNING, as if it had been claimed. */
static void
test_accept_for_owner(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_stored_event *mine = EVENT(.owner = p->node);
	struct herald_stored_event *free_one = EVENT(.event_type = "free");
	uint64_t id = accept_event(p, mine);

	accept_event(p, free_one);
	assert_int_equal(mine->owner, p->node);
	assert_int_equal(free_one->owner, 0);
	assert_count(p, "t", RUNNING, 1);
	assert_int_equal(claim_only(p, free_one->id, T0), 1);
	/* The fence is the one of a first claim. */
	assert_true(COMPLETE(p, id, 2, DONE));
	assert_false(COMPLETE(p, id, 1, RETRY, .due_ms = T0 + 1));
	assert_int_equal(claim_only(p, id, T0 + 1), 2);
	stop(p);
}

/* In one call: some for the owner, some not. */
static void
test_accept_mixed(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_stored_event events[] = {
		*EVENT(.event_type = "a", .owner = p->node),
		*EVENT(.event_type = "b"),
		*EVENT(.event_type = "c", .owner = p->node, .key_hash = 5),
		*EVENT(.event_type = "d", .owner = p->node, .key_hash = 5),
		*EVENT(.event_type = "e", .key_hash = 5),
	};
	struct herald_error error;

	begin(p);
	assert_works(p->ops->accept(p->session, events, COUNT(events), &error), &error);
	commit(p);
	assert_int_equal(events[0].owner, p->node);
	assert_int_equal(events[1].owner, 0);
	assert_int_equal(events[2].owner, p->node);
	assert_int_equal(events[3].owner, 0);
	assert_int_equal(events[4].owner, 0);
	assert_count(p, "a", RUNNING, 1);
	assert_count(p, "b", READY, 1);
	assert_count(p, "c", RUNNING, 1);
	assert_count(p, "d", BLOCKED, 1);
	assert_count(p, "e", BLOCKED, 1);
	stop(p);
}

/* What accept() is not told to store begins as zero. */
static void
test_accept_begins_anew(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = accept_event(
		p, EVENT(.id = 77, .attempts = 9, .interrupted = 3, .last_error = "old"));
	struct claims *claims = claim_all(p, T0);

	assert_int_equal(claims->rows[0].event.id, id);
	assert_int_equal(claims->rows[0].event.attempts, 1);
	assert_int_equal(claims->rows[0].event.interrupted, 0);
	assert_string_equal(claims->rows[0].event.last_error, "");
	claims_free(claims);
	stop(p);
}

const struct contract_store_case contract_store_events[] = {
	{"test_all_members", test_all_members, NEEDS_NOTHING},
	{"test_bytes", test_bytes, NEEDS_NOTHING},
	{"test_texts", test_texts, NEEDS_NOTHING},
	{"test_order", test_order, NEEDS_NOTHING},
	{"test_due", test_due, NEEDS_NOTHING},
	{"test_clock_set_back", test_clock_set_back, NEEDS_NOTHING},
	{"test_clock_set_back_before_a_retry", test_clock_set_back_before_a_retry, NEEDS_NOTHING},
	{"test_late_events_that_are_left", test_late_ones_that_are_left, NEEDS_NOTHING},
	{"test_max_events", test_max_events, NEEDS_NOTHING},
	{"test_max_bytes", test_max_bytes, NEEDS_NOTHING},
	{"test_max_events_0", test_max_events_0, NEEDS_NOTHING},
	{"test_queues", test_queues, NEEDS_NOTHING},
	{"test_longest_queue", test_longest_queue, NEEDS_NOTHING},
	{"test_visitor_stops", test_visitor_stops, NEEDS_NOTHING},
	{"test_ids", test_ids, NEEDS_NOTHING},
	{"test_accept_many", test_accept_many, NEEDS_NOTHING},
	{"test_accept_none", test_accept_none, NEEDS_NOTHING},
	{"test_accept_for_owner", test_accept_for_owner, NEEDS_NOTHING},
	{"test_accept_mixed", test_accept_mixed, NEEDS_NOTHING},
	{"test_accept_begins_anew", test_accept_begins_anew, NEEDS_NOTHING},
};
const size_t contract_store_events_count = COUNT(contract_store_events);
