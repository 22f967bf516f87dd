/*
 * Numbers drawn at random, the same ones again for the same seed.
 */
#ifndef HERALD_TESTS_SUPPORT_DRAW_H
#define HERALD_TESTS_SUPPORT_DRAW_H

#include <stdbool.h>
#include <stdint.h>

/* HERALD_TEST_SEED, or another one each time. */
uint64_t draw_seed(void);

/* How long to draw: HERALD_TEST_SECONDS, or a second. In milliseconds. */
uint64_t draw_time_ms(void);

/* Less than `limit`, which is at most 2^31. `state` begins as the seed. */
uint64_t draw_below(uint64_t *state, uint64_t limit);

bool draw_one_in(uint64_t *state, unsigned count);

#endif
