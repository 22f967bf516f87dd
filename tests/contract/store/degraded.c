/*
 * Many rows that nothing is done with: events that wait behind two others with their keys, and
 * events that are pending, all of them due at the same time. What is claimed is right, and a claim
 * and the ends of what it has claimed read as much as without them. HERALD_TEST_ROWS is how many
 * there are; default 100,000.
 */
#include <stdlib.h>
#include <string.h>

#include "probe.h"

/* Claimed at a time, and how often. */
#define BATCH 100
#define ROUNDS 5

/* Reads of a claim that do not depend on the number of events. */
#define SLACK 100

static size_t
rows_wanted(const struct contract_store *kind)
{
	const char *text = getenv("HERALD_TEST_ROWS");

	return kind->is_small ? 2000 : text ? strtoul(text, NULL, 10) : 100000;
}

/* Their keys are `key` and `key + 1` in turns, or 0: none. */
static void
accept_many(struct process *p, const char *type, size_t count, int64_t key)
{
	static struct herald_stored_event events[MAX_ROWS];
	struct herald_error error;

	for (size_t done = 0, part; done < count; done += part) {
		part = count - done < MAX_ROWS ? count - done : MAX_ROWS;
		for (size_t i = 0; i < part; i++)
			events[i] = *EVENT(.event_type = type,
					   .key_hash = key ? key + (int64_t)(i % 2) : 0);
		begin(p);
		assert_works(p->ops->accept(p->session, events, part, &error), &error);
		commit(p);
		if (p->ops->has_leases)
			assert_works(p->ops->node_renew(p->nodes, p->node, T0, &error), &error);
	}
}

/* Claim up to `max` events, which must be of this type. */
static struct claims *
claim_of(struct process *p, const char *type, size_t max)
{
	struct claims *claims = claim_with(p, &(struct herald_claim){.queue = "q",
								     .owner = p->node,
								     .now_ms = T0,
								     .max_events = max,
								     .max_bytes = (size_t)1 << 30});

	for (size_t i = 0; i < claims->count; i++)
		assert_string_equal(claims->rows[i].event.event_type, type);
	return claims;
}

static void
end_all(struct process *p, const struct claims *claims)
{
	struct herald_completion ends[BATCH];
	struct herald_error error;

	for (size_t i = 0; i < claims->count; i++)
		ends[i] = (struct herald_completion){.id = claims->rows[i].event.id,
						     .owner = p->node,
						     .attempts = claims->rows[i].event.attempts,
						     .key_hash = claims->rows[i].event.key_hash,
						     .now_ms = T0,
						     .offset = -1,
						     .path = "",
						     .kind = HERALD_COMPLETE_DONE};
	begin(p);
	assert_works(p->ops->complete(p->session, ends, claims->count, &error), &error);
	commit(p);
	for (size_t i = 0; i < claims->count; i++)
		assert_false(ends[i].is_lost);
}

static uint64_t
reads(const struct process *p)
{
	return p->kind->reads ? p->kind->reads(p->place, p->ops->handle(p->session)) : 0;
}

/* What it costs to claim and end 500 events of this type. */
static uint64_t
cost_of(struct process *p, const char *type)
{
	uint64_t before = reads(p);

	for (int i = 0; i < ROUNDS; i++) {
		struct claims *claims = claim_of(p, type, BATCH);

		assert_int_equal(claims->count, BATCH);
		end_all(p, claims);
		claims_free(claims);
	}
	return reads(p) - before;
}

/* What waits for a key costs others nothing, and goes on one by one. */
static void
test_many_behind_two_keys(const struct contract_store *kind)
{
	const size_t count = rows_wanted(kind);
	struct process *p = start(kind);

	accept_many(p, "free", BATCH * ROUNDS, 0);
	uint64_t alone = cost_of(p, "free");
	accept_many(p, "stuck", count, 7);
	struct claims *first = claim_of(p, "stuck", BATCH);
	assert_int_equal(first->count, 2);
	accept_many(p, "free", BATCH * ROUNDS, 0);
	uint64_t beside = cost_of(p, "free");
	assert_true(beside <= 2 * alone + SLACK);
	assert_count(p, "stuck", BLOCKED, count - 2);

	uint64_t before = reads(p);
	for (int i = 0; i < ROUNDS; i++) {
		end_all(p, first);
		claims_free(first);
		first = claim_of(p, "stuck", BATCH);
		assert_int_equal(first->count, 2);
	}
	assert_true(reads(p) - before <= alone / ROUNDS + SLACK);
	claims_free(first);
	assert_count(p, "stuck", BLOCKED, count - 2 - 2 * ROUNDS);
	stop(p);
}

static void
test_many_pending(const struct contract_store *kind)
{
	const size_t count = rows_wanted(kind);
	struct process *p = start(kind);

	accept_many(p, "t", 2 * BATCH * ROUNDS, 0);
	uint64_t few = cost_of(p, "t");
	accept_many(p, "t", count, 0);
	uint64_t many = cost_of(p, "t");
	assert_true(many <= 2 * few + SLACK);
	assert_count(p, "t", READY, count);
	stop(p);
}

const struct contract_store_case contract_store_degraded[] = {
	{"test_many_behind_two_keys", test_many_behind_two_keys, NEEDS_NOTHING},
	{"test_many_pending", test_many_pending, NEEDS_NOTHING},
};
const size_t contract_store_degraded_count = COUNT(contract_store_degraded);
