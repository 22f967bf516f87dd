/*
 * Histograms of durations: how many took how long. Threads add to them without waiting for each
 * other.
 */
#ifndef HERALD_SRC_BASE_HISTOGRAM_H
#define HERALD_SRC_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/durations.h>
#include <herald/status.h>

/* The bounds of histograms: ascending; UINT64_MAX follows the last one. */
struct herald__bounds {
	size_t count; /* without UINT64_MAX */
	uint64_t ns[HERALD_MAX_DURATION_BOUNDS + 1];
};

/* All accesses are relaxed: no count implies anything about other memory. Zeroed: empty. */
struct herald__histogram {
	/* The number of durations up to the bound of the same index, and above the one before. */
	_Atomic uint64_t counts[HERALD_MAX_DURATION_BOUNDS + 1];
	_Atomic uint64_t sum_ns;
};

/* What a histogram was when it was read. Several can be added. */
struct herald__histogram_sums {
	uint64_t counts[HERALD_MAX_DURATION_BOUNDS + 1];
	uint64_t sum_ns;
};

/*
 * Check and copy the options duration_bounds_us and duration_bounds_count; 0 means the default:
 * from 100 us to 10 s.
 *
 * error   may be NULL.
 * Errors  HERALD_BAD_OPTION.
 */
HERALD_MUST_CHECK enum herald_status
herald__bounds_init(struct herald__bounds *bounds, const uint64_t *us, size_t count,
		    struct herald_error *error);

static inline void
herald__histogram_add(struct herald__histogram *histogram, const struct herald__bounds *bounds,
		      uint64_t duration_ns)
{
	size_t i = 0;

	while (duration_ns > bounds->ns[i])
		i++;
	atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum_ns, duration_ns, memory_order_relaxed);
}

/* Add all of a histogram to `sums`. */
void herald__histogram_read(const struct herald__histogram *histogram,
			    struct herald__histogram_sums *sums);

#endif
