/*
 * Deliveries that this process owns according to the database, and does not know: the outcome of a
 * claim was unknown, or there was no memory for what was claimed.
 */
#ifndef HERALD_SRC_STORE_OUTBOX_RECONCILE_H
#define HERALD_SRC_STORE_OUTBOX_RECONCILE_H

#include <stdint.h>

#include <herald/export.h>
#include <herald/status.h>

struct herald__outbox_queue;
struct herald_session;

/* Give them back. In a transaction, on the committer's thread. Sets has_reconciled of the write.
 * Errors as delivery_owned() and delivery_complete(). */
HERALD_MUST_CHECK enum herald_status
herald__outbox_reconcile(struct herald__outbox_queue *queue, struct herald_session *session,
			 int64_t now_ms, struct herald_error *error);

#endif
