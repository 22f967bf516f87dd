/*
 * The records that a deliverer has claimed from its queue. Private. All functions run on the
 * deliverer's thread, and all except herald__record_report() end the caller's use of the item.
 */
#ifndef HERALD_SRC_DELIVERY_RECORDS_H
#define HERALD_SRC_DELIVERY_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/delivery.h>

#include "delivery/item.h"

struct herald_deliverer;

/* Claim the records that are due, and let them wait for slots of their hosts. A stop claims no
 * records of a store. Sets the engine's next_due_ms and poll_ms. */
void herald__records_admit(struct herald_deliverer *deliverer, bool is_stopping);

/* After a stop: report the records that are lost with the queue. */
void herald__records_report_left(struct herald_deliverer *deliverer);

/* A report about an item, with its outcome and attempts only. */
struct herald_delivery_report
herald__record_report(const struct herald__queued *item, enum herald_delivery_outcome outcome);

/* A delivery has ended: complete it in the queue, and count, log, report and free it. Sets the
 * report's elapsed_ms. */
void herald__record_settle(struct herald_deliverer *deliverer, struct herald__queued *item,
			   struct herald_delivery_report *report);

/* As herald__record_settle(), for a delivery that failed without an attempt. */
void herald__record_fail(struct herald_deliverer *deliverer, struct herald__queued *item,
			 enum herald_delivery_failure failure, const char *error);

/* Return a delivery to the queue for delay_ms. Its remaining time is converted to the current wall
 * clock. Sets the report's retry_in_ms. */
void herald__record_give_back(struct herald_deliverer *deliverer, struct herald__queued *item,
			      uint64_t delay_ms, struct herald_delivery_report *report);

/* Retry later for a reason that passes, such as lack of memory, as if it had not been due. */
void herald__record_put_off(struct herald_deliverer *deliverer, struct herald__queued *item,
			    const char *reason);

/* Return a delivery to the queue because the deliverer stops. */
void
herald__record_give_back_at_stop(struct herald_deliverer *deliverer, struct herald__queued *item);

/* Drop a delivery whose lease has ended; another deliverer reports its outcome. */
void herald__record_forget(struct herald_deliverer *deliverer, struct herald__queued *item);

#endif
