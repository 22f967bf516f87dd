/*
 * Keeps the leases of former nodes, until what they have claimed is stored. The node's thread does
 * that; the committer says when nothing of a node is left in memory. Claims nothing for them.
 */
#include "store/former.h"

#include <string.h>

#include <herald/adapter/log.h>

#include "store/outbox.h"
#include "store/state.h"
#include "store/transact.h"

/* The list. */

/* With the mutex held; NULL: it is not there. */
static struct herald__former *
find(struct herald__formers *formers, uint64_t node)
{
	for (size_t i = 0; i < formers->count; i++)
		if (formers->all[i].node == node)
			return &formers->all[i];
	return NULL;
}

static void
remove_at(struct herald__formers *formers, size_t index)
{
	formers->count--;
	memmove(&formers->all[index], &formers->all[index + 1],
		(formers->count - index) * sizeof(formers->all[0]));
}

/* Make room for one: remove one of which nothing is left, or else the first one. Returns the node
 * that is given up although something is left of it; 0: none. */
static uint64_t
make_room(struct herald__formers *formers)
{
	if (formers->count < HERALD__FORMER_NODES)
		return 0;
	for (size_t i = 0; i < formers->count; i++)
		if (formers->all[i].is_idle) {
			remove_at(formers, i);
			return 0;
		}
	const uint64_t given_up = formers->all[0].node;
	remove_at(formers, 0);
	return given_up;
}

static void
forget(struct herald_store *store, uint64_t node)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	const struct herald__former *former = find(&dispatch->formers, node);

	if (former)
		remove_at(&dispatch->formers, (size_t)(former - dispatch->formers.all));
	pthread_mutex_unlock(&dispatch->mutex);
}

static void
mark_in_outbox(struct herald_store *store, uint64_t node)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	struct herald__former *former = find(&dispatch->formers, node);

	if (former)
		former->is_in_outbox = true;
	pthread_mutex_unlock(&dispatch->mutex);
}

/* The node's thread. */

static void
log_former(const struct herald_store *store, enum herald_log_level level, const char *message,
	   uint64_t node)
{
	const struct herald_log_field field = {"node", NULL, (int64_t)node};

	herald_log_write(&store->settings.log, level, message, &field, 1);
}

bool
herald__former_add(struct herald_store *store, uint64_t node)
{
	const struct herald_database_ops *ops = store->database->ops;
	const uint64_t now_ms = herald__clock_now_ms(&store->settings.clock);
	struct herald_error error;

	if (!ops->node_keep)
		return false;
	const enum herald_status kept = ops->node_keep(store->node.session, node, &error);
	if (kept == HERALD_LEASE_LOST)
		return false;
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	struct herald__formers *formers = &dispatch->formers;
	/* The leases of the others end before this one's: they are not kept later because of it. */
	if (kept != HERALD_OK)
		store->node.keep_at_ms = now_ms;
	else if (formers->count == 0)
		store->node.keep_at_ms = now_ms + store->settings.options.lease_ms / 3;
	const uint64_t given_up = make_room(formers);
	formers->all[formers->count++] =
		(struct herald__former){.node = node, .must_reconcile = true};
	dispatch->is_woken = true;
	herald__dispatch_wake_committer(dispatch);
	pthread_mutex_unlock(&dispatch->mutex);
	if (given_up != 0)
		log_former(store, HERALD_LOG_WARNING,
			   "too many former nodes: the lease of the first one is not renewed; when "
			   "it has ended, the outcomes of what it still runs are thrown away",
			   given_up);
	/* Not earlier: the outbox looks for the nodes that are in the list. Until then, a former
	 * node without deliveries in memory is not idle. */
	herald__outbox_doubt_all(store);
	mark_in_outbox(store, node);
	return true;
}

/* Returns false if it has to be tried again soon. */
static bool
leave(struct herald_store *store, uint64_t node)
{
	struct herald_error error;
	enum herald_status status =
		store->database->ops->node_leave(store->node.session, node, &error);

	if (status != HERALD_OK && herald_status_may_retry(status))
		return false;
	log_former(store, HERALD_LOG_INFO,
		   status == HERALD_OK ? "what the former node had claimed is stored"
				       : "the former node has events that are not in memory; they "
					 "are recovered after its lease",
		   node);
	forget(store, node);
	return true;
}

