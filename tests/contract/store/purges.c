/*
 * Purges: what they find, count and delete, and what has started meanwhile.
 */
#include "probe.h"

/* Within a transaction. */
static uint64_t
purge_in(struct process *p, const struct herald_purge_filter *filter, size_t max)
{
	struct herald_error error;
	uint64_t count;

	assert_works(find_and_purge(p, filter, max, &count, &error), &error);
	return count;
}

/* What is purged by the filter; NULL: events that are not finished. */
static uint64_t
pending(struct process *p, const struct herald_purge_filter *filter)
{
	struct herald_error error;
	uint64_t count = 99;

	assert_works(p->ops->pending(p->session, filter, &count, &error), &error);
	return count;
}

static uint64_t
purge(struct process *p, const struct herald_purge_filter *filter, size_t max)
{
	uint64_t count;

	begin(p);
	count = purge_in(p, filter, max);
	commit(p);
	return count;
}

static void
test_purge(const struct contract_store *kind)
{
	static const struct {
		struct herald_purge_filter filter;
		uint64_t expected;
	} rows[] = {
		{{0}, 5},
		{{.queue = "q"}, 4},
		{{.queue = "q2"}, 1},
		{{.queue = "x"}, 0},
		{{.event_type = "a"}, 2},
		{{.event_type = "a", .queue = "q"}, 1},
		{{.created_before_ms = T0}, 1},
		{{.created_before_ms = T0 + 1}, 5},
		{{.deliveries = true}, 2},
		{{.deliveries = true, .event_type = "a"}, 1},
		{{.deliveries = true, .created_before_ms = T0 + 1}, 1},
		/* Deliveries are in no queue. */
		{{.deliveries = true, .queue = "q"}, 0},
		{{.deliveries = true, .queue = ""}, 2},
	};

	struct process *p = start(kind);

	accept_event(p, EVENT(.event_type = "a"));
	accept_event(p, EVENT(.event_type = "a", .queue = "q2"));
	accept_event(p, EVENT(.created_ms = T0 - 1, .due_ms = T0 + 1000));
	accept_event(p, EVENT(.event_type = "k", .key_hash = 1));
	accept_event(p, EVENT(.event_type = "k", .key_hash = 1));
	accept_event(p, EVENT(.event_type = "a", .owner = p->node));
	kill_event(p, EVENT(.event_type = "a"), HERALD_DEAD_FAILED, 0);
	push(p, DELIVERY(.event_type = "a"));
	push(p, DELIVERY(.created_ms = T0 + 1));
	push(p, DELIVERY(.event_type = "a", .owner = p->node));
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (pending(p, &rows[i].filter) != rows[i].expected)
			fail_msg("row %zu is counted wrongly", i);
		begin(p);
		if (purge_in(p, &rows[i].filter, 100) != rows[i].expected)
			fail_msg("row %zu", i);
		assert_int_equal(pending(p, &rows[i].filter), 0);
		assert_int_equal(purge_in(p, &rows[i].filter, 100), 0);
		assert_count(p, NULL, RUNNING, 1);
		assert_count(p, NULL, DEAD, 1);
		assert_deliveries(p, RUNNING, 1);
		rollback(p);
	}
	stop(p);
}

static void
test_purge_max(const struct contract_store *kind)
{
	struct process *p = start(kind);

	for (int i = 0; i < 10; i++)
		accept_event(p, EVENT(.key_hash = 3));
	for (int left = 10; left > 0; left -= 4)
		assert_int_equal(purge(p, &(struct herald_purge_filter){0}, 4),
				 left < 4 ? left : 4);
	assert_int_equal(count_events(p), 0);
	stop(p);
}

