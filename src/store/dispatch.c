/*
 * The lists between the threads of a store: for the committer, the node and a stop. A thread that
 * adds something wakes the other side only if that waits, so that a busy committer and busy workers
 * cost no system calls. Runs and commits nothing.
 */
#include "store/dispatch.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>

#include "store/state.h"

bool
herald__dispatch_init(struct herald__dispatch *dispatch)
{
	*dispatch = (struct herald__dispatch){.fence_ms = UINT64_MAX};
	if (pthread_mutex_init(&dispatch->mutex, NULL) != 0)
		return false;
	if (herald_condition_init(&dispatch->committer_wake) != 0)
		goto free_mutex;
	if (herald_condition_init(&dispatch->worker_wake) != 0)
		goto free_committer_wake;
	if (herald_condition_init(&dispatch->changed) != 0)
		goto free_worker_wake;
	return true;

free_worker_wake:
	pthread_cond_destroy(&dispatch->worker_wake);
free_committer_wake:
	pthread_cond_destroy(&dispatch->committer_wake);
free_mutex:
	pthread_mutex_destroy(&dispatch->mutex);
	return false;
}

void
herald__dispatch_finish(struct herald__dispatch *dispatch, const struct herald_allocator *allocator)
{
	while (dispatch->queues) {
		struct herald__queue *queue = dispatch->queues;

		dispatch->queues = queue->next;
		herald_memory_release(allocator, queue, sizeof(*queue));
	}
	pthread_cond_destroy(&dispatch->changed);
	pthread_cond_destroy(&dispatch->worker_wake);
	pthread_cond_destroy(&dispatch->committer_wake);
	pthread_mutex_destroy(&dispatch->mutex);
}

struct herald__dispatch *
herald__dispatch_lock(struct herald_store *store)
{
	pthread_mutex_lock(&store->dispatch.mutex);
	return &store->dispatch;
}

/* With the mutex held, likewise below. */
void
herald__dispatch_wake_committer(struct herald__dispatch *dispatch)
{
	if (!dispatch->committer_waits)
		return;
	dispatch->committer_waits = false;
	pthread_cond_signal(&dispatch->committer_wake);
}

void
herald__dispatch_tell(struct herald__dispatch *dispatch)
{
	if (dispatch->waiters > 0)
		pthread_cond_broadcast(&dispatch->changed);
}

/* A job that has not begun ends: it is given back, unless its lease was lost, which the database
 * finds. */
static void
give_back(struct herald__dispatch *dispatch, struct herald__job *job)
{
	job->kind = HERALD_COMPLETE_RELEASE;
	if (job->queue)
		job->queue->jobs--;
	herald__job_list_add(&dispatch->ended, job);
}

/* Give back all jobs of a queue that have not begun; NULL: of all queues. */
static void
give_back_ready(struct herald__dispatch *dispatch, const struct herald__queue *queue)
{
	struct herald__job_list all = dispatch->ready;
	struct herald__job *job;

	dispatch->ready = (struct herald__job_list){0};
	while ((job = herald__job_list_take(&all))) {
		if (!queue || job->queue == queue)
			give_back(dispatch, job);
		else
			herald__job_list_add(&dispatch->ready, job);
	}
	herald__dispatch_wake_committer(dispatch);
}

bool
herald__dispatch_is_fenced(const struct herald_store *store,
			   const struct herald__dispatch *dispatch)
{
	if (dispatch->is_doubted)
		return true;
	return dispatch->fence_ms != UINT64_MAX &&
	       herald__clock_now_ms(&store->settings.clock) >= dispatch->fence_ms;
}

/* Services. */

static struct herald__queue *
find_name(struct herald__dispatch *dispatch, const char *name)
{
	struct herald__queue *queue = dispatch->queues;

	while (queue && strcmp(queue->name, name) != 0)
		queue = queue->next;
	return queue;
}

struct herald__queue *
herald__dispatch_find(struct herald__dispatch *dispatch, const struct herald_service *service)
{
	struct herald__queue *queue = dispatch->queues;

	while (queue && !(queue->is_attached && queue->service == service))
		queue = queue->next;
	return queue;
}

static struct herald__queue *
add_queue(struct herald_store *store, const char *name)
{
	struct herald__queue *queue =
		herald_memory_allocate_zeroed(&store->settings.allocator, 1, sizeof(*queue));

	if (!queue)
		return NULL;
	snprintf(queue->name, sizeof(queue->name), "%s", name);
	queue->next = store->dispatch.queues;
	store->dispatch.queues = queue;
	return queue;
}

