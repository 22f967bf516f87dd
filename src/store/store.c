/*
 * Creates, starts and ends a store. Its work is in committer.c, worker.c, node.c and
 * upkeep.c. It starts when the first service or deliverer uses it, so that a tool can open a store
 * without becoming one of the processes that run events.
 */
#include "store/store.h"

#include <stdatomic.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/random.h>

#include "service/inbox.h"
#include "store/dispatch_arrive.h"
#include "store/options.h"
#include "store/published.h"
#include "store/seen_key.h"
#include "store/start.h"
#include "store/state.h"
#include "store/threads.h"

/* Time to store the ends of runs when a store is destroyed. */
#define LAST_DRAIN_MS 5000
/* The same if the database waits for a lock of another process: it may never get it, and the drain
 * of herald_store_stop() has waited for it already. */
#define BLOCKED_DRAIN_MS 1000
/* Its waits end before, so that it is known whether it does. */
#define BLOCKED_WAIT_MS 500

/* The inbox. */

static struct herald_store *
store_of(struct herald__inbox *inbox)
{
	return (struct herald_store *)inbox;
}

static enum herald_status
inbox_attach(struct herald__inbox *inbox, struct herald_service *service,
	     struct herald_error *error)
{
	struct herald_store *store = store_of(inbox);
	enum herald_status status = herald__store_start(store, error);

	return status == HERALD_OK ? herald__dispatch_attach(store, service,
							     herald__service_queue(service), error)
				   : status;
}

static void
inbox_detach(struct herald__inbox *inbox, struct herald_service *service)
{
	herald__dispatch_detach(store_of(inbox), service);
}

static void
inbox_accept(struct herald__inbox *inbox, struct herald__inbox_event *event)
{
	herald__dispatch_arrive(store_of(inbox), event);
}

static enum herald_status
inbox_publish(struct herald__inbox *inbox, struct herald__run *run,
	      const struct herald_delivery *delivery, struct herald_error *error)
{
	return herald__published_add(store_of(inbox), run, delivery, error);
}

static const struct herald__inbox_ops inbox_ops = {
	.attach = inbox_attach,
	.detach = inbox_detach,
	.accept = inbox_accept,
	.publish = inbox_publish,
};

/* Creating. */

/* The system's clock, with random numbers for several threads. */
static uint64_t
store_random(void *state)
{
	atomic_uint_fast64_t *seed = state;

	return herald_random_bits(
		atomic_fetch_add_explicit(seed, HERALD_RANDOM_STEP, memory_order_relaxed));
}

static void
set_clock(struct herald_store *store, const struct herald__delivery_clock *clock)
{
	uint64_t seed;
	struct herald__delivery_clock system = herald__system_clock(&seed);

	atomic_init(&store->random, seed);
	system.random = store_random;
	system.state = &store->random;
	store->settings.clock = clock ? *clock : system;
}

static bool
init_parts(struct herald_store *store)
{
	const struct herald_store_options *options = &store->settings.options;
	const struct herald_allocator *allocator = &store->settings.allocator;

	if (!herald__health_init(&store->health))
		return false;
	if (!herald__dispatch_init(&store->dispatch))
		goto free_health;
	if (!herald__outbox_init(&store->outbox))
		goto free_dispatch;
	if (!herald__starting_init(&store->starting))
		goto free_outbox;
	if (!herald__backlog_init(&store->backlog))
		goto free_starting;
	if (!herald__ending_init(&store->ending))
		goto free_backlog;
	store->workers =
		herald_memory_allocate_zeroed(allocator, options->workers, sizeof(*store->workers));
	if (!store->workers || !herald__committer_init(store))
		goto free_rest;
	for (unsigned i = 0; i < options->workers; i++)
		herald__worker_init(&store->workers[i], store, i);
	return true;

free_rest:
	if (store->workers)
		herald__batch_finish(&store->committer.batch, allocator);
	herald_memory_release(allocator, store->workers,
			      options->workers * sizeof(*store->workers));
	herald__ending_finish(&store->ending);
free_backlog:
	herald__backlog_finish(&store->backlog);
free_starting:
	herald__starting_finish(&store->starting);
free_outbox:
	herald__outbox_finish(&store->outbox);
free_dispatch:
	herald__dispatch_finish(&store->dispatch, allocator);
free_health:
	herald__health_finish(&store->health);
	return false;
}

