/*
 * The end of a store, for operations: herald_store_destroy() waits for the ones that run on other
 * threads, and cuts them short. No operation begins after it.
 */
#ifndef HERALD_SRC_STORE_ENDING_H
#define HERALD_SRC_STORE_ENDING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

struct herald_store;

struct herald__ending {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	atomic_bool has_begun; /* set with the mutex */
	size_t operations;     /* that run; protected by the mutex */
};

/* Initialise zeroed memory. Returns false if the operating system has no mutex or condition
 * variable left. */
bool herald__ending_init(struct herald__ending *ending);
void herald__ending_finish(struct herald__ending *ending);

/* An operation begins, on any thread. HERALD_UNAVAILABLE: the store is being destroyed. */
enum herald_status herald__ending_enter(struct herald_store *store, struct herald_error *error);
/* It has ended, with its session. */
void herald__ending_leave(struct herald_store *store);
/* Sleep, until herald_store_destroy() is called. */
void herald__ending_sleep(struct herald_store *store, uint64_t ms);

/* HERALD_UNAVAILABLE if herald_store_destroy() was called; between the parts of an operation. */
enum herald_status
herald__ending_check(const struct herald_store *store, struct herald_error *error);
/* Whether this is the status of an operation that was interrupted, not of a database in trouble. */
bool herald__ending_explains(const struct herald_store *store, enum herald_status status);

/* herald_store_destroy(): interrupt what runs, what the thread for upkeep does included. */
void herald__ending_begin(struct herald_store *store);
/* Interrupt it again and again, until no operation runs. */
void herald__ending_wait(struct herald_store *store);

#endif
