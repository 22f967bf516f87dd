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

#include <errno.h>
#include <sys/stat.h>

#include "check_file.h"
#include "lock_file.h"
#include "problem.h"

static bool
is_same(const struct sqlite_identity *a, const struct sqlite_identity *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* A file that does not exist has the identity of zeros. */
static struct sqlite_identity
identify(const char *path)
{
	struct sqlite_identity identity = {.inode = 0};

	(void)herald__sqlite_identify(path, &identity);
	return identity;
}

/* With the mutex. NULL: both are the same. */
static const char *
find_changed(const struct sqlite_database *database)
{
	const struct sqlite_identity wal = identify(database->wal_path);
	const struct sqlite_identity shm = identify(database->shm_path);

	if (!is_same(&wal, &database->wal))
		return "its -wal file was deleted, moved or replaced while in use, and the last "
		       "commits "
		       "were only there; put it back if it was moved, and restart the process";
	if (!is_same(&shm, &database->shm))
		return "its -shm file was deleted, moved or replaced while in use, so that other "
		       "processes do not see the locks of this one; restart the process";
	return NULL;
}

enum herald_status
herald__sqlite_files_join(struct sqlite_database *database, struct herald_error *error)
{
	const char *changed = NULL;

	pthread_mutex_lock(&database->mutex);
	if (database->sessions_count == 0) {
		database->wal = identify(database->wal_path);
		database->shm = identify(database->shm_path);
	}
	/* A VFS of the user's may have no such files. */
	if (!database->options.vfs && (database->wal.inode == 0 || database->shm.inode == 0))
		changed = "its -wal or -shm file was deleted while it was opened; restart the "
			  "process";
	else if (database->sessions_count > 0)
		changed = find_changed(database);
	if (!changed)
		database->sessions_count++;
	pthread_mutex_unlock(&database->mutex);
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
	const struct sqlite_identity identity = identify(database->path);
	if (!is_same(&identity, &database->identity))
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
