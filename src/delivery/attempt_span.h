/*
 * The spans of attempts. Private. They need a span hook, and a delivery with a trace.
 */
#ifndef HERALD_SRC_DELIVERY_ATTEMPT_SPAN_H
#define HERALD_SRC_DELIVERY_ATTEMPT_SPAN_H

#include "delivery/attempt.h"

struct herald_deliverer;

/* Before the attempt's request is written: gives it a span, whose traceparent replaces the
 * delivery's. */
void
herald__attempt_span_prepare(struct herald_deliverer *deliverer, struct herald__attempt *attempt,
			     const struct herald__queued *item);

/* The attempt has begun. */
void herald__attempt_span_start(const struct herald_deliverer *deliverer,
				const struct herald__attempt *attempt);

/* It has ended. `report` is as for the hooks. */
void herald__attempt_span_end(const struct herald_deliverer *deliverer,
			      const struct herald__attempt *attempt,
			      const struct herald_delivery_report *report);

#endif
