/*
 * Log records about deliveries.
 */
#ifndef HERALD_SRC_DELIVERY_REPORT_H
#define HERALD_SRC_DELIVERY_REPORT_H

#include <herald/delivery.h>
#include <herald/log.h>

#include "delivery/item.h"

/* Write a log record for a report, if the log takes it. Level debug: delivered; info: to be
 * retried; warning: failed; error: left. */
void herald__report_log(const struct herald_log *log, const struct herald__queued *item,
			const struct herald_delivery_report *report);

#endif
