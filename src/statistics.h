/*
 * Counters of how events ended: those of a service, of each route and of each upcaster. Threads add to them
 * without waiting for each other; a reader may see an event in one counter and not yet in the next.
 */
#ifndef HERALD_SRC_STATISTICS_H
#define HERALD_SRC_STATISTICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <herald/service.h>

/* All relaxed: no counter says anything about memory other than itself. */
struct herald__counters {
	_Atomic uint64_t done;
	_Atomic uint64_t ignored; /* of done */
	_Atomic uint64_t retry;
	_Atomic uint64_t fail;
	_Atomic uint64_t rejected_invalid;
	_Atomic uint64_t rejected_unknown;
	_Atomic uint64_t nanoseconds;
};

void herald__counters_init(struct herald__counters *counters);

/* Count one event that took `nanoseconds` and ended so; `ignored`: by HERALD_UNKNOWN_IGNORE. */
void herald__counters_add(struct herald__counters *counters, const struct herald_result *result,
			  bool ignored, uint64_t nanoseconds);

#endif
