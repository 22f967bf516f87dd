/*
 * What a user calls: the handle of a JOIN, and publishing and deduplication in a transaction of
 * the user's own.
 */
#include <herald/adapter/database.h>
#include <herald/sqlite.h>

#include "session.h"

static bool
is_sqlite(const struct herald_database *database)
{
	return database->ops->session_wrap == herald__sqlite_session_wrap;
}

sqlite3 *
herald_sqlite_handle(struct herald_context *ctx)
{
	struct herald_session *session = herald_context_session(ctx);

	return session && is_sqlite(session->database) ? herald__sqlite_session_handle(session)
						       : NULL;
}

static enum herald_status
wrap(struct herald_store *store, sqlite3 *db, struct herald_session **out,
     struct herald_error *error)
{
	struct herald_database *database = herald_store_database(store);

	if (!is_sqlite(database))
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"the store is in a database of %s, not SQLite",
					database->ops->name);
	return database->ops->session_wrap(database, db, out, error);
}

enum herald_status
herald_sqlite_publish(struct herald_store *store, sqlite3 *db,
		      const struct herald_delivery *delivery, struct herald_error *error)
{
	struct herald_session *session = NULL;
	enum herald_status status = wrap(store, db, &session, error);

	if (status != HERALD_OK)
		return status;
	status = herald_store_publish_in(store, session, delivery, error);
	herald__sqlite_session_close(session);
	return status;
}

enum herald_status
herald_sqlite_accept(struct herald_store *store, sqlite3 *db, const char *source, const char *id,
		     bool *is_new, struct herald_error *error)
{
	struct herald_session *session = NULL;
	enum herald_status status = wrap(store, db, &session, error);

	if (status != HERALD_OK)
		return status;
	status = herald_store_accept_in(store, session, source, id, is_new, error);
	herald__sqlite_session_close(session);
	return status;
}
