/*
 * Picking: the claim of rows of either kind, events or deliveries.
 */
#ifndef HERALD_POSTGRES_PICK_H
#define HERALD_POSTGRES_PICK_H

#include "database.h"

/* A row of the result. */
struct postgres_picked {
	int64_t due_ms;
	int64_t id;
	int row;
};

struct postgres_pick {
	enum postgres_statement claim;
	enum postgres_statement next;
	const char *queue; /* NULL: deliveries */
	int64_t now_ms;
	/* The clock was set back if deliveries are due later than this, or retries of events were
	 * stored later. They are due now. */
	int64_t late_ms;
	size_t max_rows;
	size_t max_bytes;
	uint64_t owner;

	/* Out. */
	PGresult *result;
	struct postgres_picked *rows; /* ordered by due time and id; the columns 1 and 0 */
	size_t count;
	int64_t next_ms; /* as for claim() */
};

/* Claim rows: in the open transaction, or else in one of its own. Errors as claim(). */
enum herald_status herald__postgres_pick(struct postgres_session *session,
					 struct postgres_pick *pick, struct herald_error *error);

/* Free the rows. */
void herald__postgres_pick_finish(struct postgres_session *session, struct postgres_pick *pick);

#endif
