/*
 * Times. Owns nothing.
 */
#include "times.h"

#include <time.h>

/* 2000-01-01T00:00:00Z. */
#define EPOCH_MS INT64_C(946684800000)

/* PostgreSQL's times are in the years -4713 to 294276. */
#define FIRST_MS (INT64_C(-211813488000000) + EPOCH_MS)
#define END_MS (INT64_C(9223371331200000) + EPOCH_MS)

int64_t
herald__postgres_time(int64_t ms)
{
	if (ms >= END_MS)
		return POSTGRES_TIME_MAX;
	if (ms < FIRST_MS)
		return POSTGRES_TIME_MIN;
	return (ms - EPOCH_MS) * 1000;
}

int64_t
herald__postgres_time_ms(int64_t time)
{
	if (time == POSTGRES_TIME_MAX || time == POSTGRES_TIME_MIN)
		return time;
	int64_t ms = time / 1000;
	return (time % 1000 < 0 ? ms - 1 : ms) + EPOCH_MS;
}

int64_t
herald__postgres_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
