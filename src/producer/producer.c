/*
 * The interface of producers: creation, submissions from any thread, and the end. The work of the
 * thread is in turn.c.
 */
#include "producer/producer.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>
#include <herald/array.h>

#include "base/reconnect.h"
#include "base/waiter.h"
#include "producer/state.h"
#include "producer/turn.h"

/* Creation. */

static enum herald_status
read_options(const struct herald_producer_options *given, struct herald_producer_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(given, out, sizeof(*out), "HERALD_PRODUCER_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	out->max_pending = out->max_pending ? out->max_pending : 10000;
	out->max_pending_bytes = out->max_pending_bytes ? out->max_pending_bytes : (size_t)64 << 20;
	out->timeout_ms = out->timeout_ms ? out->timeout_ms : 30000;
	if (out->max_reconnect_delay_ms == 0)
		out->max_reconnect_delay_ms = HERALD__RECONNECT_DEFAULT_MS;

	const struct herald_option_range ranges[] = {
		{"max_pending", out->max_pending, 1, 1000000},
		{"max_pending_bytes", out->max_pending_bytes, 1, INT64_MAX},
		{"timeout_ms", out->timeout_ms, 1, 3600000},
		{"max_reconnect_delay_ms", out->max_reconnect_delay_ms, 1,
		 HERALD__RECONNECT_LIMIT_MS},
	};
	if (!out->publisher)
		return herald_option_refuse(error, "publisher",
					    "is NULL; the adapter of a broker makes one, such as "
					    "herald_redis_publisher_create()");
	status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK)
		status = herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
	out->allocator = herald_allocator_or_libc(&out->allocator);
	return status;
}

