/*
 * A service's clock, replaceable in tests so that they do not sleep.
 */
#ifndef HERALD_SRC_SERVICE_SERVICE_CLOCK_H
#define HERALD_SRC_SERVICE_SERVICE_CLOCK_H

#include <errno.h>
#include <stdint.h>
#include <time.h>

#define HERALD__MS_NS UINT64_C(1000000)

struct herald__clock {
	/* Nanoseconds since an arbitrary point; never goes backwards. Any thread. */
	uint64_t (*now_ns)(void *state);
	/* Return after this time. Any thread. */
	void (*sleep_ms)(uint32_t ms, void *state);
	void *state;
};

/* `clock` NULL: the system's clock. */
static inline uint64_t
herald__clock_now_ns(const struct herald__clock *clock)
{
	struct timespec now;

	if (clock)
		return clock->now_ns(clock->state);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* `clock` NULL: the system's clock. Signals do not end the sleep early. */
static inline void
herald__clock_sleep_ms(const struct herald__clock *clock, uint32_t ms)
{
	if (clock) {
		clock->sleep_ms(ms, clock->state);
		return;
	}

	uint64_t end = herald__clock_now_ns(NULL) + ms * HERALD__MS_NS;
	struct timespec until = {.tv_sec = (time_t)(end / 1000000000U),
				 .tv_nsec = (long)(end % 1000000000U)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

#endif
