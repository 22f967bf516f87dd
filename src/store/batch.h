/*
 * What one transaction stores: arrivals as rows, and the ends of runs.
 */
#ifndef HERALD_SRC_STORE_BATCH_H
#define HERALD_SRC_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>

#include "store/dispatch.h"
#include "store/job.h"

struct herald__inbox_event;
struct herald_store;

/* Arrays of `capacity` elements. */
struct herald__batch {
	size_t capacity;
	struct herald__inbox_event **arrivals;
	struct herald__queue **queues; /* of the arrivals */
	struct herald_stored_event *events;
	unsigned char (*seen)[HERALD_SEEN_KEY_BYTES];
	size_t arrivals_count;
	struct herald__job **ended;
	struct herald_completion *completions;
	size_t ended_count;
};

/* How many arrivals may run in this process at once, without another claim. */
struct herald__batch_room {
	uint64_t node; /* 0: none may */
	size_t count;
	size_t bytes;
};

/* Returns false when out of memory. */
bool herald__batch_init(struct herald__batch *batch, const struct herald_allocator *allocator,
			size_t capacity);
void herald__batch_finish(struct herald__batch *batch, const struct herald_allocator *allocator);

/* Begin a new batch with these arrivals. */
void herald__batch_begin(struct herald__batch *batch, struct herald__inbox_event *arrivals);

/* The rows of the arrivals from `first` on. Lowers the room by those that are to run at once. */
void herald__batch_events(struct herald_store *store, struct herald__batch *batch, size_t first,
			  size_t count, int64_t wall_ms, struct herald__batch_room *room);

/* Add the end of a job's run. There must be room. */
void herald__batch_end(struct herald__batch *batch, struct herald__job *job, int64_t wall_ms);

/* Have the job's queue looked into when something is due there because of its end. */
void herald__batch_look(const struct herald__job *job);

/* The completion of a job. Texts are borrowed from it. */
struct herald_completion herald__batch_completion(const struct herald__job *job, int64_t wall_ms);

#endif
