/*
 * One transaction of the committer.
 */
#ifndef HERALD_SRC_STORE_TRANSACT_H
#define HERALD_SRC_STORE_TRANSACT_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/status.h>

struct herald__committer;
struct herald__task;
struct herald_session;
struct herald_store;

/* The part of the batch that a transaction stores. */
struct herald__slice {
	size_t first_arrival, arrivals;
	size_t first_ended, ended;
	struct herald__task *task; /* the first one */
	size_t tasks;
	bool claims;
};

/* Whether this node may own something new, for all that is known. */
bool herald__owns_claims(const struct herald__committer *committer);

/* After HERALD_OK all of it is stored; after HERALD_UNKNOWN_OUTCOME perhaps; otherwise nothing.
 * What was claimed is added to the claims. */
enum herald_status herald__transact(struct herald_store *store, const struct herald__slice *slice,
				    struct herald_error *error);

/* Whether a transaction that has failed is to be repeated at once, as it was in conflict with
 * another one. `repeats` is 0 at first, and counts them. */
bool herald__transact_again(const struct herald_store *store, const struct herald_session *session,
			    enum herald_status status, unsigned *repeats);

/* In a transaction of its own: give back what is this node's in the database, and not in memory.
 * *has_more: not all of it was. */
enum herald_status herald__transact_give_back(struct herald_store *store, uint64_t owner,
					      bool *has_more, struct herald_error *error);

#endif
