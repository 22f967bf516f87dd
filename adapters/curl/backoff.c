/*
 * The arithmetic of retries. Whether there is one at all is the deliverer's decision.
 */
#include "backoff.h"

#include <curl/curl.h>

uint64_t
herald__backoff_ms(const struct herald_deliverer_options *options, unsigned attempts,
		   const struct herald__delivery_clock *clock)
{
	double delay = options->first_delay_ms;

	if (options->backoff == HERALD_BACKOFF_FIXED)
		return options->first_delay_ms;
	for (unsigned i = 1; i < attempts && delay < options->max_delay_ms; i++)
		delay *= options->factor;
	if (delay > options->max_delay_ms)
		delay = options->max_delay_ms;

	uint64_t ms = (uint64_t)delay;
	if (options->backoff == HERALD_BACKOFF_NO_JITTER)
		return ms;
	return clock->random(clock->state) % (ms + 1);
}

uint64_t
herald__retry_after_ms(const char *value, int64_t wall_s, uint64_t max_ms)
{
	uint64_t seconds = 0;
	const char *digit = value;

	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (seconds <= max_ms)
			seconds = seconds * 10 + (uint64_t)(*digit - '0');
	if (digit == value || *digit != '\0') {
		time_t date = curl_getdate(value, NULL);

		seconds = date > wall_s ? (uint64_t)(date - wall_s) : 0;
	}
	return seconds > max_ms / 1000 ? max_ms : seconds * 1000;
}
