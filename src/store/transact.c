/*
 * One transaction of the committer: what it stores, in which order.
 */
#include "store/transact.h"

#include "store/published.h"
#include "store/state.h"

/* Another conflict is likely then, and a pause better. */
#define MAX_REPEATS 3

bool
herald__transact_again(const struct herald_store *store, const struct herald_session *session,
		       enum herald_status status, unsigned *repeats)
{
	const struct herald_database_ops *ops = store->database->ops;

	return status == HERALD_UNAVAILABLE && ops->may_repeat && ops->may_repeat(session) &&
	       (*repeats)++ < MAX_REPEATS;
}

static enum herald_status
store_arrivals(struct herald_store *store, const struct herald__slice *slice,
	       struct herald__batch_room *room, struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	struct herald__batch *batch = &committer->batch;

	if (slice->arrivals == 0)
		return HERALD_OK;
	herald__batch_events(store, batch, slice->first_arrival, slice->arrivals,
			     committer->wall_ms, room);
	committer->asked_for = room->node;
	return store->database->ops->accept(
		committer->session, batch->events + slice->first_arrival, slice->arrivals, error);
}

/* What an event has published is stored unless its lease was lost. */
static enum herald_status
store_ended(struct herald_store *store, const struct herald__slice *slice,
	    struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	const struct herald__batch *batch = &committer->batch;
	struct herald_completion *completions = batch->completions + slice->first_ended;
	enum herald_status status = HERALD_OK;

	if (slice->ended == 0)
		return HERALD_OK;
	status = store->database->ops->complete(committer->session, completions, slice->ended,
						error);
	for (size_t i = 0; i < slice->ended && status == HERALD_OK; i++) {
		const struct herald__job *job = batch->ended[slice->first_ended + i];

		if (job->published.bytes == 0 || completions[i].is_lost)
			continue;
		status = herald__published_push(store, committer->session, &job->published,
						committer->wall_ms, error);
		committer->has_published = true;
	}
	return status;
}

static enum herald_status
run_tasks(struct herald__committer *committer, const struct herald__slice *slice,
	  struct herald_error *error)
{
	struct herald__task *task = slice->task;
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; i < slice->tasks && status == HERALD_OK; i++, task = task->next)
		status = task->run(task, committer->session, committer->wall_ms, error);
	return status;
}

static enum herald_status
claim_within(struct herald_store *store, const struct herald__slice *slice,
	     struct herald__batch_room *room, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	if (!slice->claims)
		return HERALD_OK;
	if (!store->database->ops->claims_apart)
		status = herald__claims_take(store, room, error);
	return status;
}

bool
herald__owns_claims(const struct herald__committer *committer)
{
	return committer->input.node != 0 && !committer->input.is_fenced;
}

/* In a transaction of its own, because accept() comes first in the other one. */
static enum herald_status
give_back(struct herald_store *store, uint64_t owner, bool *has_more, struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	const struct herald_database_ops *ops = store->database->ops;
	enum herald_status status = ops->begin(committer->session, error);

	if (status == HERALD_OK)
		status = herald__claims_reconcile(store, owner, has_more, error);
	if (status == HERALD_OK)
		status = ops->commit(committer->session, error);
	if (status == HERALD_OK) {
		store->counts.commits++;
		return HERALD_OK;
	}
	ops->rollback(committer->session);
	*has_more = true;
	/* Nothing else was in it. */
	if (status == HERALD_UNKNOWN_OUTCOME)
		status = error->status = HERALD_UNAVAILABLE;
	return status;
}

static enum herald_status
reconcile(struct herald_store *store, struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;

	return give_back(store, committer->input.node, &committer->claims.must_reconcile, error);
}

enum herald_status
herald__transact_give_back(struct herald_store *store, uint64_t owner, bool *has_more,
			   struct herald_error *error)
{
	enum herald_status status;
	unsigned repeats = 0;

	do
		status = give_back(store, owner, has_more, error);
	while (herald__transact_again(store, store->committer.session, status, &repeats));
	return status;
}

/* One transaction. Anything but HERALD_OK and HERALD_UNKNOWN_OUTCOME: nothing has changed. */
enum herald_status
herald__transact(struct herald_store *store, const struct herald__slice *slice,
		 struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	const struct herald_database_ops *ops = store->database->ops;
	const size_t claimed = committer->claims.jobs.count;
	struct herald__batch_room room = herald__claims_room(store);
	enum herald_status status = HERALD_OK;

	/* Before it stores something as running that is not in memory yet. */
	if (committer->claims.must_reconcile && herald__owns_claims(committer))
		status = reconcile(store, error);
	if (status == HERALD_OK)
		status = ops->begin(committer->session, error);
	if (status == HERALD_OK)
		status = store_arrivals(store, slice, &room, error);
	if (status == HERALD_OK)
		status = store_ended(store, slice, error);
	if (status == HERALD_OK)
		status = run_tasks(committer, slice, error);
	if (status == HERALD_OK)
		status = claim_within(store, slice, &room, error);
	if (status == HERALD_OK)
		status = ops->commit(committer->session, error);
	if (status == HERALD_OK) {
		store->counts.commits++;
		return HERALD_OK;
	}
	ops->rollback(committer->session);
	herald__claims_undo(store, claimed, status != HERALD_UNKNOWN_OUTCOME);
	return status;
}
