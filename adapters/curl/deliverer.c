/*
 * The half of a deliverer that other threads see: its life, accepting deliveries, counting them. It
 * never touches the network; the thread that does is engine.c's.
 *
 * Every delivery has a place, from its reservation to its outcome; there are max_pending of them. So
 * whatever happens to it in between, the queue has room for it.
 */
#include "deliverer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "content.h"
#include "memory.h"
#include "options.h"
#include "thread.h"

/* Holds the item to be, and the place for it. */
struct herald_reservation {
	struct herald_deliverer *deliverer;
	struct herald__queued *item;
	size_t max_url_bytes;
};

/* A delivery that has been checked, with its value encoded. */
struct checked {
	struct herald_delivery delivery;
	struct herald_buffer encoded;
};

const char *
herald_delivery_outcome_name(enum herald_delivery_outcome outcome)
{
	switch (outcome) {
	case HERALD_DELIVERY_AGAIN:
		return "again";
	case HERALD_DELIVERY_DELIVERED:
		return "delivered";
	case HERALD_DELIVERY_FAILED:
		return "failed";
	case HERALD_DELIVERY_LEFT:
		return "left";
	}
	return "?";
}

/* Creation. */

static enum herald_status
out_of_memory(struct herald_error *error)
{
	return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
}

static enum herald_status
system_error(struct herald_error *error, const char *what, int number)
{
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "%s: %s", what,
				herald_errno_text(number));
}

/* What the options point to is copied, or prepared, and not used any more afterwards. */
static enum herald_status
prepare(struct herald_deliverer *deliverer, struct herald_error *error)
{
	struct herald_deliverer_options *options = &deliverer->options;
	struct herald__transfer_settings *settings = &deliverer->settings;
	enum herald_status status =
		herald_arena_create(&deliverer->allocator, 0, &deliverer->arena);

	*settings = (struct herald__transfer_settings){
		.options = options,
		.poller = &deliverer->poller,
		.allocator = deliverer->allocator,
	};
	deliverer->url_rules = (struct herald__url_rules){
		.max_bytes = options->max_url_bytes,
		.allow_credentials = options->allow_credentials,
		.addresses = &settings->rules,
	};
	if (status == HERALD_OK)
		status =
			herald__deliverer_options_rules(options, deliverer->arena, &settings->rules,
							&deliverer->url_rules.ports, error);
	if (status == HERALD_BAD_OPTION)
		return status;
	if (status == HERALD_OK && options->method == HERALD_DELIVERY_POST)
		status = herald_codec_create(&herald__request_body_schema, NULL,
					     &deliverer->allocator, &settings->codec, NULL);
	if (status == HERALD_OK)
		status = herald__destinations_read(options, &deliverer->url_rules, deliverer->arena,
						   &settings->destinations, error);
	if (status != HERALD_OK)
		return status == HERALD_BAD_OPTION ? status : out_of_memory(error);
	options->headers = NULL;
	options->destinations = NULL;
	options->networks = NULL;
	options->denied_networks = NULL;
	options->ports = NULL;
	return HERALD_OK;
}

static enum herald_status
start_thread(struct herald_deliverer *deliverer, struct herald_error *error)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = herald__thread_create(&deliverer->thread, herald__engine_run, deliverer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failure ? system_error(error, "cannot start a thread", failure) : HERALD_OK;
}

/* All but the queue, which is not the deliverer's yet. */
static enum herald_status
open_parts(struct herald_deliverer *deliverer, struct herald_error *error)
{
	enum herald_status status = prepare(deliverer, error);

	if (status != HERALD_OK)
		return status;
	if (!herald__poller_init(&deliverer->poller, &deliverer->allocator,
				 deliverer->options.slots))
		return errno == ENOMEM ? out_of_memory(error)
				       : system_error(error, "cannot wait for sockets", errno);
	status = herald__engine_init(deliverer);
	if (status == HERALD_BAD_OPTION)
		return herald_error_set(error, status, HERALD_NO_OFFSET, "setup returned false");
	return status == HERALD_OK ? status : out_of_memory(error);
}

