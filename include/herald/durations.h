/*
 * The bounds of histograms of durations, which herald/metrics.h writes.
 */
#ifndef HERALD_DURATIONS_H
#define HERALD_DURATIONS_H

#include <herald/array.h>

/**
 * The option `duration_bounds_us` and its count: `const uint64_t bounds[] = {1000, 10000, 100000};`
 * for histograms that count up to 1 ms, 10 ms and 100 ms, and above.
 */
#define HERALD_DURATION_BOUNDS(ARRAY)                                                              \
	.duration_bounds_us = (ARRAY), .duration_bounds_count = HERALD_COUNT(ARRAY)

/** Limit of duration_bounds_count. */
#define HERALD_MAX_DURATION_BOUNDS 32

#endif
