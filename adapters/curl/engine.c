/*
 * The thread of a deliverer: it takes what is due from the queue, gives it a slot, lets libcurl make
 * the attempt, and decides what becomes of it. Everything here runs on that thread alone.
 *
 * The timeout of an attempt is ours and not libcurl's, so that it follows the deliverer's clock and
 * costs one heap entry.
 */
#include <string.h>

#include "backoff.h"
#include "deliverer.h"
#include "options.h"
#include "report.h"
#include "retry_after.h"

/* When memory is out for an attempt, it is not counted, and made this much later. */
#define NO_MEMORY_DELAY_MS 1000

#define NO_RETRY UINT64_MAX

enum herald_status
herald__engine_init(struct herald_deliverer *deliverer)
{
	struct herald__engine *engine = &deliverer->engine;
	const struct herald_deliverer_options *options = &deliverer->options;

	engine->next_due_ms = UINT64_MAX;
	if (!herald__hosts_init(&engine->hosts, &deliverer->allocator, options->slots,
				options->slots_per_host) ||
	    !herald__timer_heap_init(&engine->timeouts, &deliverer->allocator, options->slots))
		return HERALD_NO_MEMORY;
	/* The first one now, so that a setup that cannot work is an error of the creation. */
	return herald__transfer_create(&deliverer->settings, &engine->idle);
}

void
herald__engine_finish(struct herald_deliverer *deliverer)
{
	struct herald__engine *engine = &deliverer->engine;

	while (engine->idle) {
		struct herald__transfer *transfer = engine->idle;

		engine->idle = transfer->next;
		herald__transfer_destroy(transfer);
	}
	if (engine->timeouts.timers)
		herald__timer_heap_finish(&engine->timeouts);
	if (engine->hosts.buckets)
		herald__hosts_finish(&engine->hosts);
}

static uint64_t
now_ms(const struct herald_deliverer *deliverer)
{
	return deliverer->clock.now_ms(deliverer->clock.state);
}

/* Telling. */

static struct herald_delivery_report
make_report(const struct herald__queued *item, enum herald_delivery_outcome outcome)
{
	return (struct herald_delivery_report){
		.delivery = &item->delivery,
		.outcome = outcome,
		.attempt = item->attempts,
		.error = "",
	};
}

/* It has ended: count it, tell it, forget it. */
static void
settle(struct herald_deliverer *deliverer, struct herald__queued *item,
       struct herald_delivery_report *report)
{
	struct herald_delivery_statistics *counts = &deliverer->counts;

	report->elapsed_ms = now_ms(deliverer) - item->accepted_ms;
	deliverer->queue->ops->settle(deliverer->queue, item, report->outcome);

	pthread_mutex_lock(&deliverer->mutex);
	counts->pending--;
	counts->content_bytes -= item->content_room;
	counts->in_flight = deliverer->engine.hosts.in_flight;
	if (report->outcome == HERALD_DELIVERY_DELIVERED)
		counts->delivered++;
	else if (report->outcome == HERALD_DELIVERY_FAILED)
		counts->failed++;
	else
		counts->left++;
	pthread_mutex_unlock(&deliverer->mutex);

	herald__report_log(&deliverer->options.log, item, report);
	if (deliverer->options.on_outcome)
		deliverer->options.on_outcome(report, deliverer->options.state);
	herald__queued_destroy(&deliverer->allocator, item);
}

static void
settle_with(struct herald_deliverer *deliverer, struct herald__queued *item,
	    enum herald_delivery_outcome outcome, const char *error)
{
	struct herald_delivery_report report = make_report(item, outcome);

	report.error = error;
	settle(deliverer, item, &report);
}

/* Transfers. */

/* NULL when memory is out. */
static struct herald__transfer *
take_transfer(struct herald_deliverer *deliverer)
{
	struct herald__engine *engine = &deliverer->engine;
	struct herald__transfer *transfer = engine->idle;

	if (transfer)
		engine->idle = transfer->next;
	else if (herald__transfer_create(&deliverer->settings, &transfer) != HERALD_OK)
		return NULL;
	return transfer;
}

static void
give_transfer(struct herald__engine *engine, struct herald__transfer *transfer)
{
	transfer->next = engine->idle;
	engine->idle = transfer;
}

static void
add_under_way(struct herald__engine *engine, struct herald__transfer *transfer)
{
	transfer->previous = NULL;
	transfer->next = engine->under_way;
	if (engine->under_way)
		engine->under_way->previous = transfer;
	engine->under_way = transfer;
	herald__timer_heap_add(&engine->timeouts, &transfer->timeout);
}