static void
free_parts(struct herald_deliverer *deliverer)
{
	const struct herald_allocator allocator = deliverer->allocator;

	herald__engine_finish(deliverer);
	herald__poller_finish(&deliverer->poller);
	herald_codec_destroy(deliverer->settings.codec);
	herald_arena_destroy(deliverer->arena);
	pthread_mutex_destroy(&deliverer->mutex);
	curl_global_cleanup();
	herald__release(&allocator, deliverer, sizeof(*deliverer));
}

/* The parts that need no undoing beyond free_parts(). NULL: an error. */
static struct herald_deliverer *
create_empty(const struct herald_deliverer_options *options,
	     const struct herald__delivery_clock *clock)
{
	const struct herald_allocator allocator = herald__allocator_or_libc(&options->allocator);
	struct herald_deliverer *deliverer =
		herald__allocate_zeroed(&allocator, 1, sizeof(*deliverer));

	if (!deliverer)
		return NULL;
	deliverer->options = *options;
	deliverer->allocator = allocator;
	deliverer->poller.epoll_fd = -1;
	deliverer->poller.wake_fd = -1;
	deliverer->poller.allocator = allocator;
	deliverer->clock = clock ? *clock : herald__system_clock(&deliverer->random_state);
	deliverer->id_prefix = deliverer->clock.random(deliverer->clock.state);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		goto free_deliverer;
	if (pthread_mutex_init(&deliverer->mutex, NULL) != 0)
		goto cleanup_curl;
	return deliverer;

cleanup_curl:
	curl_global_cleanup();
free_deliverer:
	herald__release(&allocator, deliverer, sizeof(*deliverer));
	return NULL;
}

enum herald_status
herald__deliverer_create(const struct herald_deliverer_options *given,
			 const struct herald__delivery_clock *clock, struct herald__queue *queue,
			 struct herald_deliverer **out, struct herald_error *error)
{
	struct herald_deliverer_options options;
	enum herald_status status = herald__deliverer_options_resolve(given, &options, error);

	if (status != HERALD_OK)
		return status;

	struct herald_deliverer *deliverer = create_empty(&options, clock);
	if (!deliverer)
		return out_of_memory(error);
	status = open_parts(deliverer, error);
	if (status == HERALD_OK) {
		deliverer->queue = queue ? queue
					 : herald__memory_queue_create(&deliverer->allocator,
								       options.max_pending);
		status = deliverer->queue ? start_thread(deliverer, error) : out_of_memory(error);
	}
	if (status == HERALD_OK) {
		*out = deliverer;
		return HERALD_OK;
	}
	if (deliverer->queue && deliverer->queue != queue)
		deliverer->queue->ops->destroy(deliverer->queue);
	free_parts(deliverer);
	return status;
}

enum herald_status
herald_deliverer_create(const struct herald_deliverer_options *options,
			struct herald_deliverer **out, struct herald_error *error)
{
	return herald__deliverer_create(options, NULL, NULL, out, error);
}

/* Accepting. */

enum herald_status
herald_deliverer_check_url(const struct herald_deliverer *deliverer, const char *url,
			   struct herald_error *error)
{
	return herald__url_check(&deliverer->url_rules, url, NULL, NULL, error);
}

static enum herald_status
take_place(struct herald_deliverer *deliverer, size_t content_bytes, struct herald_error *error)
{
	const struct herald_deliverer_options *options = &deliverer->options;
	struct herald_delivery_statistics *counts = &deliverer->counts;

	pthread_mutex_lock(&deliverer->mutex);
	bool is_stopping = deliverer->is_stopping;
	bool has_place = counts->pending + counts->reserved < options->max_pending;
	bool has_room = content_bytes <= options->max_pending_bytes - counts->content_bytes;
	if (is_stopping || !has_place || !has_room) {
		counts->refused++;
	} else {
		counts->reserved++;
		counts->content_bytes += content_bytes;
	}
	pthread_mutex_unlock(&deliverer->mutex);

	if (is_stopping)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"the deliverer was stopped");
	if (!has_place)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"%zu deliveries are pending already, which is the limit",
					options->max_pending);
	if (!has_room)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"%zu more bytes of bodies and headers are not within "
					"max_pending_bytes, %zu",
					content_bytes, options->max_pending_bytes);
	return HERALD_OK;
}

