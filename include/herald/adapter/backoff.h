/*
 * For authors of handlers and transports that retry: the delays of herald/backoff.h and the checks
 * of their options.
 */
#ifndef HERALD_ADAPTER_BACKOFF_H
#define HERALD_ADAPTER_BACKOFF_H

#include <stdint.h>

#include <herald/backoff.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The options of a backoff. */
struct herald_backoff_rule {
	enum herald_backoff backoff; /**< The kind. */
	uint32_t first_delay_ms;     /**< Limit max_delay_ms. */
	double factor;               /**< From 1 to 1,000. */
	uint32_t max_delay_ms;       /**< Maximum delay. */
};

/** The members of an options struct that are part of a backoff. */
#define HERALD_BACKOFF_OF(OPTIONS)                                                                 \
	((struct herald_backoff_rule){(OPTIONS)->backoff, (OPTIONS)->first_delay_ms,               \
				      (OPTIONS)->factor, (OPTIONS)->max_delay_ms})

/**
 * Fill in the defaults of options that are 0: a `factor` of 2, and the given delays. If only one of
 * the two delays is set and the default of the other does not fit, that default is adjusted.
 */
HERALD_API void
herald_backoff_fill_defaults(uint32_t *first_delay_ms, double *factor, uint32_t *max_delay_ms,
			     uint32_t default_first_delay_ms, uint32_t default_max_delay_ms);

/**
 * Check the members, after filling in the defaults.
 *
 * error    may be NULL. Its path is the member's name.
 * Errors   HERALD_BAD_OPTION.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_backoff_check(const struct herald_backoff_rule *rule, struct herald_error *error);

/**
 * The delay before the next attempt.
 *
 * rule         must be valid for herald_backoff_check().
 * attempts     number of failed attempts, at least 1.
 * random_bits  64 random bits, used by HERALD_BACKOFF_FULL_JITTER only.
 */
HERALD_API uint32_t herald_backoff_delay_ms(const struct herald_backoff_rule *rule,
					    unsigned attempts, uint64_t random_bits);

#ifdef __cplusplus
}
#endif
#endif
