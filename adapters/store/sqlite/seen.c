/*
 * The keys for deduplication. A key is looked up in both tables and added to the current one, so it
 * is known for one to two windows; and what is old goes at once, as a whole.
 */
#include "seen.h"

#include "statement.h"

#define ADD(current, other)                                                                        \
	"INSERT INTO main.herald_seen_" current " (key) SELECT ?1 WHERE NOT EXISTS ("              \
	"SELECT 1 FROM main.herald_seen_" other " WHERE key = ?1) ON CONFLICT DO NOTHING"

enum herald_status
herald__sqlite_seen_add(struct sqlite_session *session, const unsigned char *key, bool *is_new,
			struct herald_error *error)
{
	static const struct sqlite_sql sql[] = {{SLOT_SEEN_ADD_0, ADD("0", "1")},
						{SLOT_SEEN_ADD_1, ADD("1", "0")}};
	struct sqlite_query query = herald__sqlite_query(session, &sql[session->seen_current]);

	herald__sqlite_bind_blob(&query, key, HERALD_SEEN_KEY_BYTES);
	enum herald_status status = herald__sqlite_run(&query, error);
	if (status == HERALD_OK)
		*is_new = herald__sqlite_changes(&query) > 0;
	return status;
}

/* Which table is the current one, and since when. */
static enum herald_status
read_current(struct sqlite_session *session, int64_t *since_ms, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_SEEN_CURRENT, "SELECT seen_current, seen_since_ms FROM main.herald_meta"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);
	bool has_row;
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);

	if (has_row) {
		session->seen_current = herald__sqlite_int(&query) != 0;
		*since_ms = herald__sqlite_int(&query);
		herald__sqlite_end(&query);
	}
	return status;
}

enum herald_status
herald__sqlite_seen(struct herald_session *base, const unsigned char key[HERALD_SEEN_KEY_BYTES],
		    bool *is_new, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	int64_t since_ms;
	enum herald_status status = read_current(session, &since_ms, error);

	if (status == HERALD_OK)
		status = herald__sqlite_seen_add(session, key, is_new, error);
	return status;
}

static enum herald_status
make_current(struct sqlite_session *session, unsigned current, int64_t now_ms,
	     struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_SEEN_ROTATE,
					      "UPDATE main.herald_meta SET seen_current = ?1, "
					      "seen_since_ms = ?2"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);

	herald__sqlite_bind_int(&query, current);
	herald__sqlite_bind_int(&query, now_ms);
	return herald__sqlite_run(&query, error);
}

enum herald_status
herald__sqlite_seen_rotate(struct herald_session *base, int64_t now_ms, int64_t window_ms,
			   struct herald_error *error)
{
	/* Without a WHERE: SQLite drops the pages and does not look at the rows. */
	static const struct sqlite_sql empty[] = {
		{SLOT_SEEN_EMPTY_0, "DELETE FROM main.herald_seen_0"},
		{SLOT_SEEN_EMPTY_1, "DELETE FROM main.herald_seen_1"}};
	struct sqlite_session *session = herald__sqlite_session(base);
	int64_t since_ms = 0;
	enum herald_status status = read_current(session, &since_ms, error);

	/* The first time; or the clock was set back by more than a window, which begins anew. */
	const bool is_new = since_ms == 0 || since_ms - now_ms > window_ms;

	if (status != HERALD_OK || (!is_new && now_ms - since_ms < window_ms))
		return status;
	if (is_new)
		return make_current(session, session->seen_current, now_ms, error);
	unsigned next = !session->seen_current;
	struct sqlite_query query = herald__sqlite_query(session, &empty[next]);
	status = herald__sqlite_run(&query, error);
	if (status == HERALD_OK)
		status = make_current(session, next, now_ms, error);
	return status;
}
