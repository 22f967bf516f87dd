/*
 * Opening connections, and what can be wrong with a file when it is opened. Errors here say what to
 * do with the file; problem.c has the errors of a running store.
 */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "busy.h"
#include "check_file.h"
#include "clock.h"
#include "problem.h"
#include "schema.h"

#define BUSY_PAUSE_MS 5

/* SQLITE_VERSION_NUMBER of the first one that has STRICT tables. */
#define LEAST_SQLITE 3037000

static enum herald_status
open_problem(struct sqlite_database *database, sqlite3 *db, int rc, struct herald_error *error)
{
	const char *path = database->path;

	if (herald__sqlite_is_out_of_space(db, rc))
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"%s: the disk is full, or the quota or the largest size of "
					"a file is reached; nothing was changed",
					path);
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return herald_out_of_memory(error);
	case SQLITE_NOTADB:
		return herald_option_refuse(error, "path",
					    "%s is not a database of SQLite, or it is encrypted: "
					    "name another file",
					    path);
	case SQLITE_CORRUPT:
		return herald_option_refuse(error, "path",
					    "%s is damaged (%s): restore a backup, or save what "
					    "`sqlite3 FILE .recover` finds",
					    path, sqlite3_errmsg(db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"%s is locked by another connection for longer than "
					"busy_timeout_ms (%u)",
					path, (unsigned)database->options.busy_timeout_ms);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return herald_option_refuse(error, "path", "%s cannot be written: %s", path,
					    sqlite3_errmsg(db));
	default:
		break;
	}
	int number = sqlite3_system_errno(db);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "%s: SQLite: %s%s%s",
				path, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc),
				number ? ": " : "", number ? herald_errno_text(number) : "");
}

static int
configure(struct sqlite_database *database, sqlite3 *db)
{
	char pragmas[256];

	sqlite3_extended_result_codes(db, 1);
	herald__sqlite_busy_set(db, &database->wait);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* cache_size reads the schema, and from then on SQLite has the WAL open (files.c). */
	snprintf(pragmas, sizeof(pragmas),
		 "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=FAST;"
		 "PRAGMA cache_size=-%llu",
		 (unsigned long long)(database->options.cache_bytes / 1024));
	return sqlite3_exec(db, pragmas, NULL, NULL, NULL);
}

static enum herald_status
open_connection(struct sqlite_database *database, int flags, sqlite3 **out,
		struct herald_error *error)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(database->path, &db,
				 flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX,
				 database->options.vfs);

	if (rc == SQLITE_OK)
		rc = configure(database, db);
	if (rc != SQLITE_OK) {
		enum herald_status status = open_problem(database, db, rc, error);

		sqlite3_close(db);
		return status;
	}
	*out = db;
	return HERALD_OK;
}

enum herald_status
herald__sqlite_connect(struct sqlite_database *database, sqlite3 **out, struct herald_error *error)
{
	return open_connection(database, 0, out, error);
}

/* The checkpoint of the last connection is SQLite's own, with the file locked against all others;
 * so it is safe whatever the version. A connection that only reads writes nothing back. But it does
 * not leave an empty WAL and its index behind, which it may have created: they belong to its user,
 * and the service could perhaps not write them. After a failure of the disk nothing is written. */
static bool
may_checkpoint(const struct sqlite_database *database, sqlite3 *db)
{
	struct stat wal;

	return !database->has_failed && (sqlite3_total_changes(db) > 0 ||
					 (stat(database->wal_path, &wal) == 0 && wal.st_size == 0));
}

void
herald__sqlite_disconnect(struct sqlite_database *database, sqlite3 *db)
{
	if (db && may_checkpoint(database, db))
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	/* close_v2: a statement that the user's function has left must not keep it open. */
	sqlite3_close_v2(db);
}

static int
keep_text(void *state, int count, char **values, char **names)
{
	(void)names;
	snprintf(state, SQLITE_MODE_BYTES, "%s", count > 0 && values[0] ? values[0] : "");
	return 0;
}

int
herald__sqlite_journal_mode(sqlite3 *db, const char *sql, char mode[SQLITE_MODE_BYTES])
{
	mode[0] = '\0';
	return sqlite3_exec(db, sql, keep_text, mode, NULL);
}

/* Here SQLite does not always call its busy handler: if another connection reads or writes the
 * file, it fails at once. Several processes that create a file together meet this. So the waiting
 * is done here, and not by the handler as well, which would wait as long again. */
static int
switch_to_wal(struct sqlite_database *database, sqlite3 *db, char mode[SQLITE_MODE_BYTES])
{
	const int64_t end_ms = herald__sqlite_monotonic_ms() + database->options.busy_timeout_ms;
	int rc;

	sqlite3_busy_handler(db, NULL, NULL);
	while (rc = herald__sqlite_journal_mode(db, "PRAGMA main.journal_mode=WAL", mode),
	       (rc & 0xff) == SQLITE_BUSY && herald__sqlite_monotonic_ms() < end_ms)
		sqlite3_sleep(BUSY_PAUSE_MS);
	herald__sqlite_busy_set(db, &database->wait);
	return rc;
}

static enum herald_status
set_wal_mode(struct sqlite_database *database, sqlite3 *db, struct herald_error *error)
{
	char mode[SQLITE_MODE_BYTES];
	int rc = switch_to_wal(database, db, mode);

	if (rc != SQLITE_OK)
		return open_problem(database, db, rc, error);
	if (strcmp(mode, "wal") != 0)
		return herald_option_refuse(error, "path",
					    "%s cannot be changed to WAL mode (it is in mode "
					    "\"%s\"): its VFS or file system has no shared memory",
					    database->path, mode);
	return HERALD_OK;
}

/* An older one takes STRICT tables for errors, or for damage. */
static enum herald_status
check_library(struct herald_error *error)
{
	if (sqlite3_libversion_number() >= LEAST_SQLITE)
		return HERALD_OK;
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
				"the program has loaded SQLite %s, expected 3.37.0 or newer",
				sqlite3_libversion());
}

enum herald_status
herald__sqlite_create_file(struct sqlite_database *database, bool must_exist,
			   struct herald_error *error)
{
	sqlite3 *db = NULL;
	int rc;
	enum herald_status status = check_library(error);

	if (status == HERALD_OK)
		status = open_connection(database, must_exist ? 0 : SQLITE_OPEN_CREATE, &db, error);
	if (status != HERALD_OK)
		return status;
	/* Reading reports what the file is before anything is changed in it. */
	rc = herald__sqlite_migrate(db, &herald__sqlite_schema, must_exist, true, &status, error);
	if (rc == SQLITE_OK && status == HERALD_OK)
		status = set_wal_mode(database, db, error);
	if (rc == SQLITE_OK && status == HERALD_OK)
		rc = herald__sqlite_migrate(db, &herald__sqlite_schema, must_exist, false, &status,
					    error);
	if (rc != SQLITE_OK)
		status = open_problem(database, db, rc, error);
	herald__sqlite_disconnect(database, db);
	if (status == HERALD_OK && !herald__sqlite_identify(database->path, &database->identity))
		status = herald_system_error(error, "cannot look at the database's file", errno);
	if (status == HERALD_OK)
		status = herald__sqlite_sync_folder(database->path, error);
	return status;
}
