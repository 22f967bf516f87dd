/*
 * Decides how many events are held in memory: as many as the workers end in two turns, so that they
 * never wait for a claim, and slow ones leave the rest to other processes. Asks a queue of the
 * database only if something may be due there.
 */
#include "store/claims.h"

#include <herald/adapter/memory.h>

#include "store/known_claims.h"
#include "store/state.h"

#define REST_MS 100

void
herald__claims_begin(struct herald_store *store, size_t ended)
{
	struct herald__claims *claims = &store->committer.claims;

	/* It rises at once, and falls slowly. */
	claims->pace =
		ended >= claims->pace ? ended : claims->pace - (claims->pace - ended + 3) / 4;
	claims->is_short = false;
}

/* How many jobs are to be in memory. */
static size_t
wanted(const struct herald_store *store)
{
	const struct herald_store_options *options = &store->settings.options;
	size_t count = 2 * (options->workers + store->committer.claims.pace);

	const size_t most = 2 * options->max_batch + options->workers;

	return count < most ? count : most;
}

void
herald__claims_short(struct herald_store *store)
{
	struct herald__committer *committer = &store->committer;

	committer->claims.must_reconcile = true;
	committer->claims.rest_until_ms = committer->now_ms + REST_MS;
}

/* The ends that this turn does not store. Were they not counted, functions that are faster than the
 * database would let them become more and more, and all of them run again after a crash. */
static size_t
ends_left(const struct herald__committer *committer)
{
	const size_t room = committer->batch.capacity - committer->batch.ended_count;

	return committer->kept.count > room ? committer->kept.count - room : 0;
}

struct herald__batch_room
herald__claims_room(const struct herald_store *store)
{
	const struct herald__committer *committer = &store->committer;
	const struct herald__input *input = &committer->input;
	const size_t max_bytes = store->settings.options.max_claimed_bytes;
	const size_t here = input->ready + input->running + ends_left(committer);
	const size_t most = wanted(store);
	/* Half of it is enough, unless workers are idle: there are more of them where commits are
	 * small. */
	const bool is_enough = here > most / 2 && here >= store->settings.options.workers;

	if (input->node == 0 || input->is_fenced || input->is_stopping || is_enough ||
	    committer->memory.bytes >= max_bytes ||
	    committer->now_ms < committer->claims.rest_until_ms)
		return (struct herald__batch_room){0};
	return (struct herald__batch_room){
		.node = input->node,
		.count = most - here,
		.bytes = max_bytes - committer->memory.bytes,
	};
}

static bool
is_due(const struct herald_store *store, const struct herald__queue *queue)
{
	const struct herald__committer *committer = &store->committer;

	return queue->is_open &&
	       (committer->input.is_woken || queue->next_ms <= committer->wall_ms ||
		committer->now_ms - queue->looked_ms >= store->settings.options.poll_ms);
}

bool
herald__claims_are_due(const struct herald_store *store)
{
	const struct herald__queue *queue = store->committer.input.queues;

	if (herald__claims_room(store).count == 0)
		return false;
	while (queue && !is_due(store, queue))
		queue = queue->next;
	return queue;
}

/* The state of a claim. */
struct claiming {
	struct herald_store *store;
	struct herald__queue *queue;
	struct herald__batch_room *room;
};

static bool
keep_claimed(const struct herald_stored_event *event, void *state)
{
	struct claiming *claiming = state;
	struct herald__committer *committer = &claiming->store->committer;
	struct herald__job *job = herald__job_create(&committer->memory, event);

	if (!job) {
		committer->claims.is_short = true;
		return false;
	}
	job->owner = claiming->room->node;
	job->queue = claiming->queue;
	herald__job_list_add(&committer->claims.jobs, job);
	if (claiming->room->count > 0)
		claiming->room->count--;
	claiming->room->bytes -=
		job->block_bytes < claiming->room->bytes ? job->block_bytes : claiming->room->bytes;
	return true;
}

/* A claim that is a transaction of its own may have taken place although it failed. What was
 * claimed before it is committed, and stays. */
static enum herald_status
claim_from(struct herald_store *store, struct herald__queue *queue, struct herald__batch_room *room,
	   size_t share, struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	const size_t here = committer->claims.jobs.count;
	struct claiming claiming = {store, queue, room};
	const struct herald_claim claim = {
		.queue = queue->name,
		.owner = room->node,
		.now_ms = committer->wall_ms,
		.max_events = share,
		.max_bytes = room->bytes,
	};
	int64_t next_ms = INT64_MAX;
	committer->asked_for = room->node;
	enum herald_status status = store->database->ops->claim(
		committer->session, &claim, keep_claimed, &claiming, &next_ms, error);

	if (status == HERALD_OK && committer->claims.is_short) {
		/* What was claimed and not kept is given back. */
		herald__claims_short(store);
		next_ms = INT64_MIN;
	}
	if (status == HERALD_OK) {
		queue->next_ms = next_ms;
		queue->looked_ms = committer->now_ms;
	} else if (store->database->ops->claims_apart) {
		herald__claims_undo(store, here, false);
	}
	return status;
}

static size_t
count_due(const struct herald_store *store)
{
	size_t count = 0;

	for (const struct herald__queue *queue = store->committer.input.queues; queue;
	     queue = queue->next)
		count += is_due(store, queue);
	return count;
}

