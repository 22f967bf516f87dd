/*
 * Operations look at a flag of the database, every few microseconds, by SQLite's progress handler:
 * so it does not matter when it is set. SQLite calls no handler while it counts a whole table, and
 * older versions none while they check the file; both look at what sqlite3_interrupt() sets, which
 * has an effect only while a statement runs.
 *
 * COMMIT and ROLLBACK are left alone: an interrupted COMMIT may have taken place.
 */
#include "interrupt.h"

/* Instructions of SQLite between two looks at the flag. */
#define STEPS 1000

bool
herald__sqlite_is_interrupted(const struct sqlite_session *session)
{
	return session->wait.may_be_interrupted &&
	       atomic_load(&session->wait.database->is_interrupted) &&
	       !atomic_load(&session->is_ending);
}

/* Returns 0 to go on. */
static int
look(void *state)
{
	return herald__sqlite_is_interrupted(state);
}

void
herald__sqlite_interrupt_join(struct sqlite_session *session)
{
	struct sqlite_database *database = herald__sqlite_database(session);

	session->wait.may_be_interrupted = true;
	sqlite3_progress_handler(session->db, STEPS, look, session);
	pthread_mutex_lock(&database->mutex);
	session->next_admin = database->admins;
	database->admins = session;
	pthread_mutex_unlock(&database->mutex);
}

void
herald__sqlite_interrupt_leave(struct sqlite_session *session)
{
	struct sqlite_database *database = herald__sqlite_database(session);

	if (!session->wait.may_be_interrupted)
		return;
	pthread_mutex_lock(&database->mutex);
	struct sqlite_session **place = &database->admins;
	while (*place != session)
		place = &(*place)->next_admin;
	*place = session->next_admin;
	pthread_mutex_unlock(&database->mutex);
	sqlite3_progress_handler(session->db, 0, NULL, NULL);
}

void
herald__sqlite_interrupt(struct herald_database *base)
{
	struct sqlite_database *database = (struct sqlite_database *)base;

	atomic_store(&database->is_interrupted, true);
	pthread_mutex_lock(&database->mutex);
	for (struct sqlite_session *session = database->admins; session;
	     session = session->next_admin)
		if (!atomic_load(&session->is_ending))
			sqlite3_interrupt(session->db);
	pthread_mutex_unlock(&database->mutex);
	herald__fair_lock_wake(&database->writer);
}
