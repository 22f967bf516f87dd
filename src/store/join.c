/*
 * The transaction of one worker. An event's savepoint is kept if it is done, and undone otherwise;
 * its end is stored in the same transaction either way. If the commit fails, all of its events run
 * again later: their attempts are counted, because one of them may be what makes it fail. An event
 * that has run before is therefore committed alone; see worker.c.
 */
#include "store/join.h"

#include "store/batch.h"
#include "store/outbox.h"
#include "store/outcome.h"
#include "store/published.h"
#include "store/report.h"
#include "store/state.h"

enum herald_status
herald__join_open(struct herald_store *store, struct herald__join *join, struct herald_error *error)
{
	const struct herald_database_ops *ops = store->database->ops;
	enum herald_status status = HERALD_OK;

	if (join->is_open)
		return HERALD_OK;
	if (!join->session)
		status = ops->session_open(store->database, HERALD_SESSION_JOIN, &join->session,
					   error);
	if (status == HERALD_OK)
		status = ops->begin(join->session, error);
	if (status != HERALD_OK) {
		herald__dispatch_fails(store, status, error);
		return status;
	}
	join->is_open = true;
	join->began_ms = herald__clock_now_ms(&store->settings.clock);
	return HERALD_OK;
}

/* The transaction has failed. Its events run again, if they are not found to be stored. */
static void
fail(struct herald_store *store, struct herald__join *join, enum herald_status status,
     const struct herald_error *error, struct herald__job_list *ended)
{
	struct herald__job *job;

	if (join->is_open)
		store->database->ops->rollback(join->session);
	join->is_open = false;
	herald__dispatch_fails(store, status, error);
	while ((job = herald__job_list_take(&join->batch))) {
		job->may_be_stored = status != HERALD_UNAVAILABLE;
		job->published.bytes = 0;
		herald__outcome_retry(store, job, 0, error);
		herald__job_list_add(ended, job);
	}
}

/* Store the end of a job. */
static enum herald_status
complete(struct herald_store *store, struct herald__join *join,
	 struct herald_completion *completion, struct herald_error *error)
{
	return store->database->ops->complete(join->session, completion, 1, error);
}

/* In the savepoint of the event. */
static enum herald_status
mark_done(struct herald_store *store, struct herald__join *join, const struct herald__job *job,
	  bool *is_lost, struct herald_error *error)
{
	struct herald_completion completion =
		herald__batch_completion(job, herald__clock_wall_ms(&store->settings.clock));

	completion.kind = HERALD_COMPLETE_DONE;
	enum herald_status status = complete(store, join, &completion, error);
	*is_lost = completion.is_lost;
	if (status == HERALD_OK && completion.is_lost)
		status = store->database->ops->savepoint_rollback(join->session, error);
	return status;
}

enum herald_status
herald__join_begin(struct herald_store *store, struct herald__join *join,
		   const struct herald__job *job, struct herald__job_list *ended,
		   struct herald_error *error)
{
	bool is_lost = false;
	enum herald_status status = store->database->ops->savepoint(join->session, error);

	if (status == HERALD_OK)
		status = mark_done(store, join, job, &is_lost, error);
	if (status != HERALD_OK)
		fail(store, join, status, error, ended);
	else if (is_lost)
		status = herald_error_set(error, HERALD_LEASE_LOST, HERALD_NO_OFFSET,
					  "another process has taken over the event");
	return status;
}

enum herald_status
herald__join_end_part(struct herald_store *store, struct herald__join *join, bool is_done,
		      struct herald_error *error)
{
	const struct herald_database_ops *ops = store->database->ops;
	enum herald_status status = is_done ? ops->savepoint_release(join->session, error)
					    : ops->savepoint_rollback(join->session, error);

	if (status != HERALD_OK)
		join->part = *error;
	join->part.status = status;
	return status;
}

/* The event is marked as done. If it is not, this was undone, and its end is stored instead. */
static enum herald_status
end(struct herald_store *store, struct herald__join *join, struct herald__job *job,
    struct herald_error *error)
{
	struct herald_completion completion =
		herald__batch_completion(job, herald__clock_wall_ms(&store->settings.clock));
	enum herald_status status = HERALD_OK;

	if (job->kind != HERALD_COMPLETE_DONE) {
		status = complete(store, join, &completion, error);
		job->is_dropped = status == HERALD_OK && completion.is_lost;
	}
	if (status == HERALD_OK && !job->is_dropped && job->published.bytes > 0)
		status = herald__published_push(store, join->session, &job->published,
						herald__clock_wall_ms(&store->settings.clock),
						error);
	return status;
}

void
herald__join_end(struct herald_store *store, struct herald__join *join, struct herald__job *job,
		 struct herald__job_list *ended)
{
	struct herald_error error = join->part;
	enum herald_status status = error.status;

	/* The user's code has committed the transaction, or rolled it back. The committer stores
	 * the end of this event; the others run again. */
	if (status == HERALD_BAD_VALUE) {
		fail(store, join, status, &error, ended);
		job->may_be_stored = job->has_ended_join = true;
		herald__job_list_add(ended, job);
		return;
	}
	if (status == HERALD_OK)
		status = end(store, join, job, &error);
	/* Its part is undone already: the committer stores this end, or a smaller one. */
	if (status != HERALD_OK && !herald_status_may_retry(status) &&
	    job->kind != HERALD_COMPLETE_DONE && join->part.status == HERALD_OK) {
		fail(store, join, status, &error, ended);
		herald__job_list_add(ended, job);
		return;
	}
	herald__job_list_add(&join->batch, job);
	if (status != HERALD_OK)
		fail(store, join, status, &error, ended);
}

void
herald__join_flush(struct herald_store *store, struct herald__join *join,
		   struct herald__job_list *ended)
{
	struct herald_error error;
	bool has_published = false;

	if (!join->is_open)
		return;
	enum herald_status status = store->database->ops->commit(join->session, &error);
	if (status != HERALD_OK) {
		fail(store, join, status, &error, ended);
		return;
	}
	join->is_open = false;
	store->counts.commits++;
	for (struct herald__job *job = join->batch.first; job; job = job->next) {
		job->is_stored = true;
		if (job->is_dropped)
			continue;
		has_published |= job->published.bytes > 0;
		herald__report_end(store, job, false);
	}
	if (has_published)
		herald__outbox_look(store);
	herald__job_list_move(ended, &join->batch);
}

void
herald__join_finish(struct herald_store *store, struct herald__join *join)
{
	store->database->ops->session_close(join->session);
	join->session = NULL;
}
