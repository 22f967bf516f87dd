/*
 * Claims: which events come from the database into memory, and when.
 */
#ifndef HERALD_SRC_STORE_CLAIMS_H
#define HERALD_SRC_STORE_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>

#include "store/batch.h"
#include "store/job.h"

struct herald_store;

/* The committer's. */
struct herald__claims {
	struct herald__job_list jobs; /* claimed in this transaction, or stored as running */
	size_t pace;                  /* jobs that ended in a turn lately: how fast workers are */
	bool must_reconcile;    /* the database may have claims of ours that are not in memory */
	bool is_short;          /* out of memory for a job */
	uint64_t rest_until_ms; /* no claims until then, because memory was short */
};

/* A turn begins, in which `ended` jobs have come back. */
void herald__claims_begin(struct herald_store *store, size_t ended);

/* There was no memory for an event that is ours in the database: it is given back, and events are
 * claimed again after a pause. */
void herald__claims_short(struct herald_store *store);

/* How many jobs memory has room for; 0: claim none. */
struct herald__batch_room herald__claims_room(const struct herald_store *store);

/* Whether a queue has to be looked into in this turn. */
bool herald__claims_are_due(const struct herald_store *store);

/* Claim from all queues that are due, up to the room. */
enum herald_status herald__claims_take(struct herald_store *store, struct herald__batch_room *room,
				       struct herald_error *error);

/* In a transaction: give back what is this node's in the database, and not in memory. *has_more: it
 * has to be done again. */
enum herald_status herald__claims_reconcile(struct herald_store *store, uint64_t owner,
					    bool *has_more, struct herald_error *error);

/* The transaction has failed: what was claimed in it is forgotten, all but the first `kept` jobs.
 * `is_known`: it was rolled back for certain. */
void herald__claims_undo(struct herald_store *store, size_t kept, bool is_known);

/* The time of the next look, by the monotonic clock; UINT64_MAX: when something comes. */
uint64_t herald__claims_next_ms(const struct herald_store *store);

#endif
