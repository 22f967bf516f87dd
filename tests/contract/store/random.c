/*
 * Random sequences of calls, made on the database and on the model, with the same results. Rows are
 * few and keys are fewer, so that they meet often. The seed is printed if a sequence fails;
 * HERALD_TEST_SEED repeats it, HERALD_TEST_SECONDS sets how long new ones are drawn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probe.h"
#include "support/draw.h"
#include "support/model_database.h"

#define STEPS 40
#define MAX_IDS 4096

/* Both databases, and the ids of the same row in each. */
struct pair {
	struct process *p, *model;
	uint64_t seed, state; /* of the draws */
	int64_t now_ms;
	uint64_t ids[MAX_IDS][2]; /* of the database, of the model */
	size_t ids_count;
};

/* A difference, with what repeats it. */
#define SAME(PAIR, CONDITION)                                                                      \
	do {                                                                                       \
		if (!(CONDITION))                                                                  \
			fail_msg("HERALD_TEST_SEED=%llu: %s", (unsigned long long)(PAIR)->seed,    \
				 #CONDITION);                                                      \
	} while (0)

static void *
place_create(void)
{
	return model_create(&(struct model_options){.has_leases = false});
}

static void
place_destroy(void *place)
{
	model_destroy(place);
}

static struct herald_database *
create(void *place)
{
	return model_open(place);
}

static const struct contract_store model_kind = {.name = "model",
						 .place_create = place_create,
						 .place_destroy = place_destroy,
						 .create = create};

static uint64_t
below(struct pair *pair, uint64_t limit)
{
	return draw_below(&pair->state, limit);
}

static const char *
word(struct pair *pair)
{
	static const char *const words[] = {"", "a", "b", "ü", "A"};

	return words[below(pair, COUNT(words))];
}

static struct herald_text
bytes(struct pair *pair)
{
	static const char data[] = "\0\xff{}[]\n'\\binary";

	return (struct herald_text){data, below(pair, sizeof(data))};
}

static void
add_ids(struct pair *pair, uint64_t id, uint64_t model_id)
{
	SAME(pair, pair->ids_count < MAX_IDS);
	pair->ids[pair->ids_count][0] = id;
	pair->ids[pair->ids_count++][1] = model_id;
}

/* The id in the database of what has this one in the model. */
static uint64_t
id_of(const struct pair *pair, uint64_t model_id)
{
	for (size_t i = pair->ids_count; i > 0; i--)
		if (pair->ids[i - 1][1] == model_id)
			return pair->ids[i - 1][0];
	return 0;
}

/* Calls within a transaction. */

static void
draw_accept(struct pair *pair)
{
	struct herald_stored_event events[6], copies[6];
	unsigned char keys[6][HERALD_SEEN_KEY_BYTES];
	size_t count = 1 + below(pair, COUNT(events));
	struct herald_error error;

	for (size_t i = 0; i < count; i++) {
		bool owned = below(pair, 3) == 0;

		memset(keys[i], (int)below(pair, 30), sizeof(keys[i]));
		events[i] = *EVENT(.queue = below(pair, 4) ? "q" : "r", .event_type = word(pair),
				   .source = word(pair), .event_id = word(pair),
				   .content_type = word(pair), .attributes = bytes(pair),
				   .data = bytes(pair), .created_ms = pair->now_ms,
				   .due_ms = pair->now_ms + (int64_t)below(pair, 3) * 20,
				   .key_hash = below(pair, 2) ? 1 + below(pair, 3) : 0,
				   .holds_key = below(pair, 2),
				   .seen_key = below(pair, 2) ? keys[i] : NULL);
		copies[i] = events[i];
		events[i].owner = owned ? pair->p->node : 0;
		copies[i].owner = owned ? pair->model->node : 0;
	}
	assert_works(pair->p->ops->accept(pair->p->session, events, count, &error), &error);
	assert_works(pair->model->ops->accept(pair->model->session, copies, count, &error), &error);
	for (size_t i = 0; i < count; i++) {
		SAME(pair, events[i].is_duplicate == copies[i].is_duplicate);
		SAME(pair, (events[i].owner == 0) == (copies[i].owner == 0));
		if (!events[i].is_duplicate)
			add_ids(pair, events[i].id, copies[i].id);
	}
}

/* The rows of the model's node that are RUNNING. */
static size_t
running_rows(struct pair *pair, bool deliveries, const struct model_row *rows[MAX_IDS])
{
	const struct model_tables *tables = model_in_transaction(pair->model->session);
	size_t count = 0;

	for (size_t i = 0; i < tables->rows_count; i++)
		if (tables->rows[i]->state == MODEL_RUNNING &&
		    tables->rows[i]->is_delivery == deliveries)
			rows[count++] = tables->rows[i];
	return count;
}

static struct herald_completion
completion_of(struct pair *pair, const struct model_row *row)
{
	return (struct herald_completion){
		.id = row->id,
		.owner = pair->model->node,
		.attempts = below(pair, 8) ? row->attempts : row->attempts + 1,
		.replays = below(pair, 8) ? row->replays : row->replays + 1,
		.kind = (enum herald_completion_kind)below(pair, 4),
		.key_hash = row->key_hash,
		.is_held = row->key_hash != 0 && below(pair, 3) == 0,
		.now_ms = pair->now_ms,
		.due_ms = pair->now_ms + (int64_t)below(pair, 40),
		.why = (enum herald_dead_reason)(1 + below(pair, HERALD_DEAD_REASON_COUNT - 1)),
		.reason = word(pair),
		.path = word(pair),
		.offset = (int64_t)below(pair, 9) - 1,
	};
}

static void
draw_complete(struct pair *pair)
{
	const struct model_row *rows[MAX_IDS];
	struct herald_completion completions[8], copies[8];
	size_t running = running_rows(pair, false, rows);
	size_t count = running > 0 ? below(pair, COUNT(copies)) : 0;
	struct herald_error error;

	for (size_t i = 0; i < count; i++) {
		copies[i] = completion_of(pair, rows[below(pair, running)]);
		completions[i] = copies[i];
		completions[i].id = id_of(pair, copies[i].id);
		completions[i].owner = pair->p->node;
	}
	assert_works(pair->p->ops->complete(pair->p->session, completions, count, &error), &error);
	assert_works(pair->model->ops->complete(pair->model->session, copies, count, &error),
		     &error);
	for (size_t i = 0; i < count; i++)
		SAME(pair, completions[i].is_lost == copies[i].is_lost);
}

static void
draw_push(struct pair *pair)
{
	bool owned = below(pair, 3) == 0;
	struct herald_stored_delivery delivery =
		*DELIVERY(.delivery_id = word(pair), .url = word(pair), .origin = "http://a:80",
			  .event_type = word(pair), .event_id = word(pair), .record = bytes(pair),
			  .created_ms = pair->now_ms,
			  .due_ms = pair->now_ms + (int64_t)below(pair, 40),
			  .expires_ms = pair->now_ms + 500);
	struct herald_stored_delivery copy = delivery;
	struct herald_error error;

	if (model_in_transaction(pair->model->session)->rows_count > 150)
		return; /* before deliveries of one origin are BLOCKED: how many is not the same */
	delivery.owner = owned ? pair->p->node : 0;
	copy.owner = owned ? pair->model->node : 0;
	assert_works(pair->p->ops->delivery_push(pair->p->session, &delivery, 1, &error), &error);
	assert_works(pair->model->ops->delivery_push(pair->model->session, &copy, 1, &error),
		     &error);
	SAME(pair, (delivery.owner == 0) == (copy.owner == 0));
	add_ids(pair, delivery.id, copy.id);
}

static void
draw_delivery_complete(struct pair *pair)
{
	const struct model_row *rows[MAX_IDS];
	size_t running = running_rows(pair, true, rows);
	struct herald_delivery_completion completion, copy;
	struct herald_error error;

	if (running == 0)
		return;
	copy = (struct herald_delivery_completion){
		.owner = pair->model->node,
		.kind = (enum herald_completion_kind)below(pair, 4),
		.now_ms = pair->now_ms,
		.due_ms = pair->now_ms + (int64_t)below(pair, 40),
		.expires_ms = pair->now_ms + 900,
		.http_status = (unsigned)below(pair, 600),
		.why = (enum herald_dead_reason)(1 + below(pair, HERALD_DEAD_REASON_COUNT - 1)),
		.reason = word(pair),
	};
	running = below(pair, running);
	copy.id = rows[running]->id;
	copy.attempts = below(pair, 8) ? rows[running]->attempts : 9;
	copy.replays = below(pair, 8) ? rows[running]->replays : 9;
	copy.new_attempts = (unsigned)below(pair, rows[running]->attempts + 1);
	completion = copy;
	completion.id = id_of(pair, copy.id);
	completion.owner = pair->p->node;
	assert_works(pair->p->ops->delivery_complete(pair->p->session, &completion, 1, &error),
		     &error);
	assert_works(pair->model->ops->delivery_complete(pair->model->session, &copy, 1, &error),
		     &error);
	SAME(pair, completion.is_lost == copy.is_lost);
}

static void
draw_seen(struct pair *pair)
{
	unsigned char key[HERALD_SEEN_KEY_BYTES];
	struct herald_error error;
	bool is_new, is_new_there;

	memset(key, (int)below(pair, 30), sizeof(key));
	assert_works(pair->p->ops->seen(pair->p->session, key, &is_new, &error), &error);
	assert_works(pair->model->ops->seen(pair->model->session, key, &is_new_there, &error),
		     &error);
	SAME(pair, is_new == is_new_there);
	assert_works(pair->p->ops->seen_rotate(pair->p->session, pair->now_ms, 200, &error),
		     &error);
	assert_works(pair->model->ops->seen_rotate(pair->model->session, pair->now_ms, 200, &error),
		     &error);
}

static struct herald_dead_filter
draw_filter(struct pair *pair)
{
	return (struct herald_dead_filter){
		.kind = (enum herald_dead_kind)below(pair, 3),
		.queue = below(pair, 4) ? NULL : "q",
		.event_type = below(pair, 3) ? NULL : word(pair),
		.source = below(pair, 6) ? NULL : word(pair),
		.event_id = below(pair, 6) ? NULL : word(pair),
		.destination = below(pair, 6) ? NULL : word(pair),
		.reason = below(pair, 3)
				  ? HERALD_DEAD_ANY
				  : (enum herald_dead_reason)below(pair, HERALD_DEAD_REASON_COUNT),
		.from_ms = below(pair, 4) ? 0 : pair->now_ms - (int64_t)below(pair, 300),
		.to_ms = below(pair, 4) ? 0 : pair->now_ms - (int64_t)below(pair, 300),
		.limit = below(pair, 4) ? 0 : below(pair, 5),
	};
}

static void
draw_dead_change(struct pair *pair)
{
	struct herald_dead_filter filter = draw_filter(pair);
	bool replays = below(pair, 2);
	size_t max = 1 + below(pair, 6);
	struct herald_error error;
	uint64_t counts[2];

	/* Which ones are dropped first is not said. */
	if (!replays && herald_dead_filter_is_by_age(&filter)) {
		filter.limit = 0;
		max = 1000;
	}
	for (size_t i = 0; i < 2; i++) {
		struct process *p = i ? pair->model : pair->p;

		if (replays)
			assert_works(p->ops->dead_replay(p->session, &filter, max, pair->now_ms,
							 &counts[i], &error),
				     &error);
		else
			assert_works(
				p->ops->dead_drop(p->session, &filter, max, &counts[i], &error),
				&error);
	}
	SAME(pair, counts[0] == counts[1]);
}

static void
draw_purge(struct pair *pair)
{
	struct herald_purge_filter filter = {
		.deliveries = below(pair, 2),
		.event_type = word(pair),
		.created_before_ms = below(pair, 2) ? 0 : pair->now_ms - (int64_t)below(pair, 100),
	};
	struct herald_error error;
	uint64_t counts[2];

	if (!filter.deliveries && below(pair, 2))
		filter.queue = "q";
	for (size_t i = 0; i < 2; i++) {
		struct process *p = i ? pair->model : pair->p;

		assert_works(find_and_purge(p, &filter, 1000, &counts[i], &error), &error);
	}
	SAME(pair, counts[0] == counts[1]);
}

static void
draw_trim(struct pair *pair)
{
	const uint64_t keep = below(pair, 2) ? 0 : below(pair, 8);
	struct herald_error error;
	uint64_t counts[2];

	for (size_t i = 0; i < 2; i++) {
		struct process *p = i ? pair->model : pair->p;

		assert_works(find_and_trim(p, keep, 1000, &counts[i], &error), &error);
	}
	SAME(pair, counts[0] == counts[1]);
}

static void
draw_call(struct pair *pair)
{
	switch (below(pair, 24)) {
	default:
		draw_accept(pair);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
	case 12:
		draw_complete(pair);
		break;
	case 13:
	case 14:
		draw_push(pair);
		break;
	case 15:
	case 16:
		draw_delivery_complete(pair);
		break;
	case 17:
	case 18:
		draw_seen(pair);
		break;
	case 19:
	case 20:
	case 21:
		draw_dead_change(pair);
		break;
	case 22:
		draw_purge(pair);
		break;
	case 23:
		if (below(pair, 3) == 0)
			draw_trim(pair);
		break;
	}
}

static void
both(struct pair *pair, enum herald_status (*call)(struct process *p, struct herald_error *error))
{
	struct herald_error error;

	assert_works(call(pair->p, &error), &error);
	assert_works(call(pair->model, &error), &error);
}

static enum herald_status
savepoint(struct process *p, struct herald_error *error)
{
	return p->ops->savepoint(p->session, error);
}

static enum herald_status
savepoint_release(struct process *p, struct herald_error *error)
{
	return p->ops->savepoint_release(p->session, error);
}

static enum herald_status
savepoint_rollback(struct process *p, struct herald_error *error)
{
	return p->ops->savepoint_rollback(p->session, error);
}

static void
draw_transaction(struct pair *pair)
{
	size_t calls = 1 + below(pair, 5);

	begin(pair->p);
	begin(pair->model);
	for (size_t i = 0; i < calls; i++) {
		bool saves = below(pair, 4) == 0;

		if (saves)
			both(pair, savepoint);
		draw_call(pair);
		if (saves)
			both(pair, below(pair, 2) ? savepoint_release : savepoint_rollback);
	}
	if (below(pair, 6) == 0) {
		rollback(pair->p);
		rollback(pair->model);
	} else {
		commit(pair->p);
		commit(pair->model);
	}
}

/* Claims. */

static bool
same_bytes(struct herald_text a, struct herald_text b)
{
	return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

static void
compare_events(struct pair *pair, const struct herald_stored_event *a,
	       const struct herald_stored_event *b)
{
	SAME(pair, a->id == id_of(pair, b->id));
	SAME(pair, strcmp(a->queue, b->queue) == 0);
	SAME(pair, strcmp(a->event_type, b->event_type) == 0);
	SAME(pair, strcmp(a->source, b->source) == 0);
	SAME(pair, strcmp(a->event_id, b->event_id) == 0);
	SAME(pair, strcmp(a->content_type, b->content_type) == 0);
	SAME(pair, same_bytes(a->attributes, b->attributes));
	SAME(pair, same_bytes(a->data, b->data));
	SAME(pair, a->created_ms == b->created_ms);
	SAME(pair, a->due_ms == b->due_ms);
	SAME(pair, a->key_hash == b->key_hash);
	SAME(pair, a->attempts == b->attempts);
	SAME(pair, a->replays == b->replays);
	SAME(pair, a->interrupted == b->interrupted);
}

static size_t
draw_claim(struct pair *pair, size_t max_events, size_t max_bytes)
{
	struct herald_claim claim = {.queue = below(pair, 4) ? "q" : "r",
				     .owner = pair->p->node,
				     .now_ms = pair->now_ms,
				     .max_events = max_events,
				     .max_bytes = max_bytes};
	struct claims *claims = claim_with(pair->p, &claim);
	struct claims *expected;
	size_t count;

	claim.owner = pair->model->node;
	expected = claim_with(pair->model, &claim);
	SAME(pair, claims->count == expected->count);
	count = claims->count;
	for (size_t i = 0; i < count; i++)
		compare_events(pair, &claims->rows[i].event, &expected->rows[i].event);
	if (expected->next_ms > pair->now_ms)
		SAME(pair, claims->next_ms == expected->next_ms);
	else
		SAME(pair, claims->next_ms <= pair->now_ms);
	claims_free(claims);
	claims_free(expected);
	return count;
}

static void
compare_deliveries(struct pair *pair, const struct herald_stored_delivery *a,
		   const struct herald_stored_delivery *b)
{
	SAME(pair, a->id == id_of(pair, b->id));
	SAME(pair, strcmp(a->delivery_id, b->delivery_id) == 0);
	SAME(pair, strcmp(a->url, b->url) == 0);
	SAME(pair, strcmp(a->origin, b->origin) == 0);
	SAME(pair, strcmp(a->event_type, b->event_type) == 0);
	SAME(pair, strcmp(a->event_id, b->event_id) == 0);
	SAME(pair, same_bytes(a->record, b->record));
	SAME(pair, a->created_ms == b->created_ms);
	SAME(pair, a->due_ms == b->due_ms);
	SAME(pair, a->expires_ms == b->expires_ms);
	SAME(pair, a->attempts == b->attempts);
	SAME(pair, a->replays == b->replays);
}

static size_t
draw_delivery_claim(struct pair *pair, size_t max_deliveries)
{
	struct herald_delivery_claim claim = {.owner = pair->p->node,
					      .now_ms = pair->now_ms,
					      .max_deliveries = max_deliveries,
					      .max_bytes = 1000,
					      .max_delay_ms = 3600000};
	struct claimed_deliveries *claimed = claim_deliveries_with(pair->p, &claim);
	struct claimed_deliveries *expected;
	size_t count;

	claim.owner = pair->model->node;
	expected = claim_deliveries_with(pair->model, &claim);
	SAME(pair, claimed->count == expected->count);
	count = claimed->count;
	for (size_t i = 0; i < count; i++)
		compare_deliveries(pair, &claimed->rows[i].delivery, &expected->rows[i].delivery);
	claimed_deliveries_free(claimed);
	claimed_deliveries_free(expected);
	return count;
}

/* Everything that can be seen. */

struct row {
	char line[400];
};

struct rows {
	struct pair *pair;
	bool is_model;
	struct row rows[MAX_ROWS];
	size_t count;
};

static bool
add_count(const struct herald_count *count, void *state)
{
	struct rows *rows = state;

	snprintf(rows->rows[rows->count++].line, sizeof(rows->rows[0].line),
		 "%d %s %s %d %llu %lld", count->is_delivery, count->queue, count->event_type,
		 (int)count->state, (unsigned long long)count->count, (long long)count->oldest_ms);
	return true;
}

static bool
add_letter(const struct herald_dead_letter *letter, void *state)
{
	struct rows *rows = state;
	uint64_t id = rows->is_model ? id_of(rows->pair, letter->id) : letter->id;

	snprintf(rows->rows[rows->count++].line, sizeof(rows->rows[0].line),
		 "%d %llu %s %s %s %s %s %d %s %s %lld %u %u %u %d %lld %lld %s %zu %zu",
		 (int)letter->kind, (unsigned long long)id, letter->queue, letter->event_type,
		 letter->source, letter->event_id, letter->destination, (int)letter->why,
		 letter->reason, letter->path, (long long)letter->offset, letter->attempts,
		 letter->interrupted, letter->replays, letter->is_held,
		 (long long)letter->created_ms, (long long)letter->dead_ms, letter->content_type,
		 letter->attributes.bytes, letter->data.bytes);
	return true;
}

static int
compare_rows(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->line, ((const struct row *)b)->line);
}

static void
read_rows(struct pair *pair, bool is_model, struct rows *rows)
{
	struct process *p = is_model ? pair->model : pair->p;
	struct herald_error error;

	rows->pair = pair;
	rows->is_model = is_model;
	rows->count = 0;
	assert_works(p->ops->counts(p->session, pair->now_ms, add_count, rows, &error), &error);
	qsort(rows->rows, rows->count, sizeof(rows->rows[0]), compare_rows);
	assert_works(p->ops->dead_visit(p->session,
					&(struct herald_dead_filter){.kind = HERALD_DEAD_BOTH},
					add_letter, rows, &error),
		     &error);
}

static void
compare_all(struct pair *pair)
{
	static struct rows rows, expected;

	read_rows(pair, false, &rows);
	read_rows(pair, true, &expected);
	for (size_t i = 0; i < rows.count && i < expected.count; i++)
		if (strcmp(rows.rows[i].line, expected.rows[i].line) != 0)
			fail_msg("HERALD_TEST_SEED=%llu: \"%s\" instead of \"%s\"",
				 (unsigned long long)pair->seed, rows.rows[i].line,
				 expected.rows[i].line);
	SAME(pair, rows.count == expected.count);
}

/* At the end all that can run is run, in the same order. */
static void
drain(struct pair *pair)
{
	for (int i = 0; i < 400; i++) {
		pair->now_ms += 10;
		draw_claim(pair, 3, 1000);
		draw_delivery_claim(pair, 3);
		begin(pair->p);
		begin(pair->model);
		draw_complete(pair);
		draw_delivery_complete(pair);
		commit(pair->p);
		commit(pair->model);
	}
	compare_all(pair);
}

static void
run_sequence(const struct contract_store *kind, uint64_t seed)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	assert_non_null(pair);
	*pair = (struct pair){.seed = seed, .state = seed, .now_ms = T0};
	pair->p = start(kind);
	pair->model = start(&model_kind);
	for (int step = 0; step < STEPS; step++) {
		pair->now_ms += (int64_t)below(pair, 30) - (below(pair, 8) == 0 ? 40 : 0);
		draw_transaction(pair);
		if (below(pair, 2))
			draw_claim(pair, below(pair, 8), below(pair, 60));
		if (below(pair, 3) == 0)
			draw_delivery_claim(pair, below(pair, 5));
		compare_all(pair);
	}
	drain(pair);
	stop(pair->p);
	stop(pair->model);
	free(pair);
}

static void
test_random_sequences(const struct contract_store *kind)
{
	uint64_t seed = draw_seed();
	struct timespec began, now;

	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		run_sequence(kind, seed++);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((uint64_t)(now.tv_sec - began.tv_sec) * 1000 < draw_time_ms());
}

const struct contract_store_case contract_store_random[] = {
	{"test_random_sequences", test_random_sequences, NEEDS_NOTHING},
};
const size_t contract_store_random_count = COUNT(contract_store_random);
