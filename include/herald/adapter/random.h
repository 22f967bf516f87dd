/*
 * For authors of handlers and transports: pseudorandom numbers for spreading attempts and naming
 * deliveries; not for secrets.
 */
#ifndef HERALD_ADAPTER_RANDOM_H
#define HERALD_ADAPTER_RANDOM_H

#include <stdint.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The increment of splitmix64's state for each number. */
#define HERALD_RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

/**
 * The 64 random bits for a state, by splitmix64 (Sebastiano Vigna, public domain).
 *
 *	uint64_t bits = herald_random_bits(state += HERALD_RANDOM_STEP);
 */
static inline uint64_t
herald_random_bits(uint64_t state)
{
	uint64_t bits = (state ^ (state >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);

	bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
	return bits ^ (bits >> 31);
}

/** An initial state: random bits of the kernel, or the time if it has none yet. */
HERALD_API uint64_t herald_random_seed(void);

#ifdef __cplusplus
}
#endif
#endif
