/*
 * Deliveries: what is stored comes back when it is due, the fence, and that a silent receiver does
 * not keep the deliveries of others waiting.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

static void
test_all_members(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id =
		push(p, DELIVERY(.delivery_id = "msg_1", .url = "https://b.example/x?y=ü",
				 .origin = "https://b.example:443", .event_type = "order",
				 .event_id = "e-1", .record = {"\0r\xff", 3}, .created_ms = T0 - 7,
				 .due_ms = T0 - 3, .expires_ms = T0 + 99));
	struct claimed_deliveries *claimed = claim_deliveries(p, T0);
	const struct herald_stored_delivery *delivery = &claimed->rows[0].delivery;

	assert_int_equal(claimed->count, 1);
	assert_int_equal(delivery->id, id);
	assert_string_equal(delivery->delivery_id, "msg_1");
	assert_string_equal(delivery->url, "https://b.example/x?y=ü");
	assert_string_equal(delivery->origin, "https://b.example:443");
	assert_string_equal(delivery->event_type, "order");
	assert_string_equal(delivery->event_id, "e-1");
	assert_int_equal(delivery->record.bytes, 3);
	assert_memory_equal(delivery->record.data, "\0r\xff", 3);
	assert_int_equal(delivery->created_ms, T0 - 7);
	assert_int_equal(delivery->due_ms, T0 - 3);
	assert_int_equal(delivery->expires_ms, T0 + 99);
	assert_int_equal(delivery->attempts, 1);
	assert_int_equal(delivery->last_http_status, 0);
	assert_string_equal(delivery->last_error, "");
	assert_int_equal(claimed->next_ms, INT64_MAX);
	claimed_deliveries_free(claimed);
	stop(p);
}

static void
test_order(const struct contract_store *kind)
{
	static const int due[] = {5, 3, 5, 1, 3, 4};
	static const size_t expected[] = {3, 1, 4, 5, 0, 2};
	struct process *p = start(kind);
	struct claimed_deliveries *claimed;
	uint64_t ids[COUNT(due)];

	for (size_t i = 0; i < COUNT(due); i++)
		ids[i] = push(p, DELIVERY(.due_ms = T0 + due[i]));
	claimed = claim_deliveries(p, T0 + 10);
	assert_int_equal(claimed->count, COUNT(due));
	for (size_t i = 0; i < COUNT(due); i++)
		assert_int_equal(claimed->rows[i].delivery.id, ids[expected[i]]);
	claimed_deliveries_free(claimed);
	stop(p);
}

static void
test_due(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct claimed_deliveries *claimed;
	uint64_t id;

	push(p, DELIVERY(.due_ms = T0 + 100));
	id = push(p, DELIVERY(.due_ms = T0 + 50));
	claimed = claim_deliveries(p, T0 + 49);
	assert_int_equal(claimed->count, 0);
	assert_int_equal(claimed->next_ms, T0 + 50);
	claimed_deliveries_free(claimed);
	claimed = claim_deliveries(p, T0 + 50);
	assert_int_equal(claimed->count, 1);
	assert_int_equal(claimed->rows[0].delivery.id, id);
	assert_int_equal(claimed->next_ms, T0 + 100);
	claimed_deliveries_free(claimed);
	stop(p);
}

static struct claimed_deliveries *
claim_within(struct process *p, int64_t now_ms, size_t max_deliveries, int64_t max_delay_ms)
{
	return claim_deliveries_with(
		p, &(struct herald_delivery_claim){.owner = p->node,
						   .now_ms = now_ms,
						   .max_deliveries = max_deliveries,
						   .max_bytes = 1000,
						   .max_delay_ms = max_delay_ms});
}

/* A delivery that is to be sent at once when it is stored is due whatever the clock says later. A
 * delay that is longer than any can be is over. */
