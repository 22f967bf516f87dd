/*
 * Metrics of a store.
 */
#ifndef HERALD_SRC_METRICS_STORE_METRICS_H
#define HERALD_SRC_METRICS_STORE_METRICS_H

#include "metrics/text.h"

void herald__store_metrics_write(struct herald_store *store, struct herald__metrics_text *text);

#endif
