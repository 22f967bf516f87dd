/*
 * From SQLite's result codes to Herald's statuses. The line is drawn at what is known: after an
 * error in the middle of a transaction SQLite has rolled it back, and another attempt may succeed.
 * After an error while it commits or syncs, the system may have dropped pages that it could not
 * write, and says so only once; so nothing is known any more.
 */
#include "problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "busy.h"
#include "interrupt.h"

enum herald_status
herald__sqlite_fail(struct sqlite_database *database, struct herald_error *error,
		    const char *format, ...)
{
	va_list arguments;

	pthread_mutex_lock(&database->mutex);
	if (!database->has_failed) {
		va_start(arguments, format);
		herald_text_write_list(database->failure, sizeof(database->failure), format,
				       arguments);
		va_end(arguments);
		database->has_failed = true;
	}
	pthread_mutex_unlock(&database->mutex);
	return herald__sqlite_health(database, error);
}

enum herald_status
herald__sqlite_health(struct sqlite_database *database, struct herald_error *error)
{
	if (!database->has_failed)
		return HERALD_OK;
	return herald_error_set(error, HERALD_STORE_FAILED, HERALD_NO_OFFSET, "%s: %s",
				database->path, database->failure);
}

static int
system_errno(sqlite3 *db)
{
	int number = sqlite3_system_errno(db);

	return number ? number : errno; /* COMMIT does not set it */
}

bool
herald__sqlite_is_out_of_space(sqlite3 *db, int rc)
{
	if (rc == SQLITE_IOERR_WRITE) {
		int number = system_errno(db);

		return number == EDQUOT || number == EFBIG || number == ENOSPC;
	}
	/* It happens after the frames of a commit are written, and before others see them. */
	return rc == SQLITE_IOERR_SHMSIZE || (rc & 0xff) == SQLITE_FULL;
}

static bool
is_sync(int rc)
{
	return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;
}

static enum herald_status
disk_problem(struct sqlite_session *session, int rc, struct herald_error *error)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	int number = system_errno(session->db);
	const char *reason = number ? herald_errno_text(number) : sqlite3_errstr(rc);

	if (session->is_committing || is_sync(rc))
		return herald__sqlite_fail(
			database, error,
			"%s failed (%s, SQLite's code %d): it is not known what is on disk; check "
			"the disk and restart the process",
			is_sync(rc) ? "fsync" : "a commit", reason, rc);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"%s: an error of the disk (%s, SQLite's code %d); the transaction "
				"was rolled back",
				database->path, reason, rc);
}

/* Its waits for locks end, too. */
static bool
was_interrupted(const struct sqlite_session *session, int rc)
{
	return ((rc & 0xff) == SQLITE_INTERRUPT || (rc & 0xff) == SQLITE_BUSY) &&
	       herald__sqlite_is_interrupted(session);
}

enum herald_status
herald__sqlite_problem(struct sqlite_session *session, int rc, struct herald_error *error)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	const char *path = database->path;

	if (rc == SQLITE_IOERR_NOMEM || (rc & 0xff) == SQLITE_NOMEM)
		return herald_out_of_memory(error);
	if (herald__sqlite_is_out_of_space(session->db, rc))
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"%s: the disk is full, or the quota or the largest size of "
					"a file is reached; the transaction was rolled back",
					path);
	if (was_interrupted(session, rc))
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"%s: interrupted: the store is being destroyed", path);
	switch (rc & 0xff) {
	case SQLITE_IOERR:
		return disk_problem(session, rc, error);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return herald__sqlite_busy_problem(database, error);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return herald__sqlite_fail(database, error,
					   "the file is damaged (%s): restore a backup, or save "
					   "what `sqlite3 FILE .recover` finds",
					   sqlite3_errmsg(session->db));
	case SQLITE_READONLY:
		if (rc == SQLITE_READONLY_DBMOVED)
			return herald__sqlite_fail(database, error,
						   "the file was moved or deleted; restart the "
						   "process");
		break;
	case SQLITE_TOOBIG:
		return herald_error_set(error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
					"%s: larger than SQLite's limit of 1 GB", path);
	default:
		break;
	}
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "%s: SQLite: %s", path,
				sqlite3_errmsg(session->db));
}
