/*
 * A queue that keeps its records in a store, which outlives deliverers as a database would: rows of
 * bytes, without a pointer. Several queues may be open on one store. It has leases, and shows what
 * a durable queue has to do.
 */
#ifndef HERALD_TESTS_SUPPORT_STORED_QUEUE_H
#define HERALD_TESTS_SUPPORT_STORED_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/queue.h>

#define STORED_ROWS 1024
#define STORED_QUEUES 4

struct stored_row {
	uint64_t key;
	unsigned owner; /* the number of a queue; 0: none, it is ready */
	unsigned attempts;
	unsigned last_http_status;
	int64_t created_ms, due_ms, expires_ms;
	char *bytes; /* of the delivery */
	size_t bytes_count;
};

struct stored_queue;

struct stored_queue_store {
	pthread_mutex_t mutex;
	struct stored_row rows[STORED_ROWS]; /* in the order of their keys */
	size_t count;
	uint64_t last_key;
	unsigned last_number;
	struct stored_queue *queues[STORED_QUEUES]; /* those that are open */
	enum herald_status push_status;             /* what push returns */
	size_t delivered, failed;                   /* rows that have been completed */
};

struct stored_queue_store *stored_queue_store_create(void);
void stored_queue_store_destroy(struct stored_queue_store *store);

/* The store is borrowed, and must outlive the queue. */
struct herald_delivery_queue *stored_queue_create(struct stored_queue_store *store);

/* As if the queue's process had died: nothing it does reaches the store any more, and others may
 * claim what it has claimed. */
void stored_queue_cut_off(struct herald_delivery_queue *queue);

/* How many rows there are. */
size_t stored_queue_count(struct stored_queue_store *store);

#endif