static void
test_clock_set_back(const struct contract_store *kind)
{
	static const int64_t back_ms[] = {1, 50, 101, 86400000, T0};
	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(back_ms); i++) {
		const int64_t now_ms = T0 - back_ms[i];
		uint64_t first = push(p, DELIVERY());
		uint64_t delayed = push(p, DELIVERY(.created_ms = 0, .due_ms = now_ms + 100));
		uint64_t too_late = push(p, DELIVERY(.created_ms = 0, .due_ms = now_ms + 101));
		uint64_t due = push(p, DELIVERY(.created_ms = 0, .due_ms = now_ms));
		uint64_t new = push(p, DELIVERY(.created_ms = now_ms, .due_ms = now_ms));
		struct claimed_deliveries *claimed;

		/* In the order of due_ms; what is late may come after the others. */
		claimed = claim_within(p, now_ms, 1, 100);
		assert_int_equal(claimed->count, 1);
		assert_int_equal(claimed->rows[0].delivery.id, due);
		assert_true(claimed->next_ms <= now_ms);
		claimed_deliveries_free(claimed);
		claimed = claim_within(p, now_ms, 10, 100);
		assert_int_equal(claimed->count, 3);
		assert_int_equal(claimed->rows[0].delivery.id, new);
		const size_t place = claimed->rows[1].delivery.id == first ? 1 : 2;
		assert_int_equal(claimed->rows[place].delivery.id, first);
		assert_int_equal(claimed->rows[place].delivery.due_ms, T0);
		assert_int_equal(claimed->rows[3 - place].delivery.id, too_late);
		assert_int_equal(claimed->next_ms, now_ms + 100);
		claimed_deliveries_free(claimed);
		assert_deliveries(p, RUNNING, 4);

		/* What has been claimed stays due. */
		assert_false(COMPLETE_DELIVERY(p, first, 1, RELEASE, .now_ms = now_ms));
		assert_false(
			COMPLETE_DELIVERY(p, new, 1, RETRY, .now_ms = now_ms, .due_ms = now_ms));
		claimed = claim_within(p, now_ms - 1, 10, 1000);
		assert_int_equal(claimed->count, 2);
		assert_int_equal(claimed->next_ms, now_ms + 100);
		claimed_deliveries_free(claimed);
		assert_false(COMPLETE_DELIVERY(p, first, 1, DONE));
		assert_false(COMPLETE_DELIVERY(p, new, 2, DONE));
		assert_false(COMPLETE_DELIVERY(p, too_late, 1, DONE));

		/* A delay that can be meant is waited for. */
		assert_false(COMPLETE_DELIVERY(p, due, 1, RETRY, .now_ms = now_ms,
					       .due_ms = now_ms + 100));
		claimed = claim_within(p, now_ms, 10, 100);
		assert_int_equal(claimed->count, 0);
		assert_int_equal(claimed->next_ms, now_ms + 100);
		claimed_deliveries_free(claimed);
		claimed = claim_within(p, now_ms + 100, 10, 100);
		assert_int_equal(claimed->count, 2);
		assert_int_equal(claimed->next_ms, INT64_MAX);
		claimed_deliveries_free(claimed);
		assert_false(COMPLETE_DELIVERY(p, due, 2, DONE));
		assert_false(COMPLETE_DELIVERY(p, delayed, 1, DONE));
		assert_deliveries(p, READY, 0);
	}
	stop(p);
}

/* A claim ends the delays of what it takes, and of nothing else: if the clock is put right again,
 * the others wait as before. */
static void
test_late_ones_that_are_left(const struct contract_store *kind)
{
	static const struct {
		size_t max_deliveries, max_bytes, expected;
	} rows[] = {{0, 100, 0}, {1, 100, 1}, {2, 100, 2}, {4, 100, 3}, {3, 1, 1}, {3, 2, 2}};
	const int64_t back_ms = T0 - 86400000;
	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const size_t left = 3 - rows[i].expected;
		struct claimed_deliveries *claimed;

		for (int64_t j = 0; j < 3; j++)
			push(p, DELIVERY(.due_ms = T0 + 10 + j));
		claimed = claim_deliveries_with(
			p, &(struct herald_delivery_claim){.owner = p->node,
							   .now_ms = back_ms,
							   .max_deliveries = rows[i].max_deliveries,
							   .max_bytes = rows[i].max_bytes,
							   .max_delay_ms = 1000});
		assert_int_equal(claimed->count, rows[i].expected);
		assert_int_equal(claimed->next_ms, left > 0 ? back_ms : INT64_MAX);
		for (size_t j = 0; j < claimed->count; j++) {
			assert_int_equal(claimed->rows[j].delivery.due_ms, T0 + 10 + (int64_t)j);
			assert_false(COMPLETE_DELIVERY(p, claimed->rows[j].delivery.id, 1, DONE));
		}
		claimed_deliveries_free(claimed);
		claimed = claim_within(p, T0, 10, 1000);
		assert_int_equal(claimed->count, 0);
		assert_int_equal(claimed->next_ms, left > 0 ? T0 + 13 - (int64_t)left : INT64_MAX);
		claimed_deliveries_free(claimed);
		claimed = claim_within(p, T0 + 12, 10, 1000);
		assert_int_equal(claimed->count, left);
		for (size_t j = 0; j < claimed->count; j++)
			assert_false(COMPLETE_DELIVERY(p, claimed->rows[j].delivery.id, 1, DONE));
		claimed_deliveries_free(claimed);
	}
	stop(p);
}

