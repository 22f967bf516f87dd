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

#include "base/histogram.h"

/* All accesses are relaxed: no counter implies anything about other memory. */
struct herald__counters {
	_Atomic uint64_t done;
	_Atomic uint64_t ignored; /* not included in `done`, unlike in struct herald_statistics */
	_Atomic uint64_t retry;
	_Atomic uint64_t fail;
	_Atomic uint64_t rejected_invalid;
	_Atomic uint64_t rejected_unknown;
	_Atomic uint64_t rejected_unauthorized;
	_Atomic uint64_t accepted;
	_Atomic uint64_t duplicates;
	struct herald__histogram handled; /* all except the next ones */
	struct herald__histogram stored;  /* `accepted` and `duplicates` */
};

/* The counters of a route and of the upcasters that lead to it, when they were read. */
struct herald__route_sums {
	struct herald_statistics counts;
	struct herald__histogram_sums handled;
	struct herald__histogram_sums stored;
};

void herald__counters_init(struct herald__counters *counters);

/* Count an event with this outcome that took `nanoseconds`. `ignored`: by HERALD_UNKNOWN_IGNORE. */
void herald__counters_add(struct herald__counters *counters, const struct herald__bounds *bounds,
			  const struct herald_result *result, bool ignored, uint64_t nanoseconds);

/* Count an event that a store has taken; it is not one of those. */
void herald__counters_add_accepted(struct herald__counters *counters,
				   const struct herald__bounds *bounds,
				   enum herald_acceptance acceptance, uint64_t nanoseconds);

/* Read the counters of route `index`. The index after the last route stands for the events that no
 * route took. */
void herald__route_sums_read(const struct herald_service *service, size_t index,
			     struct herald__route_sums *out);

#endif
