/*
 * Log records about deliveries.
 */
#ifndef HERALD_CURL_REPORT_H
#define HERALD_CURL_REPORT_H

#include <herald/delivery.h>
#include <herald/log.h>

#include "queue.h"

/* Write a record of what the report says, if the log takes it: debug when it is delivered, info when
 * it is tried again, warning when it failed, error when it was left. */
void herald__report_log(const struct herald_log *log, const struct herald__queued *item,
			const struct herald_delivery_report *report);

#endif
