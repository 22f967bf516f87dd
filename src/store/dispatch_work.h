/*
 * Jobs for the workers of a store.
 */
#ifndef HERALD_SRC_STORE_DISPATCH_WORK_H
#define HERALD_SRC_STORE_DISPATCH_WORK_H

#include "store/dispatch.h"

/*
 * A worker: give back the jobs of `ended`, and take the next one; NULL: there is none.
 *
 * worker     an address that differs for each worker.
 * is_joined  it has a transaction that is open.
 */
struct herald__job *herald__dispatch_next(struct herald_store *store, const void *worker,
					  bool is_joined, struct herald__job_list *ended);

/* A worker: give back the jobs of `ended` before a run that may take long. */
void herald__dispatch_return(struct herald_store *store, struct herald__job_list *ended);

/* Wait until there is a job for this worker. Returns false when its thread has to end. */
bool herald__dispatch_worker_wait(struct herald_store *store, const void *worker);

#endif
