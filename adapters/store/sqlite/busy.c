/*
 * Waiting for SQLite's locks, as SQLite's own busy handler does: sleeps that become longer. It also
 * looks at the end of the drain, because the waits of one stop come one after the other: of the
 * committer, of the workers, and of the thread that leaves the node.
 */
#include "busy.h"

#include <time.h>

/* After the drain, a wait is for a transaction that is about to end. */
#define LAST_WAIT_MS 500

int64_t
herald__sqlite_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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
	struct sqlite_database *database = state;
	int64_t waited_ms = 0;

	for (int i = 0; i < count && i < last; i++)
		waited_ms += delays_ms[i];
	if (count > last)
		waited_ms += (int64_t)(count - last) * delays_ms[last];
	int64_t rest_ms = limit_ms(database, waited_ms) - waited_ms;
	const int64_t delay_ms = delays_ms[count < last ? count : last];
	if (rest_ms <= 0)
		return 0;
	sqlite3_sleep((int)(delay_ms < rest_ms ? delay_ms : rest_ms));
	return 1;
}

void
herald__sqlite_busy_set(struct sqlite_database *database, sqlite3 *db)
{
	sqlite3_busy_handler(db, wait_for_lock, database);
}

void
herald__sqlite_stopping(struct herald_database *base, uint32_t drain_ms)
{
	struct sqlite_database *database = (struct sqlite_database *)base;

	atomic_store(&database->drain_end_ms, herald__sqlite_monotonic_ms() + drain_ms);
}
