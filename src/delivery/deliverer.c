/*
 * The part of a deliverer that other threads use: creating and destroying it, accepting deliveries,
 * and counting them. It does not use the network; the thread in engine.c does.
 *
 * Every delivery has a place from its reservation to its outcome. There are max_pending places, so
 * the queue always has room for it.
 */
#include "delivery/deliverer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/thread.h>
#include <herald/adapter/transport.h>

#include "base/options.h"
#include "delivery/attempt.h"
#include "delivery/broker_url.h"
#include "delivery/content.h"
#include "delivery/memory_queue.h"
#include "delivery/options.h"
#include "delivery/producer_transport.h"
#include "delivery/request.h"
#include "delivery/trace_headers.h"
#include "producer/named.h"

/* Holds the future item and its place. */
struct herald_reservation {
	struct herald_deliverer *deliverer;
	struct herald__queued *item;
	size_t max_url_bytes;
};

/* A delivery that was checked, with its value encoded. */
struct checked {
	struct herald_delivery delivery;
	struct herald_buffer encoded;
	struct herald__traced_delivery traced;
	struct herald__addressed addressed;
};

/* Creation. */

/* What the options pointed to is no longer needed. */
static void
forget_lists(struct herald_deliverer_options *options)
{
	options->headers = NULL;
	options->destinations = NULL;
	options->duration_bounds_us = NULL;
	options->signers = NULL;
	options->producers = NULL;
	options->networks = NULL;
	options->denied_networks = NULL;
	options->ports = NULL;
}

static enum herald_status
copy_producers(struct herald_deliverer *deliverer)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	const size_t count = options->producers_count;
	const struct herald_named_producer *copies =
		herald__named_producers_copy(deliverer->arena, options->producers, count);

	if (!copies && count > 0)
		return HERALD_NO_MEMORY;
	deliverer->url_rules.producers = copies;
	deliverer->url_rules.producers_count = count;
	deliverer->url_rules.only_producers = !deliverer->transport;
	return HERALD_OK;
}

/* Let a transport hand messages to the producers. */
static enum herald_status
add_producers(struct herald_deliverer *deliverer)
{
	const struct herald__url_rules *rules = &deliverer->url_rules;
	struct herald_transport *transport;

	if (rules->producers_count == 0)
		return HERALD_OK;
	transport = herald__producer_transport_create(&deliverer->allocator, deliverer->transport,
						      rules->producers, rules->producers_count);
	if (!transport)
		return HERALD_NO_MEMORY;
	transport->deliverer = deliverer;
	deliverer->transport = transport;
	return HERALD_OK;
}

/* Copy or prepare what the options point to. */
static enum herald_status
prepare(struct herald_deliverer *deliverer, struct herald_error *error)
{
	struct herald_deliverer_options *options = &deliverer->options;
	enum herald_status status =
		herald_arena_create(&deliverer->allocator, 0, &deliverer->arena);

	deliverer->url_rules = (struct herald__url_rules){
		.max_bytes = options->max_url_bytes,
		.allow_credentials = options->allow_credentials,
		.addresses = &deliverer->address_rules,
	};
	if (status == HERALD_OK)
		status = herald__deliverer_options_rules(options, deliverer->arena,
							 &deliverer->address_rules,
							 &deliverer->url_rules.ports, error);
	if (status == HERALD_OK && options->method == HERALD_DELIVERY_POST)
		status = herald_codec_create(&herald__request_body_schema, NULL,
					     &deliverer->allocator, &deliverer->codec, NULL);
	if (status == HERALD_OK)
		status = copy_producers(deliverer);
	if (status == HERALD_OK)
		status = add_producers(deliverer);
	if (status == HERALD_OK)
		status = herald__destinations_read(options, &deliverer->url_rules, deliverer->arena,
						   &deliverer->destinations, error);
	if (status == HERALD_OK)
		status =
			herald__signers_read(options, deliverer->arena, &deliverer->signers, error);
	if (status == HERALD_OK)
		status = herald__bounds_init(&deliverer->duration_bounds,
					     options->duration_bounds_us,
					     options->duration_bounds_count, error);
	if (status != HERALD_OK)
		return status == HERALD_BAD_OPTION ? status : herald_out_of_memory(error);
	forget_lists(options);
	return HERALD_OK;
}

