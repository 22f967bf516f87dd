/*
 * Regular work that may take long: counting what is pending, and deleting old dead letters in small
 * batches. A step is a function without threads.
 */
#ifndef HERALD_SRC_STORE_UPKEEP_H
#define HERALD_SRC_STORE_UPKEEP_H

#include <stdint.h>

#include <herald/adapter/database.h>

struct herald_store;

/* Used on the thread for upkeep. */
struct herald__upkeep {
	struct herald_session *session; /* NULL: not opened yet */
	uint64_t count_at_ms;
	uint64_t trim_at_ms;
	uint64_t rotate_at_ms;
};

void herald__upkeep_close(struct herald_store *store);

/* Do what is due. Returns the time of the next step, by the monotonic clock. */
uint64_t herald__upkeep_step(struct herald_store *store);

#endif
