/*
 * Listing, replaying and dropping dead letters. Operations that write look for one matching row at
 * a time, after the last one: the statement that finds the row has ended when the row is changed.
 */
#include "dead_letters.h"

#include <stdio.h>

#include "dead.h"
#include "filter.h"
#include "key.h"
#include "origin.h"
#include "problem.h"
#include "statement.h"

#define CONDITIONS 11

/* Unless it is by_age, a plus keeps SQLite from the index of times: rows come in the order of their
 * ids, and each page would read and sort all of the times. */
static size_t
dead_conditions(const struct herald_dead_filter *filter, uint64_t after_id, bool by_age,
		struct sqlite_condition out[CONDITIONS])
{
	const struct sqlite_condition conditions[CONDITIONS] = {
		{after_id > 0, "id > ?", NULL, (int64_t)after_id},
		{filter->id > 0, "id = ?", NULL, (int64_t)filter->id},
		{filter->kind != HERALD_DEAD_BOTH, "kind = ?", NULL,
		 filter->kind == HERALD_DEAD_DELIVERIES},
		{filter->queue, "queue = ?", filter->queue, 0},
		{filter->event_type, "event_type = ?", filter->event_type, 0},
		{filter->source, "source = ?", filter->source, 0},
		{filter->event_id, "event_id = ?", filter->event_id, 0},
		{filter->destination, "instr(url, ?) = 1", filter->destination, 0},
		{filter->reason != HERALD_DEAD_ANY, "why = ?",
		 herald__sqlite_dead_name(filter->reason), 0},
		{filter->from_ms != 0, "+dead_ms >= ?", NULL, filter->from_ms},
		{filter->to_ms != 0, by_age ? "dead_ms < ?" : "+dead_ms < ?", NULL, filter->to_ms},
	};

	for (size_t i = 0; i < CONDITIONS; i++)
		out[i] = conditions[i];
	return CONDITIONS;
}

/* Listing. */

static void
read_letter(struct sqlite_query *row, struct herald_dead_letter *letter)
{
	letter->id = (uint64_t)herald__sqlite_int(row);
	letter->kind = herald__sqlite_int(row) ? HERALD_DEAD_DELIVERIES : HERALD_DEAD_EVENTS;
	letter->queue = herald__sqlite_text(row);
	letter->event_type = herald__sqlite_text(row);
	letter->source = herald__sqlite_text(row);
	letter->event_id = herald__sqlite_text(row);
	letter->destination = herald__sqlite_text(row);
	letter->why = herald__sqlite_dead_reason(herald__sqlite_text(row));
	letter->reason = herald__sqlite_text(row);
	letter->path = herald__sqlite_text(row);
	letter->offset = herald__sqlite_int(row);
	letter->attempts = (unsigned)herald__sqlite_int(row);
	letter->interrupted = (unsigned)herald__sqlite_int(row);
	letter->replays = (unsigned)herald__sqlite_int(row);
	letter->is_held = herald__sqlite_int(row) != 0;
	letter->created_ms = herald__sqlite_int(row);
	letter->dead_ms = herald__sqlite_int(row);
	letter->content_type = herald__sqlite_text(row);
	letter->attributes = herald__sqlite_blob(row);
	letter->data = herald__sqlite_blob(row);
}

#define LETTER                                                                                     \
	"SELECT id, kind, queue, event_type, source, event_id, url, why, reason, path, offset, "   \
	"attempts, interrupted, replays, is_held, created_ms, dead_ms, "
#define FROM_DEAD " FROM main.herald_dead"

