/*
 * The arithmetic of backoff and the checks of its options, shared by everything that retries. Does
 * not wait.
 */
#include <herald/adapter/backoff.h>

#include <herald/adapter/options.h>

#define MAX_FACTOR 1000

void
herald_backoff_fill_defaults(uint32_t *first_delay_ms, double *factor, uint32_t *max_delay_ms,
			     uint32_t default_first_delay_ms, uint32_t default_max_delay_ms)
{
	if (*first_delay_ms == 0) {
		*first_delay_ms = default_first_delay_ms;
		if (*max_delay_ms != 0 && *max_delay_ms < default_first_delay_ms)
			*first_delay_ms = *max_delay_ms;
	}
	if (*factor == 0)
		*factor = 2;
	if (*max_delay_ms == 0) {
		*max_delay_ms = default_max_delay_ms;
		if (*first_delay_ms > default_max_delay_ms)
			*max_delay_ms = *first_delay_ms;
	}
}

enum herald_status
herald_backoff_check(const struct herald_backoff_rule *rule, struct herald_error *error)
{
	if ((unsigned)rule->backoff > HERALD_BACKOFF_FIXED)
		return herald_option_refuse(error, "backoff", "not one of HERALD_BACKOFF_...: %d",
					    (int)rule->backoff);
	if (!(rule->factor >= 1 && rule->factor <= MAX_FACTOR))
		return herald_option_refuse(error, "factor", "expected 1 to %d, found %g",
					    MAX_FACTOR, rule->factor);
	if (rule->first_delay_ms > rule->max_delay_ms)
		return herald_option_refuse(
			error, "first_delay_ms", "%lu is more than max_delay_ms, %lu",
			(unsigned long)rule->first_delay_ms, (unsigned long)rule->max_delay_ms);
	return HERALD_OK;
}

uint32_t
herald_backoff_delay_ms(const struct herald_backoff_rule *rule, unsigned attempts,
			uint64_t random_bits)
{
	double delay = rule->first_delay_ms;

	if (rule->backoff == HERALD_BACKOFF_FIXED)
		return rule->first_delay_ms;
	for (unsigned i = 1; i < attempts && delay < rule->max_delay_ms; i++)
		delay *= rule->factor;
	if (delay > rule->max_delay_ms)
		delay = rule->max_delay_ms;
	if (rule->backoff == HERALD_BACKOFF_NO_JITTER)
		return (uint32_t)delay;
	return (uint32_t)(random_bits % ((uint64_t)delay + 1));
}
