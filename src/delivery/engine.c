/*
 * The thread of a deliverer. It takes deliveries that are due from the queue, gives them slots,
 * lets the transport make the attempts, and decides their outcomes. Everything here runs on that
 * thread, except for waking it. How records are claimed and given back is in records.c.
 *
 * The engine measures the timeout of an attempt, not the transport. So the timeout follows the
 * deliverer's clock, and costs only one heap entry.
 */
#include "delivery/engine.h"

#include <stddef.h>
#include <stdio.h>

#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>
#include <herald/producer.h>

#include "delivery/attempt.h"
#include "delivery/attempt_span.h"
#include "delivery/broker_url.h"
#include "delivery/deliverer.h"
#include "delivery/options.h"
#include "delivery/records.h"
#include "delivery/report.h"
#include "delivery/retry_after.h"

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
	return HERALD_OK;
}

void
herald__engine_finish(struct herald_deliverer *deliverer)
{
	struct herald__engine *engine = &deliverer->engine;

	while (engine->idle) {
		struct herald__attempt *attempt = engine->idle;

		engine->idle = attempt->next;
		herald__attempt_destroy(&deliverer->allocator, attempt);
	}
	if (engine->timeouts.timers)
		herald__timer_heap_finish(&engine->timeouts);
	if (engine->hosts.buckets)
		herald__hosts_finish(&engine->hosts);
}

void
herald__engine_wake(struct herald_deliverer *deliverer)
{
	struct herald_transport *transport = deliverer->transport;

	/* The thread sets `asleep` before it reads `signals`, so one of the two sees the other's
	 * change. */
	atomic_fetch_add(&deliverer->signals, 1);
	if (atomic_exchange(&deliverer->asleep, false))
		transport->ops->wake(transport);
}

/* Attempts. */

/* Returns NULL when out of memory. */
static struct herald__attempt *
take_attempt(struct herald_deliverer *deliverer)
{
	struct herald__engine *engine = &deliverer->engine;
	struct herald__attempt *attempt = engine->idle;

	if (!attempt)
		return herald__attempt_create(&deliverer->allocator);
	engine->idle = attempt->next;
	return attempt;
}

static void
give_attempt(struct herald__engine *engine, struct herald__attempt *attempt)
{
	attempt->next = engine->idle;
	engine->idle = attempt;
}

static void
add_under_way(struct herald__engine *engine, struct herald__attempt *attempt)
{
	attempt->previous = NULL;
	attempt->next = engine->under_way;
	if (engine->under_way)
		engine->under_way->previous = attempt;
	engine->under_way = attempt;
	herald__timer_heap_add(&engine->timeouts, &attempt->timeout);
}

static void
remove_under_way(struct herald__engine *engine, struct herald__attempt *attempt)
{
	if (attempt->previous)
		attempt->previous->next = attempt->next;
	else
		engine->under_way = attempt->next;
	if (attempt->next)
		attempt->next->previous = attempt->previous;
	herald__timer_heap_remove(&engine->timeouts, &attempt->timeout);
}

/* Ending an attempt. */

/* The delay that backoff and Retry-After ask for. */
static uint64_t
delay_of(struct herald_deliverer *deliverer, const struct herald__queued *item,
	 const struct herald_attempt_result *result)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	const struct herald__delivery_clock *clock = &deliverer->clock;

	const struct herald_backoff_rule backoff = HERALD_BACKOFF_OF(options);
	uint64_t random_bits =
		backoff.backoff == HERALD_BACKOFF_FULL_JITTER ? clock->random(clock->state) : 0;
	uint64_t delay_ms = herald_backoff_delay_ms(&backoff, item->record.attempts, random_bits);
	if (result->retry_after[0] != '\0') {
		uint64_t asked_ms = herald__retry_after_ms(result->retry_after,
							   herald__clock_wall_ms(clock) / 1000,
							   options->max_retry_after_ms);

		if (asked_ms > delay_ms)
			delay_ms = asked_ms;
	}
	return delay_ms;
}

