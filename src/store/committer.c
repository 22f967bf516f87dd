/*
 * A turn of the committer. It takes what has come together since the last one, and stores all of it
 * in one transaction: new events, the ends of runs, the work of others, and the next claim. Then it
 * answers the senders, and hands over events to the workers.
 *
 * If the transaction fails, the senders get the error; the ends of runs and the work of others are
 * kept, and tried again after a pause. Runs nothing itself.
 */
#include "store/committer.h"

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>

#include "store/outbox.h"
#include "store/report.h"
#include "store/settle.h"
#include "store/state.h"
#include "store/transact.h"

#define FIRST_PAUSE_MS 50
#define MAX_PAUSE_MS 1000
/* A failed write counts as mended by a transaction without writes only after this time. */
#define MENDED_MS 2500
#define NOTIFY_MS 20

bool
herald__committer_init(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;
	const struct herald_allocator *allocator = &store->settings.allocator;

	*committer = (struct herald__committer){0};
	herald__job_memory_init(&committer->memory, allocator);
	return herald__batch_init(&committer->batch, allocator, store->settings.options.max_batch);
}

void
herald__committer_finish(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;

	store->database->ops->session_close(committer->session);
	herald__job_memory_finish(&committer->memory);
	herald__batch_finish(&committer->batch, &store->settings.allocator);
}

enum herald_status
herald__committer_open(struct herald_store *store, struct herald_error *error)
{
	const struct herald_database_ops *ops = store->database->ops;
	struct herald_session **session = &store->committer.session;
	if (*session)
		return HERALD_OK;
	return ops->session_open(store->database, HERALD_SESSION_COMMIT, session, error);
}

/* Failures. */

static void
note_success(struct herald_store *store, bool has_written)
{
	struct herald__committer *committer = &store->committer;

	if (committer->failures == 0)
		return;
	if (!has_written && committer->now_ms - committer->failed_ms < MENDED_MS)
		return;
	committer->failures = 0;
	herald__health_works(store);
}

static void
note_failure(struct herald_store *store, enum herald_status status,
	     const struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	/* The failure may have taken long, such as a wait for a lock; the pause comes after it. */
	const uint64_t now_ms = herald__clock_now_ms(&store->settings.clock);
	uint64_t pause_ms = FIRST_PAUSE_MS;

	herald__health_fails(store, status, error);
	for (unsigned i = 0; i < committer->failures && pause_ms < MAX_PAUSE_MS; i++)
		pause_ms *= 2;
	committer->failures++;
	committer->failed_ms = now_ms;
	committer->retry_at_ms = now_ms + (pause_ms < MAX_PAUSE_MS ? pause_ms : MAX_PAUSE_MS);
	if (herald__health_has_failed(store))
		herald__dispatch_fail(store);
	else
		herald__dispatch_refuse(store, "the store's database is unavailable");
}

static enum herald_status
transact_or_repeat(struct herald_store *store, const struct herald__slice *slice,
		   struct herald_error *error)
{
	enum herald_status status;
	unsigned repeats = 0;

	do
		status = herald__transact(store, slice, error);
	while (herald__transact_again(store, store->committer.session, status, &repeats));
	return status;
}

/* If the database says that this node is gone, it owns nothing new; the rest is stored. */
static enum herald_status
transact(struct herald_store *store, const struct herald__slice *slice, struct herald_error *error)
{
	struct herald__slice rest = *slice;
	enum herald_status status = transact_or_repeat(store, slice, error);

	if (status != HERALD_LEASE_LOST)
		return status;
	herald__dispatch_doubt(store, store->committer.asked_for);
	store->committer.input.is_fenced = true;
	rest.claims = false;
	return transact_or_repeat(store, &rest, error);
}

/* Part `index` of a slice; its task is at *task. */
static struct herald__slice
part_of(const struct herald__slice *all, size_t index, struct herald__task **task)
{
	if (index < all->arrivals)
		return (struct herald__slice){.first_arrival = index, .arrivals = 1};
	if (index < all->arrivals + all->ended)
		return (struct herald__slice){.first_ended = index - all->arrivals, .ended = 1};

	struct herald__slice slice = {.task = *task, .tasks = 1};
	*task = (*task)->next;
	return slice;
}

/* The database refuses something for good. Store each part on its own, so that only this one part
 * fails. After another failure the rest is not tried. */
