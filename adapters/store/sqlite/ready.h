/*
 * Claiming READY rows, and finding them again to end the claim: the events of a queue, or
 * deliveries.
 */
#ifndef HERALD_SQLITE_READY_H
#define HERALD_SQLITE_READY_H

#include "statement.h"

/*
 * The statements of one table. Their first parameter is the queue where it has queues. Late are the
 * delayed rows that were stored before the clock was set back: later than a time.
 *
 *	find       the rows that are due: now, the number of rows. Its first columns are id, due_ms
 *	           and delayed; the others are the caller's
 *	mark       claims those before a due_ms: the owner, delayed, due_ms
 *	mark_last  claims those with a due_ms, up to an id: the owner, delayed, due_ms, id
 *	find_late  the rows that are late: later than, the number of rows. Columns as of find, but
 *	           the time that orders them takes the place of delayed
 *	mark_late, mark_late_last  claim them likewise: the owner, later than, before;
 *	           and the owner, the time, and the id of the last one
 *	next       when the next row is due: now, what it returns if there is none, later than
 */
struct sqlite_ready_sql {
	struct sqlite_sql find, mark, mark_last, find_late, mark_late, mark_late_last, next;
};

/* A claim. */
struct sqlite_ready {
	const struct sqlite_ready_sql *sql;
	const char *queue; /* NULL: the table has none */
	uint64_t owner;
	int64_t now_ms;
	int64_t late_ms; /* rows stored (events) or due (deliveries) after this time are late */
	size_t max_rows;
	size_t max_bytes;

	/* Read a row whose first columns are read. Returns its bytes, for max_bytes. */
	size_t (*read)(struct sqlite_query *row, uint64_t id, int64_t due_ms, void *state);
	/* Visit the row that was read. Returns false to stop. */
	bool (*visit)(void *state);
	void *state;
};

/* Claim rows, ordered by due_ms and id, and then late ones. next_ms and errors as claim(). */
enum herald_status
herald__sqlite_claim_ready(struct sqlite_session *session, const struct sqlite_ready *ready,
			   int64_t *next_ms, struct herald_error *error);

/* What a completion says of its claim. */
struct sqlite_fence {
	uint64_t id, owner;
	unsigned attempts, replays;
};

/* The row of a claim, of either table, unless the claim has ended. */
#define SQLITE_FENCE "WHERE id = ?1 AND owner = ?2 AND attempts = ?3 AND replays = ?4 AND state = 1"

/* Begin a statement with SQLITE_FENCE, whose other parameters are from ?5 on. */
struct sqlite_query
herald__sqlite_fenced(struct sqlite_session *session, const struct sqlite_sql *sql,
		      const struct sqlite_fence *fence);

#endif
