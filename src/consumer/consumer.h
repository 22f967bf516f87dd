/*
 * Consumers without threads, for tests.
 */
#ifndef HERALD_SRC_CONSUMER_CONSUMER_H
#define HERALD_SRC_CONSUMER_CONSUMER_H

#include <stdbool.h>

#include <herald/consumer.h>

#include "base/clock.h"

/*
 * herald_consumer_create().
 *
 * clock        NULL: the system's.
 * has_threads  false: the test calls herald__intake_turn(), and herald__lane_step() if there are
 *              lanes.
 */
enum herald_status
herald__consumer_create(const struct herald_consumer_options *options,
			const struct herald__delivery_clock *clock, bool has_threads,
			struct herald_consumer **out, struct herald_error *error);

/* A process that dies: frees the consumer, but not the subscriber, and tells the broker nothing. */
void herald__consumer_abandon(struct herald_consumer *consumer);

#endif
