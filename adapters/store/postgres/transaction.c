/*
 * Transactions. Each one writes its number into the row of its session in herald_mark, before
 * anything else. If the connection is lost during COMMIT, the row tells whether it took place. The
 * row is part of the same transaction, so this is true after a crash, and on a standby that has
 * taken over, where a transaction's id may have been given to another one. Reading it FOR UPDATE
 * waits for the end of a transaction whose server process still runs.
 */
#include "transaction.h"

#include <stdio.h>
#include <string.h>

#include <time.h>

#include <herald/adapter/log.h>

#include "connection.h"
#include "failure.h"
#include "lease.h"
#include "rows.h"
#include "session.h"
#include "times.h"

/* Between two attempts to look a transaction up. */
#define LOOK_PAUSE_MS 50

bool
herald__postgres_is_open(const struct postgres_session *session)
{
	return session->conn && PQtransactionStatus(session->conn) != PQTRANS_IDLE;
}

enum herald_status
herald__postgres_read(struct postgres_session *session, enum postgres_statement statement,
		      PGresult **out, struct herald_error *error)
{
	return herald__postgres_is_open(session)
		       ? herald__postgres_run(session, statement, out, error)
		       : herald__postgres_run_alone(session, statement, out, error);
}

/* What gets READY. */

void
herald__postgres_event_ready(struct postgres_session *session, int64_t due_ms)
{
	if (due_ms < session->ready_events_ms)
		session->ready_events_ms = due_ms;
}

void
herald__postgres_delivery_ready(struct postgres_session *session, int64_t due_ms)
{
	if (due_ms < session->ready_deliveries_ms)
		session->ready_deliveries_ms = due_ms;
}

void
herald__postgres_forget_ready(struct postgres_session *session)
{
	session->ready_events_ms = session->ready_deliveries_ms = INT64_MAX;
}

void
herald__postgres_publish_ready(struct postgres_session *session)
{
	struct postgres *database = session->database;
	int64_t events_ms = session->ready_events_ms, deliveries_ms = session->ready_deliveries_ms;
	int64_t due_ms = events_ms < deliveries_ms ? events_ms : deliveries_ms;

	if (due_ms == INT64_MAX)
		return;
	if (events_ms != INT64_MAX)
		herald__postgres_watermarks_lower(&database->watermarks, false, events_ms);
	if (deliveries_ms != INT64_MAX)
		herald__postgres_watermarks_lower(&database->watermarks, true, deliveries_ms);
	pthread_mutex_lock(&database->notify_mutex);
	if (due_ms < database->notify_from_ms)
		database->notify_from_ms = due_ms;
	pthread_mutex_unlock(&database->notify_mutex);
	herald__postgres_forget_ready(session);
}

/* Begin. */

static enum herald_status
create_mark(struct postgres_session *session, int64_t instance, struct herald_error *error)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	const int64_t mark = herald__postgres_new_id();

	herald__postgres_int8(parameters, instance);
	herald__postgres_bool(parameters, !session->database->options.is_pooled);
	herald__postgres_int8(parameters, mark);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_MARK_CREATE, NULL, error);
	if (status != HERALD_OK)
		return status;
	session->mark = mark;
	session->mark_instance = instance;
	session->is_marked = true;
	session->batch = 0;
	return HERALD_OK;
}

/* A mark of this connection, and of the present node. The one of an earlier node is deleted: who
 * recovers that ends what its connections do. */
static enum herald_status
have_mark(struct postgres_session *session, struct herald_error *error)
{
	const int64_t instance = herald__postgres_instance(&session->database->leases);

	if (session->mark != 0 && session->is_marked) {
		if (session->mark_instance == instance)
			return HERALD_OK;
		herald__postgres_int8(herald__postgres_parameters(session), session->mark);
		enum herald_status status =
			herald__postgres_run(session, POSTGRES_MARK_DELETE, NULL, error);
		if (status != HERALD_OK)
			return status;
		session->mark = 0;
	}
	return create_mark(session, instance, error);
}

/* In a pool, settings hold for a transaction. Others cannot end the transactions of a dead node, as
 * they do not know its server processes; so the server ends those that are idle for a lease. */
