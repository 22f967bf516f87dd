/*
 * The Retry-After header. Whether there is another attempt at all is the engine's decision.
 */
#include "retry_after.h"

#include <time.h>

#include <curl/curl.h>

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