enum herald_status
herald__sqlite_dead_visit(struct herald_session *base, const struct herald_dead_filter *filter,
			  herald_dead_visitor *visit, void *state, struct herald_error *error)
{
	struct sqlite_condition conditions[CONDITIONS];
	size_t count = dead_conditions(filter, filter->after_id, false, conditions);
	struct sqlite_query row = herald__sqlite_filter(
		herald__sqlite_session(base),
		filter->without_content ? LETTER "'', x'', x''" FROM_DEAD
					: LETTER "content_type, attributes, data" FROM_DEAD,
		conditions, count, " ORDER BY id LIMIT ?");
	struct herald_dead_letter letter;
	enum herald_status status;
	bool has_row;

	herald__sqlite_bind_int(
		&row, filter->limit > 0 && filter->limit < INT64_MAX ? (int64_t)filter->limit : -1);
	while ((status = herald__sqlite_step(&row, &has_row, error)) == HERALD_OK && has_row) {
		read_letter(&row, &letter);
		if (row.rc == SQLITE_OK && !visit(&letter, state))
			break;
	}
	herald__sqlite_filter_end(&row);
	return status;
}

/* One after the other. */

struct dead_row {
	uint64_t id;
	bool is_delivery;
	uint64_t key_hash;
	char origin[SQLITE_ORIGIN_BYTES];
};

static enum herald_status
next_dead(struct sqlite_query *finding, struct dead_row *row, bool *is_found,
	  struct herald_error *error)
{
	enum herald_status status = herald__sqlite_step(finding, is_found, error);

	if (!*is_found)
		return status;
	row->id = (uint64_t)herald__sqlite_int(finding);
	row->is_delivery = herald__sqlite_int(finding) != 0;
	row->key_hash = (uint64_t)herald__sqlite_int(finding);
	snprintf(row->origin, sizeof(row->origin), "%s", herald__sqlite_text(finding));
	if (finding->rc != SQLITE_OK)
		status = herald__sqlite_problem(finding->session, finding->rc, error);
	sqlite3_reset(finding->stmt);
	return status;
}

/* Whether a letter is that old. Without this, a search for old ones reads all that are younger. */
static enum herald_status
any_before(struct sqlite_session *session, int64_t to_ms, bool *is_found,
	   struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DEAD_BEFORE, "SELECT 1 FROM main.herald_dead INDEXED BY herald_dead_time "
				  "WHERE dead_ms < ?1 LIMIT 1"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, to_ms);
	enum herald_status status = herald__sqlite_step(&query, is_found, error);
	herald__sqlite_end(&query);
	return status;
}

typedef enum herald_status dead_action(struct sqlite_session *session, const struct dead_row *row,
				       int64_t now_ms, struct herald_error *error);

/* Prepared. The first parameter is an id, and the row comes after it. */
static struct sqlite_query
select_next(struct sqlite_session *session, const struct herald_dead_filter *filter, bool by_age)
{
	struct sqlite_condition conditions[CONDITIONS];
	/* The first condition is set. */
	size_t count = dead_conditions(filter, filter->after_id + 1, by_age, conditions);

	return herald__sqlite_filter(session,
				     by_age ? "SELECT id, kind, key_hash, origin FROM "
					      "main.herald_dead INDEXED BY herald_dead_time"
					    : "SELECT id, kind, key_hash, origin "
					      "FROM main.herald_dead",
				     conditions, count,
				     by_age ? " ORDER BY dead_ms, id LIMIT 1"
					    : " ORDER BY id LIMIT 1");
}

/* Do something with each of up to `max` matching dead letters; the oldest ones first if by_age, and
 * else the smallest ids. By age, it must remove them. */
static enum herald_status
for_each(struct sqlite_session *session, const struct herald_dead_filter *filter, size_t max,
	 dead_action *action, bool by_age, int64_t now_ms, uint64_t *count,
	 struct herald_error *error)
{
	struct dead_row row = {.id = filter->after_id};
	struct sqlite_query finding = select_next(session, filter, by_age);
	enum herald_status status = HERALD_OK;
	bool is_found = true;

