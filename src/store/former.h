/*
 * Former nodes of this process. The database can say that a node gets nothing new any more although
 * its lease has not ended: a standby has taken over, or a backup was restored. What the process
 * still runs for it goes on under its lease, which is kept until the last of it has ended.
 */
#ifndef HERALD_SRC_STORE_FORMER_H
#define HERALD_SRC_STORE_FORMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

struct herald_store;

/* Of more, the oldest are left to their lease. */
#define HERALD__FORMER_NODES 8

struct herald__former {
	uint64_t node;
	bool must_reconcile; /* the database may have claims that are not in memory */
	bool is_in_outbox;   /* which looks for such deliveries, too */
	bool is_idle;        /* nothing in memory belongs to it */
};

/* A part of the dispatch; protected by its mutex. */
struct herald__formers {
	struct herald__former all[HERALD__FORMER_NODES];
	size_t count;
};

/* The node's thread. */

/* This process has lost the node. Returns whether its lease is kept; false: it has ended. */
bool herald__former_add(struct herald_store *store, uint64_t node);
/* Keep the leases, and leave the nodes that are idle. Returns when the next step is due, by the
 * monotonic clock; UINT64_MAX: there are no such nodes. */
uint64_t herald__former_step(struct herald_store *store);
/* When the committer has ended. Leave all, with `leaves`; otherwise others recover them. */
void herald__former_close(struct herald_store *store, bool leaves);

/* The committer, after a turn: give back what was claimed and is not in memory, and see what is
 * idle. */
enum herald_status herald__former_turn(struct herald_store *store, struct herald_error *error);

#endif
