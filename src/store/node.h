/*
 * This process among others: it joins, renews its lease, and recovers the events of dead ones. A
 * step is a function without threads.
 */
#ifndef HERALD_SRC_STORE_NODE_H
#define HERALD_SRC_STORE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/status.h>

#include "store/in_flight.h"

struct herald_store;

/* The in-flight file of a process that lived when its node was recovered. */
struct herald__left_file;

/* Used on the node's thread; `in_flight` by the others, too. */
struct herald__node {
	struct herald_session *session;
	uint64_t id; /* 0: not joined */
	char host[256];
	char boot_id[64];
	char path[4096]; /* of the in-flight file */
	struct herald__in_flight in_flight;
	struct herald__left_file *left_files; /* a list */
	uint64_t joined_ms;
	uint64_t renew_at_ms;
	uint64_t keep_at_ms;  /* of former nodes, likewise below */
	uint64_t leave_at_ms; /* after a failure */
	uint64_t recover_at_ms;
};

/* Open the session and join. Errors as session_open() and node_join(). */
enum herald_status herald__node_open(struct herald_store *store, struct herald_error *error);

/* Leave, after everything was given back. */
void herald__node_close(struct herald_store *store);

/* Renew the lease, or join again if it was lost; recover dead nodes. Returns the time of the next
 * step, by the monotonic clock. */
uint64_t herald__node_step(struct herald_store *store);

#endif
