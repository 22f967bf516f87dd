/*
 * Which thread is in a function that has a transaction of the store (HERALD_TRANSACTION_JOIN). What
 * waits for another transaction of the store would wait for itself there, if the database has one
 * writer.
 */
#ifndef HERALD_SRC_STORE_JOINED_H
#define HERALD_SRC_STORE_JOINED_H

#include <stdatomic.h>
#include <stdint.h>

#include <herald/status.h>

struct herald_store;
struct herald__run;

/* A worker's. */
struct herald__joined {
	atomic_uintptr_t thread; /* 0: none */
	struct herald__run *run; /* that thread's */
};

/* The calling thread begins a run with a transaction, or has ended it (NULL). */
void herald__joined_set(const struct herald_store *store, struct herald__joined *joined,
			struct herald__run *run);

/* The run that called; NULL: none with a transaction. Any thread. */
struct herald__run *herald__joined_run(const struct herald_store *store);

/* Refuse with HERALD_BAD_VALUE what would wait for itself. Any thread. */
enum herald_status
herald__joined_check(const struct herald_store *store, struct herald_error *error);

#endif
