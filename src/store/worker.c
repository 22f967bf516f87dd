/*
 * Runs events, one after the other. What the service says becomes the job's end, which the
 * committer stores; or the worker itself, in its own transaction, if the route joins it.
 */
#include "store/worker.h"

#include <herald/adapter/memory.h>

#include "service/inbox.h"
#include "store/dispatch_work.h"
#include "store/outcome.h"
#include "store/state.h"

/* A transaction with several events is committed after this time. */
#define MAX_JOIN_MS 5

/* A run, and what the store knows of it. */
struct run {
	struct herald__run base; /* the first member */
	struct herald__worker *worker;
	const struct herald__job *job;
	bool has_begun; /* something of the user's runs */
	bool joins;
	bool is_lost; /* of another owner by now: its end is not stored */
	bool is_late; /* nothing may begin: it is put off */
};

void
herald__worker_init(struct herald__worker *worker, struct herald_store *store, unsigned index)
{
	*worker = (struct herald__worker){.store = store, .index = index};
	atomic_init(&worker->joined.thread, 0);
}

void
herald__worker_finish(struct herald__worker *worker)
{
	herald__join_finish(worker->store, &worker->join);
}

/* What a commit does may be the work of its events. */
static void
flush(struct herald__worker *worker)
{
	struct herald__in_flight *in_flight = &worker->store->node.in_flight;

	if (!worker->join.is_open)
		return;
	herald__in_flight_commit(in_flight, worker->index, worker->ended_in_join);
	herald__join_flush(worker->store, &worker->join, &worker->ended);
	/* At once: an event may be claimed again before the committer sees its job. */
	for (struct herald__job *job = worker->ended.first; job; job = job->next) {
		if (!job->is_stored || !job->has_place)
			continue;
		herald__in_flight_forget(in_flight, job->place, job->owner, job->id);
		job->has_place = false;
	}
	herald__in_flight_commit(in_flight, worker->index, 0);
}

/* Events that have run before are committed alone, so that what makes a commit fail is found. */
static bool
is_alone(const struct herald__job *job)
{
	return job->attempts > 1;
}

/* Whether the event may begin after a commit, which may have taken longer than the lease: if not,
 * another node may have it by now. */
static enum herald_status
check_lease(const struct herald__worker *worker, struct run *run, struct herald_error *error)
{
	if (herald__dispatch_lease(worker->store) == run->job->owner)
		return HERALD_OK;
	run->is_late = true;
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"the commit of earlier events took longer than the lease");
}

/* Commit the transaction that is not for this event, give its events back, as this one may run for
 * long, and open the one that is for it. Until it has that, the event is not to blame for a crash:
 * it has no part in the commit of others, and does nothing while it waits for another writer. */
static enum herald_status
change_transaction(struct herald__worker *worker, struct run *run, bool joins,
		   struct herald_error *error)
{
	struct herald__in_flight *in_flight = &worker->store->node.in_flight;
	const struct herald__job *job = run->job;
	const bool must_flush = worker->join.is_open && (!joins || is_alone(job));
	enum herald_status status = HERALD_OK;

	if (!must_flush && (!joins || worker->join.is_open))
		return HERALD_OK;
	herald__in_flight_rest(in_flight, worker->index);
	if (must_flush) {
		flush(worker);
		herald__dispatch_return(worker->store, &worker->ended);
		status = check_lease(worker, run, error);
	}
	if (status == HERALD_OK && joins) {
		worker->ended_in_join = 0;
		status = herald__join_open(worker->store, &worker->join, error);
	}
	herald__in_flight_begin(in_flight, worker->index, job->owner, job->id);
	return status;
}

static enum herald_status
worker_begin(struct herald__run *base, bool joins, struct herald_error *error)
{
	struct run *run = (struct run *)base;
	struct herald__worker *worker = run->worker;
	enum herald_status status = change_transaction(worker, run, joins, error);

	if (status == HERALD_OK && joins) {
		status = herald__join_begin(worker->store, &worker->join, run->job, &worker->ended,
					    error);
		run->is_lost = status == HERALD_LEASE_LOST;
	}
	if (status != HERALD_OK)
		return status;
	run->has_begun = true;
	worker->store->counts.runs += !base->death;
	if (joins) {
		run->joins = true;
		base->session = worker->join.session;
		herald__joined_set(worker->store, &worker->joined, base);
	}
	return status;
}

