/*
 * What follows from the outcome of a transaction.
 */
#ifndef HERALD_SRC_STORE_SETTLE_H
#define HERALD_SRC_STORE_SETTLE_H

#include <stddef.h>

#include <herald/status.h>

#include "store/job.h"
#include "store/transact.h"

/* Tell the senders, the jobs and the tasks of a slice. */
void herald__settle(struct herald_store *store, const struct herald__slice *slice,
		    enum herald_status status, const struct herald_error *error);

/* Tell tasks, linked from `task` on; those that want to run again are kept. */
void herald__settle_tasks(struct herald__committer *committer, struct herald__task *task,
			  size_t count, enum herald_status status);

/* Keep an end for this turn's transaction, or a later one. */
void herald__settle_keep(struct herald__committer *committer, struct herald__job *job);

/* The oldest end that is kept; NULL: none. */
struct herald__job *herald__settle_take_kept(struct herald__committer *committer);

/* The end of a job is stored: count what is pending. */
void herald__settle_count(struct herald__committer *committer, const struct herald__job *job);

/* A job is over: its end is stored, or never will be. */
void herald__settle_job(struct herald_store *store, struct herald__job *job);

/* Nothing can be stored: within the pause after a failure, or for ever. Tell the senders, and if it
 * is for ever, all others. */
void herald__settle_refused(struct herald_store *store);

#endif