static enum herald_status
store_one_by_one(struct herald_store *store, const struct herald__slice *all,
		 struct herald_error *error)
{
	struct herald__task *task = all->task;
	enum herald_status worst = HERALD_OK;

	for (size_t i = 0; i < all->arrivals + all->ended + all->tasks; i++) {
		struct herald__slice one = part_of(all, i, &task);
		enum herald_status status =
			worst == HERALD_OK ? transact(store, &one, error) : HERALD_UNAVAILABLE;

		herald__settle(store, &one, status, error);
		if (worst == HERALD_OK && status != HERALD_OK && herald_status_may_retry(status))
			worst = status;
	}
	return worst;
}

static void
store_all(struct herald_store *store, const struct herald__slice *slice)
{
	struct herald_error error;
	enum herald_status status = transact(store, slice, &error);

	if (status == HERALD_OK || herald_status_may_retry(status))
		herald__settle(store, slice, status, &error);
	else
		status = store_one_by_one(store, slice, &error);
	if (status == HERALD_OK)
		note_success(store, slice->arrivals + slice->ended + slice->tasks > 0);
	else
		note_failure(store, status, &error);
}

/* The turn. */

/* Jobs that came back: the ends of some are stored already, or not to be stored. */
static void
sort_ended(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;
	struct herald__job *job;

	while ((job = herald__job_list_take(&committer->input.ended))) {
		if (!job->is_stored && !job->is_dropped) {
			herald__settle_keep(committer, job);
			continue;
		}
		if (job->is_stored)
			herald__batch_look(job);
		if (job->is_dropped)
			herald__report_end(store, job, true);
		else
			herald__settle_count(committer, job);
		herald__settle_job(store, job);
	}
}

/* The tasks that share the transaction, claims last; the others are put apart. */
static struct herald__task *
sort_tasks(struct herald__committer *committer, bool claims_apart, size_t *count)
{
	struct herald__task_list shared = {0}, claims = {0};
	struct herald__task *task = committer->tasks.first;

	*count = 0;
	committer->tasks = (struct herald__task_list){0};
	while (task) {
		struct herald__task *next = task->next;

		if (task->is_apart && claims_apart)
			herald__task_list_add(&committer->apart, task);
		else
			herald__task_list_add(task->is_apart ? &claims : &shared, task);
		*count += !task->is_apart || !claims_apart;
		task = next;
	}
	/* A claim sees what the other tasks have stored. */
	herald__task_list_move(&shared, &claims);
	return shared.first;
}

static struct herald__slice
fill_batch(struct herald__committer *committer, bool claims_apart)
{
	struct herald__batch *batch = &committer->batch;
	struct herald__slice slice = {.arrivals = batch->arrivals_count};
	struct herald__job *job;

	while (batch->ended_count < batch->capacity && (job = herald__settle_take_kept(committer)))
		herald__batch_end(batch, job, committer->wall_ms);
	slice.ended = batch->ended_count;
	slice.task = sort_tasks(committer, claims_apart, &slice.tasks);
	return slice;
}

/* The claim of a database for which it must not be part of the transaction. */
static void
claim_apart(struct herald_store *store)
{
	struct herald__batch_room room = herald__claims_room(store);
	const size_t here = store->committer.claims.jobs.count;
	struct herald_error error;

	room.count = room.count > here ? room.count - here : 0;
	if (room.count == 0)
		return;
	enum herald_status status = herald__claims_take(store, &room, &error);
	if (status == HERALD_OK)
		note_success(store, false);
	else if (status == HERALD_LEASE_LOST)
		herald__dispatch_doubt(store, store->committer.asked_for);
	else
		note_failure(store, status, &error);
}

static void
run_task_apart(struct herald_store *store, struct herald__task *task)
{
	struct herald__committer *committer = &store->committer;
	struct herald_error error;
	enum herald_status status = task->run(task, committer->session, committer->wall_ms, &error);

	if (status == HERALD_OK)
		note_success(store, false);
	else if (status == HERALD_LEASE_LOST)
		herald__dispatch_doubt(store, store->committer.asked_for);
	else
		note_failure(store, status, &error);
	herald__settle_tasks(committer, task, 1, status);
}

/* The tasks that must not be part of the transaction. After a failure they wait for the next turn.
 */
