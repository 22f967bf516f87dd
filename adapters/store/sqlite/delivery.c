/*
 * Deliveries. They are claimed and completed as events are (ready.c, event.c), but from one queue;
 * and what limits them is their origin (origin.c).
 */
#include "delivery.h"

#include <stdio.h>
#include <string.h>

#include "dead.h"
#include "meta.h"
#include "origin.h"
#include "problem.h"
#include "ready.h"
#include "statement.h"

/* Pushing. */

static enum herald_status
insert_delivery(struct sqlite_session *session, const struct herald_stored_delivery *delivery,
		int state, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DELIVERY_INSERT,
		"INSERT INTO main.herald_delivery (id, state, due_ms, delayed, attempts, replays, "
		"owner, delivery_id, url, origin, event_type, event_id, created_ms, expires_ms, "
		"last_http_status, last_error, record) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, "
		"?9, ?10, ?11, ?12, ?13, 0, '', ?14)"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, (int64_t)delivery->id);
	herald__sqlite_bind_int(&query, state);
	herald__sqlite_bind_int(&query, delivery->due_ms);
	herald__sqlite_bind_int(&query,
				state != STATE_RUNNING && delivery->due_ms > delivery->created_ms);
	herald__sqlite_bind_int(&query, state == STATE_RUNNING);
	herald__sqlite_bind_int(&query, state == STATE_RUNNING ? (int64_t)delivery->owner : 0);
	herald__sqlite_bind_text(&query, delivery->delivery_id);
	herald__sqlite_bind_text(&query, delivery->url);
	herald__sqlite_bind_text(&query, delivery->origin);
	herald__sqlite_bind_text(&query, delivery->event_type);
	herald__sqlite_bind_text(&query, delivery->event_id);
	herald__sqlite_bind_int(&query, delivery->created_ms);
	herald__sqlite_bind_int(&query, delivery->expires_ms);
	herald__sqlite_bind_blob(&query, delivery->record.data, delivery->record.bytes);
	return herald__sqlite_run(&query, error);
}

/* The room of an origin, which is counted once for deliveries that follow each other. */
struct room {
	const char *origin;
	unsigned left;
};

static enum herald_status
push_one(struct sqlite_session *session, struct herald_stored_delivery *delivery, struct room *room,
	 struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	int state = STATE_BLOCKED;

	if (!room->origin || strcmp(room->origin, delivery->origin) != 0) {
		room->origin = delivery->origin;
		status = herald__sqlite_origin_room(session, room->origin, &room->left, error);
		if (status != HERALD_OK)
			return status;
	}
	if (room->left > 0) {
		room->left--;
		state = delivery->owner ? STATE_RUNNING : STATE_READY;
	} else {
		delivery->owner = 0;
	}
	return insert_delivery(session, delivery, state, error);
}

enum herald_status
herald__sqlite_delivery_push(struct herald_session *base, struct herald_stored_delivery *deliveries,
			     size_t count, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	enum herald_status status = HERALD_OK;
	struct room room = {.origin = NULL};
	int64_t created_ms = 0;
	int64_t first = 0;
	uint64_t checked = 0;

	for (size_t i = 0; status == HERALD_OK && i < count; i++) {
		if (deliveries[i].created_ms > created_ms)
			created_ms = deliveries[i].created_ms;
		if (deliveries[i].owner != checked)
			status = herald__sqlite_check_owner(session, deliveries[i].owner, error);
		checked = deliveries[i].owner;
	}
	if (status == HERALD_OK && count > 0)
		status = herald__sqlite_take_ids(session, created_ms, count, &first, error);
	for (size_t i = 0; status == HERALD_OK && i < count; i++) {
		deliveries[i].id = (uint64_t)first + i;
		status = push_one(session, &deliveries[i], &room, error);
	}
	return status;
}

/* Claiming. */

/* The delivery that is being read, and who wants it. */
struct claiming {
	struct herald_stored_delivery delivery;
	herald_stored_delivery_visitor *visit;
	void *state;
};

/* The columns of FIND after the first three. */
static size_t
read_delivery(struct sqlite_query *row, uint64_t id, int64_t due_ms, void *state)
{
	struct herald_stored_delivery *delivery = &((struct claiming *)state)->delivery;

	delivery->id = id;
	delivery->due_ms = due_ms;
	delivery->delivery_id = herald__sqlite_text(row);
	delivery->url = herald__sqlite_text(row);
	delivery->origin = herald__sqlite_text(row);
	delivery->event_type = herald__sqlite_text(row);
	delivery->event_id = herald__sqlite_text(row);
	delivery->created_ms = herald__sqlite_int(row);
	delivery->expires_ms = herald__sqlite_int(row);
	delivery->attempts = (unsigned)herald__sqlite_int(row) + 1;
	delivery->replays = (unsigned)herald__sqlite_int(row);
	delivery->last_http_status = (unsigned)herald__sqlite_int(row);
	delivery->last_error = herald__sqlite_text(row);
	delivery->record = herald__sqlite_blob(row);
	return delivery->record.bytes;
}

