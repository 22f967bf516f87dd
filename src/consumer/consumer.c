/*
 * Creates, stops and destroys a consumer, and tells its state. Its work is in intake.c and lane.c.
 */
#include "consumer/consumer.h"

#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/random.h>

#include "base/options.h"
#include "consumer/options.h"
#include "consumer/state.h"
#include "consumer/threads.h"

/* Time for functions to end when a consumer is destroyed that was not stopped. */
#define LAST_DRAIN_MS 5000

/* The system's clock, with a state that several threads use. */

static uint64_t
shared_random(void *state)
{
	return herald_random_bits(atomic_fetch_add_explicit(
		(atomic_uint_fast64_t *)state, HERALD_RANDOM_STEP, memory_order_relaxed));
}

static struct herald__delivery_clock
shared_clock(atomic_uint_fast64_t *random)
{
	uint64_t seed;
	struct herald__delivery_clock clock = herald__system_clock(&seed);

	atomic_init(random, seed);
	clock.random = shared_random;
	clock.state = random;
	return clock;
}

/* Creating. */

static bool
copy_texts(struct herald_consumer *consumer)
{
	struct herald_consumer_options *options = &consumer->settings.options;

	return herald__arena_string(consumer->arena, options->key_attribute,
				    &options->key_attribute) &&
	       herald__arena_string(consumer->arena, options->in_flight_folder,
				    &options->in_flight_folder);
}

static void
free_lanes(struct herald_consumer *consumer, size_t count)
{
	for (size_t i = 0; i < count; i++)
		herald__lane_finish(&consumer->lanes[i]);
	herald_memory_release(&consumer->settings.allocator, consumer->lanes,
			      consumer->lanes_count * sizeof(*consumer->lanes));
}

static bool
create_lanes(struct herald_consumer *consumer)
{
	const unsigned lanes = consumer->settings.options.lanes;

	consumer->lanes_count = lanes > 0 ? lanes : 1;
	consumer->lanes = herald_memory_allocate_zeroed(
		&consumer->settings.allocator, consumer->lanes_count, sizeof(*consumer->lanes));
	if (!consumer->lanes)
		return false;
	for (unsigned i = 0; i < consumer->lanes_count; i++)
		if (!herald__lane_init(&consumer->lanes[i], consumer, i)) {
			free_lanes(consumer, i);
			return false;
		}
	return true;
}

/* NULL: out of memory, or of mutexes. */
static struct herald_consumer *
new_consumer(const struct herald_consumer_options *options,
	     const struct herald__delivery_clock *clock)
{
	const struct herald_allocator allocator = herald_allocator_or_libc(&options->allocator);
	struct herald_consumer *consumer =
		herald_memory_allocate_zeroed(&allocator, 1, sizeof(*consumer));

	if (!consumer)
		return NULL;
	consumer->settings = (struct herald__consumer_settings){
		.options = *options,
		.log = options->log,
		.allocator = allocator,
		.clock = clock ? *clock : shared_clock(&consumer->random),
	};
	consumer->service = options->service;
	consumer->subscriber = options->subscriber;
	consumer->source = options->subscriber->source ? options->subscriber->source
						       : options->subscriber->ops->name;
	consumer->has_store = herald_service_store(options->service);
	if (herald_arena_create(&allocator, SIZE_MAX, &consumer->arena) != HERALD_OK)
		goto free_consumer;
	if (!copy_texts(consumer) || !herald__desk_init(&consumer->desk))
		goto free_arena;
	if (!herald__intake_init(consumer))
		goto free_desk;
	if (create_lanes(consumer))
		return consumer;
	herald__intake_finish(consumer);
free_desk:
	herald__desk_finish(&consumer->desk);
free_arena:
	herald_arena_destroy(consumer->arena);
free_consumer:
	herald_memory_release(&allocator, consumer, sizeof(*consumer));
	return NULL;
}

static void
free_consumer(struct herald_consumer *consumer)
{
	const struct herald_allocator allocator = consumer->settings.allocator;

	herald__ledger_close(&consumer->ledger);
	free_lanes(consumer, consumer->lanes_count);
	herald__intake_finish(consumer);
	herald__desk_finish(&consumer->desk);
	herald_arena_destroy(consumer->arena);
	herald_memory_release(&allocator, consumer, sizeof(*consumer));
}