static void
test_limits(const struct contract_store *kind)
{
	static const struct {
		size_t max_deliveries, max_bytes, expected;
	} rows[] = {{10, 1000, 5}, {3, 1000, 3}, {0, 1000, 0}, {10, 50, 5},
		    {10, 49, 4},   {10, 9, 1},   {10, 0, 1}};
	static const char record[10] = "123456789";

	struct process *p = start(kind);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct claimed_deliveries *claimed;

		for (size_t j = 0; j < 5; j++)
			push(p, DELIVERY(.record = {record, sizeof(record)}));
		claimed = claim_deliveries_with(
			p, &(struct herald_delivery_claim){.owner = p->node,
							   .now_ms = T0,
							   .max_deliveries = rows[i].max_deliveries,
							   .max_bytes = rows[i].max_bytes,
							   .max_delay_ms = 1000});
		if (claimed->count != rows[i].expected)
			fail_msg("row %zu: %zu", i, claimed->count);
		assert_true(rows[i].expected == 5 || claimed->next_ms <= T0);
		for (size_t j = 0; j < claimed->count; j++)
			assert_false(COMPLETE_DELIVERY(p, claimed->rows[j].delivery.id, 1, DONE));
		purge_all(p);
		claimed_deliveries_free(claimed);
	}
	stop(p);
}

/* Events and deliveries have ids of one sequence, and are not mixed up. */
static void
test_ids(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t last = 0;

	for (int i = 0; i < 10; i++) {
		uint64_t id = i % 3 ? push(p, DELIVERY()) : accept_event(p, EVENT());

		assert_true(id > last);
		last = id;
	}
	claimed_deliveries_free(claim_deliveries(p, T0));
	claims_free(claim_all(p, T0));
	/* The last one is an event. */
	assert_true(COMPLETE_DELIVERY(p, last, 1, DONE));
	assert_false(COMPLETE(p, last, 1, DONE));
	/* The one before is a delivery; its id is not far away. */
	assert_count(p, "t", RUNNING, 3);
	assert_deliveries(p, RUNNING, 6);
	stop(p);
}

static void
test_push_for_owner(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct herald_stored_delivery both[] = {*DELIVERY(.owner = p->node), *DELIVERY()};
	struct herald_error error;

	begin(p);
	assert_works(p->ops->delivery_push(p->session, both, 2, &error), &error);
	assert_works(p->ops->delivery_push(p->session, NULL, 0, &error), &error);
	assert_works(p->ops->delivery_complete(p->session, NULL, 0, &error), &error);
	commit(p);
	assert_int_equal(both[0].owner, p->node);
	assert_int_equal(both[1].owner, 0);
	assert_deliveries(p, RUNNING, 1);
	assert_false(COMPLETE_DELIVERY(p, both[0].id, 1, DONE));
	assert_int_equal(claim_delivery(p, both[1].id, T0), 1);
	stop(p);
}

