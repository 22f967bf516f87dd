/*
 * What a user calls: the handle of a JOIN, and publishing and deduplication in a transaction of
 * the user's own.
 */
#include <herald/adapter/database.h>
#include <herald/postgres.h>

#include "session.h"
#include "transaction.h"

static bool
is_postgres(const struct herald_database *database)
{
	return database->ops->begin == herald__postgres_begin;
}

PGconn *
herald_postgres_handle(struct herald_context *ctx)
{
	struct herald_session *session = herald_context_session(ctx);

	return session && is_postgres(session->database) ? postgres_session(session)->conn : NULL;
}

static enum herald_status
wrap(struct herald_store *store, PGconn *conn, struct postgres_session **out,
     struct herald_error *error)
{
	struct herald_database *database = herald_store_database(store);

	if (!is_postgres(database))
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"the store is in a database of %s, not PostgreSQL",
					database->ops->name);
	return herald__postgres_session_wrap((struct postgres *)database, conn, out, error);
}

enum herald_status
herald_postgres_publish(struct herald_store *store, PGconn *conn,
			const struct herald_delivery *delivery, struct herald_error *error)
{
	struct postgres_session *session = NULL;
	enum herald_status status = wrap(store, conn, &session, error);

	if (status != HERALD_OK)
		return status;
	status = herald_store_publish_in(store, &session->base, delivery, error);
	herald__postgres_session_close(session);
	return status;
}

enum herald_status
herald_postgres_accept(struct herald_store *store, PGconn *conn, const char *source, const char *id,
		       bool *is_new, struct herald_error *error)
{
	struct postgres_session *session = NULL;
	enum herald_status status = wrap(store, conn, &session, error);

	if (status != HERALD_OK)
		return status;
	status = herald_store_accept_in(store, &session->base, source, id, is_new, error);
	herald__postgres_session_close(session);
	return status;
}