static const char pooled_settings[] = "SET LOCAL statement_timeout = %u; SET LOCAL jit = off;"
				      "SET LOCAL idle_in_transaction_session_timeout = %u;"
				      "SELECT set_config('synchronous_commit', 'on', true)"
				      " WHERE current_setting('synchronous_commit') = 'off';";

static enum herald_status
begin_marked(struct postgres_session *session, bool *was_marked, struct herald_error *error)
{
	const struct postgres *database = session->database;
	char settings[sizeof(pooled_settings) + 24] = "", sql[640];
	/* The function of a user may take its time. */
	const bool joins = session->use == HERALD_SESSION_JOIN;
	PGresult *result;

	if (database->options.is_pooled)
		snprintf(settings, sizeof(settings), pooled_settings,
			 herald__postgres_statement_timeout(session),
			 joins ? 0 : database->lease_ms);
	session->batch++;
	session->has_lanes = false;
	snprintf(sql, sizeof(sql),
		 "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; %s"
		 "UPDATE \"%s\".herald_mark SET batch = %lld, touched = now() WHERE id = %lld",
		 settings, database->options.schema, (long long)session->batch,
		 (long long)session->mark);
	enum herald_status status =
		herald__postgres_command(session, sql, "begin a transaction", &result, error);
	if (status != HERALD_OK)
		return status;
	*was_marked = strcmp(PQcmdTuples(result), "1") == 0;
	PQclear(result);
	return HERALD_OK;
}

static enum herald_status
begin_once(struct postgres_session *session, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	bool was_marked = false;

	/* The row of a session that has been idle for days may have been removed. */
	for (int i = 0; i < 2 && status == HERALD_OK && !was_marked; i++) {
		status = have_mark(session, error);
		if (status == HERALD_OK)
			status = begin_marked(session, &was_marked, error);
		if (!was_marked) {
			herald__postgres_rollback(&session->base);
			session->mark = 0;
		}
	}
	if (status == HERALD_OK && !was_marked)
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "a transaction could not be marked");
	return status;
}

enum herald_status
herald__postgres_begin(struct herald_session *base, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);

	if (herald__postgres_is_open(session))
		herald__postgres_rollback(base);
	session->may_repeat = false;
	bool had_connection = session->conn && PQstatus(session->conn) == CONNECTION_OK &&
			      !herald__postgres_session_is_old(session);
	enum herald_status status = HERALD_OK;
	if (had_connection) {
		status = begin_once(session, error);
		if (status == HERALD_OK || session->conn)
			return status;
	}
	/* It was lost while nothing was using it, and another one gets another mark. */
	session->mark = 0;
	status = herald__postgres_session_restore(session, error);
	return status == HERALD_OK ? begin_once(session, error) : status;
}

/* Commit. */

static void
pause_ms(uint32_t ms)
{
	struct timespec pause = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&pause, NULL);
}

/* Whether the transaction took place, by the row that it has marked. */
static enum herald_status
look_up(struct postgres_session *session, bool *was_committed, struct herald_error *error)
{
	PGresult *result;

	session->reconnect_ms = 0;
	enum herald_status status = herald__postgres_session_restore(session, error);
	if (status != HERALD_OK)
		return status;
	herald__postgres_int8(herald__postgres_parameters(session), session->mark);
	status = herald__postgres_run(session, POSTGRES_MARK_LOOK, &result, error);
	if (status != HERALD_OK)
		return status;
	if (PQntuples(result) == 0)
		/* Lost by a failover, with what was committed shortly before. */
		status = herald_error_set(error, HERALD_UNKNOWN_OUTCOME, HERALD_NO_OFFSET,
					  "the mark of a transaction is gone");
	else
		*was_committed = herald__postgres_row_int8(result, 0, 0) == session->batch;
	PQclear(result);
	return status;
}