static void
test_retry(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = push(p, DELIVERY());
	struct claimed_deliveries *claimed;

	assert_int_equal(claim_delivery(p, id, T0), 1);
	assert_false(COMPLETE_DELIVERY(p, id, 1, RETRY, .due_ms = T0 + 60, .expires_ms = T0 + 777,
				       .http_status = 502, .reason = "schlüssel: \"x\"",
				       .new_attempts = 3));
	claimed = claim_deliveries(p, T0 + 59);
	assert_int_equal(claimed->count, 0);
	assert_int_equal(claimed->next_ms, T0 + 60);
	claimed_deliveries_free(claimed);
	claimed = claim_deliveries(p, T0 + 60);
	assert_int_equal(claimed->count, 1);
	assert_int_equal(claimed->rows[0].delivery.attempts, 4);
	assert_int_equal(claimed->rows[0].delivery.due_ms, T0 + 60);
	assert_int_equal(claimed->rows[0].delivery.expires_ms, T0 + 777);
	assert_int_equal(claimed->rows[0].delivery.created_ms, T0);
	assert_int_equal(claimed->rows[0].delivery.last_http_status, 502);
	assert_string_equal(claimed->rows[0].delivery.last_error, "schlüssel: \"x\"");
	assert_string_equal(claimed->rows[0].delivery.delivery_id, "d");
	claimed_deliveries_free(claimed);
	/* The attempts that have begun in fact may be fewer than those claimed. */
	assert_false(COMPLETE_DELIVERY(p, id, 4, RETRY, .new_attempts = 0));
	assert_int_equal(claim_delivery(p, id, T0), 1);
	stop(p);
}

static void
test_release(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = push(p, DELIVERY(.due_ms = T0 + 4));

	for (int i = 0; i < 3; i++) {
		assert_int_equal(claim_delivery(p, id, T0 + 4), 1);
		assert_false(COMPLETE_DELIVERY(p, id, 1, RELEASE, .due_ms = T0 + 500));
	}
	/* It was due, and so it is. If it may have been sent, its attempt counts. */
	assert_int_equal(claim_delivery(p, id, T0 + 3), 1);
	assert_false(COMPLETE_DELIVERY(p, id, 1, RELEASE, .may_have_run = true));
	assert_int_equal(claim_delivery(p, id, T0 + 3), 2);
	assert_false(COMPLETE_DELIVERY(p, id, 2, RELEASE));
	assert_int_equal(claim_delivery(p, id, T0 + 3), 2);
	stop(p);
}

static void
test_fence(const struct contract_store *kind)
{
	static const int rows[][3] = {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, -1}};
	static const enum herald_completion_kind kinds[] = {
		HERALD_COMPLETE_DONE, HERALD_COMPLETE_RETRY, HERALD_COMPLETE_RELEASE,
		HERALD_COMPLETE_DEAD};
	struct process *p = start(kind);
	uint64_t id = push(p, DELIVERY());

	claim_delivery(p, id, T0);
	assert_false(COMPLETE_DELIVERY(p, id, 1, RETRY));
	claim_delivery(p, id, T0);
	for (size_t i = 0; i < COUNT(rows) * COUNT(kinds); i++) {
		const int *row = rows[i / COUNT(kinds)];

		assert_true(complete_delivery_with(
			p, (struct herald_delivery_completion){.id = id + (uint64_t)row[0],
							       .owner = p->node + (uint64_t)row[1],
							       .attempts = 2 + (unsigned)row[2],
							       .kind = kinds[i % COUNT(kinds)],
							       .now_ms = T0,
							       .due_ms = T0,
							       .expires_ms = T0,
							       .why = HERALD_DEAD_REFUSED,
							       .reason = "late"}));
		assert_deliveries(p, RUNNING, 1);
	}
	assert_false(COMPLETE_DELIVERY(p, id, 2, DONE, .reason = NULL));
	assert_deliveries(p, RUNNING, 0);
	assert_true(COMPLETE_DELIVERY(p, id, 2, DEAD));
	assert_deliveries(p, DEAD, 0);
	stop(p);
}

static void
test_twice_in_one_call(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = push(p, DELIVERY());
	struct herald_delivery_completion both[2];
	struct herald_error error;

	claim_delivery(p, id, T0);
	for (size_t i = 0; i < 2; i++)
		both[i] = (struct herald_delivery_completion){.id = id,
							      .owner = p->node,
							      .attempts = 1,
							      .kind = i ? HERALD_COMPLETE_DONE
									: HERALD_COMPLETE_DEAD,
							      .now_ms = T0,
							      .why = HERALD_DEAD_EXPIRED,
							      .reason = "too late"};
	begin(p);
	assert_works(p->ops->delivery_complete(p->session, both, 2, &error), &error);
	commit(p);
	assert_false(both[0].is_lost);
	assert_true(both[1].is_lost);
	assert_deliveries(p, DEAD, 1);
	stop(p);
}

