/*
 * Whether the files are still the ones that SQLite has open. SQLite does not notice when they are
 * deleted or replaced: it goes on writing to files without a name, and the next process does
 * not find what they hold. SQLite does not tell which files it has open either, so their identities
 * are taken when the first session has read the database. From then on SQLite itself deletes
 * neither the WAL nor its index, as it does so only for the last connection.
 *
 * The check comes before a transaction, and again after COMMIT, before anybody is told that it
 * succeeded.
 */
#include "files.h"

#include <string.h>

#include "check_file.h"
#include "connection.h"
#include "lock_file.h"
#include "problem.h"

/* Whether the file is still the one that was there. A VFS of the user's may have made none, or make
 * it later: then the first one counts. */
static bool
is_unchanged(const struct sqlite_database *database, const char *path,
	     struct sqlite_identity *identity)
{
	if (database->options.vfs && identity->inode == 0)
		(void)herald__sqlite_identify(path, identity);
	return herald__sqlite_is_at(path, identity);
}

/* With the mutex. NULL: nothing has changed. */
static const char *
find_changed(struct sqlite_database *database)
{
	if (!is_unchanged(database, database->wal_path, &database->wal))
		return "its -wal file was deleted, moved or replaced while in use, and the last "
		       "commits were only there; put it back if it was moved, and restart the "
		       "process";
	if (!is_unchanged(database, database->shm_path, &database->shm))
		return "its -shm file was deleted, moved or replaced while in use, so that other "
		       "processes do not see the locks of this one; restart the process";
	return NULL;
}

/* With the mutex; the first session. Returns whether the files are there. */
static bool
find_files(struct sqlite_database *database)
{
	bool has_wal = herald__sqlite_identify(database->wal_path, &database->wal);
	bool has_shm = herald__sqlite_identify(database->shm_path, &database->shm);

	return (has_wal && has_shm) || database->options.vfs;
}

/* Without a WAL: another connection has changed the mode while this process had none, and nothing
 * is lost. Or else the files were deleted. */
static enum herald_status
no_wal(struct sqlite_database *database, sqlite3 *db, struct herald_error *error)
{
	char mode[SQLITE_MODE_BYTES];
	int rc = herald__sqlite_journal_mode(db, "PRAGMA main.journal_mode", mode);

	if (rc == SQLITE_OK && strcmp(mode, "wal") != 0)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"%s is in journal mode \"%s\", no longer in WAL mode: "
					"another connection has changed it; run PRAGMA "
					"journal_mode=WAL, or restart the process",
					database->path, mode);
	return herald__sqlite_fail(database, error,
				   "its -wal or -shm file was deleted while it was opened; restart "
				   "the process");
}

enum herald_status
herald__sqlite_files_join(struct sqlite_database *database, sqlite3 *db, struct herald_error *error)
{
	const char *changed = NULL;
	bool is_there = true;

	pthread_mutex_lock(&database->mutex);
	if (database->sessions_count == 0)
		is_there = find_files(database);
	else
		changed = find_changed(database);
	if (is_there && !changed)
		database->sessions_count++;
	pthread_mutex_unlock(&database->mutex);
	if (!is_there)
		return no_wal(database, db, error);
	return changed ? herald__sqlite_fail(database, error, "%s", changed) : HERALD_OK;
}

void
herald__sqlite_files_leave(struct sqlite_database *database)
{
	pthread_mutex_lock(&database->mutex);
	database->sessions_count--;
	pthread_mutex_unlock(&database->mutex);
}

enum herald_status
herald__sqlite_files_check(struct sqlite_database *database, struct herald_error *error)
{
	const char *changed = NULL;
	enum herald_status status = herald__sqlite_health(database, error);

	if (status != HERALD_OK)
		return status;
	if (!herald__sqlite_is_at(database->path, &database->identity))
		return herald__sqlite_fail(database, error,
					   "the file was deleted, moved or replaced while in use; "
					   "put it back and restart the process");
	pthread_mutex_lock(&database->mutex);
	if (database->sessions_count > 0)
		changed = find_changed(database);
	pthread_mutex_unlock(&database->mutex);
	if (changed)
		return herald__sqlite_fail(database, error, "%s", changed);
	return herald__lock_file_check(database, error);
}
