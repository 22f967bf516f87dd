/*
 * Compares the deliveries that the database says this process owns with those that it knows, and
 * gives back the others.
 */
#include "store/outbox_reconcile.h"

#include <herald/adapter/memory.h>

#include "store/known_claims.h"
#include "store/outbox_queue.h"
#include "store/state.h"

struct reconciling {
	const struct herald__in_flight *in_flight;
	struct herald__known_claims known;
	uint64_t owner;
	int64_t now_ms;
	bool may_be_left; /* what is not known may have been left */
	struct herald_delivery_completion released[HERALD__MAX_GIVEN_BACK];
	size_t count;
};

/* Whether this very claim is in memory; or the delivery was left, of which no claim is in memory:
 * then its row stays as it is, and its attempt counts when this node is recovered. */
static bool
is_kept(const struct reconciling *found, const struct herald_stored_delivery *stored)
{
	if (herald__known_claims_has(&found->known, stored->id, stored->attempts, stored->replays))
		return true;
	if (herald__known_claims_has_id(&found->known, stored->id))
		return false;
	return herald__in_flight_is_sending(found->in_flight, found->owner, stored->id);
}

/* The herald_stored_delivery_visitor callback. */
static bool
release_unknown(const struct herald_stored_delivery *stored, void *state)
{
	struct reconciling *found = state;

	if (is_kept(found, stored))
		return true;
	found->released[found->count++] = (struct herald_delivery_completion){
		.id = stored->id,
		.owner = found->owner,
		.attempts = stored->attempts,
		.replays = stored->replays,
		.kind = HERALD_COMPLETE_RELEASE,
		.may_have_run = found->may_be_left,
		.now_ms = found->now_ms,
	};
	return found->count < HERALD__MAX_GIVEN_BACK;
}

static enum herald_status
release_all(struct herald__outbox_queue *queue, struct herald_session *session,
	    struct reconciling *found, struct herald_error *error)
{
	const struct herald_database_ops *ops = queue->store->database->ops;
	enum herald_status status =
		ops->delivery_owned(session, found->owner, release_unknown, found, error);

	if (status == HERALD_OK && found->count > 0)
		status = ops->delivery_complete(session, found->released, found->count, error);
	return status;
}

static void
add_known(struct reconciling *found, const struct herald__outbox_entry *entry)
{
	if (entry->end.owner == found->owner)
		herald__known_claims_add(&found->known, entry->end.id, entry->end.attempts,
					 entry->end.replays);
}

/* All entries, and what was claimed in this transaction. Returns false when out of memory. */
static bool
collect_known(struct herald__outbox_queue *queue, struct reconciling *found)
{
	const struct herald__outbox_entry *entry;

	found->in_flight = &queue->store->node.in_flight;
	pthread_mutex_lock(&queue->mutex);
	const size_t count = queue->count + queue->claim.entries.count + queue->claim.put_off.count;
	bool has_room =
		herald__known_claims_init(&found->known, &queue->store->settings.allocator, count);
	if (has_room) {
		for (entry = queue->newest; entry; entry = entry->older)
			add_known(found, entry);
		for (entry = queue->claim.entries.first; entry; entry = entry->next)
			add_known(found, entry);
		for (entry = queue->claim.put_off.first; entry; entry = entry->next)
			add_known(found, entry);
		herald__known_claims_sort(&found->known);
	}
	found->may_be_left =
		queue->leaves_rows && !herald__in_flight_names_sent(found->in_flight, found->owner);
	pthread_mutex_unlock(&queue->mutex);
	return has_room;
}

/* Returns whether all of this node's is given back. */
static bool
reconcile_node(struct herald__outbox_queue *queue, struct herald_session *session,
	       struct reconciling *found, enum herald_status *status, struct herald_error *error)
{
	found->known = (struct herald__known_claims){0};
	found->count = 0;
	if (!collect_known(queue, found))
		return false;
	*status = release_all(queue, session, found, error);
	herald__known_claims_finish(&found->known, &queue->store->settings.allocator);
	queue->write.has_more |= found->count == HERALD__MAX_GIVEN_BACK;
	return *status == HERALD_OK && found->count < HERALD__MAX_GIVEN_BACK;
}

enum herald_status
herald__outbox_reconcile(struct herald__outbox_queue *queue, struct herald_session *session,
			 int64_t now_ms, struct herald_error *error)
{
	const struct herald_allocator *allocator = &queue->store->settings.allocator;
	struct reconciling *found = herald_memory_allocate_zeroed(allocator, 1, sizeof(*found));
	const struct herald__formers formers = herald__dispatch_formers(queue->store);
	const uint64_t node = herald__dispatch_lease(queue->store);
	enum herald_status status = HERALD_OK;
	bool is_done = found && node != 0;

	/* Without memory it is done later. Without a lease nothing is known of what this node owns;
	 * it may get it back. */
	if (found)
		found->now_ms = now_ms;
	if (is_done) {
		found->owner = node;
		is_done = reconcile_node(queue, session, found, &status, error);
	}
	for (size_t i = 0; found && i < formers.count && status == HERALD_OK; i++) {
		found->owner = formers.all[i].node;
		is_done &= reconcile_node(queue, session, found, &status, error);
	}
	queue->write.has_reconciled = is_done;
	herald_memory_release(allocator, found, sizeof(*found));
	return status;
}