/* The longest delay, for any reason. */
static uint64_t
longest_delay_ms(const struct herald_deliverer_options *options)
{
	uint64_t longest = HERALD__NO_MEMORY_DELAY_MS;

	if (options->max_delay_ms > longest)
		longest = options->max_delay_ms;
	return options->max_retry_after_ms > longest ? options->max_retry_after_ms : longest;
}

static enum herald_status
open_transport(struct herald_deliverer *deliverer, struct herald_error *error)
{
	struct herald_transport *transport = deliverer->transport;

	return transport->ops->open(
		transport,
		&(struct herald_transport_settings){
			.max_attempts = deliverer->options.slots,
			.max_attempts_per_origin = deliverer->options.slots_per_host,
			.allow_credentials = deliverer->options.allow_credentials,
		},
		error);
}

/* Use the queue of the options, or create one in memory. */
static enum herald_status
open_queue(struct herald_deliverer *deliverer, struct herald_error *error)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	const struct herald_delivery_queue_settings settings = {
		.max_attempts = options->slots,
		.max_attempts_per_origin = options->slots_per_host,
		.max_claimed = options->max_claimed,
		.max_claimed_bytes = options->max_pending_bytes,
		.max_delay_ms = longest_delay_ms(options),
	};

	if (!deliverer->queue) {
		deliverer->queue =
			herald__memory_queue_create(&deliverer->allocator, options->max_pending);
		if (!deliverer->queue)
			return herald_out_of_memory(error);
		deliverer->queue->deliverer = deliverer;
	}
	if (!deliverer->queue->ops->open)
		return HERALD_OK;
	return deliverer->queue->ops->open(deliverer->queue, &settings, error);
}

static enum herald_status
start_thread(struct herald_deliverer *deliverer, struct herald_error *error)
{
	int failure = herald_thread_create(&deliverer->thread, herald__engine_run, deliverer);

	return failure ? herald_system_error(error, "cannot start a thread", failure) : HERALD_OK;
}

static enum herald_status
start(struct herald_deliverer *deliverer, struct herald_error *error)
{
	enum herald_status status = prepare(deliverer, error);

	if (status == HERALD_OK)
		status = open_transport(deliverer, error);
	if (status == HERALD_OK && herald__engine_init(deliverer) != HERALD_OK)
		status = herald_out_of_memory(error);
	if (status == HERALD_OK)
		status = open_queue(deliverer, error);
	return status == HERALD_OK ? start_thread(deliverer, error) : status;
}

static void
destroy_queue(struct herald_delivery_queue *queue)
{
	if (queue)
		queue->ops->destroy(queue);
}

static void
free_parts(struct herald_deliverer *deliverer)
{
	const struct herald_allocator allocator = deliverer->allocator;

	/* The queue first, because a thread of its own may wake the transport. */
	destroy_queue(deliverer->queue);
	herald__engine_finish(deliverer);
	if (deliverer->transport)
		deliverer->transport->ops->destroy(deliverer->transport);
	herald_codec_destroy(deliverer->codec);
	herald_arena_destroy(deliverer->arena);
	pthread_cond_destroy(&deliverer->pushed);
	pthread_mutex_destroy(&deliverer->mutex);
	herald_memory_release(&allocator, deliverer, sizeof(*deliverer));
}

/* Initialise the parts for which free_parts() is enough. Returns NULL on failure. */
static struct herald_deliverer *
create_empty(const struct herald_deliverer_options *options,
	     const struct herald__delivery_clock *clock)
{
	const struct herald_allocator allocator = herald_allocator_or_libc(&options->allocator);
	struct herald_deliverer *deliverer =
		herald_memory_allocate_zeroed(&allocator, 1, sizeof(*deliverer));

	if (!deliverer)
		return NULL;
	deliverer->options = *options;
	deliverer->allocator = allocator;
	deliverer->clock = clock ? *clock : herald__system_clock(&deliverer->random_state);
	deliverer->id_prefix = deliverer->clock.random(deliverer->clock.state);
	deliverer->may_retry = herald__attempt_may_retry;
	if (options->spans.end)
		herald__trace_source_init(&deliverer->trace_source);
	atomic_init(&deliverer->signals, 0);
	atomic_init(&deliverer->asleep, false);
	if (pthread_cond_init(&deliverer->pushed, NULL) != 0)
		goto free_deliverer;
	if (pthread_mutex_init(&deliverer->mutex, NULL) == 0)
		return deliverer;

	pthread_cond_destroy(&deliverer->pushed);
free_deliverer:
	herald_memory_release(&allocator, deliverer, sizeof(*deliverer));
	return NULL;
}

