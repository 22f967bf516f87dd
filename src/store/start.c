/*
 * Starts a store once. After an error it can be tried again.
 */
#include "store/start.h"

#include <herald/adapter/log.h>

#include "store/state.h"
#include "store/threads.h"

bool
herald__starting_init(struct herald__starting *starting)
{
	return pthread_mutex_init(&starting->mutex, NULL) == 0;
}

void
herald__starting_finish(struct herald__starting *starting)
{
	pthread_mutex_destroy(&starting->mutex);
}

static void
log_start(const struct herald_store *store)
{
	const struct herald_log_field fields[] = {
		{"database", store->database->ops->name, 0},
		{"node", NULL, (int64_t)store->node.id},
		{"workers", NULL, store->settings.options.workers},
		{"in_flight_file", store->node.path, 0},
	};

	herald_log_write(&store->settings.log, HERALD_LOG_INFO, "store started", fields,
			 sizeof(fields) / sizeof(fields[0]));
}

static enum herald_status
start(struct herald_store *store, struct herald_error *error)
{
	enum herald_status status = herald__committer_open(store, error);

	if (status == HERALD_OK)
		status = herald__node_open(store, error);
	if (status == HERALD_OK && store->has_threads)
		status = herald__threads_start(store, error);
	if (status != HERALD_OK)
		herald__node_close(store);
	else
		log_start(store);
	return status;
}

enum herald_status
herald__store_start(struct herald_store *store, struct herald_error *error)
{
	struct herald__starting *starting = &store->starting;
	enum herald_status status = HERALD_OK;

	pthread_mutex_lock(&starting->mutex);
	if (!starting->has_started)
		status = start(store, error);
	starting->has_started = status == HERALD_OK;
	pthread_mutex_unlock(&starting->mutex);
	return status;
}
