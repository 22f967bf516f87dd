/*
 * The committer: one transaction for all that has come together, a turn. It is a function without
 * threads, so that a test can drive it.
 */
#ifndef HERALD_SRC_STORE_COMMITTER_H
#define HERALD_SRC_STORE_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/status.h>

#include "base/siphash.h"
#include "store/batch.h"
#include "store/claims.h"
#include "store/dispatch.h"
#include "store/job.h"
#include "store/task.h"

struct herald__inbox_event;
struct herald_store;

/* All of it is used on the committer's thread only. */
struct herald__committer {
	struct herald_session *session;
	struct herald__job_memory memory;
	struct herald__batch batch;
	struct herald__job_list kept; /* ended, not yet stored */
	size_t unknown_ends;          /* of them, those whose outcome is unknown */
	struct herald__claims claims;
	struct herald__task_list tasks; /* not yet done */
	struct herald__task_list apart; /* of this turn, to be run without a transaction */
	bool has_published;             /* deliveries were stored */
	bool leaves_rows;               /* RUNNING, after all that could be tried: see settle.c */

	uint64_t now_ms; /* the time of the turn */
	int64_t wall_ms;
	struct herald__input input;
	uint64_t retry_at_ms;   /* after a failure; 0: none */
	unsigned failures;      /* one after the other */
	uint64_t failed_ms;     /* the last failure */
	uint64_t give_back_ms;  /* when there is more of a former node; 0: there is not */
	int64_t pending_change; /* of the events in the database, in this turn */
	bool has_news;          /* for other processes */
	uint64_t asked_for;     /* the node for which the database was asked last for rows */
	uint64_t notified_ms;
};

/* Returns false when out of memory. */
bool herald__committer_init(struct herald_store *store);
void herald__committer_finish(struct herald_store *store);

/* Open the session. Errors as session_open(). */
enum herald_status herald__committer_open(struct herald_store *store, struct herald_error *error);

/*
 * Take what has come together, and commit it. Returns the time, by the monotonic clock, of the next
 * turn at the latest, even if nothing comes.
 */
uint64_t herald__committer_turn(struct herald_store *store);

#endif