/* Set the outcome of an attempt: `outcome`, `failure` and `retry_in_ms` of the report. */
static void
decide(struct herald_deliverer *deliverer, const struct herald__queued *item,
       const struct herald_attempt_result *result, struct herald_delivery_report *report)
{
	if (herald__attempt_is_delivered(result)) {
		report->outcome = HERALD_DELIVERY_DELIVERED;
		return;
	}
	report->outcome = HERALD_DELIVERY_FAILED;
	if (!deliverer->may_retry(result)) {
		report->failure = HERALD_DELIVERY_REFUSED;
		return;
	}
	if (item->record.attempts >= deliverer->options.attempts) {
		report->failure = HERALD_DELIVERY_EXHAUSTED;
		return;
	}
	uint64_t delay_ms = delay_of(deliverer, item, result);
	if (herald__clock_now_ms(&deliverer->clock) + delay_ms >= item->retry_until_ms) {
		report->failure = HERALD_DELIVERY_EXPIRED;
		return;
	}
	report->outcome = HERALD_DELIVERY_AGAIN;
	report->retry_in_ms = delay_ms;
}

static void
count_in_flight(struct herald_deliverer *deliverer, const struct herald__queued *begun)
{
	struct herald_delivery_statistics *counts = &deliverer->counts.all;

	pthread_mutex_lock(&deliverer->mutex);
	if (begun) {
		counts->attempts++;
		counts->retries += begun->record.attempts > 1;
	}
	counts->in_flight = deliverer->engine.hosts.in_flight;
	pthread_mutex_unlock(&deliverer->mutex);
}

/* The error of an attempt: the answer's status if there is one. `text` is used to format it. */
static const char *
error_of(const struct herald_attempt_result *result, char *text, size_t size)
{
	if (herald__attempt_is_delivered(result))
		return "";
	if (result->http_status == 0)
		return result->error;
	snprintf(text, size, "HTTP status %u", result->http_status);
	return text;
}

static void
note_host(struct herald_deliverer *deliverer, const struct herald_delivery_report *report,
	  const char *origin)
{
	pthread_mutex_lock(&deliverer->mutex);
	herald__recent_hosts_note(&deliverer->recent_hosts, origin, report->error,
				  report->elapsed_ms, herald__clock_wall_ms(&deliverer->clock));
	pthread_mutex_unlock(&deliverer->mutex);
}

/* An attempt has ended, and its slot is free. */
static void
conclude(struct herald_deliverer *deliverer, const struct herald__attempt *attempt,
	 const struct herald_attempt_result *result)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	struct herald__queued *item = attempt->item;
	uint64_t now = herald__clock_now_ms(&deliverer->clock);
	struct herald_delivery_report report = herald__record_report(item, HERALD_DELIVERY_AGAIN);
	char text[32];

	decide(deliverer, item, result, &report);
	report.http_status = result->http_status;
	report.error = error_of(result, text, sizeof(text));
	report.address = result->address;
	report.answer_bytes = result->answer_bytes;
	report.elapsed_ms = now - attempt->begun_ms;
	item->record.last_http_status = result->http_status;
	herald__tally_attempt(deliverer, item, result, report.elapsed_ms);
	note_host(deliverer, &report, item->origin);
	herald__attempt_span_end(deliverer, attempt, &report);
	if (options->on_attempt)
		options->on_attempt(&report, options->state);
	if (report.outcome != HERALD_DELIVERY_AGAIN) {
		herald__record_settle(deliverer, item, &report);
		return;
	}
	herald__report_log(&deliverer->options.log, item, &report);
	herald__record_give_back(deliverer, item, report.retry_in_ms, &report);
	count_in_flight(deliverer, NULL); /* last: who sees it finds the delivery in the queue */
}

/* The transport has finished with an attempt. */
static void
end_attempt(struct herald_deliverer *deliverer, struct herald__attempt *attempt,
	    const struct herald_attempt_result *result)
{
	struct herald__engine *engine = &deliverer->engine;

	remove_under_way(engine, attempt);
	attempt->host->answers = result->http_status != 0;
	herald__hosts_release(&engine->hosts, attempt->host);
	conclude(deliverer, attempt, result);
	give_attempt(engine, attempt);
}

/* Handle the attempts that the transport has finished, in order. */
static void
collect(struct herald_deliverer *deliverer)
{
	struct herald_transport *transport = deliverer->transport;
	struct herald_attempt_result result;
	struct herald_attempt *attempt;

	while ((attempt = transport->ops->next_finished(transport, &result)))
		end_attempt(deliverer, (struct herald__attempt *)attempt, &result);
}

static struct herald__attempt *
attempt_of(struct herald__timer *timer)
{
	return (struct herald__attempt *)((char *)timer -
					  offsetof(struct herald__attempt, timeout));
}