/* Take the publisher, unless it belongs to another producer. */
static bool
take_publisher(struct herald_producer *producer, struct herald_publisher *publisher)
{
	const struct herald_producer *none = NULL;

	return __atomic_compare_exchange_n(&publisher->producer, &none, producer, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void
drop_publisher(struct herald_publisher *publisher)
{
	if (publisher && !__atomic_load_n(&publisher->producer, __ATOMIC_ACQUIRE))
		publisher->ops->destroy(publisher);
}

static bool
init_synchronisation(struct herald_producer *producer)
{
	pthread_mutex_init(&producer->mutex, NULL);
	if (herald_condition_init(&producer->ended) != 0)
		return false;
	if (herald_condition_init(&producer->wanted) == 0)
		return true;
	pthread_cond_destroy(&producer->ended);
	return false;
}

static void
free_producer(struct herald_producer *producer)
{
	const struct herald_allocator allocator = producer->options.allocator;

	pthread_cond_destroy(&producer->wanted);
	pthread_cond_destroy(&producer->ended);
	pthread_mutex_destroy(&producer->mutex);
	herald_memory_release(&allocator, producer, sizeof(*producer));
}

static enum herald_status
create(const struct herald_producer_options *options, const struct herald__delivery_clock *clock,
       struct herald_producer **out, struct herald_error *error)
{
	struct herald_producer *producer =
		herald_memory_allocate_zeroed(&options->allocator, 1, sizeof(*producer));

	if (!producer)
		return herald_out_of_memory(error);
	producer->options = *options;
	producer->clock = clock ? *clock : herald__system_clock(&producer->random_state);
	producer->id_prefix = producer->clock.random(producer->clock.state);
	if (!init_synchronisation(producer)) {
		pthread_mutex_destroy(&producer->mutex);
		herald_memory_release(&options->allocator, producer, sizeof(*producer));
		return herald_out_of_memory(error);
	}
	if (!take_publisher(producer, options->publisher)) {
		free_producer(producer);
		return herald_option_refuse(error, "publisher", "belongs to another producer");
	}
	producer->publisher = options->publisher;
	*out = producer;
	return HERALD_OK;
}

enum herald_status
herald__producer_create(const struct herald_producer_options *options,
			const struct herald__delivery_clock *clock, struct herald_producer **out,
			struct herald_error *error)
{
	struct herald_producer_options own = {0};
	struct herald_producer *producer = NULL;
	enum herald_status status = read_options(options, &own, error);

	if (status == HERALD_OK)
		status = create(&own, clock, &producer, error);
	if (!producer) {
		drop_publisher(own.publisher);
		return status;
	}
	status = herald__producer_connect(producer, error);
	if (status != HERALD_OK && status != HERALD_UNAVAILABLE) {
		herald_producer_destroy(producer);
		return status;
	}
	*out = producer;
	return HERALD_OK;
}

/* Waits for a message, while it is not connected. */
static void
wait_for_message(struct herald_producer *producer, uint64_t wait_ms)
{
	const struct timespec until = herald_deadline_after((uint32_t)wait_ms);

	pthread_mutex_lock(&producer->mutex);
	producer->is_waiting = true;
	while (!producer->submitted.first && !producer->must_end &&
	       pthread_cond_timedwait(&producer->wanted, &producer->mutex, &until) == 0)
		;
	producer->is_waiting = false;
	pthread_mutex_unlock(&producer->mutex);
}

bool
herald_publisher_is_stopping(const struct herald_publisher *publisher)
{
	const struct herald_producer *producer =
		__atomic_load_n(&publisher->producer, __ATOMIC_ACQUIRE);

	return producer && atomic_load(&producer->must_end);
}

static void *
run(void *state)
{
	struct herald_producer *producer = state;

	while (!atomic_load(&producer->must_end)) {
		const uint64_t wait_ms = herald__producer_turn(producer);

		if (wait_ms > 0)
			wait_for_message(producer, wait_ms);
	}
	return NULL;
}

enum herald_status
herald_producer_create(const struct herald_producer_options *options, struct herald_producer **out,
		       struct herald_error *error)
{
	struct herald_producer *producer = NULL;
	const enum herald_status status = herald__producer_create(options, NULL, &producer, error);

	if (!producer)
		return status;
	const int number = herald_thread_create(&producer->thread, run, producer);
	if (number != 0) {
		herald_producer_destroy(producer);
		return herald_system_error(error, "pthread_create", number);
	}
	producer->has_thread = true;
	*out = producer;
	return HERALD_OK;
}

/* Submissions. */

static void
give_id(struct herald_producer *producer, struct herald__pending *pending)
{
	if (pending->id[0] == '\0')
		snprintf(pending->id, sizeof(pending->id), "%016llx%016llx",
			 (unsigned long long)producer->id_prefix,
			 (unsigned long long)++producer->last_id);
}

static void
add(struct herald_producer *producer, struct herald__pending *pending)
{
	struct herald_producer_statistics *counts = &producer->counts;

	pending->older = producer->newest;
	*(producer->newest ? &producer->newest->newer : &producer->oldest) = pending;
	producer->newest = pending;
	herald_outgoing_list_add(&producer->submitted, &pending->base);
	pending->number = ++counts->submitted;
	counts->pending++;
	counts->pending_bytes += pending->bytes;
	if (producer->is_waiting)
		pthread_cond_signal(&producer->wanted);
}

static enum herald_status
check_room(const struct herald_producer *producer, const struct herald__pending *pending,
	   struct herald_error *error)
{
	const struct herald_producer_statistics *counts = &producer->counts;
	const struct herald_producer_options *options = &producer->options;

	if (producer->is_stopping)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"the producer was stopped");
	if (counts->pending >= options->max_pending)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"%zu messages are pending, which is the limit",
					options->max_pending);
	if (pending->bytes > options->max_pending_bytes - counts->pending_bytes)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"no room for %zu more bytes: max_pending_bytes is %zu",
					pending->bytes, options->max_pending_bytes);
	return HERALD_OK;
}

enum herald_status
herald__producer_prepare(const struct herald_producer *producer,
			 const struct herald_allocator *allocator,
			 const struct herald_publication *publication,
			 struct herald_text attributes, struct herald__pending **out,
			 struct herald_error *error)
{
	return herald__pending_create(allocator, publication, attributes,
				      producer->options.max_pending_bytes, out, error);
}

enum herald_status
herald__producer_check_event(const struct herald_producer *producer, size_t messages, size_t bytes,
			     struct herald_error *error)
{
	const struct herald_producer_options *options = &producer->options;

	if (messages > options->max_pending)
		return herald_error_set(
			error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
			"more than %zu messages are published with one event to one "
			"producer (its max_pending)",
			options->max_pending);
	if (bytes > options->max_pending_bytes)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"more than %zu bytes are published with one event to one "
					"producer (its max_pending_bytes)",
					options->max_pending_bytes);
	return HERALD_OK;
}

enum herald_status
herald__producer_submit(struct herald_producer *producer,
			const struct herald_publication *publication, struct herald_text attributes,
			herald_published_hook *hook, void *state, struct herald_error *error)
{
	const struct herald_allocator *allocator = &producer->options.allocator;
	struct herald__pending *pending = NULL;
	enum herald_status status = herald__producer_prepare(producer, allocator, publication,
							     attributes, &pending, error);

	if (status != HERALD_OK)
		return status;
	pending->hook = hook;
	pending->state = state;
	pending->deadline_ms =
		herald__clock_now_ms(&producer->clock) + producer->options.timeout_ms;
	pthread_mutex_lock(&producer->mutex);
	status = check_room(producer, pending, error);
	if (status == HERALD_OK) {
		give_id(producer, pending);
		add(producer, pending);
	}
	pthread_mutex_unlock(&producer->mutex);
	if (status != HERALD_OK)
		herald__pending_destroy(allocator, pending);
	else if (atomic_exchange(&producer->is_running, false))
		producer->publisher->ops->wake(producer->publisher);
	return status;
}