static void
give_place_back(struct herald_deliverer *deliverer, size_t content_bytes)
{
	pthread_mutex_lock(&deliverer->mutex);
	deliverer->counts.reserved--;
	deliverer->counts.content_bytes -= content_bytes;
	bool is_stopping = deliverer->is_stopping;
	/* Under the mutex: after it the deliverer may be gone. */
	if (is_stopping)
		herald__poller_wake(&deliverer->poller);
	pthread_mutex_unlock(&deliverer->mutex);
}

/* `content_room` as of content.h. */
static enum herald_status
reserve(struct herald_deliverer *deliverer, size_t max_url_bytes, size_t content_room,
	struct herald_reservation **out, struct herald_error *error)
{
	size_t most = deliverer->options.max_pending_bytes;

	/* There will never be room for it. */
	if (content_room > most)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"body and headers take %zu bytes, more than "
					"max_pending_bytes, %zu",
					content_room, most);

	enum herald_status status = take_place(deliverer, content_room, error);
	if (status != HERALD_OK)
		return status;

	const struct herald_allocator *allocator = &deliverer->allocator;
	struct herald_reservation *reservation = herald__allocate(allocator, sizeof(*reservation));
	struct herald__queued *item = herald__queued_create(allocator, max_url_bytes, content_room);
	if (!reservation || !item) {
		herald__queued_destroy(allocator, item);
		herald__release(allocator, reservation, sizeof(*reservation));
		give_place_back(deliverer, content_room);
		return out_of_memory(error);
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
	size_t most =
		options->max_body_bytes + options->max_headers_bytes + HERALD__CONTENT_TYPE_BYTES;
	enum herald_status status = check_url_length(deliverer, max_url_bytes, error);

	if (status != HERALD_OK)
		return status;
	if (max_content_bytes > most)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"expected a body and headers of at most %zu bytes", most);
	return reserve(deliverer, max_url_bytes, herald__content_room(max_content_bytes), out,
		       error);
}

/* Check a delivery's content; `checked` is to be finished in any case. */
static enum herald_status
check(const struct herald_deliverer *deliverer, const struct herald_delivery *delivery,
      struct checked *checked, struct herald_error *error)
{
	herald_buffer_init(&checked->encoded, &deliverer->allocator, 0);
	return herald__content_read(&deliverer->options, delivery, &checked->encoded,
				    &checked->delivery, error);
}

static void
finish_checked(struct checked *checked)
{
	herald_buffer_finish(&checked->encoded);
}

/* Its messages are the same where a URL is checked alone. */
static enum herald_status
wrong_url(enum herald_status status, struct herald_error *error)
{
	if (error && status != HERALD_NO_MEMORY)
		snprintf(error->path, sizeof(error->path), "url");
	return status;
}

/* Fill the item of a reservation. */
static enum herald_status
fill(struct herald_reservation *reservation, const struct herald_delivery *delivery,
     struct herald_error *error)
{
	struct herald_deliverer *deliverer = reservation->deliverer;
	struct herald__queued *item = reservation->item;
	size_t content_bytes = herald__content_bytes(delivery);
	enum herald_status status = herald__url_check(&deliverer->url_rules, delivery->url,
						      item->host, &item->parsed_url, error);

