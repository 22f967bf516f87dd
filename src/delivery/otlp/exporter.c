/*
 * The exporter: takes spans from any thread, and has a thread that sends them, one batch at a time,
 * with a deliverer of its own. It owns the queue of batches; how spans are written is in message.c.
 */
#include <herald/otlp.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/thread.h>
#include <herald/delivery.h>

#include "base/clock.h"
#include "base/options.h"
#include "delivery/attempt.h"
#include "delivery/deliverer.h"
#include "delivery/otlp/message.h"
#include "delivery/otlp/options.h"
#include "delivery/otlp/queue.h"

/* At most one log record about dropped spans in this time. */
#define LOG_INTERVAL_MS 10000
/* More than a deadline allows. */
#define ATTEMPTS 1000
/* The thread waits in parts of this length, so that a wait fits any time. */
#define MAX_WAIT_MS 60000

struct herald_otlp_exporter {
	struct herald_otlp_options options; /* with defaults; strings in the arena */
	struct herald_allocator allocator;
	struct herald_arena *arena;
	struct herald__otlp_codecs codecs;
	struct herald_buffer body; /* of the thread */
	struct herald_deliverer *deliverer;
	struct herald__delivery_clock clock;
	uint64_t random_state;
	pthread_t thread;
	bool is_joined;

	pthread_mutex_t mutex; /* protects the members below */
	pthread_cond_t changed;
	struct herald__otlp_queue queue;
	struct herald_otlp_statistics counts; /* without `queued` */
	uint64_t flush_to; /* batches below this number are sent without waiting */
	bool is_sending;   /* the first batch is with the deliverer */
	bool has_outcome;  /* and the deliverer has ended it */
	bool was_taken;    /* by the collector */
	bool is_stopping;
	uint64_t drain_until_ms;
	uint64_t logged_drops; /* those that a record has told of */
	uint64_t next_log_ms;
	char reason[256]; /* of the last drop */
};

static uint64_t
now_ms(const struct herald_otlp_exporter *exporter)
{
	return herald__clock_now_ms(&exporter->clock);
}

/* Taking spans. */

static void
set_reason(struct herald_otlp_exporter *exporter, const char *reason)
{
	snprintf(exporter->reason, sizeof(exporter->reason), "%s", reason);
}

/* A span that was not added to the queue. */
static void
drop_span(struct herald_otlp_exporter *exporter, enum herald_status status)
{
	exporter->counts.dropped++;
	set_reason(exporter, exporter->is_stopping        ? "the exporter was stopped"
			     : status == HERALD_LIMIT     ? "the queue is full"
			     : status == HERALD_TOO_LARGE ? "a span is larger than a batch"
							  : herald_status_text(status));
}

/* The hook's `end`. */
static void
take_span(const struct herald_span *span, void *state)
{
	struct herald_otlp_exporter *exporter = state;

	pthread_mutex_lock(&exporter->mutex);
	if (!(span->trace->flags & HERALD_TRACE_SAMPLED)) {
		exporter->counts.unsampled++;
		pthread_mutex_unlock(&exporter->mutex);
		return;
	}
	struct herald__otlp_queue *queue = &exporter->queue;
	uint64_t filling = queue->filling;
	bool was_empty = herald__otlp_queue_filling(queue)->count == 0;
	enum herald_status status =
		exporter->is_stopping
			? HERALD_LIMIT
			: herald__otlp_queue_add(queue, &exporter->codecs, span, now_ms(exporter));

	exporter->counts.sampled++;
	if (status != HERALD_OK)
		drop_span(exporter, status);
	/* The thread waits for the first span of a batch, for its last one, and for drops. */
	if (status != HERALD_OK || was_empty || queue->filling != filling ||
	    herald__otlp_queue_filling(queue)->count == queue->max_spans)
		pthread_cond_broadcast(&exporter->changed);
	pthread_mutex_unlock(&exporter->mutex);
}