static enum herald_status
worker_end(struct herald__run *base, bool is_done, struct herald_error *error)
{
	struct herald__worker *worker = ((struct run *)base)->worker;

	base->session = NULL;
	return herald__join_end_part(worker->store, &worker->join, is_done, error);
}

static void
flush_if_due(struct herald__worker *worker, const struct herald__job *last)
{
	struct herald_store *store = worker->store;
	const struct herald__join *join = &worker->join;

	if (join->batch.count >= store->database->ops->join_batch ||
	    worker->ended_in_join >= HERALD__IN_FLIGHT_ENDED || is_alone(last) ||
	    herald__clock_now_ms(&store->settings.clock) - join->began_ms >= MAX_JOIN_MS)
		flush(worker);
}

/* The event runs no more; until its end is committed, it may be to blame if something of the user's
 * has run. */
static void
end_in_flight(struct herald__worker *worker, struct herald__job *job, bool has_begun)
{
	struct herald__in_flight *in_flight = &worker->store->node.in_flight;

	if (!has_begun) {
		herald__in_flight_rest(in_flight, worker->index);
		return;
	}
	job->place = herald__in_flight_end(in_flight, worker->index, job->owner, job->id);
	job->has_place = true;
	worker->ended_in_join++;
}

/* `death`: why it becomes a dead letter; NULL: it does not. */
static struct run
make_run(struct herald__worker *worker, struct herald__job *job, const struct herald__death *death)
{
	const struct herald_store_options *options = &worker->store->settings.options;

	return (struct run){
		.base =
			{
				.id = job->id,
				.content_type = job->content_type,
				.attributes = job->attributes,
				.created_ms = job->created_ms,
				.attempt = job->attempts,
				.is_last_attempt = job->attempts >= options->max_attempts,
				.begin = worker_begin,
				.end = worker_end,
				.holds_key = job->holds_key,
				.death = death ? death->error.message : NULL,
				.published = job->published,
			},
		.worker = worker,
		.job = job,
	};
}

/* What the database will be told. */
static void
set_outcome(struct herald_store *store, struct herald__job *job, const struct run *run,
	    const struct herald_result *result, const struct herald__death *death)
{
	job->published = run->base.published;
	job->is_held = run->base.holds_key;
	job->is_dropped = run->is_lost;
	job->has_joined = run->joins;
	if (run->is_late || (death && result->verdict == HERALD_RETRY))
		herald__outcome_put_off(store, job);
	else if (death)
		herald__outcome_bury(store, job, death);
	else
		herald__outcome_set(store, job, result, run->base.is_exhausted);
}

static void
run_job(struct herald__worker *worker, struct herald__job *job)
{
	struct herald_store *store = worker->store;
	struct herald_result result;
	struct herald__death found;
	const struct herald__death *death =
		herald__outcome_is_due(store, job, &found) ? &found : NULL;
	struct run run = make_run(worker, job, death);

	herald__in_flight_begin(&store->node.in_flight, worker->index, job->owner, job->id);
	herald__service_run(job->queue->service, &run.base, job->data, job->data_bytes, &result);
	if (run.joins)
		herald__joined_set(store, &worker->joined, NULL);
	set_outcome(store, job, &run, &result, death);
	if (run.joins)
		herald__join_end(store, &worker->join, job, &worker->ended);
	else
		herald__job_list_add(&worker->ended, job);
	end_in_flight(worker, job, run.has_begun);
	if (run.joins)
		flush_if_due(worker, job);
}

bool
herald__worker_step(struct herald__worker *worker)
{
	struct herald__job *job =
		herald__dispatch_next(worker->store, worker, worker->join.is_open, &worker->ended);

	if (job) {
		run_job(worker, job);
		return true;
	}
	if (!worker->join.is_open)
		return false;
	flush(worker);
	return true;
}