/* Cancel the attempts that take too long. */
static void
expire(struct herald_deliverer *deliverer)
{
	struct herald_transport *transport = deliverer->transport;
	struct herald__timer_heap *timeouts = &deliverer->engine.timeouts;
	uint64_t now = herald__clock_now_ms(&deliverer->clock);

	for (struct herald__timer *timer = herald__timer_heap_first(timeouts);
	     timer && timer->due_ms <= now; timer = herald__timer_heap_first(timeouts)) {
		struct herald__attempt *attempt = attempt_of(timer);
		struct herald_attempt_result result;

		transport->ops->cancel(transport, &attempt->base);
		herald_attempt_result_fail(&result, true, "no complete answer within %llu ms",
					   (unsigned long long)(timer->due_ms - attempt->begun_ms));
		end_attempt(deliverer, attempt, &result);
	}
}

/* Beginning an attempt. */

/* Find the signer of a delivery; NULL: it is not signed. A delivery that names an unknown signer
 * must fail, because it may not be sent without a signature. */
static enum herald_status
find_signer(struct herald_deliverer *deliverer, const struct herald__queued *item,
	    const struct herald__destination *destination, struct herald_signer **out,
	    struct herald_error *error)
{
	*out = destination->signer;
	if (item->signer[0] == '\0')
		return HERALD_OK;
	*out = herald__signers_find(&deliverer->signers, item->signer);
	return *out ? HERALD_OK
		    : herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				       "the deliverer has no signer \"%s\"", item->signer);
}

/* Write the request. Errors: HERALD_BAD_VALUE (an unknown signer), and the errors of
 * herald__request_write(). */
static enum herald_status
write_request(struct herald_deliverer *deliverer, struct herald__attempt *attempt,
	      const struct herald__queued *item, struct herald_error *error)
{
	/* Brokers get nothing that is meant for HTTP receivers, such as Authorization. */
	static const struct herald__destination broker = {.signer = NULL};
	const struct herald__destination *destination =
		herald__is_broker_url(item->record.delivery.url)
			? &broker
			: herald__destinations_find(&deliverer->destinations, item->origin);
	struct herald__request_settings settings = {
		.codec = deliverer->codec,
		.more = &destination->list,
		.time_ms = herald__clock_wall_ms(&deliverer->clock),
	};
	enum herald_status status =
		find_signer(deliverer, item, destination, &settings.signer, error);

	if (status != HERALD_OK)
		return status;
	return herald__request_write(&attempt->request, item, &settings, &attempt->base, error);
}

/* Whether this deliverer cannot send it now, although others that share the store may. */
static bool
has_no_way(const struct herald_deliverer *deliverer, const char *url)
{
	const struct herald__url_rules *rules = &deliverer->url_rules;
	struct herald__broker_url broker;

	if (!herald__is_broker_url(url))
		return rules->only_producers;
	/* The transport fails one that is not valid. */
	if (herald__broker_url_read(url, &broker, NULL) != HERALD_OK)
		return false;

	const struct herald_named_producer *found = herald__url_producer(rules, broker.name);
	return !found || herald_producer_health(found->producer, NULL) != HERALD_OK;
}

/* Pass it to the transport. Errors: HERALD_NO_MEMORY, and the errors of begin(). */
static enum herald_status
hand_over(struct herald_deliverer *deliverer, struct herald__attempt *attempt,
	  struct herald__queued *item, struct herald__host *host)
{
	struct herald_transport *transport = deliverer->transport;

	attempt->item = item;
	attempt->host = host;
	attempt->base.url = item->record.delivery.url;
	attempt->base.origin = item->origin;
	attempt->base.origin_hash = host->hash;
	/* If the last attempt got no answer, its connection and other kept ones may be dead. */
	attempt->base.opens_connection =
		item->record.attempts > 1 && item->record.last_http_status == 0;
	attempt->base.data = NULL;
	return transport->ops->begin(transport, &attempt->base);
}

enum beginning {
	BEGUN,
	NOT_NOW,     /* not begun, for a reason that passes */
	LEASE_ENDED, /* another deliverer has the delivery */
	NOT_SIGNED   /* and never will be */
};