static void
remove_under_way(struct herald__engine *engine, struct herald__transfer *transfer)
{
	if (transfer->previous)
		transfer->previous->next = transfer->next;
	else
		engine->under_way = transfer->next;
	if (transfer->next)
		transfer->next->previous = transfer->previous;
	herald__timer_heap_remove(&engine->timeouts, &transfer->timeout);
}

/* The queue has it again until due_ms. */
static void
give_back(struct herald_deliverer *deliverer, struct herald__queued *item, uint64_t due_ms)
{
	item->timer.due_ms = due_ms;
	deliverer->queue->ops->retry(deliverer->queue, item);
	if (due_ms < deliverer->engine.next_due_ms)
		deliverer->engine.next_due_ms = due_ms;
}

/* Ending an attempt. */

/* NO_RETRY: there is none, or it would come after the delivery's deadline. */
static uint64_t
retry_due_ms(struct herald_deliverer *deliverer, const struct herald__queued *item,
	     const struct herald__attempt_result *result)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	const struct herald__delivery_clock *clock = &deliverer->clock;

	if (!result->may_retry || item->attempts >= options->attempts)
		return NO_RETRY;

	const struct herald__backoff backoff = herald__deliverer_backoff(options);
	uint64_t random_bits =
		backoff.kind == HERALD_BACKOFF_FULL_JITTER ? clock->random(clock->state) : 0;
	uint64_t delay_ms = herald__backoff_delay_ms(&backoff, item->attempts, random_bits);
	if (result->retry_after[0] != '\0') {
		uint64_t asked_ms =
			herald__retry_after_ms(result->retry_after, clock->wall_s(clock->state),
					       options->max_retry_after_ms);

		if (asked_ms > delay_ms)
			delay_ms = asked_ms;
	}
	uint64_t due_ms = now_ms(deliverer) + delay_ms;
	return due_ms < item->accepted_ms + options->deadline_ms ? due_ms : NO_RETRY;
}

static void
count_in_flight(struct herald_deliverer *deliverer, const struct herald__queued *begun)
{
	struct herald_delivery_statistics *counts = &deliverer->counts;

	pthread_mutex_lock(&deliverer->mutex);
	if (begun) {
		counts->attempts++;
		counts->retries += begun->attempts > 1;
	}
	counts->in_flight = deliverer->engine.hosts.in_flight;
	pthread_mutex_unlock(&deliverer->mutex);
}

/* The transfer has ended, and its slot is free. */
static void
conclude(struct herald_deliverer *deliverer, struct herald__transfer *transfer,
	 struct herald__queued *item, const struct herald__attempt_result *result)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	uint64_t now = now_ms(deliverer);
	uint64_t due_ms = retry_due_ms(deliverer, item, result);
	struct herald_delivery_report report =
		make_report(item, result->is_delivered ? HERALD_DELIVERY_DELIVERED
				  : due_ms == NO_RETRY ? HERALD_DELIVERY_FAILED
						       : HERALD_DELIVERY_AGAIN);

	report.http_status = result->http_status;
	report.error = result->error;
	report.elapsed_ms = now - transfer->begun_ms;
	report.retry_in_ms = due_ms == NO_RETRY ? 0 : due_ms - now;
	if (options->on_attempt)
		options->on_attempt(&report, options->state);
	if (report.outcome != HERALD_DELIVERY_AGAIN) {
		settle(deliverer, item, &report);
		return;
	}
	count_in_flight(deliverer, NULL);
	herald__report_log(&deliverer->options.log, item, &report);
	/* Without an answer the connection may have been a dead one; the others that are kept, too. */
	item->opens_connection = result->http_status == 0;
	give_back(deliverer, item, due_ms);
}

static void
end_attempt(struct herald_deliverer *deliverer, struct herald__transfer *transfer,
	    struct herald__queued *item, const struct herald__attempt_result *result)
{
	struct herald__engine *engine = &deliverer->engine;

	remove_under_way(engine, transfer);
	herald__hosts_release(&engine->hosts, transfer->host);
	conclude(deliverer, transfer, item, result);
	give_transfer(engine, transfer);
}

/*
 * What libcurl has finished, in order. All messages are taken before the first transfer is removed:
 * removing one walks along the messages that are left, of which there may be hundreds.
 */
