/*
 * Starting a store: when the first service or deliverer uses it.
 */
#ifndef HERALD_SRC_STORE_START_H
#define HERALD_SRC_STORE_START_H

#include <pthread.h>
#include <stdbool.h>

#include <herald/status.h>

struct herald_store;

struct herald__starting {
	pthread_mutex_t mutex;
	bool has_started;
};

bool herald__starting_init(struct herald__starting *starting);
void herald__starting_finish(struct herald__starting *starting);

/* Connect, join the other processes, and start the threads, unless it was done before. Any thread.
 * Errors as herald_service_create(): of the database, and HERALD_SYSTEM. */
enum herald_status herald__store_start(struct herald_store *store, struct herald_error *error);

#endif
