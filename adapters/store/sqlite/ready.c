/*
 * A claim reads the first rows of an index, and then marks this range of the index: no other
 * connection writes in between. A row that was due when it was stored (delayed = 0) is due whatever
 * the clock says; so there are two ranges, which SQLite merges. What is late has a third one, and
 * comes after them.
 *
 * A range is marked by two statements, the times before the last row's and its time up to its id:
 * for (time, id) <= (?, ?) SQLite would read all rows with the last row's time.
 */
#include "ready.h"

#include "meta.h"

/* The place of a row in the order of an index: a time, and then its id. */
struct place {
	int64_t ms;
	uint64_t id;
};

/* What was claimed. */
struct claimed {
	size_t rows;
	size_t bytes;
	bool is_over;      /* no more rows fit, or are wanted */
	size_t count[2];   /* rows that are not delayed, and delayed rows */
	struct place last; /* of both: due_ms */
	size_t late_count;
	struct place last_late;
};

static struct sqlite_query
start(struct sqlite_session *session, const struct sqlite_ready *ready,
      const struct sqlite_sql *sql)
{
	struct sqlite_query query = herald__sqlite_query(session, sql);

	if (ready->queue)
		herald__sqlite_bind_text(&query, ready->queue);
	return query;
}

/* Take a row into the claim, unless it has too many bytes. */
static bool
take(struct claimed *claimed, const struct sqlite_ready *ready, size_t bytes)
{
	size_t left = ready->max_bytes - claimed->bytes;

	if (claimed->rows > 0 && bytes > left) {
		claimed->is_over = true;
		return false;
	}
	claimed->rows++;
	claimed->bytes += bytes < left ? bytes : left;
	claimed->is_over = !ready->visit(ready->state);
	return true;
}

/* Visit the rows that are to be claimed: `find` those that are due, or those that are late. */
static enum herald_status
visit_rows(struct sqlite_session *session, const struct sqlite_ready *ready, bool is_late,
	   struct claimed *claimed, struct herald_error *error)
{
	struct sqlite_query row =
		start(session, ready, is_late ? &ready->sql->find_late : &ready->sql->find);
	enum herald_status status;
	bool has_row;

	herald__sqlite_bind_int(&row, is_late ? ready->late_ms : ready->now_ms);
	herald__sqlite_bind_int(&row, (int64_t)(ready->max_rows - claimed->rows));
	while ((status = herald__sqlite_step(&row, &has_row, error)) == HERALD_OK && has_row) {
		const uint64_t id = (uint64_t)herald__sqlite_int(&row);
		const int64_t due_ms = herald__sqlite_int(&row);
		const int64_t delayed_or_place = herald__sqlite_int(&row);
		const size_t bytes = ready->read(&row, id, due_ms, ready->state);

		if (row.rc != SQLITE_OK)
			continue; /* the next step reports it */
		if (!take(claimed, ready, bytes))
			break;
		if (is_late) {
			claimed->late_count++;
			claimed->last_late = (struct place){delayed_or_place, id};
		} else {
			claimed->count[delayed_or_place != 0]++;
			claimed->last = (struct place){due_ms, id};
		}
		if (claimed->is_over)
			break;
	}
	herald__sqlite_end(&row);
	return status;
}

/* Once it was due, it stays due. A delayed row is not claimed before its time, even if the last one
 * that was claimed has a later place. */
static enum herald_status
mark_claimed(struct sqlite_session *session, const struct sqlite_ready *ready,
	     const struct claimed *claimed, bool is_delayed, struct herald_error *error)
{
	const bool is_bounded = is_delayed && claimed->last.ms > ready->now_ms;
	const int64_t end_ms = is_bounded ? ready->now_ms + 1 : claimed->last.ms;

	if (claimed->count[is_delayed] == 0)
		return HERALD_OK;
	struct sqlite_query query = start(session, ready, &ready->sql->mark);
	herald__sqlite_bind_int(&query, (int64_t)ready->owner);
	herald__sqlite_bind_int(&query, is_delayed);
	herald__sqlite_bind_int(&query, end_ms);
	enum herald_status status = herald__sqlite_run(&query, error);
	if (status != HERALD_OK || is_bounded)
		return status;
	query = start(session, ready, &ready->sql->mark_last);
	herald__sqlite_bind_int(&query, (int64_t)ready->owner);
	herald__sqlite_bind_int(&query, is_delayed);
	herald__sqlite_bind_int(&query, end_ms);
	herald__sqlite_bind_int(&query, (int64_t)claimed->last.id);
	return herald__sqlite_run(&query, error);
}

static enum herald_status
mark_late(struct sqlite_session *session, const struct sqlite_ready *ready,
	  const struct claimed *claimed, struct herald_error *error)
{
	if (claimed->late_count == 0)
		return HERALD_OK;
	struct sqlite_query query = start(session, ready, &ready->sql->mark_late);
	herald__sqlite_bind_int(&query, (int64_t)ready->owner);
	herald__sqlite_bind_int(&query, ready->late_ms);
	herald__sqlite_bind_int(&query, claimed->last_late.ms);
	enum herald_status status = herald__sqlite_run(&query, error);
	if (status != HERALD_OK)
		return status;
	query = start(session, ready, &ready->sql->mark_late_last);
	herald__sqlite_bind_int(&query, (int64_t)ready->owner);
	herald__sqlite_bind_int(&query, claimed->last_late.ms);
	herald__sqlite_bind_int(&query, (int64_t)claimed->last_late.id);
	return herald__sqlite_run(&query, error);
}

static enum herald_status
find_next(struct sqlite_session *session, const struct sqlite_ready *ready, int64_t *next_ms,
	  struct herald_error *error)
{
	struct sqlite_query query = start(session, ready, &ready->sql->next);
	bool has_row;

	herald__sqlite_bind_int(&query, ready->now_ms);
	herald__sqlite_bind_int(&query, INT64_MAX);
	herald__sqlite_bind_int(&query, ready->late_ms);
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);
	if (has_row)
		*next_ms = herald__sqlite_int(&query);
	herald__sqlite_end(&query);
	return status;
}

enum herald_status
herald__sqlite_claim_ready(struct sqlite_session *session, const struct sqlite_ready *ready,
			   int64_t *next_ms, struct herald_error *error)
{
	struct claimed claimed = {.rows = 0};
	enum herald_status status = herald__sqlite_check_owner(session, ready->owner, error);

	if (status == HERALD_OK && ready->max_rows > 0)
		status = visit_rows(session, ready, false, &claimed, error);
	if (status == HERALD_OK && !claimed.is_over && claimed.rows < ready->max_rows)
		status = visit_rows(session, ready, true, &claimed, error);
	if (status == HERALD_OK)
		status = mark_claimed(session, ready, &claimed, false, error);
	if (status == HERALD_OK)
		status = mark_claimed(session, ready, &claimed, true, error);
	if (status == HERALD_OK)
		status = mark_late(session, ready, &claimed, error);
	if (status == HERALD_OK)
		status = find_next(session, ready, next_ms, error);
	return status;
}

struct sqlite_query
herald__sqlite_fenced(struct sqlite_session *session, const struct sqlite_sql *sql,
		      const struct sqlite_fence *fence)
{
	struct sqlite_query query = herald__sqlite_query(session, sql);

	herald__sqlite_bind_int(&query, (int64_t)fence->id);
	herald__sqlite_bind_int(&query, (int64_t)fence->owner);
	herald__sqlite_bind_int(&query, fence->attempts);
	herald__sqlite_bind_int(&query, fence->replays);
	return query;
}
