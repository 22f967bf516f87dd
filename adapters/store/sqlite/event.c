/*
 * Events. A completion names the claim that it belongs to (id, owner, attempts, replays), and
 * changes nothing if the row is not as claimed. How rows are claimed is in ready.c.
 */
#include "event.h"

#include "dead.h"
#include "key.h"
#include "meta.h"
#include "ready.h"
#include "seen.h"
#include "statement.h"

/* Accepting. */

static enum herald_status
insert_event(struct sqlite_session *session, const struct herald_stored_event *event, int state,
	     struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_EVENT_INSERT,
		"INSERT INTO main.herald_event (id, queue, state, due_ms, delayed, key_hash, "
		"holds_key, attempts, owner, event_type, source, event_id, created_ms, "
		"content_type, attributes, data, interrupted, replays, retried_ms, last_error) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
		"0, 0, 0, '')"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, (int64_t)event->id);
	herald__sqlite_bind_text(&query, event->queue);
	herald__sqlite_bind_int(&query, state);
	herald__sqlite_bind_int(&query, event->due_ms);
	herald__sqlite_bind_int(&query,
				state != STATE_RUNNING && event->due_ms > event->created_ms);
	herald__sqlite_bind_int(&query, (int64_t)event->key_hash);
	herald__sqlite_bind_int(&query, event->holds_key);
	herald__sqlite_bind_int(&query, state == STATE_RUNNING);
	herald__sqlite_bind_int(&query, state == STATE_RUNNING ? (int64_t)event->owner : 0);
	herald__sqlite_bind_text(&query, event->event_type);
	herald__sqlite_bind_text(&query, event->source);
	herald__sqlite_bind_text(&query, event->event_id);
	herald__sqlite_bind_int(&query, event->created_ms);
	herald__sqlite_bind_text(&query, event->content_type);
	herald__sqlite_bind_blob(&query, event->attributes.data, event->attributes.bytes);
	herald__sqlite_bind_blob(&query, event->data.data, event->data.bytes);
	return herald__sqlite_run(&query, error);
}

static enum herald_status
accept_one(struct sqlite_session *session, struct herald_stored_event *event,
	   struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	bool is_new = true;
	bool is_taken = false;

	if (event->seen_key)
		status = herald__sqlite_seen_add(session, event->seen_key, &is_new, error);
	if (status == HERALD_OK && is_new)
		status = herald__sqlite_key_is_taken(session, event->key_hash, &is_taken, error);
	if (status != HERALD_OK)
		return status;
	event->is_duplicate = !is_new;
	if (!is_new) {
		event->owner = 0;
		return HERALD_OK;
	}
	if (is_taken)
		event->owner = 0;
	return insert_event(session, event,
			    is_taken       ? STATE_BLOCKED
			    : event->owner ? STATE_RUNNING
					   : STATE_READY,
			    error);
}

/* Once for each owner; most often there is one. */
static enum herald_status
check_owners(struct sqlite_session *session, const struct herald_stored_event *events, size_t count,
	     struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	uint64_t checked = 0;

	for (size_t i = 0; status == HERALD_OK && i < count; i++)
		if (events[i].owner != checked) {
			status = herald__sqlite_check_owner(session, events[i].owner, error);
			checked = events[i].owner;
		}
	return status;
}

enum herald_status
herald__sqlite_accept(struct herald_session *base, struct herald_stored_event *events, size_t count,
		      struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	int64_t created_ms = 0;
	int64_t first = 0;
	enum herald_status status = check_owners(session, events, count, error);

	for (size_t i = 0; i < count; i++)
		if (events[i].created_ms > created_ms)
			created_ms = events[i].created_ms;
	if (status == HERALD_OK && count > 0)
		status = herald__sqlite_take_ids(session, created_ms, count, &first, error);
	for (size_t i = 0; status == HERALD_OK && i < count; i++) {
		events[i].id = (uint64_t)first + i;
		status = accept_one(session, &events[i], error);
	}
	return status;
}

/* Claiming. */

/* The event that is being read, and who wants it. */
struct claiming {
	struct herald_stored_event event;
	herald_stored_event_visitor *visit;
	void *state;
};

/* The columns of FIND after the first three. */
static size_t
read_event(struct sqlite_query *row, uint64_t id, int64_t due_ms, void *state)
{
	struct herald_stored_event *event = &((struct claiming *)state)->event;

	event->id = id;
	event->due_ms = due_ms;
	event->queue = herald__sqlite_text(row);
	event->key_hash = (uint64_t)herald__sqlite_int(row);
	event->holds_key = herald__sqlite_int(row) != 0;
	event->attempts = (unsigned)herald__sqlite_int(row) + 1;
	event->replays = (unsigned)herald__sqlite_int(row);
	event->interrupted = (unsigned)herald__sqlite_int(row);
	event->event_type = herald__sqlite_text(row);
	event->source = herald__sqlite_text(row);
	event->event_id = herald__sqlite_text(row);
	event->created_ms = herald__sqlite_int(row);
	event->content_type = herald__sqlite_text(row);
	event->last_error = herald__sqlite_text(row);
	event->attributes = herald__sqlite_blob(row);
	event->data = herald__sqlite_blob(row);
	return event->data.bytes;
}

