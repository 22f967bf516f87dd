/*
 * Regular work on a thread and a connection of its own, so that commits and leases do not wait for
 * their turn behind it. The database may still make them wait: deleting takes locks, and a count is
 * a long reader, for which a checkpoint of SQLite waits half a second. A failure of one part does
 * not stop the others.
 */
#include "store/upkeep.h"

#include <herald/adapter/log.h>

#include "store/state.h"
#include "store/transact.h"

#define COUNT_MS 1000
/* More than all processes accept between two counts. */
#define COUNT_RESERVE 1000000
#define TRIM_MS 10000
#define TRIM_BATCH 200
/* So many batches at most, before the others have their turn. */
#define TRIM_BATCHES 50

void
herald__upkeep_close(struct herald_store *store)
{
	store->database->ops->session_close(store->upkeep.session);
	store->upkeep.session = NULL;
}

static void
log_failure(struct herald_store *store, const char *what, const struct herald_error *error)
{
	const struct herald_log_field fields[] = {
		{"what", what, 0},
		{"error", error->message, 0},
	};

	herald_log_write(&store->settings.log, HERALD_LOG_WARNING, "upkeep failed", fields, 2);
}

/* Not a transaction. A failure for good fails the store. */
static void
reading_failed(struct herald_store *store, const char *what, enum herald_status status,
	       const struct herald_error *error)
{
	if (herald__ending_explains(store, status))
		return;
	log_failure(store, what, error);
	if (status == HERALD_STORE_FAILED)
		herald__dispatch_fails(store, status, error);
}

static void
transaction_failed(struct herald_store *store, const char *what, enum herald_status status,
		   const struct herald_error *error)
{
	if (herald__ending_explains(store, status))
		return;
	log_failure(store, what, error);
	herald__dispatch_fails(store, status, error);
}

static uint64_t
now_ms(const struct herald_store *store)
{
	return herald__clock_now_ms(&store->settings.clock);
}

static int64_t
wall_ms(const struct herald_store *store)
{
	return herald__clock_wall_ms(&store->settings.clock);
}

/* What is pending. */

/* Whether max_pending is far away, whatever a count would say. */
static bool
has_few_pending(struct herald_store *store)
{
	const struct herald_database_ops *ops = store->database->ops;
	const uint64_t max = store->settings.options.max_pending;
	struct herald_error error;
	uint64_t most = 0;

	/* After an error of the database the count has the same one, and reports it. */
	if (max <= COUNT_RESERVE || !ops->pending_most ||
	    ops->pending_most(store->upkeep.session, &most, &error) != HERALD_OK ||
	    most >= max - COUNT_RESERVE)
		return false;
	herald__dispatch_pending(store, most, true);
	store->upkeep.count_at_ms = now_ms(store) + COUNT_MS;
	return true;
}

static void
count_pending(struct herald_store *store)
{
	struct herald__upkeep *upkeep = &store->upkeep;
	const uint64_t began_ms = now_ms(store);
	struct herald_error error;
	uint64_t pending = 0;
	enum herald_status status =
		store->database->ops->pending(upkeep->session, NULL, &pending, &error);

	if (status == HERALD_OK)
		herald__dispatch_pending(store, pending, false);
	else
		reading_failed(store, "counting events", status, &error);
	const uint64_t ended_ms = now_ms(store);
	upkeep->count_at_ms = ended_ms + herald__backlog_pause_ms(ended_ms - began_ms, status);
}

/* Dead letters. */

/* Letters to delete: what matches a filter, or else the oldest ones up to a place. */
struct old {
	const struct herald_dead_filter *filter;
	const struct herald_dead_place *last;
};

/* One batch in a transaction. */
static enum herald_status
try_trim(struct herald_store *store, const struct old *old, uint64_t *count,
	 struct herald_error *error)
{
	const struct herald_database_ops *ops = store->database->ops;
	struct herald_session *session = store->upkeep.session;
	enum herald_status status = ops->begin(session, error);

	if (status == HERALD_OK)
		status = old->filter
				 ? ops->dead_drop(session, old->filter, TRIM_BATCH, count, error)
				 : ops->dead_trim(session, old->last, TRIM_BATCH, count, error);
	if (status == HERALD_OK)
		status = ops->commit(session, error);
	if (status != HERALD_OK)
		ops->rollback(session);
	return status;
}

static enum herald_status
trim_batch(struct herald_store *store, const struct old *old, uint64_t *count,
	   struct herald_error *error)
{
	enum herald_status status;
	unsigned repeats = 0;

