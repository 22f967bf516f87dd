/*
 * Histograms of durations: checking their bounds, and reading them. Adding is in the header. What
 * is measured, and where a histogram is kept, is decided elsewhere.
 */
#include "base/histogram.h"

#include <inttypes.h>

#include "base/options.h"

#define US_NS 1000
/* A day. */
#define MAX_US ((uint64_t)86400 * 1000000)

static const uint64_t usual_us[] = {
	100,   250,    500,    1000,   2500,    5000,    10000,   25000,
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

static enum herald_status
check(const uint64_t *us, size_t count, struct herald_error *error)
{
	if (count > HERALD_MAX_DURATION_BOUNDS)
		return herald__option_error(
			error, HERALD_BAD_OPTION, HERALD__OPTION("duration_bounds_us"),
			"must have at most %d bounds, not %zu", HERALD_MAX_DURATION_BOUNDS, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t least = i > 0 ? us[i - 1] + 1 : 1;

		if (us[i] < least || us[i] > MAX_US)
			return herald__option_error(error, HERALD_BAD_OPTION,
						    HERALD__OPTION_ELEMENT("duration_bounds_us", i),
						    "must be from %" PRIu64 " to %" PRIu64
						    ", not %" PRIu64,
						    least, MAX_US, us[i]);
	}
	return HERALD_OK;
}

enum herald_status
herald__bounds_init(struct herald__bounds *bounds, const uint64_t *us, size_t count,
		    struct herald_error *error)
{
	enum herald_status status = herald_option_array_check(
		"duration_bounds_us", "HERALD_DURATION_BOUNDS", us, count, error);

	if (status == HERALD_OK && us)
		status = check(us, count, error);
	if (status != HERALD_OK)
		return status;
	if (!us) {
		us = usual_us;
		count = HERALD_COUNT(usual_us);
	}
	bounds->count = count;
	for (size_t i = 0; i < count; i++)
		bounds->ns[i] = us[i] * US_NS;
	bounds->ns[count] = UINT64_MAX;
	return HERALD_OK;
}

void
herald__histogram_read(const struct herald__histogram *histogram,
		       struct herald__histogram_sums *sums)
{
	for (size_t i = 0; i < HERALD_MAX_DURATION_BOUNDS + 1; i++)
		sums->counts[i] +=
			atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
	sums->sum_ns += atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed);
}
