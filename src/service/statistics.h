/*
 * Counters of events by outcome: of a service, of each route and of each upcaster. Threads add to
 * them without waiting for each other. A reader may see an event in one counter and not yet in the
 * next.
 */
#ifndef HERALD_SRC_SERVICE_STATISTICS_H
#define HERALD_SRC_SERVICE_STATISTICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <herald/service.h>

/* All accesses are relaxed: no counter implies anything about other memory. */
struct herald__counters {
	_Atomic uint64_t done;
	_Atomic uint64_t ignored; /* included in `done` */
	_Atomic uint64_t retry;
	_Atomic uint64_t fail;
	_Atomic uint64_t rejected_invalid;
	_Atomic uint64_t rejected_unknown;
	_Atomic uint64_t rejected_unauthorized;
	_Atomic uint64_t accepted;
	_Atomic uint64_t duplicates;
	_Atomic uint64_t nanoseconds;
};

void herald__counters_init(struct herald__counters *counters);

/* Count an event with this outcome that took `nanoseconds`. `ignored`: by HERALD_UNKNOWN_IGNORE. */
void herald__counters_add(struct herald__counters *counters, const struct herald_result *result,
			  bool ignored, uint64_t nanoseconds);

/* Count an event that a store has taken; it is not one of those. */
void herald__counters_add_accepted(struct herald__counters *counters,
				   enum herald_acceptance acceptance, uint64_t nanoseconds);

#endif
