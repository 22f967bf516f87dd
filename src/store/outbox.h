/*
 * The outbox: the deliveries in the database, as the queue of a deliverer (herald/adapter/queue.h).
 */
#ifndef HERALD_SRC_STORE_OUTBOX_H
#define HERALD_SRC_STORE_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/status.h>

struct herald_delivery_queue;
struct herald_store;
struct herald__outbox_queue;

/* A store's part: the queue, if there is one. */
struct herald__outbox {
	pthread_mutex_t mutex;              /* protects the three members below */
	struct herald__outbox_queue *queue; /* NULL: none */
	bool is_open;                       /* its deliverer may be woken */
	bool leaves_rows;   /* the queue has: RUNNING, after all that could be tried */
	uint64_t looked_ms; /* the committer's */
};

/* Returns false if the operating system has no mutex left. */
bool herald__outbox_init(struct herald__outbox *outbox);
void herald__outbox_finish(struct herald__outbox *outbox);

/* As herald_store_queue_create(). The store has started. */
HERALD_MUST_CHECK enum herald_status
herald__outbox_queue_create(struct herald_store *store, struct herald_delivery_queue **out,
			    struct herald_error *error);

/* There may be new deliveries in the database. Any thread. */
void herald__outbox_look(struct herald_store *store);

/* A turn of the committer: look, if it is time. Returns when it is time again, by the monotonic
 * clock. */
uint64_t herald__outbox_turn(struct herald_store *store, uint64_t now_ms, bool is_woken);

/*
 * For tests: wait until everything that was given to a queue is stored or has failed, and what
 * claim() has asked for has come. Returns false if claim() did not know what is due, and may know
 * it now.
 */
bool herald__outbox_settle(struct herald_delivery_queue *queue);

/* The database may have deliveries of this process that are not in memory: they are given back. */
void herald__outbox_doubt_all(struct herald_store *store);
/* Whether deliveries of this node are in memory, or may have to be given back. */
bool herald__outbox_owns(struct herald_store *store, uint64_t node);

#endif