enum herald_status
herald__dispatch_attach(struct herald_store *store, struct herald_service *service,
			const char *name, struct herald_error *error)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	struct herald__queue *queue = find_name(dispatch, name);
	enum herald_status status = HERALD_OK;

	if (queue && queue->is_attached)
		status = herald_option_refuse(
			error, "queue", "another service of this store has the queue \"%s\"", name);
	else if (!queue)
		queue = add_queue(store, name);
	if (status == HERALD_OK && !queue)
		status = herald_out_of_memory(error);
	if (status == HERALD_OK) {
		queue->service = service;
		queue->is_attached = true;
		dispatch->is_woken = true;
		herald__dispatch_wake_committer(dispatch);
	}
	pthread_mutex_unlock(&dispatch->mutex);
	return status;
}

void
herald__dispatch_detach(struct herald_store *store, struct herald_service *service)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	struct herald__queue *queue = herald__dispatch_find(dispatch, service);

	if (queue) {
		queue->is_attached = false;
		give_back_ready(dispatch, queue);
		dispatch->waiters++;
		while (queue->waiting > 0 || queue->jobs > 0)
			pthread_cond_wait(&dispatch->changed, &dispatch->mutex);
		dispatch->waiters--;
	}
	pthread_mutex_unlock(&dispatch->mutex);
}

/* The committer. */

/* The first `max` arrivals. */
static struct herald__arrival_list
take_arrivals(struct herald__arrival_list *from, size_t max)
{
	struct herald__arrival_list taken = *from;

	if (taken.count <= max) {
		*from = (struct herald__arrival_list){0};
		return taken;
	}
	taken.last = from->first;
	for (size_t i = 1; i < max; i++)
		taken.last = taken.last->next;
	from->first = taken.last->next;
	from->count -= max;
	taken.last->next = NULL;
	taken.count = max;
	return taken;
}

/* A queue that was attached since the last turn is looked into at once. */
static void
see_queues(struct herald__dispatch *dispatch)
{
	for (struct herald__queue *queue = dispatch->queues; queue; queue = queue->next) {
		if (queue->is_attached && !queue->is_open)
			queue->next_ms = INT64_MIN;
		queue->is_open = queue->is_attached;
	}
}

void
herald__dispatch_take(struct herald_store *store, size_t max_arrivals, struct herald__input *out)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	*out = (struct herald__input){
		.arrivals = take_arrivals(&dispatch->arrivals, max_arrivals),
		.tasks = dispatch->tasks,
		.ended = dispatch->ended,
		.is_woken = dispatch->is_woken,
		.is_stopping = dispatch->is_stopping,
		.is_fenced = herald__dispatch_is_fenced(store, dispatch),
		.node = dispatch->node,
		.pending = dispatch->pending,
		.queues = dispatch->queues,
		.ready = dispatch->ready.count,
		.running = dispatch->running,
		.idle = dispatch->idle,
	};
	see_queues(dispatch);
	dispatch->tasks = (struct herald__task_list){0};
	dispatch->ended = (struct herald__job_list){0};
	dispatch->is_woken = false;
	dispatch->in_turn = true;
	pthread_mutex_unlock(&dispatch->mutex);
}

static void
wake_workers(struct herald__dispatch *dispatch, size_t jobs)
{
	size_t count = jobs < dispatch->idle ? jobs : dispatch->idle;

	if (count > 0 && count == dispatch->idle)
		pthread_cond_broadcast(&dispatch->worker_wake);
	else
		while (count-- > 0)
			pthread_cond_signal(&dispatch->worker_wake);
}

void
herald__dispatch_ready(struct herald_store *store, struct herald__job_list *jobs)
{
	if (jobs->count == 0)
		return;

	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	struct herald__job *job;
	size_t added = 0;

	while ((job = herald__job_list_take(jobs))) {
		job->queue->jobs++;
		if (dispatch->is_stopping || !job->queue->is_attached ||
		    job->owner != dispatch->node) {
			give_back(dispatch, job);
			continue;
		}
		herald__job_list_add(&dispatch->ready, job);
		added++;
	}
	wake_workers(dispatch, added);
	pthread_mutex_unlock(&dispatch->mutex);
}

void
herald__dispatch_settle(struct herald_store *store, struct herald__queue *const *queues,
			size_t count, size_t alive, int64_t pending_change)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	for (size_t i = 0; i < count; i++)
		queues[i]->waiting--;
	dispatch->alive = alive;
	dispatch->in_turn = false;
	dispatch->pending += (uint64_t)pending_change;
	if ((int64_t)dispatch->pending < 0)
		dispatch->pending = 0;
	herald__dispatch_tell(dispatch);
	pthread_mutex_unlock(&dispatch->mutex);
}

void
herald__dispatch_refuse(struct herald_store *store, const char *why)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	dispatch->refusal = why;
	pthread_mutex_unlock(&dispatch->mutex);
}

/* The node. */