static bool
claim(struct herald_subscriber *subscriber, const struct herald_consumer *consumer)
{
	const struct herald_consumer *none = NULL;

	return __atomic_compare_exchange_n(&subscriber->consumer, &none, consumer, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static enum herald_status
refuse_taken(struct herald_error *error)
{
	return herald_option_refuse(error, "subscriber",
				    "is another consumer's already, or its member `consumer` was "
				    "not initialised to NULL");
}

/* Without the file a crash costs each message that was in flight an attempt. */
static void
open_ledger(struct herald_consumer *consumer)
{
	const struct herald_consumer_options *options = &consumer->settings.options;
	struct herald_error error;

	if (herald__ledger_open(&consumer->ledger, options->in_flight_folder, consumer->source,
				options->max_in_flight, &consumer->settings.clock,
				&error) == HERALD_OK) {
		consumer->ledger.counts_late = consumer->subscriber->ops->counts_late;
		return;
	}
	const struct herald_log_field fields[] = {
		{"in_flight_folder", options->in_flight_folder, 0},
		{"error", error.message, 0},
	};
	herald_log_write(&consumer->settings.log, HERALD_LOG_WARNING,
			 "no in-flight file: after a crash all events that were in flight lose an "
			 "attempt",
			 fields, 2);
}

static enum herald_status
start(struct herald_consumer *consumer, bool has_threads, struct herald_error *error)
{
	struct herald_error own;

	open_ledger(consumer);
	enum herald_status status = herald__intake_open(consumer, &own);
	if (status != HERALD_OK && status != HERALD_UNAVAILABLE) {
		if (error)
			*error = own;
		return status;
	}
	status = has_threads ? herald__consumer_threads_start(consumer, error) : HERALD_OK;
	if (status != HERALD_OK)
		herald__intake_close(consumer);
	return status;
}

enum herald_status
herald__consumer_create(const struct herald_consumer_options *options,
			const struct herald__delivery_clock *clock, bool has_threads,
			struct herald_consumer **out, struct herald_error *error)
{
	const struct herald_consumer_options none = {0};
	struct herald_consumer_options read;
	struct herald_consumer *consumer = NULL;
	enum herald_status status = herald_options_read(
		options ? options : &none, &read, sizeof(read), "HERALD_CONSUMER_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	struct herald_subscriber *subscriber = read.subscriber;
	if (subscriber && __atomic_load_n(&subscriber->consumer, __ATOMIC_ACQUIRE))
		return refuse_taken(error);
	status = herald__consumer_options_check(&read, error);
	if (status == HERALD_OK && !(consumer = new_consumer(&read, clock)))
		status = herald_out_of_memory(error);
	if (status == HERALD_OK && !claim(subscriber, consumer)) {
		free_consumer(consumer);
		return refuse_taken(error);
	}
	if (status == HERALD_OK)
		status = start(consumer, has_threads, error);
	if (status == HERALD_OK) {
		*out = consumer;
		return HERALD_OK;
	}
	if (consumer)
		free_consumer(consumer);
	if (subscriber)
		subscriber->ops->destroy(subscriber);
	return status;
}

enum herald_status
herald_consumer_create(const struct herald_consumer_options *options, struct herald_consumer **out,
		       struct herald_error *error)
{
	return herald__consumer_create(options, NULL, true, out, error);
}

/* Ending. */

size_t
herald_consumer_stop(struct herald_consumer *consumer, uint32_t drain_ms)
{
	return consumer ? herald__desk_stop(consumer, drain_ms) : 0;
}

void
herald_consumer_destroy(struct herald_consumer *consumer)
{
	if (!consumer)
		return;

	struct herald_subscriber *subscriber = consumer->subscriber;
	if (!consumer->desk.is_stopping)
		(void)herald_consumer_stop(consumer, LAST_DRAIN_MS);
	herald__consumer_threads_join(consumer);
	herald__intake_close(consumer);
	free_consumer(consumer);
	subscriber->ops->destroy(subscriber);
}

void
herald__consumer_abandon(struct herald_consumer *consumer)
{
	free_consumer(consumer);
}

bool
herald_subscriber_is_stopping(const struct herald_subscriber *subscriber)
{
	const struct herald_consumer *consumer =
		__atomic_load_n(&subscriber->consumer, __ATOMIC_ACQUIRE);

	return consumer && atomic_load(&consumer->desk.is_stopping);
}

/* Looking. */

static enum herald_consumer_state
state_of(struct herald_consumer *consumer)
{
	pthread_mutex_lock(&consumer->desk.mutex);
	const enum herald__desk_phase phase = consumer->desk.phase;
	pthread_mutex_unlock(&consumer->desk.mutex);
	if (phase != HERALD__DESK_OPEN)
		return phase == HERALD__DESK_STOPPED ? HERALD_CONSUMER_STOPPED
						     : HERALD_CONSUMER_STOPPING;
	return consumer->intake.is_connected ? HERALD_CONSUMER_RUNNING : HERALD_CONSUMER_CONNECTING;
}

const char *
herald_consumer_state_name(enum herald_consumer_state state)
{
	static const char *const names[] = {"connecting", "running", "stopping", "stopped"};

	return (unsigned)state < HERALD_COUNT(names) ? names[state] : "?";
}

enum herald_status
herald_consumer_health(struct herald_consumer *consumer, struct herald_error *error)
{
	struct herald__intake *intake = &consumer->intake;
	const enum herald_consumer_state state = state_of(consumer);
	struct herald_error last;

	if (state == HERALD_CONSUMER_RUNNING)
		return HERALD_OK;
	if (state != HERALD_CONSUMER_CONNECTING)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"the consumer is %s", herald_consumer_state_name(state));
	pthread_mutex_lock(&intake->mutex);
	last = intake->error;
	pthread_mutex_unlock(&intake->mutex);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"the broker is not connected: %s", last.message);
}

void
herald_consumer_statistics_read(struct herald_consumer *consumer,
				struct herald_consumer_statistics *out)
{
	struct herald__consumer_counts *counts = &consumer->counts;

	*out = (struct herald_consumer_statistics){
		.state = state_of(consumer),
		.received = counts->received,
		.redelivered = counts->redelivered,
		.runs = counts->runs,
		.done = counts->done,
		.retries = counts->retries,
		.dead = counts->dead,
		.released = counts->released,
		.lost = counts->lost,
		.interrupted = counts->interrupted,
		.connections = counts->connections,
		.failures = counts->failures,
		.in_flight = counts->in_flight,
		.parked = counts->parked,
	};
}
