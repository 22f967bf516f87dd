/*
 * Verdicts become ends of messages. One budget of attempts covers all of them: runs that asked for
 * another one, and runs that a crash has ended.
 */
#include "consumer/ending.h"

#include <herald/adapter/backoff.h>

#include "consumer/state.h"

/* Without memory. */
#define PUT_OFF_MS 1000

/* Runs and deliveries after which a message does not run any more. */
static unsigned
budget_of(const struct herald_consumer_options *options, const struct herald__held *held)
{
	const unsigned known = held->before + held->runs - held->unknown;

	return held->unknown > 0 && known < options->max_attempts
		       ? options->max_attempts + options->max_unknown_deliveries
		       : options->max_attempts;
}

enum herald__ending_due
herald__ending_due(const struct herald_consumer *consumer, const struct herald__held *held,
		   struct herald_error *death)
{
	const struct herald_consumer_options *options = &consumer->settings.options;
	const unsigned runs = held->before + held->runs;

	if (held->interrupted >= options->max_interrupted) {
		herald_error_set(death, HERALD_OK, HERALD_NO_OFFSET,
				 "after %u attempts: the process died during %u of them", runs,
				 held->interrupted);
		return held->interrupted > options->max_interrupted ? HERALD__ENDING_MUTE
								    : HERALD__ENDING_TOLD;
	}
	if (runs < budget_of(options, held))
		return HERALD__ENDING_NONE;
	herald_error_set(death, HERALD_OK, HERALD_NO_OFFSET,
			 "after %u attempts: the last one had no verdict", runs);
	/* Without an in-flight file nothing else says that telling them kills the process. */
	return runs > budget_of(options, held) + options->max_interrupted ? HERALD__ENDING_MUTE
									  : HERALD__ENDING_TOLD;
}

/* Of the run that has just ended. */
static uint32_t
backoff_ms(const struct herald_consumer *consumer, const struct herald__held *held)
{
	const struct herald_consumer_options *options = &consumer->settings.options;
	const struct herald__delivery_clock *clock = &consumer->settings.clock;
	const unsigned runs = held->before + held->runs;

	return herald_backoff_delay_ms(&HERALD_BACKOFF_OF(options), runs > 0 ? runs : 1,
				       clock->random(clock->state));
}

static void
retry(struct herald_consumer *consumer, struct herald__held *held,
      const struct herald_result *result)
{
	const struct herald_consumer_options *options = &consumer->settings.options;
	const uint32_t delay_ms =
		result->retry_after_ms ? result->retry_after_ms : backoff_ms(consumer, held);

	atomic_fetch_add_explicit(&consumer->counts.retries, 1, memory_order_relaxed);
	held->kind = HERALD_SETTLE_RETRY;
	held->delay_ms = delay_ms < options->max_delay_ms ? delay_ms : options->max_delay_ms;
}

static void
die(struct herald_consumer *consumer, struct herald__held *held)
{
	held->kind = HERALD_SETTLE_DEAD;
	held->failed_ms = herald__clock_wall_ms(&consumer->settings.clock);
}

static void
set_reason(struct herald_consumer *consumer, struct herald__held *held,
	   const struct herald_error *error, const char *event_id)
{
	herald__held_set_reason(held, &consumer->settings.allocator, error, event_id);
}

void
herald__ending_set(struct herald_consumer *consumer, struct herald__held *held,
		   const struct herald_result *result, const char *event_id, bool is_exhausted)
{
	struct herald_error exhausted;

	if (result->verdict == HERALD_DONE) {
		held->kind = HERALD_SETTLE_DONE;
		return;
	}
	if (result->verdict == HERALD_RETRY) {
		retry(consumer, held, result);
	} else {
		die(consumer, held);
		held->http_status = result->http_status;
	}
	if (!is_exhausted) {
		set_reason(consumer, held, &result->error, event_id);
		return;
	}
	herald_error_set(&exhausted, HERALD_OK, HERALD_NO_OFFSET, "after %u attempts: %s",
			 held->before + held->runs, result->error.message);
	set_reason(consumer, held, &exhausted, event_id);
}

void
herald__ending_bury(struct herald_consumer *consumer, struct herald__held *held,
		    const struct herald_error *death)
{
	die(consumer, held);
	set_reason(consumer, held, death, "");
}

void
herald__ending_put_off(struct herald__held *held)
{
	held->kind = HERALD_SETTLE_RETRY;
	held->delay_ms = PUT_OFF_MS;
}
