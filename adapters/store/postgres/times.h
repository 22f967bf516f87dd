/*
 * Times: the store's milliseconds since 1970, and PostgreSQL's microseconds since 2000. A time that
 * PostgreSQL cannot hold becomes infinity, which is read as INT64_MAX or INT64_MIN.
 */
#ifndef HERALD_POSTGRES_TIMES_H
#define HERALD_POSTGRES_TIMES_H

#include <stdint.h>

#include <herald/adapter/database.h>

#define POSTGRES_TIME_MAX INT64_MAX /* infinity */
#define POSTGRES_TIME_MIN INT64_MIN /* -infinity */

int64_t herald__postgres_time(int64_t ms);
int64_t herald__postgres_time_ms(int64_t time);

/* Milliseconds of the monotonic clock. */
int64_t herald__postgres_clock_ms(void);

/* What was stored later than this was stored before the clock was set back. */
static inline int64_t
herald__postgres_latest_ms(int64_t now_ms)
{
	return now_ms < INT64_MAX - HERALD_CLOCK_SKEW_MS ? now_ms + HERALD_CLOCK_SKEW_MS
							 : INT64_MAX;
}

#endif