void
herald__dispatch_node(struct herald_store *store, uint64_t node, uint64_t fence_ms)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	if (node != dispatch->node)
		give_back_ready(dispatch, NULL);
	dispatch->node = node;
	dispatch->fence_ms = fence_ms;
	dispatch->is_doubted = false;
	dispatch->is_woken = true;
	herald__dispatch_wake_committer(dispatch);
	if (dispatch->ready.first)
		pthread_cond_broadcast(&dispatch->worker_wake);
	pthread_mutex_unlock(&dispatch->mutex);
}

void
herald__dispatch_doubt(struct herald_store *store, uint64_t node)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	dispatch->is_doubted |= node == dispatch->node;
	pthread_mutex_unlock(&dispatch->mutex);
}

bool
herald__dispatch_is_doubted(struct herald_store *store)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	bool is_doubted = dispatch->is_doubted;

	pthread_mutex_unlock(&dispatch->mutex);
	return is_doubted;
}

uint64_t
herald__dispatch_lease(struct herald_store *store)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	uint64_t node = herald__dispatch_is_fenced(store, dispatch) ? 0 : dispatch->node;

	pthread_mutex_unlock(&dispatch->mutex);
	return node;
}

struct herald__formers
herald__dispatch_formers(struct herald_store *store)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	struct herald__formers copy = dispatch->formers;

	pthread_mutex_unlock(&dispatch->mutex);
	return copy;
}

void
herald__dispatch_pending(struct herald_store *store, uint64_t pending, bool is_at_most)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	dispatch->pending = pending;
	dispatch->is_at_most = is_at_most;
	pthread_mutex_unlock(&dispatch->mutex);
}

/* Stopping. */

void
herald__dispatch_fail(struct herald_store *store)
{
	herald__dispatch_refuse(store, "the store has failed");
	herald__dispatch_stop(store);
}

void
herald__dispatch_fails(struct herald_store *store, enum herald_status status,
		       const struct herald_error *error)
{
	herald__health_note(store, status, error);
	if (status == HERALD_STORE_FAILED)
		herald__dispatch_fail(store);
}

void
herald__dispatch_stop(struct herald_store *store)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	dispatch->is_stopping = true;
	give_back_ready(dispatch, NULL);
	pthread_mutex_unlock(&dispatch->mutex);
}

static bool
is_drained(const struct herald__dispatch *dispatch)
{
	return !dispatch->in_turn && dispatch->running == 0 && dispatch->ended.count == 0 &&
	       dispatch->alive == 0 && dispatch->arrivals.count == 0;
}

size_t
herald__dispatch_drain(struct herald_store *store, uint32_t ms)
{
	const struct timespec until = herald_deadline_after(ms);
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);
	int waited = 0;

	dispatch->waiters++;
	while (!is_drained(dispatch) && waited == 0)
		waited = pthread_cond_timedwait(&dispatch->changed, &dispatch->mutex, &until);
	dispatch->waiters--;
	size_t running = dispatch->running;
	pthread_mutex_unlock(&dispatch->mutex);
	return running;
}

/* Threads. */

static bool
has_input(const struct herald__dispatch *dispatch)
{
	return dispatch->arrivals.first || dispatch->ended.first || dispatch->tasks.first ||
	       dispatch->is_woken;
}

/* Wait for a signal until a time. Returns false when it has passed. */
static bool
wait_until(struct herald_store *store, pthread_cond_t *condition, uint64_t due_ms)
{
	const uint64_t longest_ms = 60000;
	uint64_t now_ms = herald__clock_now_ms(&store->settings.clock);

	if (now_ms >= due_ms)
		return false;
	uint64_t wait_ms = due_ms - now_ms;
	struct timespec until =
		herald_deadline_after((uint32_t)(wait_ms < longest_ms ? wait_ms : longest_ms));
	pthread_cond_timedwait(condition, &store->dispatch.mutex, &until);
	return true;
}

bool
herald__dispatch_committer_wait(struct herald_store *store, uint64_t due_ms)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	while (!has_input(dispatch) && !dispatch->quits) {
		dispatch->committer_waits = true;
		if (!wait_until(store, &dispatch->committer_wake, due_ms))
			break;
	}
	dispatch->committer_waits = false;
	bool goes_on = !dispatch->quits || has_input(dispatch);
	pthread_mutex_unlock(&dispatch->mutex);
	return goes_on;
}

void
herald__dispatch_quit(struct herald_store *store, bool quits)
{
	struct herald__dispatch *dispatch = herald__dispatch_lock(store);

	dispatch->quits = quits;
	pthread_cond_broadcast(&dispatch->committer_wake);
	pthread_cond_broadcast(&dispatch->worker_wake);
	pthread_mutex_unlock(&dispatch->mutex);
}
