/*
 * The records that a deliverer has claimed from its queue: claims them, limits how many, and gives
 * them back or completes them. It does not know how attempts are made.
 */
#include "delivery/records.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/queue.h>
#include <herald/delivery.h>

#include "delivery/deliverer.h"
#include "delivery/options.h"
#include "delivery/report.h"

static uint64_t
min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct herald_delivery_time
both_clocks(const struct herald_deliverer *deliverer)
{
	return (struct herald_delivery_time){herald__clock_wall_ms(&deliverer->clock),
					     herald__clock_now_ms(&deliverer->clock)};
}

/* Records that leave the deliverer. */

struct herald_delivery_report
herald__record_report(const struct herald__queued *item, enum herald_delivery_outcome outcome)
{
	return (struct herald_delivery_report){
		.delivery = &item->record.delivery,
		.outcome = outcome,
		.attempt = item->record.attempts,
		.error = "",
		.address = "",
	};
}

/* The delivery leaves the engine. */
static void
let_go(struct herald__engine *engine, const struct herald__queued *item)
{
	if (item->is_resumed) {
		engine->stored_count--;
		engine->stored_bytes -= item->content_room;
	}
}

void
herald__record_settle(struct herald_deliverer *deliverer, struct herald__queued *item,
		      struct herald_delivery_report *report)
{
	report->elapsed_ms =
		item->age_ms + herald__clock_now_ms(&deliverer->clock) - item->since_ms;
	let_go(&deliverer->engine, item);
	herald__tally_end(deliverer, item, report);
	deliverer->queue->ops->complete(deliverer->queue, &item->record, report);

	pthread_mutex_lock(&deliverer->mutex);
	herald__counts_end(&deliverer->counts, item, report->outcome);
	deliverer->counts.all.in_flight = deliverer->engine.hosts.in_flight;
	pthread_mutex_unlock(&deliverer->mutex);

	herald__report_log(&deliverer->options.log, item, report);
	if (deliverer->options.on_outcome)
		deliverer->options.on_outcome(report, deliverer->options.state);
	herald__queued_destroy(&deliverer->allocator, item);
}

void
herald__record_fail(struct herald_deliverer *deliverer, struct herald__queued *item,
		    enum herald_delivery_failure failure, const char *error)
{
	struct herald_delivery_report report = herald__record_report(item, HERALD_DELIVERY_FAILED);

	report.failure = failure;
	report.error = error;
	herald__record_settle(deliverer, item, &report);
}

void
herald__record_give_back(struct herald_deliverer *deliverer, struct herald__queued *item,
			 uint64_t delay_ms, struct herald_delivery_report *report)
{
	struct herald__engine *engine = &deliverer->engine;
	const struct herald_delivery_time now = both_clocks(deliverer);
	uint64_t due_ms = now.monotonic_ms + delay_ms;

	report->retry_in_ms = delay_ms;
	item->record.due_ms = now.wall_ms + (int64_t)delay_ms;
	item->record.expires_ms = now.wall_ms + (int64_t)(item->retry_until_ms - now.monotonic_ms);
	if (due_ms < engine->next_due_ms)
		engine->next_due_ms = due_ms;
	let_go(engine, item);
	deliverer->queue->ops->reschedule(deliverer->queue, &item->record, &now, delay_ms, report);
}

void
herald__record_put_off(struct herald_deliverer *deliverer, struct herald__queued *item,
		       const char *reason)
{
	struct herald_delivery_report report = herald__record_report(item, HERALD_DELIVERY_AGAIN);

	report.error = reason;
	herald__record_give_back(deliverer, item, HERALD__NO_MEMORY_DELAY_MS, &report);
}

static const char *
stop_error(const struct herald__queued *item)
{
	return item->is_cut_off ? "the deliverer stopped during an attempt"
				: "the deliverer stopped before the next attempt";
}

void
herald__record_give_back_at_stop(struct herald_deliverer *deliverer, struct herald__queued *item)
{
	struct herald_delivery_report report = herald__record_report(item, HERALD_DELIVERY_AGAIN);

	report.error = stop_error(item);
	herald__record_give_back(deliverer, item, 0, &report);
}

void
herald__record_forget(struct herald_deliverer *deliverer, struct herald__queued *item)
{
	let_go(&deliverer->engine, item);
	pthread_mutex_lock(&deliverer->mutex);
	herald__counts_store(&deliverer->counts, item);
	pthread_mutex_unlock(&deliverer->mutex);
	herald__queued_destroy(&deliverer->allocator, item);
}

/* Claiming. */

