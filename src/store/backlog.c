/*
 * Counts what is in the database, on the thread for upkeep and at most a hundredth of the time. It
 * owns the last counts. Operations that count at once are in operations.c.
 */
#include "store/backlog.h"

#include <herald/adapter/log.h>

#include "store/state.h"

/* How long a question is remembered: longer than readers of metrics pause. */
#define WANTED_MS 600000
#define COUNT_MS 1000
/* Counting takes at most a hundredth of the time. */
#define COUNT_SHARE 100
#define MAX_FAILED_PAUSE_MS 60000

bool
herald__backlog_init(struct herald__backlog *backlog)
{
	return pthread_mutex_init(&backlog->mutex, NULL) == 0;
}

void
herald__backlog_finish(struct herald__backlog *backlog)
{
	pthread_mutex_destroy(&backlog->mutex);
}

void
herald_store_backlog_read(struct herald_store *store, struct herald_store_backlog *out)
{
	struct herald__backlog *backlog = &store->backlog;

	atomic_store(&backlog->wanted_until_ms,
		     herald__clock_now_ms(&store->settings.clock) + WANTED_MS);
	pthread_mutex_lock(&backlog->mutex);
	*out = backlog->last;
	pthread_mutex_unlock(&backlog->mutex);
}

/* Add the rows of a queue and a type to the rows of the same state. */
static bool
add_count(const struct herald_count *count, void *state)
{
	struct herald_store_backlog *sums = state;
	struct herald_backlog_count *all = count->is_delivery ? sums->deliveries : sums->events;
	struct herald_backlog_count *sum = &all[count->state];
	uint64_t age_ms = count->oldest_ms < sums->counted_ms
				  ? (uint64_t)sums->counted_ms - (uint64_t)count->oldest_ms
				  : 0;

	sum->count += count->count;
	if (age_ms > sum->oldest_age_ms)
		sum->oldest_age_ms = age_ms;
	return true;
}

static enum herald_status
count_all(struct herald_store *store, struct herald_session *session)
{
	struct herald__backlog *backlog = &store->backlog;
	struct herald_store_backlog sums = {.counted_ms =
						    herald__clock_wall_ms(&store->settings.clock)};
	struct herald_error error;
	enum herald_status status =
		store->database->ops->counts(session, sums.counted_ms, add_count, &sums, &error);

	if (herald__ending_explains(store, status))
		return status;
	if (status != HERALD_OK) {
		const struct herald_log_field fields[] = {
			{"what", "counting for metrics", 0},
			{"error", error.message, 0},
		};

		herald_log_write(&store->settings.log, HERALD_LOG_WARNING, "upkeep failed", fields,
				 2);
		/* Not a failed transaction. */
		if (status == HERALD_STORE_FAILED)
			herald__dispatch_fails(store, status, &error);
		return status;
	}
	pthread_mutex_lock(&backlog->mutex);
	backlog->last = sums;
	pthread_mutex_unlock(&backlog->mutex);
	return HERALD_OK;
}

uint64_t
herald__backlog_pause_ms(uint64_t took_ms, enum herald_status status)
{
	uint64_t pause_ms = took_ms * COUNT_SHARE;

	if (status != HERALD_OK && pause_ms > MAX_FAILED_PAUSE_MS)
		pause_ms = MAX_FAILED_PAUSE_MS;
	return pause_ms > COUNT_MS ? pause_ms : COUNT_MS;
}

uint64_t
herald__backlog_step(struct herald_store *store, struct herald_session *session)
{
	struct herald__backlog *backlog = &store->backlog;
	const struct herald__delivery_clock *clock = &store->settings.clock;
	const uint64_t began_ms = herald__clock_now_ms(clock);

	if (began_ms >= atomic_load(&backlog->wanted_until_ms))
		return UINT64_MAX;
	if (began_ms < backlog->count_at_ms)
		return backlog->count_at_ms;
	const enum herald_status status = count_all(store, session);
	const uint64_t ended_ms = herald__clock_now_ms(clock);
	backlog->count_at_ms = ended_ms + herald__backlog_pause_ms(ended_ms - began_ms, status);
	return backlog->count_at_ms;
}