struct owned {
	uint64_t ids[16];
	unsigned attempts[16];
	size_t count;
};

static bool
keep_owned(const struct herald_stored_delivery *delivery, void *state)
{
	struct owned *owned = state;

	owned->attempts[owned->count] = delivery->attempts;
	owned->ids[owned->count++] = delivery->id;
	return true;
}

/* wolverine#2361: deliveries of a claim whose outcome was not known are found. */
static void
test_owned(const struct contract_store *kind)
{
	struct process *p = start(kind);
	uint64_t id = push(p, DELIVERY());
	struct owned owned = {.count = 0};
	struct herald_error error;

	push(p, DELIVERY(.due_ms = T0 + 50));
	accept_event(p, EVENT(.owner = p->node));
	claim_delivery(p, id, T0);
	begin(p);
	assert_works(p->ops->delivery_owned(p->session, p->node, keep_owned, &owned, &error),
		     &error);
	commit(p);
	assert_int_equal(owned.count, 1);
	assert_int_equal(owned.ids[0], id);
	assert_int_equal(owned.attempts[0], 1);
	assert_false(COMPLETE_DELIVERY(p, id, 1, RELEASE));
	owned.count = 0;
	begin(p);
	assert_works(p->ops->delivery_owned(p->session, p->node, keep_owned, &owned, &error),
		     &error);
	commit(p);
	assert_int_equal(owned.count, 0);
	stop(p);
}

static void
push_many(struct process *p, const char *origin, size_t count)
{
	static struct herald_stored_delivery deliveries[MAX_ROWS];
	struct herald_error error;

	for (size_t i = 0; i < MAX_ROWS && i < count; i++)
		deliveries[i] = *DELIVERY(.origin = origin, .event_type = origin);
	for (size_t pushed = 0, part; pushed < count; pushed += part) {
		part = count - pushed < MAX_ROWS ? count - pushed : MAX_ROWS;
		begin(p);
		assert_works(p->ops->delivery_push(p->session, deliveries, part, &error), &error);
		commit(p);
	}
}

#define SILENT "http://silent.example:80"

/* Claim until `count` deliveries to other receivers are through. Those to the silent one are
 * retried later. Returns the number of the latter. */
static size_t
claim_others(struct process *p, size_t count)
{
	size_t silent_count = 0;

	while (count > 0) {
		struct claimed_deliveries *claimed = claim_deliveries_with(
			p, &(struct herald_delivery_claim){.owner = p->node,
							   .now_ms = T0,
							   .max_deliveries = 100,
							   .max_bytes = (size_t)1 << 20,
							   .max_delay_ms = 3600000});

		assert_true(claimed->count > 0);
		for (size_t i = 0; i < claimed->count; i++) {
			const struct herald_stored_delivery *row = &claimed->rows[i].delivery;
			bool is_silent = strcmp(row->origin, SILENT) == 0;

			silent_count += is_silent;
			count -= !is_silent;
			assert_false(is_silent ? COMPLETE_DELIVERY(p, row->id, 1, RETRY,
								   .due_ms = T0 + 60000)
					       : COMPLETE_DELIVERY(p, row->id, 1, DONE));
		}
		claimed_deliveries_free(claimed);
	}
	return silent_count;
}

/* A silent receiver with many deliveries: others are not kept waiting, and once the first ones of
 * the silent one wait for their retries, a claim does not see it at all. */
static void
test_silent_origin(const struct contract_store *kind)
{
	const size_t silent_count = kind->is_small ? 2000 : 100000;
	struct process *p = start(kind);

	push_many(p, SILENT, silent_count);
	push_many(p, "http://other.example:80", 1);
	assert_true(count_of(p, true, NULL, HERALD_COUNT_READY) <= 1000);
	assert_true(count_of(p, true, NULL, HERALD_COUNT_BLOCKED) >= silent_count - 1000);
	assert_true(claim_others(p, 1) <= 1000);
	push_many(p, "http://other.example:80", 200);
	assert_int_equal(claim_others(p, 200), 0);
	stop(p);
}

/* convoy#1977, MassTransit#5339: blocked deliveries come through when those before them have
 * ended, however they end. */