/* The milliseconds between two times; 0 if the second one is not later. */
static uint64_t
between(int64_t from, int64_t to)
{
	return to > from ? (uint64_t)to - (uint64_t)from : 0;
}

/*
 * Resume a record of a store. From here on the deliverer's clock measures its time. It gets enough
 * time for one attempt, however long it was stored, and not more than a new one, even if the wall
 * clock was changed.
 */
static void
resume(struct herald_deliverer *deliverer, struct herald__queued *item,
       const struct herald_delivery_time *now)
{
	const struct herald_delivery_record *record = &item->record;
	uint64_t remaining_ms =
		min(between(now->wall_ms, record->expires_ms), deliverer->options.deadline_ms);

	item->since_ms = now->monotonic_ms;
	item->age_ms = between(record->created_ms, now->wall_ms);
	item->retry_until_ms = now->monotonic_ms + remaining_ms;
	if (remaining_ms < deliverer->options.attempt_timeout_ms)
		remaining_ms = deliverer->options.attempt_timeout_ms;
	item->give_up_ms = now->monotonic_ms + remaining_ms;
	pthread_mutex_lock(&deliverer->mutex);
	herald__counts_resume(&deliverer->counts, item);
	pthread_mutex_unlock(&deliverer->mutex);
}

/* A record has left the queue. */
static void
own(struct herald_deliverer *deliverer, struct herald__queued *item,
    const struct herald_delivery_time *now)
{
	struct herald__engine *engine = &deliverer->engine;

	if (!item->is_resumed)
		return;
	engine->stored_count++;
	engine->stored_bytes += item->content_room;
	if (!item->is_counted)
		resume(deliverer, item, now);
}

/* Let a delivery wait for a slot, if it may be attempted. */
static void
admit_one(struct herald_deliverer *deliverer, struct herald__queued *item,
	  const struct herald_delivery_time *now)
{
	own(deliverer, item, now);
	if (item->refusal)
		herald__record_fail(deliverer, item, HERALD_DELIVERY_REFUSED, item->refusal);
	else if (item->record.attempts >= deliverer->options.attempts)
		herald__record_fail(deliverer, item, HERALD_DELIVERY_EXHAUSTED,
				    "no attempt is left; the last one was cut off");
	else if (!herald__hosts_wait(&deliverer->engine.hosts, item))
		herald__record_put_off(deliverer, item, "out of memory");
}

/* Claimed records of a store take memory, so their number is limited. A stop does not claim
 * them. */
static bool
may_claim(const struct herald_deliverer *deliverer, bool is_stopping)
{
	const struct herald__engine *engine = &deliverer->engine;

	if (is_stopping && !deliverer->queue->ops->claim_left)
		return false;
	return engine->stored_count < deliverer->options.max_claimed &&
	       engine->stored_bytes < deliverer->options.max_pending_bytes;
}

/* The queue reports that nothing is due for wait_ms. A store uses the wall clock, which may be
 * changed. */
static void
note_due(struct herald__engine *engine, uint64_t now, uint64_t wait_ms)
{
	bool is_known = wait_ms < UINT64_MAX - now;

	engine->next_due_ms = is_known ? now + wait_ms : UINT64_MAX;
	engine->poll_ms = is_known ? now + min(wait_ms, HERALD_DELIVERY_QUEUE_POLL_MS) : UINT64_MAX;
}

void
herald__records_admit(struct herald_deliverer *deliverer, bool is_stopping)
{
	struct herald_delivery_queue *queue = deliverer->queue;
	const struct herald_delivery_time now = both_clocks(deliverer);
	uint64_t wait_ms = UINT64_MAX;

	while (may_claim(deliverer, is_stopping)) {
		struct herald_delivery_record *record = queue->ops->claim(queue, &now, &wait_ms);

		if (!record)
			break;
		admit_one(deliverer, (struct herald__queued *)record, &now);
		wait_ms = UINT64_MAX;
	}
	note_due(&deliverer->engine, now.monotonic_ms, wait_ms);
}

void
herald__records_report_left(struct herald_deliverer *deliverer)
{
	struct herald_delivery_queue *queue = deliverer->queue;
	struct herald_delivery_record *record;

	const struct herald_delivery_time now = both_clocks(deliverer);

	while (queue->ops->claim_left && (record = queue->ops->claim_left(queue))) {
		struct herald__queued *item = (struct herald__queued *)record;

		struct herald_delivery_report report =
			herald__record_report(item, HERALD_DELIVERY_LEFT);

		own(deliverer, item, &now);
		report.error = stop_error(item);
		herald__record_settle(deliverer, item, &report);
	}
}