static enum herald_status
refuse_owned(const char *option, struct herald_error *error)
{
	return herald_option_refuse(error, option,
				    "is another deliverer's already, or its member `deliverer` was "
				    "not initialised to NULL");
}

/* Take transport and queue, or neither of them. */
static enum herald_status
take_parts(struct herald_deliverer *deliverer, struct herald_error *error)
{
	struct herald_transport *transport = deliverer->options.transport;
	struct herald_delivery_queue *queue = deliverer->options.queue;
	const struct herald_deliverer *none = NULL;
	struct herald_deliverer *nobody = NULL;

	if (transport && !__atomic_compare_exchange_n(&transport->deliverer, &none, deliverer,
						      false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return refuse_owned("transport", error);
	if (queue && !__atomic_compare_exchange_n(&queue->deliverer, &nobody, deliverer, false,
						  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		if (transport)
			__atomic_store_n(&transport->deliverer, NULL, __ATOMIC_RELEASE);
		return refuse_owned("queue", error);
	}
	deliverer->transport = transport;
	deliverer->queue = queue;
	return HERALD_OK;
}

void
herald__transport_drop(struct herald_transport *transport)
{
	if (transport && !__atomic_load_n(&transport->deliverer, __ATOMIC_ACQUIRE))
		transport->ops->destroy(transport);
}

static void
drop_queue(struct herald_delivery_queue *queue)
{
	if (queue && !__atomic_load_n(&queue->deliverer, __ATOMIC_ACQUIRE))
		queue->ops->destroy(queue);
}

enum herald_status
herald__deliverer_create(const struct herald_deliverer_options *given,
			 const struct herald__delivery_clock *clock, struct herald_deliverer **out,
			 struct herald_error *error)
{
	struct herald_deliverer_options options;
	struct herald_deliverer *deliverer = NULL;
	enum herald_status status = herald__deliverer_options_resolve(given, &options, error);

	if (status == HERALD_OK) {
		deliverer = create_empty(&options, clock);
		status = deliverer ? take_parts(deliverer, error) : herald_out_of_memory(error);
	}
	if (status == HERALD_OK)
		status = start(deliverer, error);
	if (status == HERALD_OK) {
		*out = deliverer;
		return HERALD_OK;
	}
	bool is_taken = deliverer && deliverer->transport;
	if (deliverer)
		free_parts(deliverer);
	if (!is_taken) {
		drop_queue(options.queue);
		herald__transport_drop(options.transport);
	}
	return status;
}

enum herald_status
herald_deliverer_create(const struct herald_deliverer_options *options,
			struct herald_deliverer **out, struct herald_error *error)
{
	return herald__deliverer_create(options, NULL, out, error);
}

/* Accepting. */

enum herald_status
herald_deliverer_check_url(const struct herald_deliverer *deliverer, const char *url,
			   struct herald_error *error)
{
	if (url && herald__is_broker_url(url))
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"expected an http or https URL");
	return herald__url_check(&deliverer->url_rules, url, NULL, error);
}

static enum herald_status
take_place(struct herald_deliverer *deliverer, size_t content_bytes, struct herald_error *error)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	struct herald__counts *counts = &deliverer->counts;

	pthread_mutex_lock(&deliverer->mutex);
	bool is_stopping = deliverer->is_stopping;
	bool has_place = herald__counts_have_place(counts, options);
	bool has_room = herald__counts_have_room(counts, options, content_bytes);
	if (is_stopping || !has_place || !has_room)
		counts->all.refused++;
	else
		herald__counts_reserve(counts, content_bytes);
	pthread_mutex_unlock(&deliverer->mutex);

	if (is_stopping)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"the deliverer was stopped");
	if (!has_place)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"%zu deliveries are pending, which is the limit",
					options->max_pending);
	if (!has_room)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"no room for %zu more bytes of bodies and headers: "
					"max_pending_bytes is %zu",
					content_bytes, options->max_pending_bytes);
	return HERALD_OK;
}

