/*
 * Picking rows. Owns nothing; the watermarks decide where it looks.
 */
#include "pick.h"

#include <stdlib.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "rows.h"
#include "session.h"
#include "times.h"
#include "transaction.h"

/* When to look again for rows that are due, and that others have locked. */
#define LOCKED_MS 20

/* Own attempts after a conflict. */
#define ATTEMPTS 3

/* The statement. */

static void
put_claim(struct postgres_session *session, const struct postgres_pick *pick,
	  struct postgres_place from)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);

	herald__postgres_when(parameters, pick->now_ms);
	herald__postgres_when(parameters, from.due_ms);
	herald__postgres_int8(parameters, from.id);
	herald__postgres_int8(parameters, (int64_t)pick->max_rows);
	herald__postgres_int8(parameters,
			      pick->max_bytes < INT64_MAX ? (int64_t)pick->max_bytes : INT64_MAX);
	herald__postgres_int8(parameters, (int64_t)pick->owner);
	herald__postgres_when(parameters, pick->late_ms);
	if (pick->queue)
		herald__postgres_text(parameters, pick->queue);
	herald__postgres_put_lease(parameters, &session->database->leases, pick->owner);
}

/* A pool needs a transaction that is said to be one. */
static enum herald_status
run_pooled(struct postgres_session *session, struct postgres_pick *pick, struct herald_error *error)
{
	enum herald_status status = herald__postgres_command(
		session, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL jit = off",
		"begin a claim", NULL, error);

	if (status == HERALD_OK)
		status = herald__postgres_run(session, pick->claim, &pick->result, error);
	if (status != HERALD_OK) {
		herald__postgres_rollback(&session->base);
		return status;
	}
	status = herald__postgres_command(session, "COMMIT", "commit a claim", NULL, error);
	if (status != HERALD_OK) {
		PQclear(pick->result);
		pick->result = NULL;
	}
	return status;
}

static enum herald_status
run(struct postgres_session *session, struct postgres_pick *pick, struct postgres_place from,
    struct herald_error *error)
{
	enum herald_status status = HERALD_UNAVAILABLE;
	bool is_open = herald__postgres_is_open(session);
	bool is_pooled = session->database->options.is_pooled;

	PQclear(pick->result);
	pick->result = NULL;
	for (int i = 0; i < (is_open ? 1 : ATTEMPTS) && status == HERALD_UNAVAILABLE; i++) {
		status = is_open ? HERALD_OK : herald__postgres_session_restore(session, error);
		if (status != HERALD_OK)
			break;
		put_claim(session, pick, from);
		status = is_pooled && !is_open
				 ? run_pooled(session, pick, error)
				 : herald__postgres_run(session, pick->claim, &pick->result, error);
		/* Rows may have been claimed. After each claim that fails, here or below, the store
		 * looks for those that it owns (claims_apart). */
		if (!session->conn || !session->may_repeat)
			break;
	}
	return status;
}

/* When the next row is due, after `last`, and what it cost to find it. */
static enum herald_status
look_ahead(struct postgres_session *session, struct postgres_pick *pick, struct postgres_place last,
	   struct postgres_found *found, struct herald_error *error)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	int64_t began_ms = herald__postgres_clock_ms();
	PGresult *result;

	herald__postgres_when(parameters, pick->now_ms);
	herald__postgres_when(parameters, last.due_ms);
	herald__postgres_int8(parameters, last.id);
	herald__postgres_int8(parameters, (int64_t)pick->owner);
	if (pick->queue)
		herald__postgres_text(parameters, pick->queue);
	herald__postgres_put_lease(parameters, &session->database->leases, pick->owner);
	enum herald_status status = herald__postgres_read(session, pick->next, &result, error);
	if (status != HERALD_OK)
		return status;
	if (!herald__postgres_row_bool(result, 0, 0))
		status = herald_error_set(error, HERALD_LEASE_LOST, HERALD_NO_OFFSET,
					  "the node that claims is gone");
	pick->next_ms = herald__postgres_row_when(result, 0, 2);
	found->pages =
		herald__postgres_row_int8(result, 0, 3) - herald__postgres_row_int8(result, 0, 1);
	found->cost_ms = herald__postgres_clock_ms() - began_ms;
	if (herald__postgres_row_when(result, 0, 4) > pick->late_ms)
		pick->next_ms = pick->now_ms;
	if (pick->next_ms <= pick->now_ms && pick->count == 0 && pick->max_rows > 0)
		pick->next_ms = pick->now_ms + LOCKED_MS;
	PQclear(result);
	return status;
}