	if (status != HERALD_OK)
		return wrong_url(status, error);
	if (strlen(delivery->url) > reservation->max_url_bytes) {
		status = herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					  "room was reserved for a URL of %zu bytes",
					  reservation->max_url_bytes);
		return wrong_url(status, error);
	}
	if (content_bytes > item->content_room)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"body and headers do not fit into the room reserved "
					"(max_content_bytes), which lacks %zu bytes",
					content_bytes - item->content_room);
	herald__queued_fill(item, delivery);
	if (item->id[0] == '\0')
		snprintf(item->id, sizeof(item->id), "%016" PRIx64 "%016" PRIxFAST64,
			 deliverer->id_prefix, atomic_fetch_add(&deliverer->last_id, 1) + 1);
	item->accepted_ms = deliverer->clock.now_ms(deliverer->clock.state);
	item->timer.due_ms = item->accepted_ms;
	return HERALD_OK;
}

/* Under the mutex, so that nothing gets past the stop and the counts always fit together. */
static enum herald_status
put(struct herald_deliverer *deliverer, struct herald__queued *item, struct herald_error *error)
{
	struct herald_delivery_statistics *counts = &deliverer->counts;
	enum herald_status status = HERALD_LIMIT;

	pthread_mutex_lock(&deliverer->mutex);
	if (!deliverer->is_closed)
		status = deliverer->queue->ops->put(deliverer->queue, item);
	counts->reserved--;
	if (status == HERALD_OK) {
		counts->accepted++;
		counts->pending++;
	} else {
		counts->refused++;
		counts->content_bytes -= item->content_room;
	}
	herald__poller_wake(&deliverer->poller);
	pthread_mutex_unlock(&deliverer->mutex);

	if (status == HERALD_LIMIT)
		return herald_error_set(error, status, HERALD_NO_OFFSET,
					"the deliverer was stopped");
	if (status != HERALD_OK)
		return herald_error_set(error, status, HERALD_NO_OFFSET,
					"the queue does not take it: %s",
					herald_status_text(status));
	return HERALD_OK;
}

/* Of a delivery that has been checked. The reservation is gone, whatever is returned. */
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
	herald__release(&allocator, reservation, sizeof(*reservation));
	status = put(deliverer, item, error);
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
	herald__release(&deliverer->allocator, reservation, sizeof(*reservation));
	give_place_back(deliverer, content_room);
}

enum herald_status
herald_deliverer_submit(struct herald_deliverer *deliverer, const struct herald_delivery *delivery,
			struct herald_error *error)
{
	struct herald_reservation *reservation = NULL;
	size_t url_bytes = delivery->url ? strlen(delivery->url) : 0;
	struct checked checked;
	enum herald_status status = check(deliverer, delivery, &checked, error);

	if (status == HERALD_OK && check_url_length(deliverer, url_bytes, error) != HERALD_OK)
		status = wrong_url(HERALD_BAD_LENGTH, error);
	if (status == HERALD_OK)
		status = reserve(deliverer, url_bytes, herald__content_bytes(&checked.delivery),
				 &reservation, error);
	if (status == HERALD_OK && reservation)
		status = submit(reservation, &checked.delivery, error);
	finish_checked(&checked);
	return status;
}

/* Looking at it, and its end. */

void
herald_deliverer_statistics(struct herald_deliverer *deliverer,
			    struct herald_delivery_statistics *out)
{
	pthread_mutex_lock(&deliverer->mutex);
	*out = deliverer->counts;
	pthread_mutex_unlock(&deliverer->mutex);
}

void
herald__deliverer_wake(struct herald_deliverer *deliverer)
{
	herald__poller_wake(&deliverer->poller);
}

size_t
herald_deliverer_stop(struct herald_deliverer *deliverer, uint32_t flush_ms)
{
	if (!deliverer->is_joined) {
		pthread_mutex_lock(&deliverer->mutex);
		deliverer->is_stopping = true;
		deliverer->flush_until_ms =
			deliverer->clock.now_ms(deliverer->clock.state) + flush_ms;
		pthread_mutex_unlock(&deliverer->mutex);
		herald__poller_wake(&deliverer->poller);
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
	deliverer->queue->ops->destroy(deliverer->queue);
	free_parts(deliverer);
}