struct herald_span_hook
herald_otlp_exporter_hook(struct herald_otlp_exporter *exporter)
{
	return (struct herald_span_hook){.end = take_span, .state = exporter};
}

/* The thread. The mutex is locked, unless a comment says otherwise. */

/* Tell how many spans were dropped, from time to time. Unlocks the mutex during the call. */
static void
log_drops(struct herald_otlp_exporter *exporter)
{
	uint64_t count = exporter->counts.dropped - exporter->logged_drops;
	uint64_t now = now_ms(exporter);
	char reason[sizeof(exporter->reason)];

	if (count == 0 || now < exporter->next_log_ms)
		return;
	exporter->logged_drops = exporter->counts.dropped;
	exporter->next_log_ms = now + LOG_INTERVAL_MS;
	snprintf(reason, sizeof(reason), "%s", exporter->reason);
	pthread_mutex_unlock(&exporter->mutex);
	const struct herald_log_field fields[] = {
		{"spans", NULL, (int64_t)count},
		{"reason", reason, 0},
	};
	herald_log_write(&exporter->options.log, HERALD_LOG_WARNING, "spans were dropped", fields,
			 HERALD_COUNT(fields));
	pthread_mutex_lock(&exporter->mutex);
}

/* Wait for a change, or until a time. */
static void
wait_until(struct herald_otlp_exporter *exporter, uint64_t until_ms)
{
	uint64_t now = now_ms(exporter);
	bool has_drops = exporter->counts.dropped > exporter->logged_drops;

	if (has_drops && exporter->next_log_ms < until_ms)
		until_ms = exporter->next_log_ms;
	uint64_t wait_ms = until_ms > now ? until_ms - now : 0;
	const struct timespec deadline =
		herald_deadline_after((uint32_t)(wait_ms < MAX_WAIT_MS ? wait_ms : MAX_WAIT_MS));
	pthread_cond_timedwait(&exporter->changed, &exporter->mutex, &deadline);
	log_drops(exporter);
}

static bool
is_over(const struct herald_otlp_exporter *exporter)
{
	return exporter->is_stopping && now_ms(exporter) >= exporter->drain_until_ms;
}

/* When the batch that is being filled is to be sent; UINT64_MAX: it is empty. */
static uint64_t
due_ms(const struct herald_otlp_exporter *exporter)
{
	const struct herald__otlp_queue *queue = &exporter->queue;
	const struct herald__otlp_batch *batch = herald__otlp_queue_filling(queue);

	if (batch->count == 0)
		return UINT64_MAX;
	if (batch->count == queue->max_spans || exporter->is_stopping ||
	    exporter->flush_to > queue->filling)
		return 0;
	return batch->since_ms + exporter->options.interval_ms;
}

/* Wait for the next batch to send. NULL: the exporter stops. */
static struct herald__otlp_batch *
next_batch(struct herald_otlp_exporter *exporter)
{
	struct herald__otlp_queue *queue = &exporter->queue;

	for (;;) {
		struct herald__otlp_batch *batch = herald__otlp_queue_first(queue);
		uint64_t due = due_ms(exporter);

		if (is_over(exporter))
			return NULL;
		if (batch)
			return batch;
		if (due <= now_ms(exporter))
			(void)herald__otlp_queue_close(queue); /* there is room: none is closed */
		else if (exporter->is_stopping)
			return NULL;
		else
			wait_until(exporter, due);
	}
}

/* Without the mutex: a closed batch does not change. */
static enum herald_status
submit(struct herald_otlp_exporter *exporter, struct herald__otlp_batch *batch,
       struct herald_error *error)
{
	struct herald_otlp_options *options = &exporter->options;

