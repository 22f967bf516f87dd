/*
 * What this process knows of the rows of its nodes in herald_node: until when each was alive at
 * least, and in which table the row is. A row that is older, or in another table, was replaced: by
 * a backup that was restored while this process ran, or on a standby that has taken over and has
 * lost the last transactions. Ids of events may be used again then. So the node gets nothing new,
 * and as its id is random, no row with an id that is used again can be taken for its own.
 */
#ifndef HERALD_POSTGRES_LEASE_H
#define HERALD_POSTGRES_LEASE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "parameters.h"

/* A process has one node at a time; an older one may still be asked for. */
#define POSTGRES_LEASES 8

struct postgres_lease {
	uint64_t node;
	int64_t expires; /* as PostgreSQL has it, in microseconds */
	int64_t table;   /* its OID; 0: it is lost for good */
};

struct postgres_leases {
	pthread_mutex_t mutex; /* protects the rest */
	struct postgres_lease all[POSTGRES_LEASES];
	unsigned next;    /* the place of the next one */
	int64_t timeline; /* of the server; 0: not known yet */
	uint64_t epoch;   /* counts its changes */
	int64_t instance; /* random; names the connections of the present node to others */
};

/* Both as pthread_mutex_init() and pthread_mutex_destroy(). */
int herald__postgres_leases_init(struct postgres_leases *leases);
void herald__postgres_leases_finish(struct postgres_leases *leases);

/* Remember what the database has said of a node: when it has joined, and after each renewal. */
void herald__postgres_lease_set(struct postgres_leases *leases, const struct postgres_lease *lease);

/* Each node has an instance of its own: if other processes end the transactions of an earlier node
 * of this process, its present transactions go on. */
void herald__postgres_instance_set(struct postgres_leases *leases, int64_t instance);
int64_t herald__postgres_instance(struct postgres_leases *leases);

/* How often the timeline has changed. A connection of an earlier epoch may lead to a server that is
 * not the primary any more, and still runs. */
uint64_t herald__postgres_epoch(struct postgres_leases *leases);

/* A new connection says which timeline the server writes. It changes if a standby has taken over,
 * or the server was restored from an archive; either may have lost the last transactions. So a node
 * of the time before is lost, even if its row is there.
 *
 * epoch    when it began to connect; on true, set to the present one.
 * Returns  false: another connection has seen a change since then. The answer may be of the time
 *          before, and says nothing of the nodes. */
bool
herald__postgres_leases_check(struct postgres_leases *leases, int64_t timeline, uint64_t *epoch);

/* A number that no other node or mark has, also not one of the time before a backup was restored:
 * random, and above 0. */
int64_t herald__postgres_new_id(void);

/* The two parameters of NODE_LIVES() in statements.c. A node that is not known is not checked. */
void herald__postgres_put_lease(struct postgres_parameters *parameters,
				struct postgres_leases *leases, uint64_t node);

#endif
