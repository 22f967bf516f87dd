/*
 * The lists in the options of metrics.
 */
#ifndef HERALD_SRC_METRICS_OPTIONS_H
#define HERALD_SRC_METRICS_OPTIONS_H

#include "metrics/metrics.h"

/*
 * Check and copy the lists of consumers and producers, from the options to the same ones.
 *
 * Errors  HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__metrics_lists_copy(struct herald_metrics *metrics, struct herald_error *error);

#endif