	exporter->body.bytes = 0;
	batch->spans.max_bytes = 0;
	enum herald_status status = herald_buffer_append(&batch->spans, "]", 1);
	batch->spans.max_bytes = options->max_batch_bytes;
	if (status == HERALD_OK)
		status = herald__otlp_write_request(&exporter->codecs, options, &batch->spans,
						    &exporter->body);
	if (status != HERALD_OK)
		return herald_error_set(error, status, HERALD_NO_OFFSET, "%s",
					herald_status_text(status));
	const struct herald_delivery delivery = {
		.url = options->url,
		.body = exporter->body.data,
		.body_bytes = exporter->body.bytes,
		.content_type = "application/json",
		.headers = options->headers,
		.headers_count = options->headers_count,
	};
	return herald_deliverer_submit(exporter->deliverer, &delivery, error);
}

/* The deliverer's hook on_outcome. */
static void
note_outcome(const struct herald_delivery_report *report, void *state)
{
	struct herald_otlp_exporter *exporter = state;

	pthread_mutex_lock(&exporter->mutex);
	exporter->has_outcome = true;
	exporter->was_taken = report->outcome == HERALD_DELIVERY_DELIVERED;
	if (!exporter->was_taken)
		set_reason(exporter, report->error);
	pthread_cond_broadcast(&exporter->changed);
	pthread_mutex_unlock(&exporter->mutex);
}

/* The first batch was sent, or is dropped. */
static void
settle(struct herald_otlp_exporter *exporter)
{
	size_t count = herald__otlp_queue_remove(&exporter->queue);

	exporter->is_sending = false;
	if (exporter->was_taken) {
		exporter->counts.exported += count;
		exporter->counts.batches++;
	} else {
		exporter->counts.dropped += count;
	}
	pthread_cond_broadcast(&exporter->changed);
	log_drops(exporter);
}

/* Send a batch, and wait for its outcome. */
static void
send_batch(struct herald_otlp_exporter *exporter, struct herald__otlp_batch *batch)
{
	struct herald_error error;

	exporter->is_sending = true;
	exporter->has_outcome = exporter->was_taken = false;
	pthread_mutex_unlock(&exporter->mutex);
	enum herald_status status = submit(exporter, batch, &error);
	pthread_mutex_lock(&exporter->mutex);
	if (status != HERALD_OK) {
		exporter->has_outcome = true;
		set_reason(exporter, error.message);
	}
	while (!exporter->has_outcome && !is_over(exporter))
		wait_until(exporter, exporter->is_stopping ? exporter->drain_until_ms : UINT64_MAX);
	if (exporter->has_outcome)
		settle(exporter);
}

static void *
exporter_run(void *state)
{
	struct herald_otlp_exporter *exporter = state;
	struct herald__otlp_batch *batch;

	pthread_mutex_lock(&exporter->mutex);
	while ((batch = next_batch(exporter)))
		send_batch(exporter, batch);
	pthread_mutex_unlock(&exporter->mutex);
	return NULL;
}

/* Creation. */

/* OTLP/HTTP: all other statuses are final. */
static bool
may_retry(const struct herald_attempt_result *result)
{
	unsigned status = result->http_status;

	return status == 0 ? result->may_retry : status == 429 || (status >= 502 && status <= 504);
}

/* The size of a request without spans. */
static enum herald_status
measure(struct herald_otlp_exporter *exporter, size_t *bytes)
{
	struct herald_buffer none;

	herald_buffer_init(&none, &exporter->allocator, 0);
	enum herald_status status = herald_buffer_append(&none, "[]", 2);
	if (status == HERALD_OK)
		status = herald__otlp_write_request(&exporter->codecs, &exporter->options, &none,
						    &exporter->body);
	*bytes = exporter->body.bytes;
	herald_buffer_finish(&none);
	return status;
}

/* The deliverer takes the transport, even after an error, unless it has an owner already. */
static enum herald_status
create_deliverer(struct herald_otlp_exporter *exporter, size_t frame_bytes,
		 struct herald_error *error)
{
	static const struct herald_port_range any_port = {1, 65535};
	struct herald_otlp_options *options = &exporter->options;
	size_t most = options->max_batch_bytes + frame_bytes;
	struct herald_transport *transport = options->transport;

