/*
 * SQLite does not wake other processes, but each connection can see that there was a commit:
 * data_version is read from shared memory, which takes a microsecond or two. So it is looked at 50
 * times a second. Commits of this process change it, too; then the watch ends early, which is
 * allowed.
 */
#include "watch.h"

#include <herald/adapter/thread.h>

#include "statement.h"

#define STEP_MS 20

static enum herald_status
read_version(struct sqlite_session *session, int64_t *version, struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_DATA_VERSION, "PRAGMA main.data_version"};

	return herald__sqlite_number(session, &sql, version, error);
}

/* Returns whether the watch was ended; once for each watch_end(). */
static bool
sleep_for(struct sqlite_session *session, uint32_t ms)
{
	struct sqlite_database *database = herald__sqlite_database(session);
	struct timespec deadline = herald_deadline_after(ms);
	int problem = 0;

	pthread_mutex_lock(&database->mutex);
	while (!session->watch_ends && problem == 0)
		problem = pthread_cond_timedwait(&database->watch_end, &database->mutex, &deadline);
	bool ends = session->watch_ends;
	session->watch_ends = false;
	pthread_mutex_unlock(&database->mutex);
	return ends;
}

enum herald_status
herald__sqlite_watch(struct herald_session *base, uint32_t timeout_ms, struct herald_error *error)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	enum herald_status status = HERALD_OK;
	int64_t version = 0;

	for (uint32_t waited_ms = 0; status == HERALD_OK; waited_ms += STEP_MS) {
		status = read_version(session, &version, error);
		if (status != HERALD_OK || version != session->data_version ||
		    waited_ms >= timeout_ms)
			break;
		if (sleep_for(session,
			      timeout_ms - waited_ms < STEP_MS ? timeout_ms - waited_ms : STEP_MS))
			break;
	}
	session->data_version = version;
	return status;
}

void
herald__sqlite_watch_end(struct herald_session *base)
{
	struct sqlite_session *session = herald__sqlite_session(base);
	struct sqlite_database *database = herald__sqlite_database(session);

	pthread_mutex_lock(&database->mutex);
	session->watch_ends = true;
	pthread_cond_broadcast(&database->watch_end);
	pthread_mutex_unlock(&database->mutex);
}
