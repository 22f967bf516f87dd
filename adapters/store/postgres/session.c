/*
 * Sessions. Owns the connections, except those that callers pass; transactions are in
 * transaction.c.
 */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "connection.h"
#include "failure.h"
#include "times.h"

#define FIRST_DELAY_MS 50

/* How much longer than the server a client waits for the end of a statement. */
#define PATIENCE_MS 2000

/* For what makes room in the database when a session ends, and is removed after a day if not. */
#define CLOSE_MS 1000

/* Own attempts after a conflict. */
#define ATTEMPTS 5

uint32_t
herald__postgres_statement_timeout(const struct postgres_session *session)
{
	const struct postgres *database = session->database;
	uint32_t timeout_ms = database->options.statement_timeout_ms;

	if (session->use == HERALD_SESSION_NODE && database->lease_ms / 3 < timeout_ms)
		timeout_ms = database->lease_ms / 3;
	return timeout_ms;
}

/* Interrupting. The file stays readable, so that a statement may begin to wait at any time. */

static bool
may_be_interrupted(const struct postgres_session *session)
{
	return session->use == HERALD_SESSION_ADMIN && !session->is_settling;
}

/* -1: none. */
static int
interrupt_fd(const struct postgres_session *session)
{
	return may_be_interrupted(session) ? session->database->interrupt_fd : -1;
}

bool
herald__postgres_is_interrupted(const struct postgres_session *session)
{
	return may_be_interrupted(session) && atomic_load(&session->database->is_interrupted);
}

void
herald__postgres_interrupt(struct herald_database *base)
{
	struct postgres *database = (struct postgres *)base;
	const uint64_t one = 1;

	atomic_store(&database->is_interrupted, true);
	const ssize_t written = write(database->interrupt_fd, &one, sizeof(one));
	(void)written; /* a full counter can be read, too */
}

/* Connecting. */

/* Settings of a connection that is not shared by a pool. Plans must not depend on how full a table
 * was when a statement was prepared; so the indexes are used always. */
static enum herald_status
configure(struct postgres_session *session, struct herald_error *error)
{
	bool joins = session->use == HERALD_SESSION_JOIN;
	char sql[640];

	snprintf(sql, sizeof(sql),
		 "SET default_transaction_isolation = 'read committed';"
		 "SET default_transaction_read_only = off; SET statement_timeout = %u;"
		 "%s"
		 "SELECT set_config('synchronous_commit', 'on', false)"
		 " WHERE current_setting('synchronous_commit') = 'off'",
		 herald__postgres_statement_timeout(session),
		 joins || session->use == HERALD_SESSION_ADMIN
			 ? ""
			 : "SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off;"
			   "SET enable_mergejoin = off; SET enable_bitmapscan = off;"
			   "SET plan_cache_mode = force_generic_plan;");
	return herald__postgres_command(session, sql, "set up a connection", NULL, error);
}

static enum herald_status
check_primary(struct postgres_session *session, struct herald_error *error)
{
	PGresult *result = NULL;
	enum herald_status status = herald__postgres_command(session, "SELECT pg_is_in_recovery()",
							     "check the server", &result, error);

	if (status != HERALD_OK)
		return status;
	bool is_standby = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	if (is_standby)
		return herald_option_refuse(
			error, "dsn",
			"the server is a standby, which is read-only: name the primary, or all "
			"hosts and target_session_attrs=read-write");
	return HERALD_OK;
}

#define TIMELINE_DIGITS 8

static int64_t
timeline_of(const char digits[TIMELINE_DIGITS])
{
	int64_t timeline = 0;

	for (int i = 0; i < TIMELINE_DIGITS; i++)
		timeline = timeline * 16 + herald_ascii_hex_value(digits[i]);
	return timeline;
}

/* The first 8 digits of the name of a file of the log are its timeline. Servers with another
 * storage may not have this function. */
static enum herald_status
check_timeline(struct postgres_session *session, struct herald_error *error)
{
	PGresult *result = NULL;
	enum herald_status status = herald__postgres_command(
		session, "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)",
		"check the server", &result, error);

	if (status != HERALD_OK)
		return session->conn ? HERALD_OK : status;
	if (PQgetlength(result, 0, 0) == TIMELINE_DIGITS &&
	    !herald__postgres_leases_check(&session->database->leases,
					   timeline_of(PQgetvalue(result, 0, 0)), &session->epoch))
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "an old primary answers: another server has taken over "
					  "(if it was restored, upgraded or moved, restart "
					  "this process)");
	PQclear(result);
	return status;
}