	*count = 0;
	if (filter->limit > 0 && filter->limit < max)
		max = (size_t)filter->limit;
	if (filter->to_ms != 0)
		status = any_before(session, filter->to_ms, &is_found, error);
	while (status == HERALD_OK && is_found && *count < max) {
		if (finding.rc == SQLITE_OK)
			finding.rc =
				sqlite3_bind_int64(finding.stmt, 1, by_age ? 0 : (int64_t)row.id);
		status = next_dead(&finding, &row, &is_found, error);
		if (status == HERALD_OK && is_found) {
			status = action(session, &row, now_ms, error);
			++*count;
		}
	}
	herald__sqlite_filter_end(&finding);
	return status;
}

static enum herald_status
delete_dead(struct sqlite_session *session, const struct dead_row *row, int64_t now_ms,
	    struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_DEAD_DELETE,
					      "DELETE FROM main.herald_dead WHERE id = ?1"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	(void)now_ms;
	herald__sqlite_bind_int(&query, (int64_t)row->id);
	enum herald_status status = herald__sqlite_run(&query, error);
	if (status == HERALD_OK)
		status = herald__sqlite_key_promote(session, row->key_hash, error);
	return status;
}

/* Replayed rows come back as blocked, and the one with the smallest id is promoted. So the order
 * among those that wait is the order of ids. */
static enum herald_status
copy_back(struct sqlite_session *session, const struct dead_row *row, int64_t now_ms,
	  struct herald_error *error)
{
	static const struct sqlite_sql event = {
		SLOT_EVENT_REPLAY,
		"INSERT INTO main.herald_event (id, queue, state, due_ms, delayed, retried_ms, "
		"key_hash, holds_key, attempts, interrupted, replays, owner, event_type, source, "
		"event_id, created_ms, "
		"content_type, last_error, attributes, data) "
		"SELECT id, queue, CASE key_hash WHEN 0 THEN 0 ELSE 2 END, ?2, 0, 0, key_hash, "
		"holds_key, 0, 0, replays + 1, 0, event_type, source, event_id, created_ms, "
		"content_type, '', attributes, data FROM main.herald_dead WHERE id = ?1"};
	static const struct sqlite_sql delivery = {
		SLOT_DELIVERY_REPLAY,
		"INSERT INTO main.herald_delivery (id, state, due_ms, delayed, attempts, replays, "
		"owner, delivery_id, url, origin, event_type, event_id, created_ms, expires_ms, "
		"last_http_status, last_error, record) "
		"SELECT id, 2, ?2, 0, 0, replays + 1, 0, delivery_id, url, origin, event_type, "
		"event_id, ?2, ?2 + expires_ms - created_ms, last_http_status, '', data "
		"FROM main.herald_dead WHERE id = ?1"};
	struct sqlite_query query =
		herald__sqlite_query(session, row->is_delivery ? &delivery : &event);

	herald__sqlite_bind_int(&query, (int64_t)row->id);
	herald__sqlite_bind_int(&query, now_ms);
	return herald__sqlite_run(&query, error);
}

static enum herald_status
replay_one(struct sqlite_session *session, const struct dead_row *row, int64_t now_ms,
	   struct herald_error *error)
{
	enum herald_status status = copy_back(session, row, now_ms, error);

	if (status == HERALD_OK)
		status = delete_dead(session, row, now_ms, error);
	if (status == HERALD_OK && row->is_delivery)
		status = herald__sqlite_origin_promote(session, row->origin, error);
	return status;
}

enum herald_status
herald__sqlite_dead_replay(struct herald_session *base, const struct herald_dead_filter *filter,
			   size_t max, int64_t now_ms, uint64_t *count, struct herald_error *error)
{
	return for_each(herald__sqlite_session(base), filter, max, replay_one, false, now_ms, count,
			error);
}

enum herald_status
herald__sqlite_dead_drop(struct herald_session *base, const struct herald_dead_filter *filter,
			 size_t max, uint64_t *count, struct herald_error *error)
{
	return for_each(herald__sqlite_session(base), filter, max, delete_dead,
			herald_dead_filter_is_by_age(filter), 0, count, error);
}

