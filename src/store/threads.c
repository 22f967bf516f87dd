/*
 * One thread commits, one keeps the node alive and recovers dead ones, one does upkeep, one waits
 * for other processes if the database can tell of them, and the others run events.
 */
#include "store/threads.h"

#include <pthread.h>
#include <stdbool.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>

#include "store/dispatch_arrive.h"
#include "store/dispatch_work.h"
#include "store/state.h"

#define WATCH_MS 1000
#define WATCH_PAUSE_MS 500

struct herald__store_threads {
	pthread_t committer, node, upkeep, watch;
	bool has_committer, has_node, has_upkeep, has_watch;
	size_t workers_count;
	struct herald_session *watch_session;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool quits; /* protected by the mutex */
	pthread_t workers[];
};

static size_t
threads_bytes(const struct herald_store *store)
{
	return sizeof(struct herald__store_threads) +
	       store->settings.options.workers * sizeof(pthread_t);
}

static void *
committer_run(void *state)
{
	struct herald_store *store = state;

	while (herald__dispatch_committer_wait(store, herald__committer_turn(store)))
		;
	return NULL;
}

static void *
worker_run(void *state)
{
	struct herald__worker *worker = state;
	const struct herald_thread_hooks *hooks = &worker->store->settings.options.thread_hooks;

	herald_thread_begins(hooks);
	do {
		while (herald__worker_step(worker))
			;
	} while (herald__dispatch_worker_wait(worker->store, worker));
	herald_thread_ends(hooks);
	return NULL;
}

/* Wait until a time, or the end. Returns false at the end. */
static bool
wait_for(struct herald_store *store, uint64_t due_ms)
{
	struct herald__store_threads *threads = store->threads;
	const uint64_t longest_ms = 60000;

	pthread_mutex_lock(&threads->mutex);
	while (!threads->quits) {
		uint64_t now_ms = herald__clock_now_ms(&store->settings.clock);
		uint64_t wait_ms = due_ms - now_ms;

		if (now_ms >= due_ms)
			break;
		struct timespec until = herald_deadline_after(
			(uint32_t)(wait_ms < longest_ms ? wait_ms : longest_ms));
		pthread_cond_timedwait(&threads->wake, &threads->mutex, &until);
	}
	bool goes_on = !threads->quits;
	pthread_mutex_unlock(&threads->mutex);
	return goes_on;
}

static void *
node_run(void *state)
{
	struct herald_store *store = state;

	while (wait_for(store, herald__node_step(store)))
		;
	return NULL;
}

static void *
upkeep_run(void *state)
{
	struct herald_store *store = state;

	while (wait_for(store, herald__upkeep_step(store)))
		;
	return NULL;
}

/* If it fails, the committer still polls. */
static void *
watch_run(void *state)
{
	struct herald_store *store = state;
	const struct herald_database_ops *ops = store->database->ops;
	struct herald_error error;
	uint64_t pause_ms = 0;

	while (wait_for(store, herald__clock_now_ms(&store->settings.clock) + pause_ms)) {
		if (ops->watch(store->threads->watch_session, WATCH_MS, &error) == HERALD_OK) {
			pause_ms = 0;
			herald__dispatch_wake(store);
		} else {
			pause_ms = WATCH_PAUSE_MS;
		}
	}
	return NULL;
}

/* Starting. */

static enum herald_status
start(pthread_t *thread, void *(*run)(void *), void *state, bool *has, struct herald_error *error)
{
	int failed = herald_thread_create(thread, run, state);

	*has = failed == 0;
	return *has ? HERALD_OK : herald_system_error(error, "cannot start a thread", failed);
}

static enum herald_status
start_watch(struct herald_store *store, struct herald_error *error)
{
	struct herald__store_threads *threads = store->threads;
	const struct herald_database_ops *ops = store->database->ops;

	if (!ops->watch)
		return HERALD_OK;
	enum herald_status status = ops->session_open(store->database, HERALD_SESSION_NODE,
						      &threads->watch_session, error);
	return status == HERALD_OK
		       ? start(&threads->watch, watch_run, store, &threads->has_watch, error)
		       : status;
}

static enum herald_status
start_workers(struct herald_store *store, struct herald_error *error)
{
	struct herald__store_threads *threads = store->threads;
	enum herald_status status = HERALD_OK;

	for (unsigned i = 0; i < store->settings.options.workers && status == HERALD_OK; i++) {
		bool has;

		status = start(&threads->workers[i], worker_run, &store->workers[i], &has, error);
		threads->workers_count += has;
	}
	return status;
}

static struct herald__store_threads *
new_threads(struct herald_store *store)
{
	const struct herald_allocator *allocator = &store->settings.allocator;
	struct herald__store_threads *threads =
		herald_memory_allocate_zeroed(allocator, 1, threads_bytes(store));

	if (!threads)
		return NULL;
	if (pthread_mutex_init(&threads->mutex, NULL) != 0)
		goto failed;
	if (herald_condition_init(&threads->wake) == 0)
		return threads;
	pthread_mutex_destroy(&threads->mutex);
failed:
	herald_memory_release(allocator, threads, threads_bytes(store));
	return NULL;
}

enum herald_status
herald__threads_start(struct herald_store *store, struct herald_error *error)
{
	struct herald__store_threads *threads = store->threads = new_threads(store);

	if (!threads)
		return herald_out_of_memory(error);
	herald__dispatch_quit(store, false);
	enum herald_status status =
		start(&threads->committer, committer_run, store, &threads->has_committer, error);
	if (status == HERALD_OK)
		status = start(&threads->node, node_run, store, &threads->has_node, error);
	if (status == HERALD_OK)
		status = start(&threads->upkeep, upkeep_run, store, &threads->has_upkeep, error);
	if (status == HERALD_OK)
		status = start_watch(store, error);
	if (status == HERALD_OK)
		status = start_workers(store, error);
	if (status != HERALD_OK)
		herald__threads_stop(store);
	return status;
}

/* Stopping. */

static void
quit(struct herald_store *store)
{
	struct herald__store_threads *threads = store->threads;

	pthread_mutex_lock(&threads->mutex);
	threads->quits = true;
	pthread_cond_broadcast(&threads->wake);
	pthread_mutex_unlock(&threads->mutex);
	if (threads->has_watch && store->database->ops->watch_end)
		store->database->ops->watch_end(threads->watch_session);
}

void
herald__threads_stop(struct herald_store *store)
{
	struct herald__store_threads *threads = store->threads;

	if (!threads)
		return;
	quit(store);
	herald__dispatch_quit(store, true);
	for (size_t i = 0; i < threads->workers_count; i++)
		pthread_join(threads->workers[i], NULL);
	if (threads->has_watch)
		pthread_join(threads->watch, NULL);
	if (threads->has_upkeep)
		pthread_join(threads->upkeep, NULL);
	if (threads->has_node)
		pthread_join(threads->node, NULL);
	if (threads->has_committer)
		pthread_join(threads->committer, NULL);
	store->database->ops->session_close(threads->watch_session);
	pthread_cond_destroy(&threads->wake);
	pthread_mutex_destroy(&threads->mutex);
	herald_memory_release(&store->settings.allocator, threads, threads_bytes(store));
	store->threads = NULL;
}
