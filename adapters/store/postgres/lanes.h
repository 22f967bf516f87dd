/*
 * Lanes: of the rows with one key, or to one origin, only the first few are READY or RUNNING, and
 * the others are BLOCKED. A row in herald_key or herald_origin counts them all (its depth), and
 * serialises those that change them: of a lane with room for N rows and a depth of D, min(N, D) are
 * not BLOCKED. A dead letter that is held counts as one that runs.
 *
 * Transactions of the store change lanes several times, in any order, and would deadlock with the
 * ones of other processes. So they take a lock before the first change: one transaction at a time
 * changes lanes. Events without a key do not need it. Ids of deduplication, which another
 * transaction may have added, are waited for before the lock is taken (accept() is the first change
 * of a transaction), and rows of others, such as dead letters, after it. Transactions in which
 * functions of users run do not take it, as they may last long: they change the lanes of one event
 * at a time, and a deadlock with them is left to PostgreSQL, and tried again.
 */
#ifndef HERALD_POSTGRES_LANES_H
#define HERALD_POSTGRES_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database.h"

/* A lane, and how it changes. */
struct postgres_lane {
	int64_t key;        /* of events */
	const char *origin; /* of deliveries, borrowed; NULL: of events */
	int64_t count;      /* rows that enter or leave */
	int64_t live;       /* of those that leave: the ones that were not BLOCKED */
	int64_t depth;      /* out, of lanes_enter(): before the change; then, as rows are placed */
};

/* The lanes of a call. Zero is an empty list. */
struct postgres_lanes {
	struct postgres_lane *lanes;
	size_t count;
	size_t capacity;
	bool is_delivery;
};

/* Take the lock of the lanes, before any row is locked that others may lock, such as a dead letter;
 * the functions below do it, too. */
enum herald_status
herald__postgres_lanes_lock(struct postgres_session *session, struct herald_error *error);

void herald__postgres_lanes_finish(struct postgres_session *session, struct postgres_lanes *lanes);

/* A row that enters or leaves. Key 0 and origin "" have no lane. */
enum herald_status
herald__postgres_lanes_add_key(struct postgres_session *session, struct postgres_lanes *lanes,
			       int64_t key, bool is_live);
/* For lanes_leave(): a dead letter that held its key is BLOCKED now. */
enum herald_status herald__postgres_lanes_add_release(struct postgres_session *session,
						      struct postgres_lanes *lanes, int64_t key);
enum herald_status
herald__postgres_lanes_add_origin(struct postgres_session *session, struct postgres_lanes *lanes,
				  const char *origin, bool is_live);

/* The rows of the list enter. Locks the lanes until the end of the transaction. */
enum herald_status
herald__postgres_lanes_enter(struct postgres_session *session, struct postgres_lanes *lanes,
			     struct herald_error *error);

/* After lanes_enter(): whether the next row of this lane is BLOCKED. */
bool herald__postgres_lanes_blocks(const struct postgres_session *session,
				   struct postgres_lanes *lanes, int64_t key, const char *origin);

/* The rows of the list have left. Others become READY. */
enum herald_status
herald__postgres_lanes_leave(struct postgres_session *session, struct postgres_lanes *lanes,
			     struct herald_error *error);

#endif
