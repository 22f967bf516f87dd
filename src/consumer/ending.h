/*
 * What a message ends as, after a run or without one.
 */
#ifndef HERALD_SRC_CONSUMER_ENDING_H
#define HERALD_SRC_CONSUMER_ENDING_H

#include <stdbool.h>

#include <herald/context.h>
#include <herald/service.h>
#include <herald/status.h>

#include "consumer/held.h"

struct herald_consumer;

/* What may happen to a message now. */
enum herald__ending_due {
	HERALD__ENDING_NONE, /* it runs */
	HERALD__ENDING_TOLD, /* a dead letter, of which its handlers are told */
	HERALD__ENDING_MUTE, /* likewise, but even telling them has killed the process */
};

/* Whether its attempts are used up; then why. */
enum herald__ending_due
herald__ending_due(const struct herald_consumer *consumer, const struct herald__held *held,
		   struct herald_error *death);

/*
 * After a run. Any thread.
 *
 * event_id      "": unknown.
 * is_exhausted  a HERALD_RETRY became a HERALD_FAIL: it was the last attempt.
 */
void
herald__ending_set(struct herald_consumer *consumer, struct herald__held *held,
		   const struct herald_result *result, const char *event_id, bool is_exhausted);

/* Nothing of it runs any more. */
void herald__ending_bury(struct herald_consumer *consumer, struct herald__held *held,
			 const struct herald_error *death);

/* It could not run for lack of memory: later, and the attempt does not count. */
void herald__ending_put_off(struct herald__held *held);

#endif
