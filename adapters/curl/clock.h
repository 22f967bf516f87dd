/*
 * What a deliverer knows of time and chance, so that tests can decide both.
 */
#ifndef HERALD_CURL_CLOCK_H
#define HERALD_CURL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct herald__delivery_clock {
	/* Milliseconds since any point in the past; never goes backwards. Any thread. */
	uint64_t (*now_ms)(void *state);
	/* Seconds since 1970, for a Retry-After that is a date. The deliverer's thread. */
	int64_t (*wall_s)(void *state);
	/* 64 random bits. The deliverer's thread, and once at creation. */
	uint64_t (*random)(void *state);
	/*
	 * The deliverer's thread is about to wait until now_ms() is due_ms, or UINT64_MAX, or until
	 * something happens on the network, where in_flight attempts are under way. NULL is allowed.
	 */
	void (*idle)(uint64_t due_ms, size_t in_flight, void *state);
	void *state;
};

/* The system's clocks, and random numbers that begin with the kernel's; `state` is a uint64_t. */
struct herald__delivery_clock herald__system_clock(uint64_t *random_state);

#endif