/* Copy the folder's name, the one option that is a text. */
static bool
copy_folder(struct herald_store *store, const char *folder)
{
	const struct herald_allocator *allocator = &store->settings.allocator;
	const size_t bytes = folder ? strlen(folder) + 1 : 0;
	char *copy = folder ? herald_memory_allocate(allocator, bytes) : NULL;

	store->settings.options.in_flight_folder = copy;
	if (copy)
		memcpy(copy, folder, bytes);
	return copy || !folder;
}

static void
free_store(struct herald_store *store)
{
	const struct herald_allocator allocator = store->settings.allocator;
	const char *folder = store->settings.options.in_flight_folder;

	herald_memory_release(&allocator, (void *)folder, folder ? strlen(folder) + 1 : 0);
	herald_memory_release(&allocator, store, sizeof(*store));
}

/* Without the database. NULL: out of memory, or of what the operating system has. */
static struct herald_store *
new_store(const struct herald_store_options *options, const struct herald__delivery_clock *clock,
	  bool has_threads)
{
	const struct herald_allocator allocator = herald_allocator_or_libc(&options->allocator);
	struct herald_store *store = herald_memory_allocate_zeroed(&allocator, 1, sizeof(*store));

	if (!store)
		return NULL;
	store->inbox = (struct herald__inbox){&inbox_ops, options->max_waiting};
	store->database = options->database;
	store->has_threads = has_threads;
	store->settings.options = *options;
	store->settings.log = options->log;
	store->settings.allocator = allocator;
	set_clock(store, clock);
	if (copy_folder(store, options->in_flight_folder) && init_parts(store))
		return store;
	free_store(store);
	return NULL;
}

/* All but the database. */
static void
finish_parts(struct herald_store *store)
{
	const struct herald_store_options *options = &store->settings.options;
	const struct herald_allocator *allocator = &store->settings.allocator;

	for (unsigned i = 0; i < options->workers; i++)
		herald__worker_finish(&store->workers[i]);
	herald_memory_release(allocator, store->workers,
			      options->workers * sizeof(*store->workers));
	herald__committer_finish(store);
	herald__ending_finish(&store->ending);
	herald__backlog_finish(&store->backlog);
	herald__starting_finish(&store->starting);
	herald__outbox_finish(&store->outbox);
	herald__dispatch_finish(&store->dispatch, allocator);
	herald__health_finish(&store->health);
}

static enum herald_status
read_secret(struct herald_store *store, struct herald_error *error)
{
	const struct herald_database_ops *ops = store->database->ops;
	struct herald_session *session = NULL;
	enum herald_status status =
		ops->session_open(store->database, HERALD_SESSION_ADMIN, &session, error);

	if (status != HERALD_OK)
		return status;
	status = ops->secret(session, store->secret, error);
	ops->session_close(session);
	return status;
}

static enum herald_status
open_database(struct herald_store *store, struct herald_error *error)
{
	const struct herald_store_options *options = &store->settings.options;
	const struct herald_database_settings settings = {
		.log = store->settings.log,
		.allocator = store->settings.allocator,
		.lease_ms = options->lease_ms,
		.must_exist = options->must_exist,
		.wal_warning_bytes = options->wal_warning_bytes,
	};

	enum herald_status status = store->database->ops->open(store->database, &settings, error);
	return status == HERALD_OK ? read_secret(store, error) : status;
}

static enum herald_status
take_database(const struct herald_store *store, struct herald_database *database,
	      struct herald_error *error)
{
	const struct herald_store *none = NULL;

