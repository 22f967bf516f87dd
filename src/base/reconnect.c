/*
 * The arithmetic of pauses between attempts to connect. Does not wait.
 */
#include "base/reconnect.h"

#include <herald/adapter/backoff.h>

#define MIN_RECONNECT_MS 100

uint32_t
herald__reconnect_pause_ms(uint32_t max_ms, unsigned failed, uint64_t random_bits)
{
	const uint32_t least_ms = max_ms < MIN_RECONNECT_MS ? max_ms : MIN_RECONNECT_MS;
	const uint32_t rest_ms = max_ms - least_ms;
	const struct herald_backoff_rule rule = {
		.backoff = HERALD_BACKOFF_FULL_JITTER,
		.first_delay_ms = rest_ms < least_ms ? rest_ms : least_ms,
		.factor = 2,
		.max_delay_ms = rest_ms,
	};

	return least_ms + herald_backoff_delay_ms(&rule, failed, random_bits);
}
