/*
 * The threads of a store. Each calls one step after the other, and waits in between.
 */
#ifndef HERALD_SRC_STORE_THREADS_H
#define HERALD_SRC_STORE_THREADS_H

#include <herald/status.h>

struct herald_store;

/* Start all threads. After an error none of them runs. Errors: HERALD_SYSTEM, HERALD_NO_MEMORY. */
enum herald_status herald__threads_start(struct herald_store *store, struct herald_error *error);

/* End all threads. No event runs any more. */
void herald__threads_stop(struct herald_store *store);

#endif
