/*
 * After a transaction: answers senders, frees jobs whose end is stored, and keeps what is tried
 * again.
 */
#include "store/settle.h"

#include "service/inbox.h"
#include "store/outcome.h"
#include "store/report.h"
#include "store/state.h"

void
herald__settle_keep(struct herald__committer *committer, struct herald__job *job)
{
	committer->unknown_ends += job->may_be_stored;
	herald__job_list_add(&committer->kept, job);
}

struct herald__job *
herald__settle_take_kept(struct herald__committer *committer)
{
	struct herald__job *job = herald__job_list_take(&committer->kept);

	if (job)
		committer->unknown_ends -= job->may_be_stored;
	return job;
}

/* An event that was stored as running comes into memory. */
static void
keep_running(struct herald_store *store, const struct herald_stored_event *event,
	     struct herald__queue *queue)
{
	struct herald__committer *committer = &store->committer;
	struct herald_stored_event claimed = *event;

	claimed.attempts = 1;
	struct herald__job *job = herald__job_create(&committer->memory, &claimed);
	if (!job) {
		herald__claims_short(store);
		return;
	}
	job->queue = queue;
	herald__job_list_add(&committer->claims.jobs, job);
}

static void
settle_arrival(struct herald_store *store, size_t index)
{
	struct herald__batch *batch = &store->committer.batch;
	const struct herald_stored_event *event = &batch->events[index];
	struct herald__inbox_event *arrival = batch->arrivals[index];

	if (event->is_duplicate)
		store->counts.duplicates++;
	else
		store->counts.accepted++;
	if (!event->is_duplicate)
		store->committer.pending_change++;
	if (!event->is_duplicate && event->owner != 0)
		keep_running(store, event, batch->queues[index]);
	else if (!event->is_duplicate)
		store->committer.has_news = true;
	arrival->status = HERALD_OK;
	arrival->is_duplicate = event->is_duplicate;
	arrival->done(arrival);
}

void
herald__settle_count(struct herald__committer *committer, const struct herald__job *job)
{
	if (job->kind == HERALD_COMPLETE_DONE || job->kind == HERALD_COMPLETE_DEAD)
		committer->pending_change--;
}

void
herald__settle_job(struct herald_store *store, struct herald__job *job)
{
	if (job->has_place)
		herald__in_flight_forget(&store->node.in_flight, job->place, job->owner, job->id);
	herald__job_free(&store->committer.memory, job);
}

static void
settle_ended(struct herald_store *store, size_t index)
{
	struct herald__committer *committer = &store->committer;
	struct herald__job *job = committer->batch.ended[index];

	const bool is_lost = committer->batch.completions[index].is_lost;

	herald__report_end(store, job, is_lost);
	if (!is_lost)
		herald__settle_count(committer, job);
	if (job->kind == HERALD_COMPLETE_RETRY || job->kind == HERALD_COMPLETE_RELEASE)
		committer->has_news = true;
	herald__settle_job(store, job);
}

static void
fail_arrival(struct herald__inbox_event *arrival, enum herald_status status,
	     const struct herald_error *error)
{
	arrival->status = status;
	arrival->is_duplicate = false;
	arrival->error = *error;
	arrival->error.status = status;
	arrival->done(arrival);
}

/* The row stays as it is, for the next process that recovers this one. */
static void
leave(struct herald_store *store, struct herald__job *job)
{
	store->committer.leaves_rows = true;
	if (job->has_place)
		herald__in_flight_leave(&store->node.in_flight, job->owner, job->id);
	herald__settle_job(store, job);
}

/* The end of a run that the database refuses to store, or that is tried again later. */
static void
keep_ended(struct herald_store *store, size_t index, enum herald_status status,
	   const struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	struct herald__job *job = committer->batch.ended[index];

	if (status == HERALD_UNKNOWN_OUTCOME) {
		job->may_be_stored = true;
		job->has_ended_join = false; /* if its row is gone, this may be why */
	}
	if (!herald_status_may_retry(status)) {
		herald__report_refused(store, job, error);
		if (!herald__outcome_refused(store, job, error)) {
			leave(store, job);
			return;
		}
	}
	herald__settle_keep(committer, job);
}

/* Tell the tasks; those that want to run again are kept. */
void
herald__settle_tasks(struct herald__committer *committer, struct herald__task *task, size_t count,
		     enum herald_status status)
{
	for (size_t i = 0; i < count; i++) {
		struct herald__task *next = task->next;

		if (task->done(task, status))
			herald__task_list_add(&committer->tasks, task);
		task = next;
	}
}

void
herald__settle(struct herald_store *store, const struct herald__slice *slice,
	       enum herald_status status, const struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	struct herald__batch *batch = &committer->batch;

	for (size_t i = slice->first_arrival; i < slice->first_arrival + slice->arrivals; i++) {
		if (status == HERALD_OK)
			settle_arrival(store, i);
		else
			fail_arrival(batch->arrivals[i], status, error);
	}
	if (status != HERALD_OK)
		store->counts.refused += slice->arrivals;
	for (size_t i = slice->first_ended; i < slice->first_ended + slice->ended; i++) {
		if (status == HERALD_OK)
			settle_ended(store, i);
		else
			keep_ended(store, i, status, error);
	}
	herald__settle_tasks(committer, slice->task, slice->tasks, status);
}

/* Nothing can be stored: within the pause after a failure, or for ever. */
void
herald__settle_refused(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;
	struct herald__batch *batch = &committer->batch;
	struct herald_error error;
	enum herald_status status = herald__health_get(store, &error);

	if (status == HERALD_OK)
		status = herald_error_set(&error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "the store's database is unavailable");
	for (size_t i = 0; i < batch->arrivals_count; i++)
		fail_arrival(batch->arrivals[i], status, &error);
	store->counts.refused += batch->arrivals_count;
	if (status != HERALD_STORE_FAILED)
		return;

	struct herald__task_list tasks = committer->tasks;
	struct herald__job *job;
	committer->tasks = (struct herald__task_list){0};
	for (struct herald__task *task = tasks.first, *next; task; task = next) {
		next = task->next;
		task->done(task, status);
	}
	while ((job = herald__settle_take_kept(committer)))
		herald__settle_job(store, job);
}