static void
give_place_back(struct herald_deliverer *deliverer, size_t content_bytes)
{
	pthread_mutex_lock(&deliverer->mutex);
	herald__counts_unreserve(&deliverer->counts, content_bytes);
	bool is_stopping = deliverer->is_stopping;
	/* With the mutex held: after that, the deliverer may be destroyed. */
	if (is_stopping)
		herald__engine_wake(deliverer);
	pthread_mutex_unlock(&deliverer->mutex);
}

/* `content_room` is the value of herald__content_room(). */
static enum herald_status
reserve(struct herald_deliverer *deliverer, size_t max_url_bytes, size_t content_room,
	struct herald_reservation **out, struct herald_error *error)
{
	size_t most = deliverer->options.max_pending_bytes;

	/* There can never be room for it. */
	if (content_room > most)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"body and headers take %zu bytes, more than "
					"max_pending_bytes, %zu",
					content_room, most);

	enum herald_status status = take_place(deliverer, content_room, error);
	if (status != HERALD_OK)
		return status;

	const struct herald_allocator *allocator = &deliverer->allocator;
	struct herald_reservation *reservation =
		herald_memory_allocate(allocator, sizeof(*reservation));
	struct herald__queued *item = herald__queued_create(allocator, max_url_bytes, content_room);
	if (!reservation || !item) {
		herald__queued_destroy(allocator, item);
		herald_memory_release(allocator, reservation, sizeof(*reservation));
		give_place_back(deliverer, content_room);
		return herald_out_of_memory(error);
	}
	*reservation = (struct herald_reservation){deliverer, item, max_url_bytes};
	*out = reservation;
	return HERALD_OK;
}

static enum herald_status
check_url_length(const struct herald_deliverer *deliverer, size_t bytes, struct herald_error *error)
{
	if (bytes <= deliverer->options.max_url_bytes)
		return HERALD_OK;
	return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
				"expected a URL of at most %zu bytes",
				deliverer->options.max_url_bytes);
}

enum herald_status
herald_deliverer_reserve(struct herald_deliverer *deliverer, size_t max_url_bytes,
			 size_t max_content_bytes, struct herald_reservation **out,
			 struct herald_error *error)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	size_t most = options->max_body_bytes + options->max_headers_bytes +
		      HERALD__MAX_CONTENT_TYPE_BYTES + HERALD_DELIVERY_TRACE_BYTES;
	enum herald_status status = check_url_length(deliverer, max_url_bytes, error);

	if (status != HERALD_OK)
		return status;
	if (max_content_bytes > most)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"expected a body and headers of at most %zu bytes", most);
	return reserve(deliverer, max_url_bytes, herald__content_room(max_content_bytes), out,
		       error);
}

struct herald__content_limits
herald__deliverer_content_limits(const struct herald_deliverer *deliverer)
{
	return (struct herald__content_limits){
		.max_body_bytes = deliverer->options.max_body_bytes,
		.max_headers_bytes = deliverer->options.max_headers_bytes,
	};
}

/* Check the content of a delivery. `checked` must be finished in any case. */
static enum herald_status
check(const struct herald_deliverer *deliverer, const struct herald_delivery *delivery,
      struct checked *checked, struct herald_error *error)
{
	const struct herald__content_limits limits = herald__deliverer_content_limits(deliverer);

	herald_buffer_init(&checked->encoded, &deliverer->allocator, 0);
	enum herald_status status = herald__broker_address(delivery, &checked->addressed, error);
	if (status == HERALD_OK)
		status = herald__content_read(
			&limits,
			herald__trace_headers_add(&checked->addressed.delivery, &checked->traced),
			&checked->encoded, &checked->delivery, error);
	return status == HERALD_OK ? herald__signers_check(&deliverer->signers, delivery, error)
				   : status;
}

static void
finish_checked(struct checked *checked)
{
	herald_buffer_finish(&checked->encoded);
}