/* Returns NOT_NOW. */
static enum beginning
put_off(enum herald_status status, struct herald_error *error)
{
	/* A transport needs memory only; what else is missing is a producer. */
	herald_error_set(error, status, HERALD_NO_OFFSET, "%s",
			 status == HERALD_UNAVAILABLE ? "this deliverer cannot send it now: the "
							"producer is not connected, or not here"
			 : status == HERALD_LIMIT     ? "its producer is full"
						      : "out of memory");
	return NOT_NOW;
}

/* Everything between the choice of a delivery and the transport. `error` is set for NOT_SIGNED and
 * NOT_NOW. */
static enum beginning
begin_item(struct herald_deliverer *deliverer, struct herald__attempt *attempt,
	   struct herald__queued *item, struct herald__host *host, struct herald_error *error)
{
	struct herald_delivery_queue *queue = deliverer->queue;

	/* Before begin(), which marks it as sent. */
	if (has_no_way(deliverer, item->record.delivery.url))
		return put_off(HERALD_UNAVAILABLE, error);
	herald__attempt_span_prepare(deliverer, attempt, item);
	enum herald_status status = write_request(deliverer, attempt, item, error);

	if (status == HERALD_NO_MEMORY)
		return put_off(status, error);
	if (queue->ops->begin && !queue->ops->begin(queue, &item->record))
		return LEASE_ENDED;
	/* Only the deliverer that has the lease may report that. */
	if (status != HERALD_OK)
		return NOT_SIGNED;
	status = hand_over(deliverer, attempt, item, host);
	return status == HERALD_OK ? BEGUN : put_off(status, error);
}

static enum beginning
begin_attempt(struct herald_deliverer *deliverer, struct herald__queued *item,
	      struct herald__host *host, uint64_t now, struct herald_error *error)
{
	struct herald__attempt *attempt = take_attempt(deliverer);

	if (!attempt) {
		herald_out_of_memory(error);
		return NOT_NOW;
	}
	item->record.attempts++;
	enum beginning beginning = begin_item(deliverer, attempt, item, host, error);
	if (beginning != BEGUN) {
		item->record.attempts--;
		give_attempt(&deliverer->engine, attempt);
		return beginning;
	}
	attempt->begun_ms = now;
	attempt->timeout.due_ms = now + deliverer->options.attempt_timeout_ms;
	if (attempt->timeout.due_ms > item->give_up_ms)
		attempt->timeout.due_ms = item->give_up_ms;
	add_under_way(&deliverer->engine, attempt);
	herald__attempt_span_start(deliverer, attempt);
	return BEGUN;
}

/* Begin an attempt, or end the delivery. It already has a slot of its host. */
static void
begin_or_end(struct herald_deliverer *deliverer, struct herald__queued *item,
	     struct herald__host *host, uint64_t now)
{
	enum beginning beginning = NOT_NOW;
	bool is_late = now >= item->give_up_ms;
	struct herald_error error = {.message = "the signer has failed"};

	if (!is_late)
		beginning = begin_attempt(deliverer, item, host, now, &error);
	if (beginning == BEGUN) {
		count_in_flight(deliverer, item);
		return;
	}
	herald__hosts_release(&deliverer->engine.hosts, host);
	if (is_late)
		herald__record_fail(deliverer, item, HERALD_DELIVERY_EXPIRED,
				    "its deadline passed while it waited for a slot");
	else if (beginning == LEASE_ENDED)
		herald__record_forget(deliverer, item);
	else if (beginning == NOT_SIGNED)
		herald__record_fail(deliverer, item, HERALD_DELIVERY_REFUSED, error.message);
	else
		herald__record_put_off(deliverer, item, error.message);
}

/* Give free slots to waiting deliveries. */
static void
begin_attempts(struct herald_deliverer *deliverer)
{
	uint64_t now = herald__clock_now_ms(&deliverer->clock);
	struct herald__queued *item;
	struct herald__host *host;

	while ((item = herald__hosts_next(&deliverer->engine.hosts, &host)))
		begin_or_end(deliverer, item, host, now);
}

/* The thread. */

static uint64_t
min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The time of the next action if nothing else happens; UINT64_MAX: none. */
static uint64_t
next_due_ms(const struct herald_deliverer *deliverer, bool is_stopping)
{
	const struct herald__engine *engine = &deliverer->engine;
	const struct herald__timer *timeout = herald__timer_heap_first(&engine->timeouts);
	uint64_t due_ms = min(engine->next_due_ms, engine->poll_ms);

	if (timeout)
		due_ms = min(due_ms, timeout->due_ms);
	return is_stopping ? min(due_ms, deliverer->drain_until_ms) : due_ms;
}

