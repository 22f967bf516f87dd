/*
 * An allowance: how many of something are allowed in a minute. It is full at first, and fills
 * evenly. Private.
 */
#ifndef HERALD_SRC_ADMIN_ALLOWANCE_H
#define HERALD_SRC_ADMIN_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#define HERALD__MINUTE_MS 60000u

/* One of them costs a minute's worth of milliseconds, so that no fractions are needed. */
struct herald__allowance {
	uint64_t per_minute;
	uint64_t left;    /* at most per_minute * HERALD__MINUTE_MS */
	uint64_t last_ms; /* when `left` was right */
};

static inline void
herald__allowance_init(struct herald__allowance *allowance, uint64_t per_minute, uint64_t now_ms)
{
	allowance->per_minute = per_minute;
	allowance->left = per_minute * HERALD__MINUTE_MS;
	allowance->last_ms = now_ms;
}

/* How long to wait until one is allowed; 0: now. */
static inline uint64_t
herald__allowance_wait_ms(struct herald__allowance *allowance, uint64_t now_ms)
{
	const uint64_t most = allowance->per_minute * HERALD__MINUTE_MS;
	const uint64_t passed_ms = now_ms - allowance->last_ms;

	if (passed_ms >= HERALD__MINUTE_MS ||
	    most - allowance->left < passed_ms * allowance->per_minute)
		allowance->left = most;
	else
		allowance->left += passed_ms * allowance->per_minute;
	allowance->last_ms = now_ms;
	if (allowance->left >= HERALD__MINUTE_MS)
		return 0;
	return (HERALD__MINUTE_MS - allowance->left + allowance->per_minute - 1) /
	       allowance->per_minute;
}

/* Take one that is allowed. */
static inline void
herald__allowance_take(struct herald__allowance *allowance)
{
	allowance->left -= HERALD__MINUTE_MS;
}

#endif
