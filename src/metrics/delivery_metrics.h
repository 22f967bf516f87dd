/*
 * Metrics of a deliverer.
 */
#ifndef HERALD_SRC_METRICS_DELIVERY_METRICS_H
#define HERALD_SRC_METRICS_DELIVERY_METRICS_H

#include "metrics/text.h"

struct herald_deliverer;

void herald__delivery_metrics_write(struct herald_deliverer *deliverer,
				    struct herald__metrics_text *text);

#endif