static bool
visit_delivery(void *state)
{
	struct claiming *claiming = state;

	return claiming->visit(&claiming->delivery, claiming->state);
}

#define READY "main.herald_delivery INDEXED BY herald_delivery_ready WHERE state = 0 "
#define FIND(place)                                                                                \
	"SELECT id, due_ms, " place ", delivery_id, url, origin, event_type, event_id, "           \
	"created_ms, expires_ms, attempts, replays, last_http_status, last_error, record "         \
	"FROM " READY
#define MARK                                                                                       \
	"UPDATE main.herald_delivery INDEXED BY herald_delivery_ready "                            \
	"SET state = 1, attempts = attempts + 1, owner = ?1, delayed = 0 WHERE state = 0 "
#define FIRST(delayed)                                                                             \
	"(SELECT due_ms FROM " READY "AND delayed = " delayed " ORDER BY due_ms, id LIMIT 1)"

/* Late is what is due later than a time. */
static const struct sqlite_ready_sql ready_deliveries = {
	.find = {SLOT_DELIVERY_CLAIM,
		 FIND("delayed") "AND delayed = 0 UNION ALL " FIND(
			 "delayed") "AND delayed = 1 "
				    "AND due_ms <= ?1 ORDER BY due_ms, id LIMIT ?2"},
	.mark = {SLOT_DELIVERY_CLAIMED, MARK "AND delayed = ?2 AND due_ms < ?3"},
	.mark_last = {SLOT_DELIVERY_CLAIMED_LAST,
		      MARK "AND delayed = ?2 AND due_ms = ?3 AND id <= ?4"},
	.find_late = {SLOT_DELIVERY_CLAIM_LATE, FIND("due_ms") "AND delayed = 1 AND due_ms > ?1 "
							       "ORDER BY due_ms, id LIMIT ?2"},
	.mark_late = {SLOT_DELIVERY_CLAIMED_LATE, MARK "AND delayed = 1 AND due_ms > ?2 "
						       "AND due_ms < ?3"},
	.mark_late_last = {SLOT_DELIVERY_CLAIMED_LATE_LAST,
			   MARK "AND delayed = 1 AND due_ms = ?2 AND id <= ?3"},
	.next = {SLOT_DELIVERY_NEXT,
		 "SELECT min(coalesce(min(" FIRST("0") ", ?1), ?2), coalesce(" FIRST(
			 "1") ", ?2), coalesce((SELECT ?1 FROM " READY
			      "AND delayed = 1 AND due_ms > ?3 LIMIT 1), ?2))"},
};

enum herald_status
herald__sqlite_delivery_claim(struct herald_session *base,
			      const struct herald_delivery_claim *claim,
			      herald_stored_delivery_visitor *visit, void *state, int64_t *next_ms,
			      struct herald_error *error)
{
	const bool is_bounded = claim->now_ms <= INT64_MAX - claim->max_delay_ms;
	struct claiming claiming = {
		.delivery = {.owner = claim->owner}, .visit = visit, .state = state};
	const struct sqlite_ready ready = {
		.sql = &ready_deliveries,
		.owner = claim->owner,
		.now_ms = claim->now_ms,
		.late_ms = is_bounded ? claim->now_ms + claim->max_delay_ms : INT64_MAX,
		.max_rows = claim->max_deliveries,
		.max_bytes = claim->max_bytes,
		.read = read_delivery,
		.visit = visit_delivery,
		.state = &claiming,
	};

	return herald__sqlite_claim_ready(herald__sqlite_session(base), &ready, next_ms, error);
}

enum herald_status
herald__sqlite_delivery_owned(struct herald_session *base, uint64_t owner,
			      herald_stored_delivery_visitor *visit, void *state,
			      struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DELIVERY_OWNED, "SELECT id, attempts, replays FROM main.herald_delivery "
				     "INDEXED BY herald_delivery_running "
				     "WHERE state = 1 AND owner = ?1 ORDER BY id"};
	struct sqlite_query row = herald__sqlite_query(herald__sqlite_session(base), &sql);
	struct herald_stored_delivery delivery = {.owner = owner};
	enum herald_status status;
	bool has_row;

	herald__sqlite_bind_int(&row, (int64_t)owner);
	while ((status = herald__sqlite_step(&row, &has_row, error)) == HERALD_OK && has_row) {
		delivery.id = (uint64_t)herald__sqlite_int(&row);
		delivery.attempts = (unsigned)herald__sqlite_int(&row);
		delivery.replays = (unsigned)herald__sqlite_int(&row);
		if (!visit(&delivery, state))
			break;
	}
	herald__sqlite_end(&row);
	return status;
}