/* A query for a place. Unless it has a row, *out stays. */
static enum herald_status
read_place(struct sqlite_query *query, struct herald_dead_place *out, bool *has_row,
	   struct herald_error *error)
{
	enum herald_status status = herald__sqlite_step(query, has_row, error);

	if (*has_row) {
		out->dead_ms = herald__sqlite_int(query);
		out->id = (uint64_t)herald__sqlite_int(query);
		herald__sqlite_end(query);
	}
	return status;
}

static void
bind_place(struct sqlite_query *query, const struct herald_dead_place *place)
{
	herald__sqlite_bind_int(query, place->dead_ms);
	herald__sqlite_bind_int(query, (int64_t)place->id);
}

/* The youngest `keep` are left out; then for each held one that stays although it is older, another
 * one goes. */
enum herald_status
herald__sqlite_dead_surplus(struct herald_session *base, uint64_t keep,
			    struct herald_dead_place *last, bool *is_any,
			    struct herald_error *error)
{
	static const struct sqlite_sql place_sql = {
		SLOT_DEAD_SURPLUS,
		"SELECT dead_ms, id FROM main.herald_dead INDEXED BY herald_dead_time "
		"ORDER BY dead_ms DESC, id DESC LIMIT 1 OFFSET ?1"};
	static const struct sqlite_sql held_sql = {
		SLOT_DEAD_SURPLUS_HELD,
		"SELECT dead_ms, id FROM ("
		"SELECT dead_ms, id FROM main.herald_dead INDEXED BY herald_dead_time "
		"WHERE is_held = 0 AND (dead_ms, id) > (?1, ?2) ORDER BY dead_ms, id LIMIT ("
		"SELECT count(*) FROM main.herald_dead INDEXED BY herald_dead_held "
		"WHERE is_held = 1 AND (dead_ms, id) <= (?1, ?2))) "
		"ORDER BY dead_ms DESC, id DESC LIMIT 1"};
	struct sqlite_session *session = herald__sqlite_session(base);
	struct sqlite_query query = herald__sqlite_query(session, &place_sql);
	struct herald_dead_place place = {0};
	bool is_there = false, has_row;

	herald__sqlite_bind_int(&query, keep < INT64_MAX ? (int64_t)keep : INT64_MAX);
	enum herald_status status = read_place(&query, &place, &is_there, error);
	if (status == HERALD_OK && is_there) {
		query = herald__sqlite_query(session, &held_sql);
		bind_place(&query, &place);
		status = read_place(&query, &place, &has_row, error);
	}
	if (status == HERALD_OK) {
		*last = place;
		*is_any = is_there;
	}
	return status;
}

enum herald_status
herald__sqlite_dead_trim(struct herald_session *base, const struct herald_dead_place *last,
			 size_t max, uint64_t *count, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DEAD_TRIM,
		"DELETE FROM main.herald_dead WHERE id IN ("
		"SELECT id FROM main.herald_dead INDEXED BY herald_dead_time "
		"WHERE is_held = 0 AND (dead_ms, id) <= (?1, ?2) ORDER BY dead_ms, id LIMIT ?3)"};
	struct sqlite_query query = herald__sqlite_query(herald__sqlite_session(base), &sql);

	bind_place(&query, last);
	herald__sqlite_bind_int(&query, (int64_t)max);
	enum herald_status status = herald__sqlite_run(&query, error);
	*count = status == HERALD_OK ? (uint64_t)herald__sqlite_changes(&query) : 0;
	return status;
}

enum herald_status
herald__sqlite_dead_since(struct herald_session *base, int64_t since_ms, bool *is_there,
			  struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DEAD_SINCE, "SELECT 1 FROM main.herald_dead INDEXED BY herald_dead_time "
				 "WHERE dead_ms >= ?1 LIMIT 1"};
	struct sqlite_query query = herald__sqlite_query(herald__sqlite_session(base), &sql);

	herald__sqlite_bind_int(&query, since_ms);
	enum herald_status status = herald__sqlite_step(&query, is_there, error);
	herald__sqlite_end(&query);
	return status;
}
