/*
 * The arithmetic of backoff (herald/backoff.h), and what its options may be: the same for everything that
 * tries again. Inline, because adapters use it and the shared library does not export it.
 */
#ifndef HERALD_SRC_BACKOFF_H
#define HERALD_SRC_BACKOFF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <herald/backoff.h>

#include "c_locale.h"

#define HERALD__BACKOFF_MAX_FACTOR 1000

struct herald__backoff {
	enum herald_backoff kind;
	uint32_t first_delay_ms;
	double factor;
	uint32_t max_delay_ms;
};

/* What is 0 becomes a default; one of the two delays alone draws the other one's default with it. */
static inline void
herald__backoff_fill_defaults(struct herald__backoff *backoff, uint32_t first_delay_ms,
			      uint32_t max_delay_ms)
{
	if (backoff->first_delay_ms == 0) {
		backoff->first_delay_ms = first_delay_ms;
		if (backoff->max_delay_ms != 0 && backoff->max_delay_ms < first_delay_ms)
			backoff->first_delay_ms = backoff->max_delay_ms;
	}
	if (backoff->factor == 0)
		backoff->factor = 2;
	if (backoff->max_delay_ms == 0) {
		backoff->max_delay_ms = max_delay_ms;
		if (backoff->first_delay_ms > max_delay_ms)
			backoff->max_delay_ms = backoff->first_delay_ms;
	}
}

/* The option that is not valid, with what is wrong with it in `message`; NULL if all are. */
static inline const char *
herald__backoff_check(const struct herald__backoff *backoff, char *message, size_t message_bytes)
{
	if ((unsigned)backoff->kind > HERALD_BACKOFF_FIXED) {
		snprintf(message, message_bytes, "not one of HERALD_BACKOFF_...: %d",
			 (int)backoff->kind);
		return "backoff";
	}
	if (!(backoff->factor >= 1 && backoff->factor <= HERALD__BACKOFF_MAX_FACTOR)) {
		locale_t before = uselocale(herald__c_locale());

		snprintf(message, message_bytes, "expected 1 to %d, found %g",
			 HERALD__BACKOFF_MAX_FACTOR, backoff->factor);
		uselocale(before);
		return "factor";
	}
	if (backoff->first_delay_ms > backoff->max_delay_ms) {
		snprintf(message, message_bytes, "%lu is more than max_delay_ms, %lu",
			 (unsigned long)backoff->first_delay_ms,
			 (unsigned long)backoff->max_delay_ms);
		return "first_delay_ms";
	}
	return NULL;
}

/* The delay after `attempts` attempts, at least 1, that failed. `random_bits` are 64. */
static inline uint32_t
herald__backoff_delay_ms(const struct herald__backoff *backoff, unsigned attempts,
			 uint64_t random_bits)
{
	double delay = backoff->first_delay_ms;

	if (backoff->kind == HERALD_BACKOFF_FIXED)
		return backoff->first_delay_ms;
	for (unsigned i = 1; i < attempts && delay < backoff->max_delay_ms; i++)
		delay *= backoff->factor;
	if (delay > backoff->max_delay_ms)
		delay = backoff->max_delay_ms;
	if (backoff->kind == HERALD_BACKOFF_NO_JITTER)
		return (uint32_t)delay;
	return (uint32_t)(random_bits % ((uint64_t)delay + 1));
}

#endif