static struct herald__transfer *
take_finished(struct herald__multis *multis)
{
	struct herald__transfer *first = NULL, **end = &first;
	CURLcode code;
	CURL *easy;

	while ((easy = herald__multis_next_finished(multis, &code)) != NULL) {
		struct herald__transfer *transfer = herald__transfer_of(easy);

		transfer->code = code;
		transfer->next_finished = NULL;
		*end = transfer;
		end = &transfer->next_finished;
	}
	return first;
}

/* End what has finished. Returns whether there was something. */
static bool
collect(struct herald_deliverer *deliverer)
{
	struct herald__transfer *first = take_finished(&deliverer->poller.multis);
	struct herald__transfer *next;

	for (struct herald__transfer *transfer = first; transfer; transfer = next) {
		struct herald__queued *item = transfer->item;
		struct herald__attempt_result result;

		next = transfer->next_finished;
		herald__transfer_end(transfer, transfer->code, &result);
		end_attempt(deliverer, transfer, item, &result);
	}
	return first != NULL;
}

static struct herald__transfer *
transfer_of(struct herald__timer *timer)
{
	return (struct herald__transfer *)((char *)timer -
					   offsetof(struct herald__transfer, timeout));
}

/* What takes too long. */
static void
expire(struct herald_deliverer *deliverer)
{
	struct herald__timer_heap *timeouts = &deliverer->engine.timeouts;
	uint64_t now = now_ms(deliverer);

	for (struct herald__timer *timer = herald__timer_heap_first(timeouts);
	     timer && timer->due_ms <= now; timer = herald__timer_heap_first(timeouts)) {
		struct herald__transfer *transfer = transfer_of(timer);
		struct herald__queued *item = transfer->item;
		struct herald__attempt_result result;

		herald__transfer_time_out(transfer, timer->due_ms - transfer->begun_ms, &result);
		end_attempt(deliverer, transfer, item, &result);
	}
}

/* Beginning one. */

/* Memory is out: as if it had not been due. */
static void
put_off(struct herald_deliverer *deliverer, struct herald__queued *item)
{
	give_back(deliverer, item, now_ms(deliverer) + NO_MEMORY_DELAY_MS);
}

/* Returns false when there is no memory for it. */
static bool
begin_attempt(struct herald_deliverer *deliverer, struct herald__queued *item,
	      struct herald__host *host, uint64_t now)
{
	struct herald__transfer *transfer = take_transfer(deliverer);
	uint64_t deadline_ms = item->accepted_ms + deliverer->options.deadline_ms;

	if (!transfer)
		return false;
	item->attempts++;
	if (deliverer->queue->ops->begin)
		deliverer->queue->ops->begin(deliverer->queue, item);
	if (herald__transfer_begin(transfer, item, host) != HERALD_OK) {
		item->attempts--;
		give_transfer(&deliverer->engine, transfer);
		return false;
	}
	transfer->begun_ms = now;
	transfer->timeout.due_ms = now + deliverer->options.attempt_timeout_ms;
	if (transfer->timeout.due_ms > deadline_ms)
		transfer->timeout.due_ms = deadline_ms;
	add_under_way(&deliverer->engine, transfer);
	return true;
}

/* Give slots to those that wait, as long as there are some. */
static void
begin_attempts(struct herald_deliverer *deliverer)
{
	struct herald__hosts *hosts = &deliverer->engine.hosts;
	uint64_t now = now_ms(deliverer);
	struct herald__queued *item;
	struct herald__host *host;

	while ((item = herald__hosts_next(hosts, &host)) != NULL) {
		if (now >= item->accepted_ms + deliverer->options.deadline_ms) {
			herald__hosts_release(hosts, host);
			settle_with(deliverer, item, HERALD_DELIVERY_FAILED,
				    "its deadline passed while it waited for a slot");
		} else if (begin_attempt(deliverer, item, host, now)) {
			count_in_flight(deliverer, item);
		} else {
			herald__hosts_release(hosts, host);
			put_off(deliverer, item);
		}
	}
}

/* Have what is due wait for slots. */
static void
admit(struct herald_deliverer *deliverer)
{
	struct herald__queue *queue = deliverer->queue;
	struct herald__engine *engine = &deliverer->engine;
	uint64_t now = now_ms(deliverer);
	struct herald__queued *item;

	while ((item = queue->ops->take(queue, now, &engine->next_due_ms)) != NULL)
		if (!herald__hosts_wait(&engine->hosts, item))
			put_off(deliverer, item);
}

/* The thread. */