/* Give the error the same message as when a URL is checked alone. */
static enum herald_status
wrong_url(enum herald_status status, struct herald_error *error)
{
	if (error && status != HERALD_NO_MEMORY)
		snprintf(error->path, sizeof(error->path), "url");
	return status;
}

void
herald__deliverer_give_id(struct herald_deliverer *deliverer, struct herald__queued *item)
{
	if (item->id[0] == '\0')
		snprintf(item->id, sizeof(item->id), "%016" PRIx64 "%016" PRIxFAST64,
			 deliverer->id_prefix, atomic_fetch_add(&deliverer->last_id, 1) + 1);
}

/* Set the times for a delivery that is accepted now. */
static void
set_times(const struct herald_deliverer *deliverer, struct herald__queued *item)
{
	const struct herald__delivery_clock *clock = &deliverer->clock;
	uint32_t deadline_ms = deliverer->options.deadline_ms;

	item->since_ms = herald__clock_now_ms(clock);
	item->retry_until_ms = item->since_ms + deadline_ms;
	item->give_up_ms = item->retry_until_ms;
	item->record.created_ms = herald__clock_wall_ms(clock);
	item->record.due_ms = item->record.created_ms;
	item->record.expires_ms = item->record.created_ms + deadline_ms;
}

static size_t
url_bytes(const struct herald_delivery *delivery)
{
	return delivery->url ? strlen(delivery->url) : 0;
}

/* Fill the item of a reservation with the delivery. */
static enum herald_status
fill(struct herald_reservation *reservation, const struct herald_delivery *delivery,
     struct herald_error *error)
{
	struct herald_deliverer *deliverer = reservation->deliverer;
	struct herald__queued *item = reservation->item;
	size_t content_bytes = herald__content_bytes(delivery);
	enum herald_status status =
		herald__url_check(&deliverer->url_rules, delivery->url, item->origin, error);

	if (status != HERALD_OK)
		return wrong_url(status, error);
	if (url_bytes(delivery) > reservation->max_url_bytes) {
		status = herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					  "room was reserved for a URL of %zu bytes",
					  reservation->max_url_bytes);
		return wrong_url(status, error);
	}
	if (content_bytes > item->content_room)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"body and headers are %zu bytes larger than the room "
					"reserved for them (max_content_bytes)",
					content_bytes - item->content_room);
	herald__queued_fill(item, delivery);
	herald__deliverer_give_id(deliverer, item);
	set_times(deliverer, item);
	return HERALD_OK;
}

/* Whether a delivery may be pushed. If so, a stop waits until end_push(). */
static bool
begin_push(struct herald_deliverer *deliverer, const struct herald__queued *item)
{
	pthread_mutex_lock(&deliverer->mutex);
	bool is_closed = deliverer->is_closed;
	herald__counts_push_begin(&deliverer->counts);
	if (is_closed)
		herald__counts_push_end(&deliverer->counts, false, item->content_room);
	pthread_mutex_unlock(&deliverer->mutex);
	return !is_closed;
}

static void
end_push(struct herald_deliverer *deliverer, bool is_accepted, size_t content_room)
{
	pthread_mutex_lock(&deliverer->mutex);
	herald__counts_push_end(&deliverer->counts, is_accepted, content_room);
	if (deliverer->is_closed && deliverer->counts.pushing == 0)
		pthread_cond_signal(&deliverer->pushed);
	/* With the mutex held: after that, the deliverer may be destroyed. */
	herald__engine_wake(deliverer);
	pthread_mutex_unlock(&deliverer->mutex);
}

/* Without the mutex, because a store may need long, and can combine pushes of several threads into
 * one write. */
static enum herald_status
push(struct herald_deliverer *deliverer, struct herald__queued *item, struct herald_error *error)
{
	struct herald_delivery_queue *queue = deliverer->queue;
	size_t content_room = item->content_room;

	if (!begin_push(deliverer, item))
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"the deliverer was stopped");
	item->is_counted = true;
	enum herald_status status = queue->ops->push(queue, &item->record);
	const char *name = queue->ops->name;
	end_push(deliverer, status == HERALD_OK, content_room);
	if (status == HERALD_OK)
		return HERALD_OK;
	return herald_error_set(error, status, HERALD_NO_OFFSET, "the queue (%s) refused it: %s",
				name, herald_status_text(status));
}

