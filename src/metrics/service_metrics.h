/*
 * Metrics of a service and its routes.
 */
#ifndef HERALD_SRC_METRICS_SERVICE_METRICS_H
#define HERALD_SRC_METRICS_SERVICE_METRICS_H

#include "metrics/text.h"

struct herald_service;

void herald__service_metrics_write(const struct herald_service *service,
				   struct herald__metrics_text *text);

#endif