/* `why` it is not known. */
static enum herald_status
find_outcome(struct postgres_session *session, const char *why, struct herald_error *error)
{
	const struct herald_log_field field = {"reason", why, 0};
	int64_t end_ms =
		herald__postgres_clock_ms() + session->database->options.outcome_timeout_ms;
	bool was_committed = false;
	enum herald_status status;

	herald_log_write(&session->database->log, HERALD_LOG_WARNING,
			 "it is looked up whether a commit took place", &field, 1);
	do {
		status = look_up(session, &was_committed, error);
		if (status == HERALD_UNAVAILABLE)
			pause_ms(LOOK_PAUSE_MS);
	} while (status == HERALD_UNAVAILABLE && herald__postgres_clock_ms() < end_ms);
	session->mark = 0; /* of a connection that is gone */
	if (status == HERALD_OK && was_committed)
		return HERALD_OK;
	if (status == HERALD_OK)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"%s during a commit, which did not take place", why);
	return herald_error_set(error, HERALD_UNKNOWN_OUTCOME, HERALD_NO_OFFSET,
				"%s during a commit, and it could not be found out whether that "
				"took place",
				why);
}

enum herald_status
herald__postgres_commit(struct herald_session *base, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;

	if (herald__postgres_session_is_old(session))
		herald__postgres_session_cut(session);
	if (!session->conn || PQtransactionStatus(session->conn) == PQTRANS_IDLE)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"the transaction was lost before its commit");
	session->is_settling = true;
	enum herald_status status =
		herald__postgres_command(session, "COMMIT", "commit", &result, error);
	if (status == HERALD_OK) {
		/* A transaction in which a statement has failed is rolled back. */
		if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
			status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						  "PostgreSQL has rolled the transaction back");
		PQclear(result);
		/* An old primary has answered: what counts is what the new one has. */
		if (status == HERALD_OK && herald__postgres_session_is_old(session)) {
			herald__postgres_session_cut(session);
			status = find_outcome(session, "another server has taken over", error);
		}
	} else if (!session->conn) {
		status = find_outcome(session, "the connection to PostgreSQL was lost", error);
	}
	session->is_settling = false;
	if (status == HERALD_OK || status == HERALD_UNKNOWN_OUTCOME)
		herald__postgres_publish_ready(session);
	else
		herald__postgres_forget_ready(session);
	return status;
}

void
herald__postgres_rollback(struct herald_session *base)
{
	struct postgres_session *session = postgres_session(base);

	herald__postgres_forget_ready(session);
	if (session->is_wrapped || !herald__postgres_is_open(session))
		return;
	session->is_settling = true;
	if (PQtransactionStatus(session->conn) == PQTRANS_ACTIVE ||
	    herald__postgres_command(session, "ROLLBACK", "roll back", NULL, NULL) != HERALD_OK)
		herald__postgres_session_cut(session);
	session->is_settling = false;
}

bool
herald__postgres_repeats(const struct herald_session *base)
{
	return ((const struct postgres_session *)base)->may_repeat;
}

/* Parts of a transaction. */

static enum herald_status
require_transaction(struct postgres_session *session, struct herald_error *error)
{
	if (!session->conn || PQstatus(session->conn) != CONNECTION_OK)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"the connection to PostgreSQL is lost");
	if (PQtransactionStatus(session->conn) == PQTRANS_IDLE)
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"the function has ended the store's transaction: it must "
					"not COMMIT or ROLLBACK");
	return HERALD_OK;
}

/* A savepoint that does not exist belongs to a transaction that the function has ended. */
static enum herald_status
end_part(struct postgres_session *session, const char *sql, const char *what,
	 struct herald_error *error)
{
	enum herald_status status = require_transaction(session, error);

	if (status != HERALD_OK)
		return status;
	status = herald__postgres_command(session, sql, what, NULL, error);
	if (status != HERALD_OK && session->conn)
		status = herald_error_set(
			error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
			"the function has left a transaction that is failed, or not the store's");
	return status;
}

enum herald_status
herald__postgres_savepoint(struct herald_session *base, struct herald_error *error)
{
	return herald__postgres_command(postgres_session(base), "SAVEPOINT herald_event",
					"begin a part of a transaction", NULL, error);
}

enum herald_status
herald__postgres_savepoint_release(struct herald_session *base, struct herald_error *error)
{
	return end_part(postgres_session(base), "RELEASE SAVEPOINT herald_event",
			"keep a part of a transaction", error);
}

enum herald_status
herald__postgres_savepoint_rollback(struct herald_session *base, struct herald_error *error)
{
	return end_part(postgres_session(base),
			"ROLLBACK TO SAVEPOINT herald_event; RELEASE SAVEPOINT herald_event",
			"undo a part of a transaction", error);
}