static enum herald_status
connect_to(struct postgres_session *session, const struct postgres_address *address,
	   struct herald_error *error)
{
	struct postgres *database = session->database;

	session->epoch = herald__postgres_epoch(&database->leases);
	enum herald_status status = herald__postgres_connect(
		database->options.dsn, address, database->options.connect_timeout_ms,
		interrupt_fd(session), &session->conn, error);

	if (status != HERALD_OK)
		return status;
	memset(session->is_prepared, 0, sizeof(session->is_prepared));
	session->is_listening = false;
	session->is_marked = false;
	status = check_primary(session, error);
	/* In a pool, the next statement may reach another server. */
	if (status == HERALD_OK && !database->options.is_pooled)
		status = check_timeline(session, error);
	if (status == HERALD_OK && !database->options.is_pooled)
		status = configure(session, error);
	if (status != HERALD_OK)
		herald__postgres_session_cut(session);
	return status;
}

/* Each address in turn. If all fail, the first error that may pass is told. */
static enum herald_status
open_connection(struct postgres_session *session, struct herald_error *error)
{
	struct postgres *database = session->database;
	struct postgres_address addresses[POSTGRES_ADDRESSES_MAX];
	const size_t count = herald__postgres_addresses(database->options.dsn, addresses);
	const size_t first = atomic_load(&database->first_address);
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; i < count; i++) {
		const size_t index = (first + i) % count;
		struct herald_error found;
		const enum herald_status tried = connect_to(session, &addresses[index], &found);

		if (tried == HERALD_OK) {
			atomic_store(&database->first_address, index);
			atomic_store(&database->is_silent, false);
			return HERALD_OK;
		}
		if (i == 0 || (tried == HERALD_UNAVAILABLE && status != HERALD_UNAVAILABLE)) {
			status = tried;
			if (error)
				*error = found;
		}
		if (herald__postgres_is_interrupted(session))
			break;
	}
	return status;
}

void
herald__postgres_session_cut(struct postgres_session *session)
{
	if (session->is_wrapped || !session->conn)
		return;
	PQfinish(session->conn);
	session->conn = NULL;
}

bool
herald__postgres_session_is_old(const struct postgres_session *session)
{
	return !session->is_wrapped && session->conn &&
	       session->epoch != herald__postgres_epoch(&session->database->leases);
}

static void
delay_reconnect(struct postgres_session *session)
{
	uint32_t max_ms = session->database->options.max_reconnect_delay_ms;
	uint32_t delay_ms =
		session->reconnect_delay_ms ? session->reconnect_delay_ms * 2 : FIRST_DELAY_MS;

	session->reconnect_delay_ms = delay_ms < max_ms ? delay_ms : max_ms;
	session->reconnect_ms = herald__postgres_clock_ms() + session->reconnect_delay_ms;
}

enum herald_status
herald__postgres_session_restore(struct postgres_session *session, struct herald_error *error)
{
	/* A transaction does not go on on another connection: its commit fails. */
	if (session->conn && PQstatus(session->conn) == CONNECTION_OK &&
	    (PQtransactionStatus(session->conn) != PQTRANS_IDLE ||
	     !herald__postgres_session_is_old(session)))
		return HERALD_OK;
	if (session->is_wrapped)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"the connection to PostgreSQL is lost");
	herald__postgres_session_cut(session);
	if (herald__postgres_clock_ms() < session->reconnect_ms)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"the connection to PostgreSQL is lost; the next attempt "
					"to connect is in up to %u ms",
					session->reconnect_delay_ms);
	enum herald_status status = open_connection(session, error);
	if (status == HERALD_OK) {
		session->reconnect_delay_ms = 0;
		session->reconnect_ms = 0;
		herald_log_write(&session->database->log, HERALD_LOG_INFO,
				 "connected to PostgreSQL again", NULL, 0);
		return HERALD_OK;
	}
	delay_reconnect(session);
	if (error)
		error->status = HERALD_UNAVAILABLE;
	return HERALD_UNAVAILABLE;
}

/* Statements. */

struct postgres_parameters *
herald__postgres_parameters(struct postgres_session *session)
{
	herald__postgres_parameters_begin(&session->parameters);
	return &session->parameters;
}

/* Wait for a statement that was sent. A lost connection is closed. */
static enum herald_status
receive(struct postgres_session *session, bool was_sent, const char *what, PGresult **out,
	struct herald_error *error)
{
	const uint32_t timeout_ms =
		session->is_closing ? CLOSE_MS
				    : herald__postgres_statement_timeout(session) + PATIENCE_MS;
	PGresult *result =
		was_sent ? herald__postgres_wait(session->conn, timeout_ms, interrupt_fd(session))
			 : NULL;