static bool
visit_event(void *state)
{
	struct claiming *claiming = state;

	return claiming->visit(&claiming->event, claiming->state);
}

#define READY "main.herald_event INDEXED BY herald_event_ready WHERE state = 0 AND queue = ?1 "
#define LATE                                                                                       \
	"main.herald_event INDEXED BY herald_event_retried WHERE state = 0 AND queue = ?1 "        \
	"AND retried_ms <> 0 AND retried_ms > "
#define FIND(place)                                                                                \
	"SELECT id, due_ms, " place                                                                \
	", queue, key_hash, holds_key, attempts, replays, interrupted, "                           \
	"event_type, source, event_id, created_ms, content_type, last_error, attributes, data "    \
	"FROM "
#define MARK(index)                                                                                \
	"UPDATE main.herald_event INDEXED BY " index " SET state = 1, attempts = attempts + 1, "   \
	"owner = ?2, delayed = 0, retried_ms = 0 WHERE state = 0 AND queue = ?1 "
#define FIRST(delayed)                                                                             \
	"(SELECT due_ms FROM " READY "AND delayed = " delayed " ORDER BY due_ms, id LIMIT 1)"

/* Late are retries that were stored later than a time, whenever they are due. */
static const struct sqlite_ready_sql ready_events = {
	.find = {SLOT_EVENT_CLAIM,
		 FIND("delayed") READY "AND delayed = 0 UNION ALL " FIND("delayed") READY
		 "AND delayed = 1 AND due_ms <= ?2 ORDER BY due_ms, id LIMIT ?3"},
	.mark = {SLOT_EVENT_CLAIMED, MARK("herald_event_ready") "AND delayed = ?3 AND due_ms < ?4"},
	.mark_last = {SLOT_EVENT_CLAIMED_LAST,
		      MARK("herald_event_ready") "AND delayed = ?3 AND due_ms = ?4 AND id <= ?5"},
	.find_late = {SLOT_EVENT_CLAIM_LATE, FIND("retried_ms") LATE "?2 ORDER BY retried_ms, id "
								     "LIMIT ?3"},
	.mark_late = {SLOT_EVENT_CLAIMED_LATE,
		      MARK("herald_event_retried") "AND retried_ms <> 0 AND retried_ms > ?3 "
						   "AND retried_ms < ?4"},
	.mark_late_last = {SLOT_EVENT_CLAIMED_LATE_LAST,
			   MARK("herald_event_retried") "AND retried_ms <> 0 AND retried_ms = ?3 "
							"AND id <= ?4"},
	.next = {SLOT_EVENT_NEXT,
		 "SELECT min(coalesce(min(" FIRST("0") ", ?2), ?3), coalesce(" FIRST(
			 "1") ", ?3), coalesce((SELECT ?2 FROM " LATE "?4 LIMIT 1), ?3))"},
};

enum herald_status
herald__sqlite_claim(struct herald_session *base, const struct herald_claim *claim,
		     herald_stored_event_visitor *visit, void *state, int64_t *next_ms,
		     struct herald_error *error)
{
	struct claiming claiming = {
		.event = {.owner = claim->owner}, .visit = visit, .state = state};
	const struct sqlite_ready ready = {
		.sql = &ready_events,
		.queue = claim->queue,
		.owner = claim->owner,
		.now_ms = claim->now_ms,
		.late_ms = herald__sqlite_latest_ms(claim->now_ms),
		.max_rows = claim->max_events,
		.max_bytes = claim->max_bytes,
		.read = read_event,
		.visit = visit_event,
		.state = &claiming,
	};

	return herald__sqlite_claim_ready(herald__sqlite_session(base), &ready, next_ms, error);
}

/* Completing. */

static struct sqlite_query
fenced(struct sqlite_session *session, const struct sqlite_sql *sql,
       const struct herald_completion *completion)
{
	const struct sqlite_fence fence = {.id = completion->id,
					   .owner = completion->owner,
					   .attempts = completion->attempts,
					   .replays = completion->replays};

	return herald__sqlite_fenced(session, sql, &fence);
}

static enum herald_status
end_fenced(struct sqlite_query *query, struct herald_completion *completion,
	   struct herald_error *error)
{
	enum herald_status status = herald__sqlite_run(query, error);

	if (status == HERALD_OK)
		completion->is_lost = herald__sqlite_changes(query) == 0;
	return status;
}

