/*
 * A worker runs one event after the other. A step is a function without threads.
 */
#ifndef HERALD_SRC_STORE_WORKER_H
#define HERALD_SRC_STORE_WORKER_H

#include <stdbool.h>

#include "store/job.h"
#include "store/join.h"
#include "store/joined.h"

struct herald_store;

struct herald__worker {
	struct herald_store *store;
	unsigned index;                /* of its slot in the in-flight file */
	struct herald__job_list ended; /* to give back with the next step */
	struct herald__join join;
	struct herald__joined joined;
	size_t ended_in_join; /* events, since its transaction began */
};

void herald__worker_init(struct herald__worker *worker, struct herald_store *store, unsigned index);
void herald__worker_finish(struct herald__worker *worker);

/* Give back what has ended, and run the next event. Returns false if there was none. */
bool herald__worker_step(struct herald__worker *worker);

#endif