/* The queues that are due share the room, so that a long one does not starve the others. */
enum herald_status
herald__claims_take(struct herald_store *store, struct herald__batch_room *room,
		    struct herald_error *error)
{
	struct herald__queue *queue = store->committer.input.queues;
	enum herald_status status = HERALD_OK;
	size_t sharing = count_due(store);

	for (; queue && status == HERALD_OK; queue = queue->next) {
		if (room->count == 0 || room->bytes == 0 || !is_due(store, queue))
			continue;
		const size_t share = sharing > 1 ? (room->count - 1) / sharing + 1 : room->count;
		status = claim_from(store, queue, room, share, error);
		sharing--;
	}
	return status;
}

/* Reconciling. */

struct reconciling {
	const struct herald__in_flight *in_flight;
	struct herald__known_claims known;
	uint64_t owner;
	int64_t wall_ms;
	bool may_be_left; /* what is not known may have been left */
	struct herald_completion released[HERALD__MAX_GIVEN_BACK];
	size_t count;
};

/* What was left stays as it is: its run counts when this node is recovered. If the file may not
 * name it, its attempt counts now. */
static bool
release_unknown(const struct herald_stored_event *event, void *state)
{
	struct reconciling *found = state;

	if (herald__known_claims_has(&found->known, event->id, event->attempts, event->replays) ||
	    herald__in_flight_has_left(found->in_flight, found->owner, event->id))
		return true;
	found->released[found->count++] = (struct herald_completion){
		.id = event->id,
		.owner = found->owner,
		.attempts = event->attempts,
		.replays = event->replays,
		.kind = HERALD_COMPLETE_RELEASE,
		.may_have_run = found->may_be_left,
		.key_hash = event->key_hash,
		.now_ms = found->wall_ms,
		.path = "",
		.offset = -1,
	};
	return found->count < HERALD__MAX_GIVEN_BACK;
}

static void
collect_known(const struct herald__job_memory *memory, struct reconciling *found)
{
	for (const struct herald__job *job = memory->newest; job; job = job->older)
		if (job->owner == found->owner)
			herald__known_claims_add(&found->known, job->id, job->attempts,
						 job->replays);
	herald__known_claims_sort(&found->known);
}

/* With room for all jobs. */
static enum herald_status
release_all(struct herald_store *store, struct reconciling *found, struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	const struct herald_database_ops *ops = store->database->ops;

	found->in_flight = &store->node.in_flight;
	found->wall_ms = committer->wall_ms;
	found->may_be_left = committer->leaves_rows &&
			     !herald__in_flight_names_left(found->in_flight, found->owner);
	collect_known(&committer->memory, found);
	enum herald_status status =
		ops->owned(committer->session, found->owner, release_unknown, found, error);
	if (status == HERALD_OK && found->count > 0)
		status = ops->complete(committer->session, found->released, found->count, error);
	if (status == HERALD_OK)
		for (struct herald__queue *queue = committer->input.queues; queue;
		     queue = queue->next)
			queue->next_ms = INT64_MIN;
	return status;
}

enum herald_status
herald__claims_reconcile(struct herald_store *store, uint64_t owner, bool *has_more,
			 struct herald_error *error)
{
	struct herald__committer *committer = &store->committer;
	const struct herald_allocator *allocator = &store->settings.allocator;
	struct reconciling *found = herald_memory_allocate_zeroed(allocator, 1, sizeof(*found));
	enum herald_status status = HERALD_OK;

	/* Without memory it is done later. */
	*has_more = true;
	if (found)
		found->owner = owner;
	if (found && herald__known_claims_init(&found->known, allocator, committer->memory.count)) {
		status = release_all(store, found, error);
		*has_more = found->count == HERALD__MAX_GIVEN_BACK;
		herald__known_claims_finish(&found->known, allocator);
	}
	herald_memory_release(allocator, found, sizeof(*found));
	return status;
}

void
herald__claims_undo(struct herald_store *store, size_t kept, bool is_known)
{
	struct herald__committer *committer = &store->committer;
	struct herald__job_list all = committer->claims.jobs;
	struct herald__job *job;

	committer->claims.jobs = (struct herald__job_list){0};
	while ((job = herald__job_list_take(&all))) {
		if (committer->claims.jobs.count < kept)
			herald__job_list_add(&committer->claims.jobs, job);
		else
			herald__job_free(&committer->memory, job);
	}
	for (struct herald__queue *queue = committer->input.queues; queue; queue = queue->next)
		queue->next_ms = INT64_MIN;
	if (!is_known)
		committer->claims.must_reconcile = true;
}

uint64_t
herald__claims_next_ms(const struct herald_store *store)
{
	const struct herald__committer *committer = &store->committer;
	uint64_t next_ms = UINT64_MAX;

	if (committer->now_ms < committer->claims.rest_until_ms)
		return committer->claims.rest_until_ms;
	if (herald__claims_room(store).count == 0)
		return UINT64_MAX;
	for (const struct herald__queue *queue = committer->input.queues; queue;
	     queue = queue->next) {
		uint64_t poll_ms = queue->looked_ms + store->settings.options.poll_ms;
		uint64_t due_ms = UINT64_MAX;

		if (!queue->is_open)
			continue;
		if (queue->next_ms <= committer->wall_ms)
			due_ms = committer->now_ms;
		else if (queue->next_ms != INT64_MAX)
			due_ms =
				committer->now_ms + (uint64_t)(queue->next_ms - committer->wall_ms);
		if (poll_ms < due_ms)
			due_ms = poll_ms;
		if (due_ms < next_ms)
			next_ms = due_ms;
	}
	return next_ms;
}