	if (result && herald__postgres_succeeded(result)) {
		if (out)
			*out = result;
		else
			PQclear(result);
		return HERALD_OK;
	}
	enum herald_status status = herald__postgres_fail(error, what, session->conn, result);
	session->may_repeat = herald__postgres_may_repeat(result);
	/* The user's function has deallocated them. */
	if (herald__postgres_is_state(result, "26000"))
		memset(session->is_prepared, 0, sizeof(session->is_prepared));
	if (!result)
		herald__postgres_session_cut(session);
	PQclear(result);
	return herald__postgres_is_interrupted(session) ? herald__postgres_interrupted(error)
							: status;
}

static enum herald_status
run_once(struct postgres_session *session, enum postgres_statement statement, PGresult **out,
	 struct herald_error *error)
{
	const struct postgres_parameters *given = &session->parameters;
	const char *sql = session->database->statements[statement];

	return receive(session,
		       PQsendQueryParams(session->conn, sql, (int)given->count, NULL, given->values,
					 given->lengths, given->formats, 1),
		       herald__postgres_statement_what(statement), out, error);
}

static enum herald_status
run_named(struct postgres_session *session, enum postgres_statement statement, PGresult **out,
	  struct herald_error *error)
{
	const struct postgres_parameters *given = &session->parameters;
	const char *what = herald__postgres_statement_what(statement);
	char name[24];

	snprintf(name, sizeof(name), "herald_%d", (int)statement);
	if (!session->is_prepared[statement]) {
		enum herald_status status =
			receive(session,
				PQsendPrepare(session->conn, name,
					      session->database->statements[statement], 0, NULL),
				what, NULL, error);
		if (status != HERALD_OK)
			return status;
		session->is_prepared[statement] = true;
	}
	return receive(session,
		       PQsendQueryPrepared(session->conn, name, (int)given->count, given->values,
					   given->lengths, given->formats, 1),
		       what, out, error);
}

/* On a connection of the caller's, in which libpq waits as it does for the caller. */
static enum herald_status
run_wrapped(struct postgres_session *session, enum postgres_statement statement, PGresult **out,
	    struct herald_error *error)
{
	const struct postgres_parameters *given = &session->parameters;
	PGresult *result = PQexecParams(session->conn, session->database->statements[statement],
					(int)given->count, NULL, given->values, given->lengths,
					given->formats, 1);

	if (herald__postgres_succeeded(result)) {
		if (out)
			*out = result;
		else
			PQclear(result);
		return HERALD_OK;
	}
	enum herald_status status = herald__postgres_fail(
		error, herald__postgres_statement_what(statement), session->conn, result);
	/* There is no such schema or table. */
	if (herald__postgres_is_state(result, "3F000") ||
	    herald__postgres_is_state(result, "42P01"))
		status = herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					  "this PGconn is connected to a database that has not the "
					  "tables of the store");
	PQclear(result);
	return status;
}

/* The parameters stay, for another attempt. */
static enum herald_status
attempt(struct postgres_session *session, enum postgres_statement statement, PGresult **out,
	struct herald_error *error)
{
	enum herald_status status = herald__postgres_parameters_end(&session->parameters);

	if (status == HERALD_NO_MEMORY)
		return herald_out_of_memory(error);
	if (status != HERALD_OK)
		return herald_error_set(error, status, HERALD_NO_OFFSET,
					"too large for PostgreSQL, which takes 1 GiB");
	if (herald__postgres_is_interrupted(session))
		return herald__postgres_interrupted(error);
	if (!session->conn)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"the connection to PostgreSQL is lost");
	if (session->is_wrapped)
		return run_wrapped(session, statement, out, error);
	return session->is_named ? run_named(session, statement, out, error)
				 : run_once(session, statement, out, error);
}

enum herald_status
herald__postgres_run(struct postgres_session *session, enum postgres_statement statement,
		     PGresult **out, struct herald_error *error)
{
	enum herald_status status = attempt(session, statement, out, error);

	herald__postgres_parameters_begin(&session->parameters);
	return status;
}