	if (__atomic_compare_exchange_n(&database->store, &none, store, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return HERALD_OK;
	return herald_option_refuse(error, "database",
				    "is another store's already, or its member `store` was not "
				    "initialised to NULL");
}

enum herald_status
herald__store_create(const struct herald_store_options *options,
		     const struct herald__delivery_clock *clock, bool has_threads,
		     struct herald_store **out, struct herald_error *error)
{
	struct herald_store_options read;
	const struct herald_store_options none = {0};
	struct herald_store *store = NULL;
	enum herald_status status = herald_options_read(
		options ? options : &none, &read, sizeof(read), "HERALD_STORE_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	struct herald_database *database = read.database;
	status = herald__store_options_check(&read, error);
	if (status == HERALD_OK && !(store = new_store(&read, clock, has_threads)))
		status = herald_out_of_memory(error);
	if (status == HERALD_OK)
		status = take_database(store, database, error);
	if (status == HERALD_OK)
		status = open_database(store, error);
	if (status == HERALD_OK) {
		*out = store;
		return HERALD_OK;
	}
	const struct herald_store *owner =
		database ? __atomic_load_n(&database->store, __ATOMIC_ACQUIRE) : NULL;
	bool is_ours = database && (!owner || owner == store);
	if (store) {
		finish_parts(store);
		free_store(store);
	}
	if (is_ours)
		database->ops->destroy(database);
	return status;
}

enum herald_status
herald_store_create(const struct herald_store_options *options, struct herald_store **out,
		    struct herald_error *error)
{
	return herald__store_create(options, NULL, true, out, error);
}

/* Ending. */

size_t
herald_store_stop(struct herald_store *store, uint32_t drain_ms)
{
	if (!store)
		return 0;
	store->is_stopped = true;
	herald__dispatch_stop(store);
	if (store->database->ops->stopping)
		store->database->ops->stopping(store->database, drain_ms);
	return store->threads ? herald__dispatch_drain(store, drain_ms) : 0;
}

/* Store what has ended since herald_store_stop(). Only a database that has stopping() waits for
 * locks. */
static void
drain_last(struct herald_store *store)
{
	const struct herald_database_ops *ops = store->database->ops;

	if (!store->is_stopped || !ops->stopping) {
		herald_store_stop(store, LAST_DRAIN_MS);
		return;
	}
	ops->stopping(store->database, BLOCKED_WAIT_MS);
	if (!store->threads)
		return;
	herald__dispatch_drain(store, BLOCKED_DRAIN_MS);
	if (herald_store_health(store, NULL) == HERALD_OK)
		herald__dispatch_drain(store, LAST_DRAIN_MS - BLOCKED_DRAIN_MS);
}

void
herald_store_destroy(struct herald_store *store)
{
	if (!store)
		return;

	struct herald_database *database = store->database;
	herald__ending_begin(store);
	drain_last(store);
	herald__ending_wait(store);
	herald__threads_stop(store);
	herald__upkeep_close(store);
	herald__node_close(store);
	finish_parts(store);
	free_store(store);
	database->ops->destroy(database);
}

void
herald__store_abandon(struct herald_store *store)
{
	store->node.id = 0;
	store->dispatch.formers.count = 0;
	herald__upkeep_close(store);
	herald__node_close(store);
	finish_parts(store);
	free_store(store);
}

/* Looking. */

enum herald_status
herald_store_health(struct herald_store *store, struct herald_error *error)
{
	return herald__health_get(store, error);
}

void
herald_store_wake(struct herald_store *store)
{
	herald__dispatch_wake(store);
}

enum herald_status
herald_store_queue_create(struct herald_store *store, struct herald_delivery_queue **out,
			  struct herald_error *error)
{
	enum herald_status status = herald__store_start(store, error);

	return status == HERALD_OK ? herald__outbox_queue_create(store, out, error) : status;
}

struct herald_database *
herald_store_database(struct herald_store *store)
{
	return store->database;
}

void
herald_store_statistics_read(struct herald_store *store, struct herald_store_statistics *out)
{
	struct herald__store_counts *counts = &store->counts;

	*out = (struct herald_store_statistics){
		.accepted = counts->accepted,
		.duplicates = counts->duplicates,
		.refused = counts->refused,
		.runs = counts->runs,
		.done = counts->done,
		.retries = counts->retries,
		.dead = counts->dead,
		.interrupted = counts->interrupted,
		.lost = counts->lost,
		.commits = counts->commits,
		.failures = counts->failures,
	};
	pthread_mutex_lock(&store->dispatch.mutex);
	out->running = store->dispatch.running;
	out->claimed = store->dispatch.ready.count;
	pthread_mutex_unlock(&store->dispatch.mutex);
}

enum herald_status
herald_store_accept_in(struct herald_store *store, struct herald_session *session,
		       const char *source, const char *id, bool *is_new, struct herald_error *error)
{
	unsigned char key[HERALD_SEEN_KEY_BYTES];

	herald__seen_key(store->secret, "", source, id, key);
	return store->database->ops->seen(session, key, is_new, error);
}
