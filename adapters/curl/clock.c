/*
 * The system's clocks, and random numbers good enough to spread retries and to tell deliveries apart;
 * nothing secret may be made of them.
 */
#include "clock.h"

#include <sys/random.h>
#include <time.h>

#include "random.h"

static uint64_t
system_now_ms(void *state)
{
	struct timespec now;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t
system_wall_s(void *state)
{
	(void)state;
	return (int64_t)time(NULL);
}

static uint64_t
system_random(void *state)
{
	uint64_t *seed = state;

	return herald__random_bits(*seed += HERALD__RANDOM_STEP);
}

struct herald__delivery_clock
herald__system_clock(uint64_t *random_state)
{
	struct timespec now;

	/* A kernel that has no random bits yet leaves the time. */
	if (getrandom(random_state, sizeof(*random_state), GRND_NONBLOCK) !=
	    sizeof(*random_state)) {
		clock_gettime(CLOCK_REALTIME, &now);
		*random_state = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	}
	return (struct herald__delivery_clock){
		.now_ms = system_now_ms,
		.wall_s = system_wall_s,
		.random = system_random,
		.state = random_state,
	};
}