static bool
keep(struct herald_store *store, uint64_t node)
{
	struct herald_error error;
	enum herald_status status =
		store->database->ops->node_keep(store->node.session, node, &error);

	if (status == HERALD_OK)
		return true;
	if (status != HERALD_LEASE_LOST)
		return false;
	log_former(store, HERALD_LOG_WARNING,
		   "the lease of a former node has ended; the outcomes of what it still runs are "
		   "thrown away",
		   node);
	forget(store, node);
	return true;
}

uint64_t
herald__former_step(struct herald_store *store)
{
	const struct herald__formers formers = herald__dispatch_formers(store);
	const uint64_t now_ms = herald__clock_now_ms(&store->settings.clock);
	const uint64_t lease_ms = store->settings.options.lease_ms;
	const uint64_t again_ms = now_ms + lease_ms / 15 + 1;
	struct herald__node *node = &store->node;
	const bool keeps = now_ms >= node->keep_at_ms, leaves = now_ms >= node->leave_at_ms;
	bool are_kept = true, have_left = true;

	for (size_t i = 0; i < formers.count; i++) {
		if (!formers.all[i].is_idle && keeps)
			are_kept &= keep(store, formers.all[i].node);
		else if (formers.all[i].is_idle && leaves)
			have_left &= leave(store, formers.all[i].node);
	}
	if (keeps)
		node->keep_at_ms = are_kept ? now_ms + lease_ms / 3 : again_ms;
	if (!have_left)
		node->leave_at_ms = again_ms;
	if (formers.count == 0)
		return UINT64_MAX;
	return node->leave_at_ms > now_ms && node->leave_at_ms < node->keep_at_ms
		       ? node->leave_at_ms
		       : node->keep_at_ms;
}

/* The committer may have ended before the process has lost the last of them. */
static struct herald__formers
turn_last(struct herald_store *store)
{
	struct herald__formers formers = herald__dispatch_formers(store);
	struct herald_error error;

	if (formers.count > 0 && herald__former_turn(store, &error) == HERALD_OK)
		formers = herald__dispatch_formers(store);
	return formers;
}

void
herald__former_close(struct herald_store *store, bool leaves)
{
	const struct herald__formers formers =
		leaves ? turn_last(store) : herald__dispatch_formers(store);
	struct herald_error error;

	for (size_t i = 0; i < formers.count; i++) {
		forget(store, formers.all[i].node);
		/* Otherwise the others find out that it is dead. */
		if (leaves && !formers.all[i].must_reconcile)
			(void)store->database->ops->node_leave(store->node.session,
							       formers.all[i].node, &error);
	}
}

/* The committer. */

/* Between two transactions that give back something. */
#define GIVE_BACK_PAUSE_MS 10

static bool
owns(struct herald_store *store, uint64_t node)
{
	for (const struct herald__job *job = store->committer.memory.newest; job; job = job->older)
		if (job->owner == node)
			return true;
	return herald__outbox_owns(store, node);
}

enum herald_status
herald__former_turn(struct herald_store *store, struct herald_error *error)
{
	const struct herald__formers formers = herald__dispatch_formers(store);
	struct herald__committer *committer = &store->committer;

	committer->give_back_ms = 0;
	for (size_t i = 0; i < formers.count; i++) {
		const uint64_t node = formers.all[i].node;
		bool has_more = false;

		if (formers.all[i].must_reconcile) {
			enum herald_status status =
				herald__transact_give_back(store, node, &has_more, error);
			if (status != HERALD_OK)
				return status;
		}
		if (has_more)
			committer->give_back_ms = committer->now_ms + GIVE_BACK_PAUSE_MS;
		/* What the copy says was so before the outbox is asked. */
		const bool is_idle = !has_more && formers.all[i].is_in_outbox && !owns(store, node);
		struct herald__dispatch *dispatch = herald__dispatch_lock(store);
		struct herald__former *former = find(&dispatch->formers, node);
		if (former) {
			former->must_reconcile = has_more;
			former->is_idle = is_idle;
		}
		pthread_mutex_unlock(&dispatch->mutex);
	}
	return HERALD_OK;
}