/* What has started since it was found, is not deleted, nor what is gone. */
static void
test_purge_by_id(const struct contract_store *kind)
{
	const struct herald_purge_filter type = {.event_type = "a"}, none = {.event_type = "b"};
	struct process *p = start(kind);
	struct herald_error error;
	uint64_t all[5], found[5] = {0}, count;
	size_t found_count;

	for (size_t i = 0; i < COUNT(all); i++)
		all[i] = accept_event(p, EVENT(.event_type = "a", .due_ms = T0 + (int64_t)i));
	/* In pages. */
	assert_works(p->ops->purge_find(p->session, &type, 0, 2, found, &found_count, &error),
		     &error);
	assert_int_equal(found_count, 2);
	assert_memory_equal(found, all, 2 * sizeof(all[0]));
	assert_works(p->ops->purge_find(p->session, &type, all[1], 5, found, &found_count, &error),
		     &error);
	assert_int_equal(found_count, 3);
	assert_memory_equal(found, all + 2, 3 * sizeof(all[0]));
	assert_works(p->ops->purge_find(p->session, &type, all[4], 5, found, &found_count, &error),
		     &error);
	assert_int_equal(found_count, 0);

	claim_only(p, all[0], T0);
	begin(p);
	assert_works(p->ops->purge(p->session, &none, all, COUNT(all), &count, &error), &error);
	assert_int_equal(count, 0);
	assert_works(p->ops->purge(p->session, &type, all, 2, &count, &error), &error);
	assert_int_equal(count, 1);
	commit(p);
	assert_int_equal(purge(p, &type, 1), 1);
	begin(p);
	assert_works(p->ops->purge(p->session, &type, all, COUNT(all), &count, &error), &error);
	commit(p);
	assert_int_equal(count, 2);
	assert_count(p, NULL, RUNNING, 1);
	assert_int_equal(count_events(p), 1);
	stop(p);
}

/* Events count in every state but as dead letters; deliveries do not. */
static void
test_pending(const struct contract_store *kind)
{
	struct process *p = start(kind);

	assert_int_equal(pending(p, NULL), 0);
	accept_event(p, EVENT());
	accept_event(p, EVENT(.queue = "q2"));
	accept_event(p, EVENT(.due_ms = T0 + 1000));
	accept_event(p, EVENT(.key_hash = 1));
	accept_event(p, EVENT(.key_hash = 1));
	accept_event(p, EVENT(.owner = p->node));
	push(p, DELIVERY());
	push(p, DELIVERY(.owner = p->node));
	assert_int_equal(pending(p, NULL), 6);
	kill_event(p, EVENT(), HERALD_DEAD_FAILED, 0);
	assert_int_equal(pending(p, NULL), 6);
	purge_all(p);
	assert_int_equal(pending(p, NULL), 1);
	stop(p);
}

/* The events at most are not fewer than there are, and not many times as many. */
static void
test_pending_most(const struct contract_store *kind)
{
	static struct herald_stored_event events[1000];
	struct process *p = start(kind);
	const uint64_t count = 3 * COUNT(events);
	struct herald_error error;
	uint64_t most = 0;

	if (p->ops->pending_most) {
		assert_works(p->ops->pending_most(p->session, &most, &error), &error);
		assert_in_range(most, 0, count);
		for (uint64_t i = 0; i < count; i += COUNT(events)) {
			for (size_t j = 0; j < COUNT(events); j++)
				events[j] = *EVENT();
			begin(p);
			assert_works(p->ops->accept(p->session, events, COUNT(events), &error),
				     &error);
			commit(p);
		}
		assert_works(p->ops->pending_most(p->session, &most, &error), &error);
		assert_in_range(most, count, 3 * count);
	}
	stop(p);
}

const struct contract_store_case contract_store_purges[] = {
	{"test_purge", test_purge, NEEDS_NOTHING},
	{"test_purge_max", test_purge_max, NEEDS_NOTHING},
	{"test_purge_by_id", test_purge_by_id, NEEDS_NOTHING},
	{"test_pending", test_pending, NEEDS_NOTHING},
	{"test_pending_most", test_pending_most, NEEDS_NOTHING},
};
const size_t contract_store_purges_count = COUNT(contract_store_purges);
