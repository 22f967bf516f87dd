/*
 * Sessions: a connection, the statements on it, and getting it back when it is lost.
 */
#ifndef HERALD_POSTGRES_SESSION_H
#define HERALD_POSTGRES_SESSION_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "database.h"

/* As session_open() of herald_database_ops; `status` may be HERALD_BAD_OPTION, too. */
enum herald_status
herald__postgres_session_open(struct postgres *database, enum herald_session_use use,
			      struct postgres_session **out, struct herald_error *error);

enum herald_status
herald__postgres_session_wrap(struct postgres *database, PGconn *conn,
			      struct postgres_session **out, struct herald_error *error);

/* Close it, with its connection unless the caller owns that. */
void herald__postgres_session_close(struct postgres_session *session);

/* Close the connection, so that it is opened again: it was lost, or nothing is known of its state.
 */
void herald__postgres_session_cut(struct postgres_session *session);

/* Whether another connection has seen since then that another server has taken over. The server of
 * this one may still run, but what it commits is lost. */
bool herald__postgres_session_is_old(const struct postgres_session *session);

/* Connect again if the connection is lost or old, and if it is time for an attempt. */
enum herald_status
herald__postgres_session_restore(struct postgres_session *session, struct herald_error *error);

/* Parameters for the next statement of the session, which uses them up. */
struct postgres_parameters *herald__postgres_parameters(struct postgres_session *session);

/*
 * Run a statement with the parameters.
 *
 * out      the rows, set only on HERALD_OK; NULL: they are not needed. The caller clears them.
 * Errors   HERALD_UNAVAILABLE, HERALD_NO_MEMORY, HERALD_TOO_LARGE.
 */
enum herald_status
herald__postgres_run(struct postgres_session *session, enum postgres_statement statement,
		     PGresult **out, struct herald_error *error);

/* As herald__postgres_run(), outside of transactions: tried again after a conflict, and once more
 * if the connection is lost. Only for statements that may take place twice. */
enum herald_status
herald__postgres_run_alone(struct postgres_session *session, enum postgres_statement statement,
			   PGresult **out, struct herald_error *error);

/* Run SQL without parameters on a connection that the store owns. `what` is for messages. */
enum herald_status
herald__postgres_command(struct postgres_session *session, const char *sql, const char *what,
			 PGresult **out, struct herald_error *error);

/* Whether the session may run nothing more, since operations end. */
bool herald__postgres_is_interrupted(const struct postgres_session *session);

/* As interrupt() of herald_database_ops. */
void herald__postgres_interrupt(struct herald_database *base);

/* The limit of the server for a statement of this session; leases must not wait for a slow one. */
uint32_t herald__postgres_statement_timeout(const struct postgres_session *session);

#endif
