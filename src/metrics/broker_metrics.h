/*
 * Metrics of consumers and producers.
 */
#ifndef HERALD_SRC_METRICS_BROKER_METRICS_H
#define HERALD_SRC_METRICS_BROKER_METRICS_H

#include <herald/metrics.h>

#include "metrics/text.h"

/* Nothing, if there are none. */
void herald__consumer_metrics_write(const struct herald_named_consumer *consumers, size_t count,
				    struct herald__metrics_text *text);
void herald__producer_metrics_write(const struct herald_named_producer *producers, size_t count,
				    struct herald__metrics_text *text);

#endif
