/*
 * Numbers that look random, to spread attempts; not for secrets. Inline, because adapters use it and the
 * shared library does not export it.
 */
#ifndef HERALD_SRC_RANDOM_H
#define HERALD_SRC_RANDOM_H

#include <stdint.h>

/* What the state of splitmix64 grows by for each number. */
#define HERALD__RANDOM_STEP 0x9e3779b97f4a7c15u

/* splitmix64, by Sebastiano Vigna, in the public domain: the 64 bits that a state stands for. */
static inline uint64_t
herald__random_bits(uint64_t state)
{
	uint64_t bits = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;

	bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
	return bits ^ (bits >> 31);
}

#endif
