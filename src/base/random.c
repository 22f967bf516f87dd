/*
 * A seed for random numbers. The generator is in the header. Keeps no state.
 */
#include <herald/adapter/random.h>

#include <sys/random.h>

#include <herald/time.h>

uint64_t
herald_random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed)) {
		const struct herald_time now = herald_time_now();

		seed = (uint64_t)now.seconds * 1000000000U + (uint64_t)now.nanoseconds;
	}
	return seed;
}