static enum herald_status
complete_done(struct sqlite_session *session, struct herald_completion *completion,
	      struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_EVENT_DONE,
					      "DELETE FROM main.herald_event " SQLITE_FENCE};
	struct sqlite_query query = fenced(session, &sql, completion);

	return end_fenced(&query, completion, error);
}

static enum herald_status
complete_retry(struct sqlite_session *session, struct herald_completion *completion,
	       struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_EVENT_RETRY, "UPDATE main.herald_event SET state = 0, owner = 0, due_ms = ?5, "
				  "last_error = ?6, delayed = ?7, retried_ms = ?8, "
				  "attempts = attempts - ?9 " SQLITE_FENCE};
	struct sqlite_query query = fenced(session, &sql, completion);
	const bool is_delayed = completion->due_ms > completion->now_ms;

	herald__sqlite_bind_int(&query, completion->due_ms);
	herald__sqlite_bind_text(&query, completion->reason ? completion->reason : "");
	herald__sqlite_bind_int(&query, is_delayed);
	herald__sqlite_bind_int(&query, is_delayed ? completion->now_ms : 0);
	herald__sqlite_bind_int(&query, completion->has_not_run);
	return end_fenced(&query, completion, error);
}

static enum herald_status
complete_release(struct sqlite_session *session, struct herald_completion *completion,
		 struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_EVENT_RELEASE,
					      "UPDATE main.herald_event SET state = 0, owner = 0, "
					      "attempts = attempts - ?5 " SQLITE_FENCE};
	struct sqlite_query query = fenced(session, &sql, completion);

	herald__sqlite_bind_int(&query, !completion->may_have_run);
	return end_fenced(&query, completion, error);
}

static enum herald_status
complete_dead(struct sqlite_session *session, struct herald_completion *completion,
	      struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_EVENT_IS_MINE,
					      "SELECT 1 FROM main.herald_event " SQLITE_FENCE};
	struct sqlite_query query = fenced(session, &sql, completion);
	bool has_row;
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);

	if (status != HERALD_OK)
		return status;
	herald__sqlite_end(&query);
	completion->is_lost = !has_row;
	if (!has_row)
		return HERALD_OK;
	return herald__sqlite_event_die(
		session,
		&(struct sqlite_death){.id = completion->id,
				       .is_held = completion->is_held,
				       .has_not_run = completion->has_not_run,
				       .now_ms = completion->now_ms,
				       .why = completion->why,
				       .reason = completion->reason,
				       .path = completion->path,
				       .offset = completion->offset},
		error);
}

static enum herald_status
complete_one(struct sqlite_session *session, struct herald_completion *completion,
	     struct herald_error *error)
{
	switch (completion->kind) {
	case HERALD_COMPLETE_DONE:
		return complete_done(session, completion, error);
	case HERALD_COMPLETE_RETRY:
		return complete_retry(session, completion, error);
	case HERALD_COMPLETE_RELEASE:
		return complete_release(session, completion, error);
	case HERALD_COMPLETE_DEAD:
		return complete_dead(session, completion, error);
	}
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				"not a kind of completion: %d", (int)completion->kind);
}

enum herald_status
herald__sqlite_complete(struct herald_session *base, struct herald_completion *completions,
			size_t count, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; status == HERALD_OK && i < count; i++) {
		struct herald_completion *completion = &completions[i];
		bool is_over = completion->kind == HERALD_COMPLETE_DONE ||
			       completion->kind == HERALD_COMPLETE_DEAD;

		status = complete_one(session, completion, error);
		if (status == HERALD_OK && is_over && !completion->is_lost)
			status = herald__sqlite_key_promote(session, completion->key_hash, error);
	}
	return status;
}

enum herald_status
herald__sqlite_owned(struct herald_session *base, uint64_t owner,
		     herald_stored_event_visitor *visit, void *state, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_EVENT_OWNED, "SELECT id, attempts, replays, key_hash FROM main.herald_event "
				  "INDEXED BY herald_event_running WHERE state = 1 AND owner = ?1 "
				  "ORDER BY id"};
	struct sqlite_query row = herald__sqlite_query(herald__sqlite_session(base), &sql);
	struct herald_stored_event event = {.owner = owner};
	enum herald_status status;
	bool has_row;

	herald__sqlite_bind_int(&row, (int64_t)owner);
	while ((status = herald__sqlite_step(&row, &has_row, error)) == HERALD_OK && has_row) {
		event.id = (uint64_t)herald__sqlite_int(&row);
		event.attempts = (unsigned)herald__sqlite_int(&row);
		event.replays = (unsigned)herald__sqlite_int(&row);
		event.key_hash = (uint64_t)herald__sqlite_int(&row);
		if (!visit(&event, state))
			break;
	}
	herald__sqlite_end(&row);
	return status;
}
