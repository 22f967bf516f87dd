/*
 * Sessions and their transactions. A session that writes waits at two locks: first at the fair one
 * of this process, then at SQLite's, whose waiting is a loop of sleeps. So the sessions of one
 * process take turns, and only other processes, and connections of the user's, meet the loop.
 */
#include "session.h"

#include <errno.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "busy.h"
#include "check_file.h"
#include "checkpoint.h"
#include "clock.h"
#include "connection.h"
#include "files.h"
#include "interrupt.h"
#include "problem.h"
#include "statement.h"

static const struct sqlite_sql begin_sql = {SLOT_BEGIN, "BEGIN IMMEDIATE"};
static const struct sqlite_sql commit_sql = {SLOT_COMMIT, "COMMIT"};
static const struct sqlite_sql rollback_sql = {SLOT_ROLLBACK, "ROLLBACK"};
static const struct sqlite_sql savepoint_sql = {SLOT_SAVEPOINT, "SAVEPOINT herald_event"};
static const struct sqlite_sql release_sql = {SLOT_SAVEPOINT_RELEASE, "RELEASE herald_event"};
static const struct sqlite_sql undo_sql = {SLOT_SAVEPOINT_UNDO, "ROLLBACK TO herald_event"};

/* Opening and closing. */

static struct sqlite_session *
new_session(struct sqlite_database *database, struct herald_error *error)
{
	struct sqlite_session *session =
		herald_memory_allocate_zeroed(&database->allocator, 1, sizeof(*session));

	if (!session) {
		herald_out_of_memory(error);
		return NULL;
	}
	session->base.database = &database->base;
	session->wait.database = database;
	return session;
}

/* The committer must know how long the WAL is. This is Herald's connection, not the user's. */
static int
note_wal_pages(void *state, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_database *database = state;

	(void)db;
	(void)name;
	atomic_store_explicit(&database->wal_pages, (unsigned)pages, memory_order_relaxed);
	return SQLITE_OK;
}

enum herald_status
herald__sqlite_session_open(struct herald_database *base, enum herald_session_use use,
			    struct herald_session **out, struct herald_error *error)
{
	struct sqlite_database *database = (struct sqlite_database *)base;
	struct sqlite_session *session = new_session(database, error);
	enum herald_status status;

	if (!session)
		return HERALD_NO_MEMORY;
	session->use = use;
	status = herald__sqlite_connect(database, &session->db, error);
	if (status == HERALD_OK)
		herald__sqlite_busy_set(session->db, &session->wait);
	if (status == HERALD_OK)
		status = herald__sqlite_files_join(database, session->db, error);
	session->is_counted = status == HERALD_OK;
	if (status == HERALD_OK && use == HERALD_SESSION_ADMIN)
		herald__sqlite_interrupt_join(session);
	if (status == HERALD_OK && use != HERALD_SESSION_JOIN)
		sqlite3_wal_hook(session->db, note_wal_pages, database);
	if (status == HERALD_OK && use == HERALD_SESSION_JOIN && database->options.setup &&
	    !database->options.setup(session->db, database->options.state))
		status = herald_option_refuse(error, "setup", "returned false");
	if (status != HERALD_OK) {
		herald__sqlite_session_close(&session->base);
		return status;
	}
	*out = &session->base;
	return HERALD_OK;
}

/* A connection with SQLite's own hook for checkpoints would make them at any time. Another
 * hook was set by the user, and stays. */
static int
stop_checkpoints(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	bool has_default_hook = false;
	int rc = sqlite3_prepare_v2(db, "PRAGMA wal_autocheckpoint", -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		has_default_hook = sqlite3_column_int(stmt, 0) > 0;
	rc = sqlite3_finalize(stmt);
	return rc == SQLITE_OK && has_default_hook ? sqlite3_wal_autocheckpoint(db, 0) : rc;
}

enum herald_status
herald__sqlite_session_wrap(struct herald_database *base, void *handle, struct herald_session **out,
			    struct herald_error *error)
{
	struct sqlite_database *database = (struct sqlite_database *)base;
	sqlite3 *db = handle;

	if (!db || sqlite3_get_autocommit(db))
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"the connection has no open transaction: run BEGIN "
					"IMMEDIATE before, and COMMIT after it");
	/* First: another file of the same name is not another file of the caller's. */
	enum herald_status status = herald__sqlite_files_check(database, error);
	if (status != HERALD_OK)
		return status;
	const char *path = sqlite3_db_filename(db, "main");
	if (!path || path[0] == '\0' || !herald__sqlite_is_at(path, &database->identity))
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"the connection is to \"%s\", but the store is in \"%s\"",
					path ? path : "", database->path);
	struct sqlite_session *session = new_session(database, error);
	if (!session)
		return HERALD_NO_MEMORY;
	session->db = db;
	session->is_wrapped = true;
	if (stop_checkpoints(db) != SQLITE_OK) {
		herald__sqlite_session_close(&session->base);
		return herald_out_of_memory(error);
	}
	*out = &session->base;
	return HERALD_OK;
}

void
herald__sqlite_session_close(struct herald_session *base)
{
	struct sqlite_session *session = herald__sqlite_session(base);

	if (!session)
		return;
	if (!session->is_wrapped)
		herald__sqlite_rollback(base);
	herald__sqlite_interrupt_leave(session);
	if (session->db && session->use == HERALD_SESSION_COMMIT && !session->is_wrapped)
		herald__sqlite_checkpoint_last(session);
	/* Before it is closed: the last connection deletes the WAL. */
	if (session->is_counted)
		herald__sqlite_files_leave(herald__sqlite_database(session));
	for (int i = 0; i < SLOT_COUNT; i++)
		sqlite3_finalize(session->statements[i]);
	if (!session->is_wrapped)
		herald__sqlite_disconnect(herald__sqlite_database(session), session->db);
	herald_memory_release(&herald__sqlite_database(session)->allocator, session,
			      sizeof(*session));
}