static void
run_tasks_apart(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;
	struct herald__task *task = committer->apart.first;

	committer->apart = (struct herald__task_list){0};
	while (task) {
		struct herald__task *next = task->next;

		if (committer->retry_at_ms == 0)
			run_task_apart(store, task);
		else
			herald__task_list_add(&committer->tasks, task);
		task = next;
	}
}

/* An end whose outcome is unknown may be stored. If its event is claimed again, it can have as many
 * attempts as before, after a replay or a run that does not count; then this end would be taken for
 * the end of the new claim. So nothing is claimed before such ends are stored, or lost. */
static bool
may_claim(const struct herald_store *store)
{
	return store->committer.unknown_ends == 0 && herald__claims_are_due(store);
}

static void
work(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;
	const bool claims_apart = store->database->ops->claims_apart;
	const bool is_due = may_claim(store); /* before the batch takes what is kept */
	struct herald__slice slice = fill_batch(committer, claims_apart);

	committer->retry_at_ms = 0;
	herald__dispatch_refuse(store, NULL);
	slice.claims = is_due;
	if (slice.arrivals + slice.ended + slice.tasks > 0 || (is_due && !claims_apart) ||
	    (committer->claims.must_reconcile && herald__owns_claims(committer)))
		store_all(store, &slice);
	run_tasks_apart(store);
	if (claims_apart && committer->retry_at_ms == 0 && may_claim(store))
		claim_apart(store);
	struct herald_error error;
	if (committer->retry_at_ms == 0) {
		enum herald_status status = herald__former_turn(store, &error);
		if (status != HERALD_OK)
			note_failure(store, status, &error);
	}
}

static void
notify(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;
	const struct herald_database_ops *ops = store->database->ops;
	struct herald_error error;

	if (!ops->notify)
		committer->has_news = false;
	if (!committer->has_news || committer->now_ms - committer->notified_ms < NOTIFY_MS)
		return;
	committer->has_news = false;
	committer->notified_ms = committer->now_ms;
	/* If it fails, the others poll. */
	(void)ops->notify(committer->session, &error);
}

static uint64_t
next_turn_ms(const struct herald_store *store)
{
	const struct herald__committer *committer = &store->committer;

	if (herald__health_has_failed(store))
		return UINT64_MAX;
	if (committer->retry_at_ms > 0)
		return committer->retry_at_ms;
	if (committer->kept.first)
		return committer->now_ms;
	uint64_t next_ms = herald__claims_next_ms(store);
	if (committer->give_back_ms > 0 && committer->give_back_ms < next_ms)
		next_ms = committer->give_back_ms;
	const uint64_t notify_ms = committer->notified_ms + NOTIFY_MS;
	if (committer->has_news && notify_ms < next_ms)
		next_ms = notify_ms;
	return next_ms;
}

uint64_t
herald__committer_turn(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;
	struct herald__input *input = &committer->input;

	committer->now_ms = herald__clock_now_ms(&store->settings.clock);
	committer->wall_ms = herald__clock_wall_ms(&store->settings.clock);
	herald__dispatch_take(store, committer->batch.capacity, input);
	herald__claims_begin(store, input->ended.count);
	herald__batch_begin(&committer->batch, input->arrivals.first);
	herald__task_list_move(&committer->tasks, &input->tasks);
	sort_ended(store);
	const bool is_paused = committer->retry_at_ms > committer->now_ms;
	if (is_paused || herald__health_has_failed(store))
		herald__settle_refused(store);
	else
		work(store);
	input->ready += committer->claims.jobs.count;
	herald__dispatch_ready(store, &committer->claims.jobs);
	herald__dispatch_settle(store, committer->batch.queues, committer->batch.arrivals_count,
				committer->memory.count, committer->pending_change);
	committer->pending_change = 0;
	if (committer->retry_at_ms == 0 && !herald__health_has_failed(store))
		notify(store);
	/* Also after a failure: a disk may be full of what this would write back. */
	if (!is_paused && !herald__health_has_failed(store))
		store->database->ops->tend(committer->session, committer->wall_ms);
	uint64_t look_ms = herald__outbox_turn(store, committer->now_ms,
					       input->is_woken || committer->has_published);
	committer->has_published = false;
	uint64_t next_ms = next_turn_ms(store);
	return look_ms < next_ms && committer->retry_at_ms == 0 ? look_ms : next_ms;
}
