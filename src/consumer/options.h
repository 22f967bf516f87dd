/*
 * The options of a consumer: their checks and defaults.
 */
#ifndef HERALD_SRC_CONSUMER_OPTIONS_H
#define HERALD_SRC_CONSUMER_OPTIONS_H

#include <herald/consumer.h>

/* Fill in the defaults, and check. */
HERALD_MUST_CHECK enum herald_status
herald__consumer_options_check(struct herald_consumer_options *options, struct herald_error *error);

#endif
