/*
 * What comes to the committer from other threads: events and tasks, and why events are refused.
 */
#include "store/dispatch_arrive.h"

#include <herald/adapter/log.h>

#include "store/joined.h"
#include "store/state.h"

#define REFUSAL_LOG_MS 10000

/* Why an arrival is refused, or NULL. */
static const char *
refusal(const struct herald_store *store, const struct herald__dispatch *dispatch)
{
	const struct herald_store_options *options = &store->settings.options;

	if (dispatch->refusal)
		return dispatch->refusal;
	if (dispatch->is_stopping)
		return "the store is stopped";
	if (dispatch->arrivals.count >= options->max_waiting)
		return "too many events wait for a commit (max_waiting)";
	if (dispatch->pending >= options->max_pending)
		return "too many events are pending (max_pending)";
	return NULL;
}

/* At most every REFUSAL_LOG_MS. */
static void
log_refusal(struct herald_store *store, const char *why)
{
	const uint64_t now_ms = herald__clock_now_ms(&store->settings.clock);
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	bool is_due = dispatch->refusal_logged_ms == 0 ||
		      now_ms - dispatch->refusal_logged_ms >= REFUSAL_LOG_MS;
	const struct herald_log_field fields[] = {
		{"reason", why, 0},
		{"waiting", NULL, (int64_t)dispatch->arrivals.count},
		{dispatch->is_at_most ? "pending_at_most" : "pending", NULL,
		 (int64_t)dispatch->pending},
		{"refused", NULL, (int64_t)store->counts.refused},
	};

	if (is_due)
		dispatch->refusal_logged_ms = now_ms;
	pthread_mutex_unlock(&dispatch->mutex);
	if (is_due)
		herald_log_write(&store->settings.log, HERALD_LOG_WARNING, "events are refused",
				 fields, sizeof(fields) / sizeof(fields[0]));
}

static void
refuse(struct herald_store *store, struct herald__inbox_event *event, const char *why)
{
	enum herald_status status =
		herald__health_has_failed(store) ? HERALD_STORE_FAILED : HERALD_UNAVAILABLE;

	event->status = herald_error_set(&event->error, status, HERALD_NO_OFFSET, "%s", why);
	event->is_duplicate = false;
	store->counts.refused++;
	log_refusal(store, why);
	event->done(event);
}

void
herald__dispatch_arrive(struct herald_store *store, struct herald__inbox_event *event)
{
	event->status = herald__joined_check(store, &event->error);
	if (event->status != HERALD_OK) {
		event->is_duplicate = false;
		event->done(event);
		return;
	}
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	struct herald__queue *queue = herald__dispatch_find(dispatch, event->service);
	const char *why = queue ? refusal(store, dispatch) : "the service is not attached";

	if (!why) {
		event->queue = queue;
		event->next = NULL;
		if (dispatch->arrivals.last)
			dispatch->arrivals.last->next = event;
		else
			dispatch->arrivals.first = event;
		dispatch->arrivals.last = event;
		dispatch->arrivals.count++;
		queue->waiting++;
		herald__dispatch_wake_committer(dispatch);
	}
	pthread_mutex_unlock(&dispatch->mutex);
	if (why)
		refuse(store, event, why);
}

void
herald__dispatch_submit(struct herald_store *store, struct herald__task *task)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	herald__task_list_add(&dispatch->tasks, task);
	herald__dispatch_wake_committer(dispatch);
	pthread_mutex_unlock(&dispatch->mutex);
}

void
herald__dispatch_wake(struct herald_store *store)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	dispatch->is_woken = true;
	herald__dispatch_wake_committer(dispatch);
	pthread_mutex_unlock(&dispatch->mutex);
}