enum herald_status
herald_producer_submit(struct herald_producer *producer,
		       const struct herald_publication *publication, herald_published_hook *hook,
		       void *state, struct herald_error *error)
{
	return herald__producer_submit(producer, publication, (struct herald_text){0}, hook, state,
				       error);
}

struct confirmation {
	struct herald__waiter waiter;
	enum herald_status status;
	char reason[256];
};

static void
confirm(enum herald_status status, const char *reason, void *state)
{
	struct confirmation *confirmation = state;

	confirmation->status = status;
	snprintf(confirmation->reason, sizeof(confirmation->reason), "%s", reason);
	herald__waiter_wake(&confirmation->waiter);
}

enum herald_status
herald_producer_publish(struct herald_producer *producer,
			const struct herald_publication *publication, struct herald_error *error)
{
	struct confirmation confirmation = {.status = HERALD_OK};
	enum herald_status status;

	herald__waiter_init(&confirmation.waiter);
	status = herald_producer_submit(producer, publication, confirm, &confirmation, error);
	if (status == HERALD_OK) {
		herald__waiter_wait(&confirmation.waiter);
		status = confirmation.status;
		if (status != HERALD_OK)
			herald_error_set(error, status, HERALD_NO_OFFSET, "%s",
					 confirmation.reason);
	}
	herald__waiter_finish(&confirmation.waiter);
	return status;
}

/* The end. */

/* The number of messages up to the one with this number that have not ended. With the mutex. */
static size_t
count_until(const struct herald_producer *producer, uint64_t number)
{
	size_t count = 0;

	for (const struct herald__pending *pending = producer->oldest;
	     pending && pending->number <= number; pending = pending->newer)
		count++;
	return count;
}

/* With the mutex. */
static size_t
wait_for_ends(struct herald_producer *producer, uint64_t number, uint32_t timeout_ms)
{
	const struct timespec until = herald_deadline_after(timeout_ms);

	while (producer->oldest && producer->oldest->number <= number &&
	       pthread_cond_timedwait(&producer->ended, &producer->mutex, &until) == 0)
		;
	return count_until(producer, number);
}

size_t
herald_producer_flush(struct herald_producer *producer, uint32_t timeout_ms)
{
	pthread_mutex_lock(&producer->mutex);
	const size_t left = wait_for_ends(producer, producer->counts.submitted, timeout_ms);
	pthread_mutex_unlock(&producer->mutex);
	return left;
}

size_t
herald_producer_stop(struct herald_producer *producer, uint32_t drain_ms)
{
	if (!producer)
		return 0;
	pthread_mutex_lock(&producer->mutex);
	producer->is_stopping = true;
	pthread_mutex_unlock(&producer->mutex);
	return herald_producer_flush(producer, drain_ms);
}

static void
end_thread(struct herald_producer *producer)
{
	pthread_mutex_lock(&producer->mutex);
	atomic_store(&producer->must_end, true);
	pthread_cond_signal(&producer->wanted);
	pthread_mutex_unlock(&producer->mutex);
	producer->publisher->ops->wake(producer->publisher);
	pthread_join(producer->thread, NULL);
}

void
herald_producer_destroy(struct herald_producer *producer)
{
	if (!producer)
		return;
	herald_producer_stop(producer, 0);
	if (producer->has_thread)
		end_thread(producer);
	herald__producer_end(producer);
	producer->publisher->ops->destroy(producer->publisher);
	free_producer(producer);
}

/* Observation. */

enum herald_status
herald_producer_health(struct herald_producer *producer, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	pthread_mutex_lock(&producer->mutex);
	if (!producer->is_connected) {
		status = HERALD_UNAVAILABLE;
		if (error)
			*error = producer->error;
	}
	pthread_mutex_unlock(&producer->mutex);
	if (status != HERALD_OK && error)
		error->status = status;
	return status;
}

void
herald_producer_statistics_read(struct herald_producer *producer,
				struct herald_producer_statistics *out)
{
	pthread_mutex_lock(&producer->mutex);
	*out = producer->counts;
	pthread_mutex_unlock(&producer->mutex);
}