/* The milliseconds until due_ms; -1: no limit. */
static int64_t
wait_ms(const struct herald_deliverer *deliverer, uint64_t due_ms)
{
	const struct herald__delivery_clock *clock = &deliverer->clock;

	if (clock->idle)
		clock->idle(due_ms, deliverer->engine.hosts.in_flight, clock->state);
	if (due_ms == UINT64_MAX)
		return -1;

	uint64_t now = herald__clock_now_ms(&deliverer->clock);
	return due_ms > now ? (int64_t)(due_ms - now) : 0;
}

/* Wait for the network, unless there was a signal after `seen` was read. */
static void
wait(struct herald_deliverer *deliverer, unsigned seen, bool is_stopping)
{
	struct herald_transport *transport = deliverer->transport;
	int64_t timeout_ms = wait_ms(deliverer, next_due_ms(deliverer, is_stopping));

	if (timeout_ms != 0) {
		atomic_store(&deliverer->asleep, true);
		if (atomic_load(&deliverer->signals) != seen)
			timeout_ms = 0;
	}
	transport->ops->wait(transport, timeout_ms);
	atomic_store(&deliverer->asleep, false);
}

/*
 * Whether a requested stop is complete: the time is up, or nothing is in progress and nothing will
 * be due in time. After that, nothing is accepted.
 */
static bool
close_if_drained(struct herald_deliverer *deliverer, unsigned seen, bool *is_stopping)
{
	const struct herald__engine *engine = &deliverer->engine;
	uint64_t now = herald__clock_now_ms(&deliverer->clock);

	pthread_mutex_lock(&deliverer->mutex);
	*is_stopping = deliverer->is_stopping;
	if (*is_stopping) {
		bool is_idle = engine->hosts.in_flight == 0 && !engine->hosts.first_waiting &&
			       deliverer->counts.all.reserved == 0;

		deliverer->is_closed =
			now >= deliverer->drain_until_ms ||
			(is_idle && engine->next_due_ms > deliverer->drain_until_ms &&
			 atomic_load(&deliverer->signals) == seen);
	}
	bool is_closed = deliverer->is_closed;
	while (is_closed && deliverer->counts.pushing > 0)
		pthread_cond_wait(&deliverer->pushed, &deliverer->mutex);
	pthread_mutex_unlock(&deliverer->mutex);
	return is_closed;
}

static void
end_cut_off(const struct herald_deliverer *deliverer, const struct herald__attempt *attempt)
{
	struct herald_delivery_report report =
		herald__record_report(attempt->item, HERALD_DELIVERY_LEFT);

	report.error = "the deliverer stopped during an attempt";
	herald__attempt_span_end(deliverer, attempt, &report);
}

/* The stop is complete: return everything that has not ended to the queue. */
static void
give_all_back(struct herald_deliverer *deliverer)
{
	struct herald__engine *engine = &deliverer->engine;
	struct herald__queued *item;

	while (engine->under_way) {
		struct herald__attempt *attempt = engine->under_way;

		item = attempt->item;
		item->is_cut_off = true;
		deliverer->transport->ops->cancel(deliverer->transport, &attempt->base);
		remove_under_way(engine, attempt);
		herald__hosts_release(&engine->hosts, attempt->host);
		end_cut_off(deliverer, attempt);
		give_attempt(engine, attempt);
		herald__record_give_back_at_stop(deliverer, item);
	}
	while ((item = herald__hosts_take_waiting(&engine->hosts)))
		herald__record_give_back_at_stop(deliverer, item);
	count_in_flight(deliverer, NULL);
}

void *
herald__engine_run(void *state)
{
	struct herald_deliverer *deliverer = state;
	bool is_stopping = false;

	herald_thread_begins(&deliverer->options.thread_hooks);
	for (;;) {
		unsigned seen = atomic_load(&deliverer->signals);

		herald__records_admit(deliverer, is_stopping);
		begin_attempts(deliverer);
		if (close_if_drained(deliverer, seen, &is_stopping))
			break;
		wait(deliverer, seen, is_stopping);
		collect(deliverer);
		expire(deliverer);
	}
	give_all_back(deliverer);
	herald__records_report_left(deliverer);
	herald_thread_ends(&deliverer->options.thread_hooks);
	return NULL;
}