/* Submit a checked delivery. Ends the reservation in any case. */
static enum herald_status
submit(struct herald_reservation *reservation, const struct herald_delivery *delivery,
       struct herald_error *error)
{
	struct herald_deliverer *deliverer = reservation->deliverer;
	enum herald_status status = fill(reservation, delivery, error);

	if (status != HERALD_OK) {
		herald_reservation_release(reservation);
		return status;
	}
	const struct herald_allocator allocator = deliverer->allocator;
	struct herald__queued *item = reservation->item;
	herald_memory_release(&allocator, reservation, sizeof(*reservation));
	status = push(deliverer, item, error);
	if (status != HERALD_OK)
		herald__queued_destroy(&allocator, item);
	return status;
}

enum herald_status
herald_reservation_submit(struct herald_reservation *reservation,
			  const struct herald_delivery *delivery, struct herald_error *error)
{
	struct checked checked;
	enum herald_status status = check(reservation->deliverer, delivery, &checked, error);

	if (status == HERALD_OK)
		status = submit(reservation, &checked.delivery, error);
	else
		herald_reservation_release(reservation);
	finish_checked(&checked);
	return status;
}

void
herald_reservation_release(struct herald_reservation *reservation)
{
	if (!reservation)
		return;

	struct herald_deliverer *deliverer = reservation->deliverer;
	size_t content_room = reservation->item->content_room;
	herald__queued_destroy(&deliverer->allocator, reservation->item);
	herald_memory_release(&deliverer->allocator, reservation, sizeof(*reservation));
	give_place_back(deliverer, content_room);
}

enum herald_status
herald_deliverer_submit(struct herald_deliverer *deliverer, const struct herald_delivery *delivery,
			struct herald_error *error)
{
	struct herald_reservation *reservation = NULL;
	struct checked checked;
	enum herald_status status = check(deliverer, delivery, &checked, error);
	const size_t bytes = status == HERALD_OK ? url_bytes(&checked.delivery) : 0;

	if (status == HERALD_OK && check_url_length(deliverer, bytes, error) != HERALD_OK)
		status = wrong_url(HERALD_BAD_LENGTH, error);
	if (status == HERALD_OK)
		status = reserve(deliverer, bytes, herald__content_bytes(&checked.delivery),
				 &reservation, error);
	if (status == HERALD_OK && reservation)
		status = submit(reservation, &checked.delivery, error);
	finish_checked(&checked);
	return status;
}

/* Reading the counts, and destroying. */

void
herald_deliverer_statistics(struct herald_deliverer *deliverer,
			    struct herald_delivery_statistics *out)
{
	pthread_mutex_lock(&deliverer->mutex);
	*out = deliverer->counts.all;
	pthread_mutex_unlock(&deliverer->mutex);
}

const char *
herald_transport_address_problem(const struct herald_transport *transport,
				 const struct sockaddr *address, socklen_t address_bytes)
{
	const struct herald_deliverer *deliverer = transport->deliverer;

	if (!herald__address_is_allowed(&deliverer->address_rules, address, address_bytes))
		return "the host's address is not allowed";
	if (!herald__port_is_allowed(&deliverer->url_rules.ports, herald__address_port(address)))
		return "the port of the connection is not allowed";
	return NULL;
}

size_t
herald_deliverer_stop(struct herald_deliverer *deliverer, uint32_t drain_ms)
{
	if (!deliverer)
		return 0;
	if (!deliverer->is_joined) {
		assert(!pthread_equal(deliverer->thread, pthread_self()));
		pthread_mutex_lock(&deliverer->mutex);
		deliverer->is_stopping = true;
		deliverer->drain_until_ms = herald__clock_now_ms(&deliverer->clock) + drain_ms;
		pthread_mutex_unlock(&deliverer->mutex);
		herald__engine_wake(deliverer);
		pthread_join(deliverer->thread, NULL);
		deliverer->is_joined = true;
	}

	struct herald_delivery_statistics counts;
	herald_deliverer_statistics(deliverer, &counts);
	return counts.left;
}

void
herald_deliverer_destroy(struct herald_deliverer *deliverer)
{
	if (!deliverer)
		return;
	herald_deliverer_stop(deliverer, 0);
	free_parts(deliverer);
}