/* The order. */

static int
compare(const void *a, const void *b)
{
	const struct postgres_picked *first = a, *second = b;

	if (first->due_ms != second->due_ms)
		return first->due_ms < second->due_ms ? -1 : 1;
	return (first->id > second->id) - (first->id < second->id);
}

/* RETURNING has no order. */
static enum herald_status
sort(struct postgres_session *session, struct postgres_pick *pick, struct herald_error *error)
{
	pick->count = (size_t)PQntuples(pick->result);
	pick->rows = herald_memory_allocate(&session->database->options.allocator,
					    pick->count * sizeof(*pick->rows));
	if (!pick->rows) {
		pick->count = 0;
		return herald_out_of_memory(error);
	}
	for (size_t i = 0; i < pick->count; i++)
		pick->rows[i] = (struct postgres_picked){
			.due_ms = herald__postgres_row_when(pick->result, (int)i, 1),
			.id = herald__postgres_row_int8(pick->result, (int)i, 0),
			.row = (int)i,
		};
	qsort(pick->rows, pick->count, sizeof(*pick->rows), compare);
	return HERALD_OK;
}

void
herald__postgres_pick_finish(struct postgres_session *session, struct postgres_pick *pick)
{
	herald_memory_release(&session->database->options.allocator, pick->rows,
			      pick->count * sizeof(*pick->rows));
	PQclear(pick->result);
	pick->rows = NULL;
	pick->result = NULL;
	pick->count = 0;
}

/* The last row by the order, of those whose due time is not later than now. */
static const struct postgres_picked *
last_picked(const struct postgres_pick *pick)
{
	size_t count = pick->count;

	while (count > 0 && pick->rows[count - 1].due_ms > pick->now_ms)
		count--;
	return count > 0 ? &pick->rows[count - 1] : NULL;
}

/* After the claim: when to make the next one, and where it begins. */
static enum herald_status
finish(struct postgres_session *session, struct postgres_pick *pick,
       const struct postgres_scan *scan, struct herald_error *error)
{
	const struct postgres_picked *last = last_picked(pick);
	struct postgres_place place = scan->from;
	struct postgres_found found = {
		.is_short = pick->count < pick->max_rows, .now_ms = pick->now_ms, .pages = -1};

	if (last) {
		place = (struct postgres_place){last->due_ms, last->id};
		found.last = &place;
	}
	enum herald_status status = look_ahead(
		session, pick, scan->is_full ? POSTGRES_BEGINNING : place, &found, error);
	if (status == HERALD_OK)
		herald__postgres_scan_end(&session->database->watermarks, scan, &found);
	return status;
}

enum herald_status
herald__postgres_pick(struct postgres_session *session, struct postgres_pick *pick,
		      struct herald_error *error)
{
	struct postgres_watermarks *watermarks = &session->database->watermarks;
	struct postgres_scan scan;
	enum herald_status status = HERALD_OK;

	pick->result = NULL;
	for (bool again = false; status == HERALD_OK; again = true) {
		if (herald__postgres_scan_begin(watermarks, pick->queue, again, &scan) != HERALD_OK)
			return herald_out_of_memory(error);
		status = run(session, pick, scan.from, error);
		if (again || status != HERALD_OK || PQntuples(pick->result) > 0 ||
		    !herald__postgres_scan_again(watermarks, &scan))
			break;
	}
	if (status == HERALD_OK)
		status = sort(session, pick, error);
	if (status != HERALD_OK)
		return status;
	return finish(session, pick, &scan, error);
}
