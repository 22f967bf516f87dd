/*
 * Waiting for SQLite's locks, as SQLite's own busy handler does: sleeps that become longer. It also
 * looks at the end of the drain, because the waits of one stop come one after the other: of the
 * committer, of the workers, and of the thread that leaves the node. A session's wait for its turn
 * (fair_lock.c) counts as the beginning of its wait here, so that both together end in time.
 */
#include "busy.h"

#include <herald/adapter/options.h>

#include "clock.h"

/* After the drain, a wait is for a transaction that is about to end. */
#define LAST_WAIT_MS 500

/* How long one wait may take in total. */
static int64_t
limit_ms(struct sqlite_database *database, int64_t waited_ms)
{
	const int64_t timeout_ms = database->options.busy_timeout_ms;
	const int64_t end_ms = atomic_load(&database->drain_end_ms);

	if (end_ms == 0)
		return timeout_ms;
	int64_t rest_ms = waited_ms + end_ms - herald__sqlite_monotonic_ms();
	if (rest_ms < LAST_WAIT_MS)
		rest_ms = LAST_WAIT_MS;
	return rest_ms < timeout_ms ? rest_ms : timeout_ms;
}

/* SQLite calls it with the number of calls before. Returns 0 to give up. */
static int
wait_for_lock(void *state, int count)
{
	static const unsigned char delays_ms[] = {1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100};
	static const int last = sizeof(delays_ms) / sizeof(delays_ms[0]) - 1;
	const struct sqlite_wait *wait = state;
	int64_t waited_ms = wait->turn_ms;

	for (int i = 0; i < count && i < last; i++)
		waited_ms += delays_ms[i];
	if (count > last)
		waited_ms += (int64_t)(count - last) * delays_ms[last];
	int64_t rest_ms = limit_ms(wait->database, waited_ms) - waited_ms;
	const int64_t delay_ms = delays_ms[count < last ? count : last];
	if (rest_ms <= 0 ||
	    (wait->may_be_interrupted && atomic_load(&wait->database->is_interrupted)))
		return 0;
	sqlite3_sleep((int)(delay_ms < rest_ms ? delay_ms : rest_ms));
	return 1;
}

void
herald__sqlite_busy_set(sqlite3 *db, struct sqlite_wait *wait)
{
	sqlite3_busy_handler(db, wait_for_lock, wait);
}

void
herald__sqlite_stopping(struct herald_database *base, uint32_t drain_ms)
{
	struct sqlite_database *database = (struct sqlite_database *)base;
	const int64_t end_ms = herald__sqlite_monotonic_ms() + drain_ms;

	atomic_store(&database->drain_end_ms, end_ms);
	herald__fair_lock_hurry(&database->writer, end_ms, LAST_WAIT_MS);
}

enum herald_status
herald__sqlite_busy_problem(struct sqlite_database *database, struct herald_error *error)
{
	if (atomic_load(&database->drain_end_ms) != 0)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"%s: another connection is writing, and the store is being "
					"stopped",
					database->path);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"%s: another connection has been writing for longer than "
				"busy_timeout_ms (%u)",
				database->path, (unsigned)database->options.busy_timeout_ms);
}
