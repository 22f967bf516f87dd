/*
 * The contract of every queue of deliveries (herald/adapter/queue.h). One part calls its slots as
 * the deliverer does (slots.c), the other one runs it in deliverers that deliver, stop, die and
 * start again (lives.c). A queue's own test is:
 *
 *	static struct herald_delivery_queue *create(void *store);
 *	static const struct contract_queue queue = {.name = "name", .create = create, ...};
 *	int main(void) { return contract_queue_main(&queue); }
 */
#ifndef HERALD_TESTS_CONTRACT_QUEUE_SUITE_H
#define HERALD_TESTS_CONTRACT_QUEUE_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/adapter/queue.h>

struct contract_queue {
	const char *name;
	/* Of a queue whose records outlive the deliverer: an empty store, and its end. NULL: the
	 * records are in memory. */
	void *(*store_create)(void);
	void (*store_destroy)(void *store);
	/* A queue on this store, on which others may be open; `store` is NULL without one. */
	struct herald_delivery_queue *(*create)(void *store);
	/* As if the queue's process had died, or had lost its leases: nothing that it does reaches
	 * the store any more, and other queues may claim what it has claimed. */
	void (*cut_off)(struct herald_delivery_queue *queue);
	/* Of a queue whose claim() may not know yet what is due: wait until it may know more.
	 * Returns true if there is nothing to wait for. NULL: it knows. */
	bool (*settle)(struct herald_delivery_queue *queue);
};

int contract_queue_main(const struct contract_queue *kind);

/* The cases, by the file they are in; their state is the queue's kind. */
struct contract_queue_case {
	const char *name;
	void (*run)(const struct contract_queue *kind);
	bool needs_store;
};

extern const struct contract_queue_case contract_queue_slots[];
extern const size_t contract_queue_slots_count;
extern const struct contract_queue_case contract_queue_lives[];
extern const size_t contract_queue_lives_count;

#endif
