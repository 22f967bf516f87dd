/*
 * The system's clocks, and random numbers for spreading retries and naming deliveries. The numbers
 * are not suitable for secrets.
 */
#include "base/clock.h"

#include <time.h>

#include <herald/adapter/random.h>

static uint64_t
system_now_ms(void *state)
{
	struct timespec now;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t
system_wall_ms(void *state)
{
	struct timespec now;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t
system_random(void *state)
{
	uint64_t *seed = state;

	return herald_random_bits(*seed += HERALD_RANDOM_STEP);
}

struct herald__delivery_clock
herald__system_clock(uint64_t *random_state)
{
	*random_state = herald_random_seed();
	return (struct herald__delivery_clock){
		.now_ms = system_now_ms,
		.wall_ms = system_wall_ms,
		.random = system_random,
		.state = random_state,
	};
}