void *
herald__sqlite_session_handle(struct herald_session *session)
{
	return herald__sqlite_session(session)->db;
}

/* Transactions. */

static void
give_writer(struct sqlite_session *session)
{
	if (session->has_writer)
		herald__fair_lock_give(&herald__sqlite_database(session)->writer);
	session->has_writer = false;
}

/* Wait for the turn among the sessions of this process. */
static enum herald_status
take_writer(struct sqlite_session *session, struct herald_error *error)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	const uint32_t timeout_ms = database->options.busy_timeout_ms;
	const int64_t began_ms = herald__sqlite_monotonic_ms();

	session->has_writer = herald__fair_lock_take(
		&database->writer, timeout_ms,
		session->wait.may_be_interrupted ? &database->is_interrupted : NULL);
	if (session->has_writer) {
		session->wait.turn_ms = herald__sqlite_monotonic_ms() - began_ms;
		return HERALD_OK;
	}
	if (herald__sqlite_is_interrupted(session))
		return herald__sqlite_problem(session, SQLITE_INTERRUPT, error);
	if (atomic_load(&database->drain_end_ms) != 0)
		return herald__sqlite_busy_problem(database, error);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"%s: another transaction of this process has lasted for longer "
				"than busy_timeout_ms (%u)",
				database->path, (unsigned)timeout_ms);
}

enum herald_status
herald__sqlite_begin(struct herald_session *base, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	enum herald_status status =
		herald__sqlite_files_check(herald__sqlite_database(session), error);

	if (status == HERALD_OK)
		status = take_writer(session, error);
	if (status != HERALD_OK)
		return status;
	struct sqlite_query query = herald__sqlite_query(session, &begin_sql);
	status = herald__sqlite_run(&query, error);
	session->wait.turn_ms = 0;
	if (status != HERALD_OK)
		give_writer(session);
	return status;
}

/* A statement that the user's function has left running would keep a snapshot, and so the WAL. */
static void
reset_statements(struct sqlite_session *session)
{
	sqlite3_stmt *stmt = NULL;

	while ((stmt = sqlite3_next_stmt(session->db, stmt)))
		if (sqlite3_stmt_busy(stmt))
			sqlite3_reset(stmt);
}

enum herald_status
herald__sqlite_commit(struct herald_session *base, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	enum herald_status status;

	if (session->use == HERALD_SESSION_JOIN)
		reset_statements(session);
	session->is_committing = true;
	session->is_ending = true;
	struct sqlite_query query = herald__sqlite_query(session, &commit_sql);
	status = herald__sqlite_run(&query, error);
	session->is_committing = false;
	session->is_ending = false;
	if (status != HERALD_OK) {
		herald__sqlite_rollback(base);
		return status;
	}
	/* Written to a file that was deleted meanwhile, it is lost. */
	status = herald__sqlite_files_check(herald__sqlite_database(session), error);
	give_writer(session);
	return status;
}

void
herald__sqlite_rollback(struct herald_session *base)
{
	struct sqlite_session *session = herald__sqlite_session(base);

	/* After some errors SQLite has done it already. */
	if (session->has_writer && !sqlite3_get_autocommit(session->db)) {
		session->is_ending = true;
		struct sqlite_query query = herald__sqlite_query(session, &rollback_sql);

		reset_statements(session);
		(void)herald__sqlite_run(&query, NULL);
		session->is_ending = false;
	}
	give_writer(session);
}

/* Savepoints. */

/* After some errors SQLite ends the transaction itself. */
static bool
was_rolled_back(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
	case SQLITE_BUSY:
	case SQLITE_INTERRUPT:
		return true;
	default:
		return false;
	}
}

static enum herald_status
run_savepoint(struct sqlite_session *session, const struct sqlite_sql *sql,
	      struct herald_error *error)
{
	if (!sqlite3_get_autocommit(session->db)) {
		struct sqlite_query query = herald__sqlite_query(session, sql);
		int rc = query.rc == SQLITE_OK ? sqlite3_step(query.stmt) : query.rc;

		sqlite3_reset(query.stmt);
		if (rc == SQLITE_DONE)
			return HERALD_OK;
		if (rc != SQLITE_ERROR) /* "no such savepoint" */
			return herald__sqlite_problem(session, rc, error);
	} else if (was_rolled_back(sqlite3_extended_errcode(session->db))) {
		return herald__sqlite_problem(session, sqlite3_extended_errcode(session->db),
					      error);
	}
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				"the function has ended the transaction of the store: it must not "
				"run BEGIN, COMMIT or ROLLBACK");
}

enum herald_status
herald__sqlite_savepoint(struct herald_session *session, struct herald_error *error)
{
	return run_savepoint(herald__sqlite_session(session), &savepoint_sql, error);
}

enum herald_status
herald__sqlite_savepoint_release(struct herald_session *session, struct herald_error *error)
{
	return run_savepoint(herald__sqlite_session(session), &release_sql, error);
}

enum herald_status
herald__sqlite_savepoint_rollback(struct herald_session *session, struct herald_error *error)
{
	enum herald_status status =
		run_savepoint(herald__sqlite_session(session), &undo_sql, error);

	if (status == HERALD_OK)
		status = run_savepoint(herald__sqlite_session(session), &release_sql, error);
	return status;
}
