/*
 * Whether the store works, and what it logs about that. One line when it stops working, and one
 * when it works again.
 */
#ifndef HERALD_SRC_STORE_HEALTH_H
#define HERALD_SRC_STORE_HEALTH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <herald/status.h>

struct herald_store;

struct herald__health {
	pthread_mutex_t mutex; /* protects `error` */
	struct herald_error error;
	atomic_int status; /* OK, UNAVAILABLE, or for ever STORE_FAILED */
};

bool herald__health_init(struct herald__health *health);
void herald__health_finish(struct herald__health *health);

/* A transaction has worked, or failed with a status. `error` may be NULL. Any thread. */
void herald__health_works(struct herald_store *store);
void herald__health_fails(struct herald_store *store, enum herald_status status,
			  const struct herald_error *error);

/* The transaction of a worker has failed. Only a failed store counts: the committer finds out the
 * rest itself. */
void herald__health_note(struct herald_store *store, enum herald_status status,
			 const struct herald_error *error);

bool herald__health_has_failed(const struct herald_store *store);

/* As herald_store_health(). */
enum herald_status herald__health_get(struct herald_store *store, struct herald_error *error);

#endif
