/*
 * The transaction of a worker, for routes with HERALD_TRANSACTION_JOIN: several events in one
 * commit, each in a savepoint. What an event has written is committed with its end.
 */
#ifndef HERALD_SRC_STORE_JOIN_H
#define HERALD_SRC_STORE_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/status.h>

#include "store/job.h"

struct herald_store;

struct herald__join {
	struct herald_session *session; /* NULL: not opened yet */
	bool is_open;                   /* there is a transaction */
	uint64_t began_ms;
	struct herald_error part;      /* how the last part has ended */
	struct herald__job_list batch; /* ended in this transaction */
};

void herald__join_finish(struct herald_store *store, struct herald__join *join);

/* Begin the transaction if there is none. Waits for other writers where there can be only one. */
enum herald_status herald__join_open(struct herald_store *store, struct herald__join *join,
				     struct herald_error *error);

/*
 * Begin the part of an event in the transaction. The event is marked as done in it, which is undone
 * unless it is done in the end. So it is known before the function runs whether the lease was lost:
 * HERALD_LEASE_LOST.
 *
 * If it fails, and this was a fault of the transaction, its other jobs are added to `ended`.
 */
enum herald_status herald__join_begin(struct herald_store *store, struct herald__join *join,
				      const struct herald__job *job, struct herald__job_list *ended,
				      struct herald_error *error);

/* End the part of the event that runs, which is kept if it `is_done`. HERALD_BAD_VALUE: the user's
 * code has ended the transaction. */
enum herald_status herald__join_end_part(struct herald_store *store, struct herald__join *join,
					 bool is_done, struct herald_error *error);

/* Store the end of the job whose part has ended, and whose outcome is set. Jobs that have left the
 * transaction are added to `ended`. */
void herald__join_end(struct herald_store *store, struct herald__join *join,
		      struct herald__job *job, struct herald__job_list *ended);

/* Commit, if there is a transaction. */
void herald__join_flush(struct herald_store *store, struct herald__join *join,
			struct herald__job_list *ended);

#endif