	options->transport = NULL;
	enum herald_status status = herald_deliverer_create(
		&HERALD_DELIVERER_OPTIONS(.transport = transport, .attempts = ATTEMPTS,
					  .first_delay_ms = options->first_delay_ms,
					  .max_delay_ms = options->deadline_ms,
					  .max_retry_after_ms = options->deadline_ms,
					  .attempt_timeout_ms = options->attempt_timeout_ms,
					  .deadline_ms = options->deadline_ms,
					  .method = HERALD_DELIVERY_POST, .max_body_bytes = most,
					  .max_headers_bytes = (size_t)256 << 10,
					  .max_url_bytes = 65536, .allow_credentials = true,
					  .max_pending = 2,
					  .max_pending_bytes = 2 * most + ((size_t)1 << 20),
					  .slots = 1, .slots_per_host = 1,
					  .addresses = HERALD_ADDRESSES_ANY,
					  .allow_cloud_agents = true, .ports = &any_port,
					  .ports_count = 1, .on_outcome = note_outcome,
					  .state = exporter, .allocator = options->allocator),
		&exporter->deliverer, error);
	if (status != HERALD_OK)
		return status;
	exporter->deliverer->may_retry = may_retry;
	status = herald_deliverer_check_url(exporter->deliverer, options->url, error);
	if (status != HERALD_OK && status != HERALD_NO_MEMORY && error)
		snprintf(error->path, sizeof(error->path), "url");
	return status == HERALD_OK || status == HERALD_NO_MEMORY ? status : HERALD_BAD_OPTION;
}

static void
free_exporter(struct herald_otlp_exporter *exporter)
{
	const struct herald_allocator allocator = exporter->allocator;

	herald_deliverer_destroy(exporter->deliverer);
	herald__transport_drop(exporter->options.transport);
	herald_buffer_finish(&exporter->body);
	herald__otlp_queue_finish(&exporter->queue);
	herald__otlp_codecs_destroy(&exporter->codecs);
	herald_arena_destroy(exporter->arena);
	pthread_cond_destroy(&exporter->changed);
	pthread_mutex_destroy(&exporter->mutex);
	herald_memory_release(&allocator, exporter, sizeof(*exporter));
}

/* All but the threads. */
static enum herald_status
prepare(struct herald_otlp_exporter *exporter, struct herald_error *error)
{
	size_t frame_bytes = 0;

	herald_buffer_init(&exporter->body, &exporter->allocator, 0);
	if (herald_arena_create(&exporter->allocator, 0, &exporter->arena) != HERALD_OK ||
	    !herald__otlp_options_copy(&exporter->options, exporter->arena) ||
	    herald__otlp_codecs_create(&exporter->allocator, &exporter->codecs) != HERALD_OK ||
	    !herald__otlp_queue_init(&exporter->queue, &exporter->options, &exporter->allocator) ||
	    measure(exporter, &frame_bytes) != HERALD_OK)
		return herald_out_of_memory(error);
	return create_deliverer(exporter, frame_bytes, error);
}

/* The mutex and the condition are initialised, or NULL is returned. */
static struct herald_otlp_exporter *
create_empty(const struct herald_otlp_options *options)
{
	const struct herald_allocator allocator = herald_allocator_or_libc(&options->allocator);
	struct herald_otlp_exporter *exporter =
		herald_memory_allocate_zeroed(&allocator, 1, sizeof(*exporter));

	if (!exporter)
		return NULL;
	exporter->options = *options;
	exporter->allocator = allocator;
	exporter->clock = herald__system_clock(&exporter->random_state);
	if (pthread_mutex_init(&exporter->mutex, NULL) != 0)
		goto free_memory;
	if (herald_condition_init(&exporter->changed) == 0)
		return exporter;

	pthread_mutex_destroy(&exporter->mutex);
free_memory:
	herald_memory_release(&allocator, exporter, sizeof(*exporter));
	return NULL;
}

