/*
 * The side of the workers: they take jobs and give them back. Decides which job may begin: none
 * next to one that was interrupted before, and one worker at a time for those that join a
 * transaction, where there is one writer.
 */
#include "store/dispatch_work.h"

#include "store/state.h"

/* The bit of a job's event type. */
static uint64_t
type_bit(const struct herald__job *job)
{
	unsigned hash = 0;

	for (const char *byte = job->event_type; *byte != '\0'; byte++)
		hash = hash * 31 + (unsigned char)*byte;
	return UINT64_C(1) << hash % 64;
}

/* Whether a job will probably join a transaction. */
static bool
will_join(const struct herald__job *job)
{
	return job->queue->joining != 0 && (job->queue->joining & type_bit(job)) != 0;
}

static bool
may_begin(const struct herald_store *store, const struct herald__dispatch *dispatch,
	  const void *worker)
{
	const struct herald__job *job = dispatch->ready.first;

	if (!job || dispatch->runs_alone || dispatch->is_stopping)
		return false;
	if (job->interrupted > 0 && dispatch->running > 0)
		return false;
	if (dispatch->joiner && dispatch->joiner != worker && will_join(job))
		return false;
	return !herald__dispatch_is_fenced(store, dispatch);
}

static void
take_back(struct herald__dispatch *dispatch, struct herald__job_list *ended)
{
	if (ended->count == 0)
		return;
	for (struct herald__job *job = ended->first; job; job = job->next) {
		job->queue->jobs--;
		if (job->has_joined)
			job->queue->joining |= type_bit(job);
		dispatch->running--;
		if (job->interrupted > 0)
			dispatch->runs_alone = false;
	}
	herald__job_list_move(&dispatch->ended, ended);
	herald__dispatch_wake_committer(dispatch);
	herald__dispatch_tell(dispatch);
	/* Jobs waited because one runs alone, or is to. */
	if (dispatch->ready.first && dispatch->idle > 0)
		pthread_cond_signal(&dispatch->worker_wake);
}

/* Where there is one writer, the worker that has the transaction, or gets it by this job, is the
 * only one that takes jobs that will join. */
static void
set_joiner(const struct herald_store *store, struct herald__dispatch *dispatch, const void *worker,
	   const struct herald__job *job, bool is_joined)
{
	if (!store->database->ops->has_one_writer)
		return;
	if (is_joined || (job && will_join(job))) {
		dispatch->joiner = worker;
	} else if (dispatch->joiner == worker) {
		dispatch->joiner = NULL;
		if (dispatch->ready.first && dispatch->idle > 0)
			pthread_cond_signal(&dispatch->worker_wake);
	}
}

void
herald__dispatch_return(struct herald_store *store, struct herald__job_list *ended)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	take_back(dispatch, ended);
	pthread_mutex_unlock(&dispatch->mutex);
}

struct herald__job *
herald__dispatch_next(struct herald_store *store, const void *worker, bool is_joined,
		      struct herald__job_list *ended)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	struct herald__job *job = NULL;

	take_back(dispatch, ended);
	if (may_begin(store, dispatch, worker)) {
		job = herald__job_list_take(&dispatch->ready);
		dispatch->running++;
		dispatch->runs_alone = job->interrupted > 0;
	}
	set_joiner(store, dispatch, worker, job, is_joined);
	/* Workers that were woken while the job kept them from the next ones wait again. */
	if (job && dispatch->idle > 0 && may_begin(store, dispatch, NULL))
		pthread_cond_signal(&dispatch->worker_wake);
	pthread_mutex_unlock(&dispatch->mutex);
	return job;
}

bool
herald__dispatch_worker_wait(struct herald_store *store, const void *worker)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	while (!may_begin(store, dispatch, worker) && !dispatch->quits) {
		dispatch->idle++;
		pthread_cond_wait(&dispatch->worker_wake, &dispatch->mutex);
		dispatch->idle--;
	}
	bool goes_on = !dispatch->quits;
	pthread_mutex_unlock(&dispatch->mutex);
	return goes_on;
}