/* Completing. */

/* The origin of a row that was claimed so; lost if there is no such row. */
static enum herald_status
find_claimed(struct sqlite_session *session, struct herald_delivery_completion *completion,
	     char origin[SQLITE_ORIGIN_BYTES], struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DELIVERY_FIND, "SELECT origin FROM main.herald_delivery " SQLITE_FENCE};
	const struct sqlite_fence fence = {.id = completion->id,
					   .owner = completion->owner,
					   .attempts = completion->attempts,
					   .replays = completion->replays};
	struct sqlite_query query = herald__sqlite_fenced(session, &sql, &fence);
	bool has_row;

	enum herald_status status = herald__sqlite_step(&query, &has_row, error);
	completion->is_lost = !has_row;
	if (has_row)
		snprintf(origin, SQLITE_ORIGIN_BYTES, "%s", herald__sqlite_text(&query));
	if (query.rc != SQLITE_OK && status == HERALD_OK && has_row)
		status = herald__sqlite_problem(session, query.rc, error);
	herald__sqlite_end(&query);
	return status;
}

static enum herald_status
complete_retry(struct sqlite_session *session, const struct herald_delivery_completion *completion,
	       struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DELIVERY_RETRY, "UPDATE main.herald_delivery SET state = 0, owner = 0, "
				     "attempts = ?2, due_ms = ?3, delayed = ?4, "
				     "expires_ms = ?5, last_http_status = ?6, last_error = ?7 "
				     "WHERE id = ?1"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, (int64_t)completion->id);
	herald__sqlite_bind_int(&query, completion->new_attempts);
	herald__sqlite_bind_int(&query, completion->due_ms);
	herald__sqlite_bind_int(&query, completion->due_ms > completion->now_ms);
	herald__sqlite_bind_int(&query, completion->expires_ms);
	herald__sqlite_bind_int(&query, completion->http_status);
	herald__sqlite_bind_text(&query, completion->reason ? completion->reason : "");
	return herald__sqlite_run(&query, error);
}

static enum herald_status
complete_release(struct sqlite_session *session,
		 const struct herald_delivery_completion *completion, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DELIVERY_RELEASE, "UPDATE main.herald_delivery SET state = 0, owner = 0, "
				       "attempts = attempts - ?2 WHERE id = ?1"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, (int64_t)completion->id);
	herald__sqlite_bind_int(&query, !completion->may_have_run);
	return herald__sqlite_run(&query, error);
}

static enum herald_status
complete_one(struct sqlite_session *session, const struct herald_delivery_completion *completion,
	     struct herald_error *error)
{
	switch (completion->kind) {
	case HERALD_COMPLETE_DONE:
		return herald__sqlite_delivery_delete(session, completion->id, error);
	case HERALD_COMPLETE_RETRY:
		return complete_retry(session, completion, error);
	case HERALD_COMPLETE_RELEASE:
		return complete_release(session, completion, error);
	case HERALD_COMPLETE_DEAD:
		return herald__sqlite_delivery_die(
			session,
			&(struct sqlite_death){.id = completion->id,
					       .now_ms = completion->now_ms,
					       .why = completion->why,
					       .reason = completion->reason,
					       .offset = -1,
					       .http_status = completion->http_status},
			error);
	}
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				"not a kind of completion: %d", (int)completion->kind);
}

enum herald_status
herald__sqlite_delivery_complete(struct herald_session *base,
				 struct herald_delivery_completion *completions, size_t count,
				 struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	enum herald_status status = HERALD_OK;
	char origin[SQLITE_ORIGIN_BYTES];

	for (size_t i = 0; status == HERALD_OK && i < count; i++) {
		bool is_over = completions[i].kind == HERALD_COMPLETE_DONE ||
			       completions[i].kind == HERALD_COMPLETE_DEAD;

		status = find_claimed(session, &completions[i], origin, error);
		if (status != HERALD_OK || completions[i].is_lost)
			continue;
		status = complete_one(session, &completions[i], error);
		if (status == HERALD_OK && is_over)
			status = herald__sqlite_origin_promote(session, origin, error);
	}
	return status;
}