enum herald_status
herald_otlp_exporter_create(const struct herald_otlp_options *given,
			    struct herald_otlp_exporter **out, struct herald_error *error)
{
	struct herald_otlp_options options = {0};
	enum herald_status status = herald__otlp_options_resolve(given, &options, error);
	struct herald_otlp_exporter *exporter = status == HERALD_OK ? create_empty(&options) : NULL;

	if (!exporter) {
		herald__transport_drop(options.transport);
		return status == HERALD_OK ? herald_out_of_memory(error) : status;
	}
	status = prepare(exporter, error);
	if (status == HERALD_OK) {
		int failure = herald_thread_create(&exporter->thread, exporter_run, exporter);

		if (failure)
			status = herald_system_error(error, "cannot start a thread", failure);
	}
	if (status == HERALD_OK)
		*out = exporter;
	else
		free_exporter(exporter);
	return status;
}

/* The user's side. */

void
herald_otlp_exporter_statistics(struct herald_otlp_exporter *exporter,
				struct herald_otlp_statistics *out)
{
	pthread_mutex_lock(&exporter->mutex);
	*out = exporter->counts;
	out->queued = exporter->queue.spans_count;
	pthread_mutex_unlock(&exporter->mutex);
}

bool
herald_otlp_exporter_flush(struct herald_otlp_exporter *exporter, uint32_t timeout_ms)
{
	const struct timespec deadline = herald_deadline_after(timeout_ms);
	struct herald__otlp_queue *queue = &exporter->queue;
	int failure = 0;

	pthread_mutex_lock(&exporter->mutex);
	uint64_t target = queue->filling + (herald__otlp_queue_filling(queue)->count > 0);
	if (exporter->flush_to < target)
		exporter->flush_to = target;
	pthread_cond_broadcast(&exporter->changed);
	while (queue->first < target && failure != ETIMEDOUT)
		failure = pthread_cond_timedwait(&exporter->changed, &exporter->mutex, &deadline);
	bool is_flushed = queue->first >= target;
	pthread_mutex_unlock(&exporter->mutex);
	return is_flushed;
}

/* The threads have ended: what is left is dropped. */
static void
drop_rest(struct herald_otlp_exporter *exporter)
{
	struct herald__otlp_queue *queue = &exporter->queue;

	pthread_mutex_lock(&exporter->mutex);
	/* The deliverer's stop has told of the batch that was being sent. */
	if (exporter->is_sending)
		settle(exporter);
	else if (queue->spans_count > 0)
		set_reason(exporter, "the exporter was stopped");
	exporter->was_taken = false;
	while (queue->spans_count > 0)
		if (herald__otlp_queue_first(queue))
			settle(exporter);
		else
			(void)herald__otlp_queue_close(queue);
	exporter->next_log_ms = 0;
	log_drops(exporter);
	pthread_mutex_unlock(&exporter->mutex);
}

uint64_t
herald_otlp_exporter_stop(struct herald_otlp_exporter *exporter, uint32_t drain_ms)
{
	if (!exporter)
		return 0;
	if (!exporter->is_joined) {
		pthread_mutex_lock(&exporter->mutex);
		exporter->is_stopping = true;
		exporter->drain_until_ms = now_ms(exporter) + drain_ms;
		pthread_cond_broadcast(&exporter->changed);
		pthread_mutex_unlock(&exporter->mutex);
		pthread_join(exporter->thread, NULL);
		exporter->is_joined = true;
		herald_deliverer_stop(exporter->deliverer, 0);
		drop_rest(exporter);
	}

	struct herald_otlp_statistics counts;
	herald_otlp_exporter_statistics(exporter, &counts);
	return counts.dropped;
}

void
herald_otlp_exporter_destroy(struct herald_otlp_exporter *exporter)
{
	if (!exporter)
		return;
	herald_otlp_exporter_stop(exporter, 0);
	free_exporter(exporter);
}