	do
		status = try_trim(store, old, count, error);
	while (herald__transact_again(store, store->upkeep.session, status, &repeats));
	return status;
}

static void
trim(struct herald_store *store, const struct old *old)
{
	struct herald_error error;
	enum herald_status status = HERALD_OK;
	uint64_t count = TRIM_BATCH;

	for (int i = 0; i < TRIM_BATCHES && count == TRIM_BATCH && status == HERALD_OK; i++) {
		count = 0;
		status = trim_batch(store, old, &count, &error);
	}
	if (status != HERALD_OK)
		transaction_failed(store, "deleting old dead letters", status, &error);
}

/* They are counted once, before the transactions: others write meanwhile. */
static void
trim_surplus(struct herald_store *store, uint64_t keep)
{
	struct herald_dead_place last;
	struct herald_error error;
	bool is_any = false;
	enum herald_status status = store->database->ops->dead_surplus(store->upkeep.session, keep,
								       &last, &is_any, &error);

	if (status != HERALD_OK)
		reading_failed(store, "counting dead letters", status, &error);
	else if (is_any)
		trim(store, &(struct old){.last = &last});
}

static void
trim_dead(struct herald_store *store)
{
	const struct herald_store_options *options = &store->settings.options;
	const struct herald_dead_filter old = {
		.kind = HERALD_DEAD_BOTH,
		.to_ms = wall_ms(store) - (int64_t)options->dead_max_age_ms,
	};

	if (options->dead_max_age_ms > 0)
		trim(store, &(struct old){.filter = &old});
	if (options->dead_max_count > 0)
		trim_surplus(store, options->dead_max_count);
	store->upkeep.trim_at_ms = now_ms(store) + TRIM_MS;
}

/* Keys of deduplication. */

static enum herald_status
try_rotation(struct herald_store *store, struct herald_error *error)
{
	const struct herald_database_ops *ops = store->database->ops;
	struct herald_session *session = store->upkeep.session;
	const uint64_t window_ms = store->settings.options.seen_window_ms;
	enum herald_status status = ops->begin(session, error);

	if (status == HERALD_OK)
		status = ops->seen_rotate(session, wall_ms(store), (int64_t)window_ms, error);
	if (status == HERALD_OK)
		status = ops->commit(session, error);
	if (status != HERALD_OK)
		ops->rollback(session);
	return status;
}

static void
rotate_seen(struct herald_store *store)
{
	const uint64_t window_ms = store->settings.options.seen_window_ms;
	const uint64_t longest_ms = 60000;
	struct herald_error error;
	enum herald_status status;
	unsigned repeats = 0;

	do
		status = try_rotation(store, &error);
	while (herald__transact_again(store, store->upkeep.session, status, &repeats));
	if (status != HERALD_OK)
		transaction_failed(store, "dropping old keys of deduplication", status, &error);
	store->upkeep.rotate_at_ms =
		now_ms(store) + (window_ms / 16 < longest_ms ? window_ms / 16 + 1 : longest_ms);
}

static uint64_t
earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static enum herald_status
open_session(struct herald_store *store, struct herald_error *error)
{
	struct herald__upkeep *upkeep = &store->upkeep;

	return upkeep->session
		       ? HERALD_OK
		       : store->database->ops->session_open(store->database, HERALD_SESSION_ADMIN,
							    &upkeep->session, error);
}

static uint64_t
step(struct herald_store *store)
{
	struct herald__upkeep *upkeep = &store->upkeep;
	struct herald_error error;
	enum herald_status status = open_session(store, &error);

	if (status != HERALD_OK) {
		reading_failed(store, "connecting", status, &error);
		return now_ms(store) + COUNT_MS;
	}
	if (now_ms(store) >= upkeep->count_at_ms && !has_few_pending(store))
		count_pending(store);
	if (now_ms(store) >= upkeep->trim_at_ms)
		trim_dead(store);
	if (now_ms(store) >= upkeep->rotate_at_ms)
		rotate_seen(store);
	const uint64_t backlog_at_ms = herald__backlog_step(store, upkeep->session);
	return earliest(earliest(upkeep->count_at_ms, backlog_at_ms),
			earliest(upkeep->trim_at_ms, upkeep->rotate_at_ms));
}

/* One of the operations that herald_store_destroy() interrupts and waits for. */
uint64_t
herald__upkeep_step(struct herald_store *store)
{
	if (herald__health_has_failed(store) || herald__ending_enter(store, NULL) != HERALD_OK)
		return UINT64_MAX;
	const uint64_t next_ms = step(store);
	herald__ending_leave(store);
	return next_ms;
}
