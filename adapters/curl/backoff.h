/*
 * When to try again.
 */
#ifndef HERALD_CURL_BACKOFF_H
#define HERALD_CURL_BACKOFF_H

#include <stdint.h>

#include <herald/delivery.h>

#include "clock.h"

/* The delay after `attempts` attempts, at least 1, that failed. */
uint64_t herald__backoff_ms(const struct herald_deliverer_options *options, unsigned attempts,
			    const struct herald__delivery_clock *clock);

/*
 * What a Retry-After header says (RFC 9110 section 10.2.3): seconds, or a date. At most `max_ms`; 0
 * for a date in the past and for what is neither.
 */
uint64_t herald__retry_after_ms(const char *value, int64_t wall_s, uint64_t max_ms);

#endif