static void
test_blocked_ones_come_through(const struct contract_store *kind)
{
	struct process *p = start(kind);
	size_t ended = 0, total = 1300;

	push_many(p, "http://a.example:80", total);
	while (ended < total) {
		struct claimed_deliveries *claimed = claim_deliveries(p, T0);
		struct herald_delivery_completion *completions =
			calloc(claimed->count, sizeof(completions[0]));
		struct herald_error error;

		assert_non_null(completions);
		assert_true(claimed->count > 0);
		for (size_t i = 0; i < claimed->count; i++) {
			const struct herald_stored_delivery *row = &claimed->rows[i].delivery;
			bool retries = i % 5 == 0 && row->attempts < 3;

			completions[i] = (struct herald_delivery_completion){
				.id = row->id,
				.owner = p->node,
				.attempts = row->attempts,
				.new_attempts = row->attempts,
				.kind = retries      ? HERALD_COMPLETE_RETRY
					: i % 7 == 0 ? HERALD_COMPLETE_DEAD
						     : HERALD_COMPLETE_DONE,
				.now_ms = T0,
				.due_ms = T0,
				.expires_ms = T0 + 1000,
				.why = HERALD_DEAD_REFUSED,
				.reason = "no"};
			ended += !retries;
		}
		begin(p);
		assert_works(
			p->ops->delivery_complete(p->session, completions, claimed->count, &error),
			&error);
		commit(p);
		for (size_t i = 0; i < claimed->count; i++)
			assert_false(completions[i].is_lost);
		free(completions);
		claimed_deliveries_free(claimed);
	}
	assert_deliveries(p, READY, 0);
	assert_deliveries(p, BLOCKED, 0);
	assert_deliveries(p, RUNNING, 0);
	stop(p);
}

/* Purged, dropped or replayed: those that waited go on, and nothing is stuck. */
static void
test_blocked_ones_after_a_purge(const struct contract_store *kind)
{
	struct process *p = start(kind);
	struct claimed_deliveries *claimed;
	struct herald_error error;
	uint64_t count;
	size_t through = 0;

	push_many(p, "http://a.example:80", 1300);
	begin(p);
	assert_works(find_and_purge(p, &(struct herald_purge_filter){.deliveries = true}, 1000,
				    &count, &error),
		     &error);
	commit(p);
	assert_int_equal(count, 1000);
	for (int i = 0; i < 10 && through < 300; i++) {
		claimed = claim_deliveries(p, T0);
		for (size_t j = 0; j < claimed->count; j++) {
			uint64_t id = claimed->rows[j].delivery.id;

			assert_false(COMPLETE_DELIVERY(p, id, 1, DONE));
			through++;
		}
		claimed_deliveries_free(claimed);
	}
	assert_int_equal(through, 300);
	stop(p);
}

const struct contract_store_case contract_store_deliveries[] = {
	{"test_delivery_all_members", test_all_members, NEEDS_NOTHING},
	{"test_delivery_order", test_order, NEEDS_NOTHING},
	{"test_delivery_due", test_due, NEEDS_NOTHING},
	{"test_delivery_clock_set_back", test_clock_set_back, NEEDS_NOTHING},
	{"test_late_deliveries_that_are_left", test_late_ones_that_are_left, NEEDS_NOTHING},
	{"test_delivery_limits", test_limits, NEEDS_NOTHING},
	{"test_delivery_ids", test_ids, NEEDS_NOTHING},
	{"test_push_for_owner", test_push_for_owner, NEEDS_NOTHING},
	{"test_delivery_retry", test_retry, NEEDS_NOTHING},
	{"test_delivery_release", test_release, NEEDS_NOTHING},
	{"test_delivery_fence", test_fence, NEEDS_NOTHING},
	{"test_delivery_twice_in_one_call", test_twice_in_one_call, NEEDS_NOTHING},
	{"test_delivery_owned", test_owned, NEEDS_NOTHING},
	{"test_silent_origin", test_silent_origin, NEEDS_NOTHING},
	{"test_blocked_ones_come_through", test_blocked_ones_come_through, NEEDS_NOTHING},
	{"test_blocked_ones_after_a_purge", test_blocked_ones_after_a_purge, NEEDS_NOTHING},
};
const size_t contract_store_deliveries_count = COUNT(contract_store_deliveries);
