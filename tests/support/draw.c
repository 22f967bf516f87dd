/*
 * A linear congruential generator, which gives the same numbers on every platform.
 */
#include "draw.h"

#include <stdlib.h>
#include <time.h>

uint64_t
draw_seed(void)
{
	const char *given = getenv("HERALD_TEST_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return given ? strtoull(given, NULL, 10)
		     : (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
}

uint64_t
draw_time_ms(void)
{
	const char *given = getenv("HERALD_TEST_SECONDS");

	return given ? strtoull(given, NULL, 10) * 1000 : 1000;
}

uint64_t
draw_below(uint64_t *state, uint64_t limit)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % limit;
}

bool
draw_one_in(uint64_t *state, unsigned count)
{
	return draw_below(state, count) == 0;
}