enum herald_status
herald__postgres_run_alone(struct postgres_session *session, enum postgres_statement statement,
			   PGresult **out, struct herald_error *error)
{
	enum herald_status status = HERALD_UNAVAILABLE;
	bool was_lost = false;

	for (int i = 0; i < ATTEMPTS && status == HERALD_UNAVAILABLE; i++) {
		status = herald__postgres_session_restore(session, error);
		if (status == HERALD_OK)
			status = attempt(session, statement, out, error);
		if (session->conn ? !session->may_repeat : was_lost)
			break;
		was_lost |= !session->conn;
	}
	herald__postgres_parameters_begin(&session->parameters);
	return status;
}

enum herald_status
herald__postgres_command(struct postgres_session *session, const char *sql, const char *what,
			 PGresult **out, struct herald_error *error)
{
	if (herald__postgres_is_interrupted(session))
		return herald__postgres_interrupted(error);
	if (!session->conn)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"the connection to PostgreSQL is lost");
	return receive(session, PQsendQuery(session->conn, sql), what, out, error);
}

/* Lifetime. */

static struct postgres_session *
create(struct postgres *database, enum herald_session_use use)
{
	const struct herald_allocator *allocator = &database->options.allocator;
	struct postgres_session *session =
		herald_memory_allocate_zeroed(allocator, 1, sizeof(*session));

	if (!session)
		return NULL;
	session->base.database = &database->base;
	session->database = database;
	session->use = use;
	session->ready_events_ms = session->ready_deliveries_ms = INT64_MAX;
	session->wake_fd = -1;
	herald_buffer_init(&session->parameters.buffer, allocator, 0);
	return session;
}

enum herald_status
herald__postgres_session_open(struct postgres *database, enum herald_session_use use,
			      struct postgres_session **out, struct herald_error *error)
{
	struct postgres_session *session = create(database, use);

	if (!session)
		return herald_out_of_memory(error);
	session->is_named = !database->options.is_pooled &&
			    (use == HERALD_SESSION_COMMIT || use == HERALD_SESSION_NODE);
	enum herald_status status = HERALD_OK;
	if (use == HERALD_SESSION_NODE) {
		session->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (session->wake_fd < 0)
			status = herald_system_error(error, "cannot create an eventfd", errno);
	}
	if (status == HERALD_OK)
		status = open_connection(session, error);
	if (status == HERALD_OK)
		*out = session;
	else
		herald__postgres_session_close(session);
	return status;
}

enum herald_status
herald__postgres_session_wrap(struct postgres *database, PGconn *conn,
			      struct postgres_session **out, struct herald_error *error)
{
	if (!conn || PQtransactionStatus(conn) != PQTRANS_INTRANS)
		return herald_error_set(
			error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "%s",
			!conn ? "a PGconn is needed"
			: PQtransactionStatus(conn) == PQTRANS_IDLE
				? "no transaction is open on this PGconn: BEGIN first"
			: PQtransactionStatus(conn) == PQTRANS_INERROR
				? "the transaction on this PGconn has failed: ROLLBACK"
			: PQtransactionStatus(conn) == PQTRANS_ACTIVE
				? "a statement is still running on this PGconn: read its results"
				: "the connection of this PGconn is lost");
	struct postgres_session *session = create(database, HERALD_SESSION_JOIN);
	if (!session)
		return herald_out_of_memory(error);
	session->is_wrapped = true;
	session->conn = conn;
	*out = session;
	return HERALD_OK;
}

/* An open transaction is rolled back first; it ends with the connection if that fails. */
static void
remove_mark(struct postgres_session *session)
{
	if (PQtransactionStatus(session->conn) != PQTRANS_IDLE &&
	    herald__postgres_command(session, "ROLLBACK", "roll back", NULL, NULL) != HERALD_OK)
		return;
	herald__postgres_int8(herald__postgres_parameters(session), session->mark);
	if (herald__postgres_run(session, POSTGRES_MARK_DELETE, NULL, NULL) != HERALD_OK)
		return; /* it is removed after a day */
}

void
herald__postgres_session_close(struct postgres_session *session)
{
	if (!session)
		return;
	const struct herald_allocator allocator = session->database->options.allocator;
	session->is_settling = session->is_closing = true;
	/* Many sessions end one after the other. */
	if (!session->is_wrapped && session->conn && session->mark != 0 &&
	    !atomic_load(&session->database->is_silent)) {
		remove_mark(session);
		if (!session->conn)
			atomic_store(&session->database->is_silent, true);
	}
	herald__postgres_session_cut(session);
	herald_buffer_finish(&session->parameters.buffer);
	herald_memory_release(&allocator, session->in_flight_path, session->in_flight_bytes);
	if (session->wake_fd >= 0)
		close(session->wake_fd);
	herald_memory_release(&allocator, session, sizeof(*session));
}
