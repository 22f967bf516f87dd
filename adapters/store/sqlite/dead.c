/*
 * A row that dies moves: it is copied and deleted in the transaction that decides it. Why it died
 * is stored as the reason's name, so that people who read the table understand it.
 */
#include "dead.h"

#include <string.h>

#include "statement.h"

static const char *const reason_names[] = {[HERALD_DEAD_ANY] = "any",
#define NAME(name, text) [HERALD_DEAD_##name] = text,
					   HERALD_DEAD_REASON_LIST(NAME)
#undef NAME
};

const char *
herald__sqlite_dead_name(enum herald_dead_reason why)
{
	return reason_names[(unsigned)why < HERALD_DEAD_REASON_COUNT ? why : HERALD_DEAD_ANY];
}

enum herald_dead_reason
herald__sqlite_dead_reason(const char *name)
{
	for (int i = HERALD_DEAD_REASON_COUNT - 1; i > HERALD_DEAD_ANY; i--)
		if (strcmp(name, reason_names[i]) == 0)
			return (enum herald_dead_reason)i;
	return HERALD_DEAD_ANY;
}

static enum herald_status
delete_row(struct sqlite_session *session, const struct sqlite_sql *sql, uint64_t id,
	   struct herald_error *error)
{
	struct sqlite_query query = herald__sqlite_query(session, sql);

	herald__sqlite_bind_int(&query, (int64_t)id);
	return herald__sqlite_run(&query, error);
}

enum herald_status
herald__sqlite_event_delete(struct sqlite_session *session, uint64_t id, struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_EVENT_DELETE,
					      "DELETE FROM main.herald_event WHERE id = ?1"};

	return delete_row(session, &sql, id, error);
}

enum herald_status
herald__sqlite_delivery_delete(struct sqlite_session *session, uint64_t id,
			       struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_DELIVERY_DELETE,
					      "DELETE FROM main.herald_delivery WHERE id = ?1"};

	return delete_row(session, &sql, id, error);
}

/* Both kinds have the same columns, and both copies the same parameters. */
#define INSERT                                                                                     \
	"INSERT INTO main.herald_dead (id, kind, why, reason, path, offset, is_held, dead_ms, "    \
	"last_http_status, queue, event_type, source, event_id, attempts, interrupted, replays, "  \
	"key_hash, holds_key, created_ms, delivery_id, url, origin, expires_ms, content_type, "    \
	"attributes, data) "
#define PARAMETERS "?2, coalesce(?3, last_error), ?4, ?5, ?6, ?7, ?8, "

static enum herald_status
copy_row(struct sqlite_session *session, const struct sqlite_sql *sql,
	 const struct sqlite_death *death, struct herald_error *error)
{
	struct sqlite_query query = herald__sqlite_query(session, sql);

	herald__sqlite_bind_int(&query, (int64_t)death->id);
	herald__sqlite_bind_text(&query, herald__sqlite_dead_name(death->why));
	herald__sqlite_bind_text(&query, death->reason); /* NULL is NULL in SQL */
	herald__sqlite_bind_text(&query, death->path ? death->path : "");
	herald__sqlite_bind_int(&query, death->offset);
	herald__sqlite_bind_int(&query, death->is_held);
	herald__sqlite_bind_int(&query, death->now_ms);
	herald__sqlite_bind_int(&query, death->http_status);
	herald__sqlite_bind_int(&query, death->has_not_run);
	return herald__sqlite_run(&query, error);
}

enum herald_status
herald__sqlite_event_die(struct sqlite_session *session, const struct sqlite_death *death,
			 struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_EVENT_DIE,
		INSERT "SELECT id, 0, " PARAMETERS
		       "queue, event_type, source, event_id, attempts - ?9, interrupted, replays, "
		       "key_hash, holds_key, created_ms, '', '', '', 0, content_type, attributes, "
		       "data FROM main.herald_event WHERE id = ?1"};
	enum herald_status status = copy_row(session, &sql, death, error);

	if (status == HERALD_OK)
		status = herald__sqlite_event_delete(session, death->id, error);
	return status;
}

enum herald_status
herald__sqlite_delivery_die(struct sqlite_session *session, const struct sqlite_death *death,
			    struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_DELIVERY_DIE,
		INSERT "SELECT id, 1, " PARAMETERS
		       "'', event_type, '', event_id, attempts - ?9, 0, replays, 0, 0, created_ms, "
		       "delivery_id, url, origin, expires_ms, '', x'', record "
		       "FROM main.herald_delivery WHERE id = ?1"};
	enum herald_status status = copy_row(session, &sql, death, error);

	if (status == HERALD_OK)
		status = herald__sqlite_delivery_delete(session, death->id, error);
	return status;
}
