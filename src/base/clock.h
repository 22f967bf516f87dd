/*
 * A deliverer's clock and random numbers, replaceable in tests.
 */
#ifndef HERALD_SRC_BASE_CLOCK_H
#define HERALD_SRC_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct herald__delivery_clock {
	/* Milliseconds since an arbitrary point; never goes backwards. Any thread. */
	uint64_t (*now_ms)(void *state);
	/* Milliseconds since 1970-01-01T00:00:00Z; may jump. Any thread. */
	int64_t (*wall_ms)(void *state);
	/* 64 random bits. The deliverer's thread, and once at creation. */
	uint64_t (*random)(void *state);
	/*
	 * Called on the deliverer's thread before it waits: until now_ms() reaches due_ms
	 * (UINT64_MAX: no limit), or until something happens on the network. `in_flight` is the
	 * number of attempts under way. May be NULL.
	 */
	void (*idle)(uint64_t due_ms, size_t in_flight, void *state);
	void *state;
};

static inline uint64_t
herald__clock_now_ms(const struct herald__delivery_clock *clock)
{
	return clock->now_ms(clock->state);
}

static inline int64_t
herald__clock_wall_ms(const struct herald__delivery_clock *clock)
{
	return clock->wall_ms(clock->state);
}

/* The system's clocks, and random numbers seeded by the kernel; `state` is a uint64_t. */
struct herald__delivery_clock herald__system_clock(uint64_t *random_state);

#endif