/* When there is something to do if nothing happens; UINT64_MAX: nothing. */
static uint64_t
next_due_ms(const struct herald_deliverer *deliverer, bool is_stopping)
{
	const struct herald__engine *engine = &deliverer->engine;
	const struct herald__timer *timeout = herald__timer_heap_first(&engine->timeouts);
	uint64_t due_ms = engine->next_due_ms;

	if (timeout && timeout->due_ms < due_ms)
		due_ms = timeout->due_ms;
	if (is_stopping && deliverer->flush_until_ms < due_ms)
		due_ms = deliverer->flush_until_ms;
	return due_ms;
}

/* How long to wait until due_ms; -1: until something happens. */
static int64_t
wait_ms(const struct herald_deliverer *deliverer, uint64_t due_ms)
{
	const struct herald__delivery_clock *clock = &deliverer->clock;

	if (clock->idle)
		clock->idle(due_ms, deliverer->engine.hosts.in_flight, clock->state);
	if (due_ms == UINT64_MAX)
		return -1;

	uint64_t now = now_ms(deliverer);
	return due_ms > now ? (int64_t)(due_ms - now) : 0;
}

static void
run_network(struct herald_deliverer *deliverer, unsigned seen, bool is_stopping)
{
	uint64_t due_ms = next_due_ms(deliverer, is_stopping);

	herald__poller_run_due(&deliverer->poller);
	/*
	 * When some have ended there are free slots, and perhaps retries: it does not wait. But it looks
	 * at the sockets, or those that end as soon as they begin starve the others.
	 */
	int64_t timeout_ms = collect(deliverer) ? 0 : wait_ms(deliverer, due_ms);
	herald__poller_wait(&deliverer->poller, seen, timeout_ms);
	collect(deliverer);
}

/*
 * Whether the stop that was asked for is complete: nothing is left, the time is up, or nothing that
 * is left will be due in time. From then on nothing gets in.
 */
static bool
close_if_flushed(struct herald_deliverer *deliverer, unsigned seen, bool *is_stopping)
{
	const struct herald_delivery_statistics *counts = &deliverer->counts;
	const struct herald__engine *engine = &deliverer->engine;
	uint64_t now = now_ms(deliverer);

	pthread_mutex_lock(&deliverer->mutex);
	*is_stopping = deliverer->is_stopping;
	if (*is_stopping) {
		bool is_idle = engine->hosts.in_flight == 0 && !engine->hosts.first_waiting &&
			       counts->reserved == 0;

		deliverer->is_closed =
			now >= deliverer->flush_until_ms || (is_idle && counts->pending == 0) ||
			(is_idle && engine->next_due_ms > deliverer->flush_until_ms &&
			 herald__poller_signals(&deliverer->poller) == seen);
	}
	bool is_closed = deliverer->is_closed;
	pthread_mutex_unlock(&deliverer->mutex);
	return is_closed;
}

/* The stop is complete: report what is left. */
static void
report_left(struct herald_deliverer *deliverer)
{
	struct herald__engine *engine = &deliverer->engine;
	struct herald__queued *item;

	while (engine->under_way) {
		struct herald__transfer *transfer = engine->under_way;

		item = transfer->item;
		herald__transfer_cancel(transfer);
		remove_under_way(engine, transfer);
		herald__hosts_release(&engine->hosts, transfer->host);
		give_transfer(engine, transfer);
		settle_with(deliverer, item, HERALD_DELIVERY_LEFT,
			    "the deliverer stopped during an attempt");
	}
	while ((item = herald__hosts_take_waiting(&engine->hosts)) != NULL)
		settle_with(deliverer, item, HERALD_DELIVERY_LEFT,
			    "the deliverer stopped before the next attempt");
	while ((item = deliverer->queue->ops->take_left(deliverer->queue)) != NULL)
		settle_with(deliverer, item, HERALD_DELIVERY_LEFT,
			    "the deliverer stopped before the next attempt");
	count_in_flight(deliverer, NULL);
}

void *
herald__engine_run(void *state)
{
	struct herald_deliverer *deliverer = state;
	bool is_stopping;

	for (;;) {
		unsigned seen = herald__poller_signals(&deliverer->poller);

		admit(deliverer);
		begin_attempts(deliverer);
		if (close_if_flushed(deliverer, seen, &is_stopping))
			break;
		run_network(deliverer, seen, is_stopping);
		expire(deliverer);
	}
	report_left(deliverer);
	return NULL;
}
