/*
 * The broker in memory. A delivery has a number; a settlement counts if its number is still the
 * message's last one, and the connection is open.
 */
#include "support/fake_broker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/thread.h>

struct fake_received {
	struct herald_received base; /* the first member */
	size_t index;
	unsigned delivery;
	struct fake_received *next_out, *previous_out;
};

struct fake_subscriber {
	struct herald_subscriber base; /* the first member */
	struct fake_broker *broker;
	struct fake_received *out; /* all that the consumer has */
};

static struct fake_broker *
broker_of(const struct herald_subscriber *subscriber)
{
	return ((const struct fake_subscriber *)subscriber)->broker;
}

static void
init_locks(struct fake_broker *broker)
{
	pthread_mutex_init(&broker->mutex, NULL);
	if (herald_condition_init(&broker->changed) != 0)
		abort();
}

void
fake_broker_init(struct fake_broker *broker)
{
	memset(broker, 0, sizeof(*broker));
	init_locks(broker);
	broker->now_ms = FAKE_FIRST_MS;
	broker->open_status = HERALD_UNAVAILABLE;
	broker->ops.counts_releases = true;
}

void
fake_broker_finish(struct fake_broker *broker)
{
	pthread_cond_destroy(&broker->changed);
	pthread_mutex_destroy(&broker->mutex);
}

void
fake_broker_fault(struct fake_broker *broker, const char *format, ...)
{
	va_list arguments;

	if (broker->fault[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(broker->fault, sizeof(broker->fault), format, arguments);
	va_end(arguments);
}

static uint64_t
now_ms(const struct fake_broker *broker)
{
	struct timespec now;

	if (!broker->is_threaded)
		return broker->now_ms;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Messages. */

/* With the mutex held. It is seen once the count says so. */
static struct fake_message *
new_message(struct fake_broker *broker, const char *data, size_t bytes, const char *content_type)
{
	struct fake_message *message = &broker->messages[broker->count];

	if (broker->count == FAKE_MESSAGES || bytes > sizeof(message->data))
		abort();
	memset(message, 0, sizeof(*message));
	if (bytes > 0)
		memcpy(message->data, data, bytes);
	message->bytes = bytes;
	message->content_type = content_type;
	return message;
}

size_t
fake_broker_add_data(struct fake_broker *broker, const char *data, size_t bytes,
		     const char *content_type)
{
	pthread_mutex_lock(&broker->mutex);
	(void)new_message(broker, data, bytes, content_type);
	size_t index = broker->count++;
	pthread_cond_broadcast(&broker->changed);
	pthread_mutex_unlock(&broker->mutex);
	return index;
}

static void
set_key(struct fake_message *message, const char *key)
{
	snprintf(message->key, sizeof(message->key), "%s", key);
	message->attributes_bytes =
		(size_t)snprintf(message->attributes, sizeof(message->attributes), "X-Key%c%s", 0,
				 key) +
		1;
}

size_t
fake_broker_add(struct fake_broker *broker, const char *action, const char *key)
{
	char data[320];

	pthread_mutex_lock(&broker->mutex);
	int bytes = snprintf(data, sizeof(data),
			     "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"%s\","
			     "\"metadata\":{\"id\":\"%zu\"},\"payload\":{\"%s\":\"%zu\","
			     "\"action\":\"%s\"}}",
			     strcmp(action, "unknown") == 0 ? "other" : "task", broker->count,
			     strcmp(action, "bad") == 0 ? "no" : "id", broker->count, action);
	struct fake_message *message = new_message(broker, data, (size_t)bytes, "application/json");
	if (key)
		set_key(message, key);
	message->has_finished = strcmp(action, "bad") == 0 || strcmp(action, "unknown") == 0;
	size_t index = broker->count++;
	pthread_cond_broadcast(&broker->changed);
	pthread_mutex_unlock(&broker->mutex);
	return index;
}

size_t
fake_broker_count(struct fake_broker *broker, enum fake_state state)
{
	size_t count = 0;

	pthread_mutex_lock(&broker->mutex);
	for (size_t i = 0; i < broker->count; i++)
		count += broker->messages[i].state == state;
	pthread_mutex_unlock(&broker->mutex);
	return count;
}

/* With the mutex held: it is delivered again, whatever the consumer says of this delivery. */
static void
give_up(struct fake_broker *broker, struct fake_message *message)
{
	if (message->state != FAKE_OUT)
		return;
	broker->pending -= message->is_pending;
	message->is_unsure |= message->is_pending;
	message->is_pending = message->is_buffered = false;
	message->state = FAKE_READY;
	message->due_ms = 0;
	message->delivery = 0;
}

static void
give_up_all(struct fake_broker *broker)
{
	for (size_t i = 0; i < broker->count; i++)
		give_up(broker, &broker->messages[i]);
	broker->is_open = false;
}

void
fake_broker_recover(struct fake_broker *broker)
{
	init_locks(broker);
	give_up_all(broker);
	broker->out = broker->out_bytes = 0;
	broker->given = broker->returned = 0;
	for (size_t i = 0; i < broker->count; i++)
		broker->messages[i].is_running = false;
}

void
fake_broker_cut(struct fake_broker *broker)
{
	pthread_mutex_lock(&broker->mutex);
	give_up_all(broker);
	pthread_cond_broadcast(&broker->changed);
	pthread_mutex_unlock(&broker->mutex);
}

void
fake_broker_take_away(struct fake_broker *broker, size_t index)
{
	pthread_mutex_lock(&broker->mutex);
	give_up(broker, &broker->messages[index]);
	broker->messages[index].state = FAKE_DONE;
	pthread_mutex_unlock(&broker->mutex);
}

/* The subscriber: receiving. */

static enum herald_status
fake_open(struct herald_subscriber *subscriber, const struct herald_subscriber_settings *settings,
	  struct herald_error *error)
{
	struct fake_broker *broker = broker_of(subscriber);
	enum herald_status status = HERALD_OK;

	pthread_mutex_lock(&broker->mutex);
	broker->opens++;
	broker->max_in_flight = settings->max_in_flight;
	broker->max_in_flight_bytes = settings->max_in_flight_bytes;
	if (broker->is_open)
		fake_broker_fault(broker, "open() of an open connection");
	if (broker->is_down || broker->open_failures > 0) {
		broker->open_failures -= broker->open_failures > 0;
		status = herald_error_set(error, broker->open_status, HERALD_NO_OFFSET,
					  "the fake broker is down");
	} else {
		broker->is_open = true;
	}
	pthread_mutex_unlock(&broker->mutex);
	return status;
}

/* The server has sent it, and the subscriber has it, but the consumer has not. */
static void
buffer(struct fake_broker *broker, struct fake_message *message)
{
	message->state = FAKE_OUT;
	message->deliveries++;
	message->is_buffered = true;
	message->visible_ms = now_ms(broker) + broker->visibility_ms;
}

/* What would be delivered next. */
static void
fill_buffer(struct fake_broker *broker)
{
	const uint64_t now = now_ms(broker);
	size_t buffered = 0;

	for (size_t i = 0; i < broker->count; i++)
		buffered += broker->messages[i].is_buffered;
	for (size_t i = 0; i < broker->count && buffered < broker->prefetch; i++) {
		struct fake_message *message = &broker->messages[i];

		if (message->state != FAKE_READY || message->due_ms > now)
			continue;
		buffer(broker, message);
		buffered++;
	}
}

/* A stop in order: a broker that counts what it has sent has counted these. */
static void
return_buffer(struct fake_broker *broker)
{
	for (size_t i = 0; i < broker->count; i++) {
		struct fake_message *message = &broker->messages[i];

		if (!message->is_buffered)
			continue;
		give_up(broker, message);
		message->deliveries -= !broker->counts_undelivered;
	}
}

static bool
is_due(struct fake_broker *broker, struct fake_message *message, uint64_t now)
{
	if (message->is_buffered)
		return true;
	if (message->state == FAKE_OUT && broker->visibility_ms > 0 && message->visible_ms <= now)
		give_up(broker, message);
	return message->state == FAKE_READY && message->due_ms <= now;
}

static void
deliver(struct fake_subscriber *subscriber, size_t index, struct herald_received_list *out)
{
	struct fake_broker *broker = subscriber->broker;
	struct fake_message *message = &broker->messages[index];
	struct fake_received *received = calloc(1, sizeof(*received));

	if (!received)
		abort();
	if (!message->is_buffered)
		message->deliveries++;
	message->is_buffered = false;
	message->state = FAKE_OUT;
	message->delivery = ++broker->deliveries;
	message->visible_ms = now_ms(broker) + broker->visibility_ms;
	received->index = index;
	received->delivery = message->delivery;
	received->base.data = (struct herald_text){message->data, message->bytes};
	received->base.attributes =
		(struct herald_text){message->attributes, message->attributes_bytes};
	received->base.content_type = message->content_type;
	received->base.key =
		(struct herald_text){message->key[0] ? message->key : NULL, strlen(message->key)};
	received->base.identity = index + 1 + (uint64_t)message->copies * FAKE_MESSAGES;
	received->base.deliveries = broker->ops.counts_late ? 1 : message->deliveries;
	received->base.attempts = message->attempts;
	received->next_out = subscriber->out;
	if (subscriber->out)
		subscriber->out->previous_out = received;
	subscriber->out = received;
	if (out->last)
		out->last->next = &received->base;
	else
		out->first = &received->base;
	out->last = &received->base;
	out->count++;
	out->bytes += message->bytes + message->attributes_bytes;
}

static void
count_out(struct fake_broker *broker, const struct herald_received_list *out)
{
	broker->given += (unsigned)out->count;
	broker->out += out->count;
	broker->out_bytes += out->bytes;
	if (broker->out > broker->max_out)
		broker->max_out = broker->out;
	if (broker->out_bytes > broker->max_out_bytes && broker->out > 1)
		broker->max_out_bytes = broker->out_bytes;
	if (broker->out + broker->pending > broker->max_in_flight)
		fake_broker_fault(broker, "%zu in flight and %zu pending", broker->out,
				  broker->pending);
}

/* As many as there is room for; the first one also if it is larger, and alone. Returns when the
 * next one is due. */
static uint64_t
deliver_due(struct fake_subscriber *subscriber, size_t room, size_t room_bytes,
	    struct herald_received_list *out)
{
	struct fake_broker *broker = subscriber->broker;
	const uint64_t now = now_ms(broker);
	uint64_t next_ms = UINT64_MAX;

	if (broker->one_delivery_each > 0 && room > broker->one_delivery_each)
		room = broker->one_delivery_each;
	for (size_t i = 0; i < broker->count && room > out->count; i++) {
		struct fake_message *message = &broker->messages[i];
		const size_t bytes = message->bytes + message->attributes_bytes;

		if (message->state == FAKE_READY && message->due_ms > now &&
		    message->due_ms < next_ms)
			next_ms = message->due_ms;
		if (!is_due(broker, message, now))
			continue;
		if (out->bytes + bytes > room_bytes &&
		    (out->count > 0 || room_bytes < broker->max_in_flight_bytes))
			break;
		deliver(subscriber, i, out);
	}
	count_out(broker, out);
	return next_ms;
}

/* With the mutex held. */
static void
wait_some(struct fake_broker *broker, uint64_t until_ms, uint64_t next_ms)
{
	if (next_ms < until_ms)
		until_ms = next_ms;
	if (!broker->is_threaded) {
		if (!broker->is_still && until_ms > broker->now_ms)
			broker->now_ms = until_ms;
		return;
	}
	const uint64_t now = now_ms(broker);
	const struct timespec until =
		herald_deadline_after((uint32_t)(until_ms > now ? until_ms - now : 0));
	pthread_cond_timedwait(&broker->changed, &broker->mutex, &until);
}

static void
apply(struct fake_broker *broker, struct fake_message *message,
      const struct herald_settlement *settlement)
{
	switch (settlement->kind) {
	case HERALD_SETTLE_DONE:
		broker->done++;
		message->state = FAKE_DONE;
		break;
	case HERALD_SETTLE_DEAD:
		broker->dead++;
		message->state = FAKE_DEAD;
		break;
	case HERALD_SETTLE_RETRY:
		broker->retries++;
		message->state = FAKE_READY;
		message->due_ms = now_ms(broker) + settlement->delay_ms;
		message->copies += broker->ops.renames_retries;
		if (broker->writes_attempts) {
			message->attempts = settlement->attempts;
			message->deliveries = 0;
		}
		break;
	case HERALD_SETTLE_RELEASE:
		broker->releases++;
		message->state = FAKE_READY;
		message->due_ms = 0;
		message->deliveries -= !broker->ops.counts_releases;
		break;
	}
}

static void
apply_pending(struct fake_broker *broker)
{
	for (size_t i = 0; i < broker->count && broker->pending > 0; i++) {
		struct fake_message *message = &broker->messages[i];

		if (!message->is_pending)
			continue;
		message->is_pending = false;
		broker->pending--;
		apply(broker, message, &message->settlement);
	}
}

/* As at a rebalance of Kafka. */
static void
reassign(struct fake_subscriber *subscriber)
{
	struct fake_broker *broker = subscriber->broker;

	broker->reassigns = false;
	for (struct fake_received *at = subscriber->out; at; at = at->next_out)
		herald_received_lose(&subscriber->base, &at->base);
	for (size_t i = 0; i < broker->count; i++)
		give_up(broker, &broker->messages[i]);
}

static enum herald_status
fake_receive(struct herald_subscriber *subscriber, size_t room, size_t room_bytes,
	     uint32_t timeout_ms, struct herald_received_list *out, struct herald_error *error)
{
	struct fake_broker *broker = broker_of(subscriber);
	enum herald_status status = HERALD_OK;

	pthread_mutex_lock(&broker->mutex);
	const uint64_t until_ms = now_ms(broker) + timeout_ms;
	broker->receives++;
	if (broker->reassigns)
		reassign((struct fake_subscriber *)subscriber);
	if (broker->settle_lag > 0 && broker->receives % broker->settle_lag == 0)
		apply_pending(broker);
	for (;;) {
		if (!broker->is_open || broker->is_down) {
			give_up_all(broker);
			status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						  "the fake broker is gone");
			break;
		}
		const uint64_t next_ms =
			deliver_due((struct fake_subscriber *)subscriber, room, room_bytes, out);
		if (out->count > 0 || broker->is_woken || now_ms(broker) >= until_ms)
			break;
		wait_some(broker, until_ms, next_ms);
		if (broker->is_still)
			break;
	}
	broker->is_woken = false;
	if (status == HERALD_OK && room > 0)
		fill_buffer(broker);
	pthread_mutex_unlock(&broker->mutex);
	return status;
}

/* Settling. */

static void
keep_dead(struct fake_broker *broker, struct fake_message *message,
	  const struct herald_settlement *settlement)
{
	const struct herald_error *error = settlement->error;

	if (!error) {
		fake_broker_fault(broker, "a dead letter without a reason");
		return;
	}
	snprintf(message->reason, sizeof(message->reason), "%s", error->message);
	snprintf(message->path, sizeof(message->path), "%s", error->path);
	snprintf(message->event_id, sizeof(message->event_id), "%s", settlement->event_id);
	message->status = error->status;
	message->dead_attempts = settlement->attempts;
	message->http_status = settlement->http_status;
}

static void
settle_one(struct fake_broker *broker, const struct herald_settlement *settlement)
{
	struct fake_received *received = (struct fake_received *)settlement->message;
	struct fake_message *message = &broker->messages[received->index];

	if (!broker->is_open || message->delivery != received->delivery ||
	    message->state != FAKE_OUT) {
		broker->late++;
		message->is_unsure |= !herald_received_is_lost(&received->base);
		return;
	}
	if (message->is_pending)
		fake_broker_fault(broker, "message %zu is settled twice", received->index);
	if (settlement->kind == HERALD_SETTLE_DEAD)
		keep_dead(broker, message, settlement);
	if (broker->settle_lag == 0) {
		apply(broker, message, settlement);
		return;
	}
	message->is_pending = true;
	message->settlement = *settlement;
	broker->pending++;
}

static void
free_received(struct fake_subscriber *subscriber, struct fake_received *received)
{
	if (received->next_out)
		received->next_out->previous_out = received->previous_out;
	if (received->previous_out)
		received->previous_out->next_out = received->next_out;
	else
		subscriber->out = received->next_out;
	free(received);
}

static void
fake_settle(struct herald_subscriber *subscriber, const struct herald_settlement *settlements,
	    size_t count)
{
	struct fake_broker *broker = broker_of(subscriber);

	pthread_mutex_lock(&broker->mutex);
	for (size_t i = 0; i < count; i++) {
		struct fake_received *received = (struct fake_received *)settlements[i].message;

		settle_one(broker, &settlements[i]);
		broker->returned++;
		broker->out--;
		broker->out_bytes -= received->base.data.bytes + received->base.attributes.bytes;
		free_received((struct fake_subscriber *)subscriber, received);
	}
	pthread_mutex_unlock(&broker->mutex);
}

static void
fake_extend(struct herald_subscriber *subscriber, struct herald_received *const *messages,
	    size_t count)
{
	struct fake_broker *broker = broker_of(subscriber);

	pthread_mutex_lock(&broker->mutex);
	for (size_t i = 0; i < count; i++) {
		const struct fake_received *received = (struct fake_received *)messages[i];
		struct fake_message *message = &broker->messages[received->index];

		broker->extends++;
		if (message->delivery == received->delivery)
			message->visible_ms = now_ms(broker) + broker->visibility_ms;
	}
	pthread_mutex_unlock(&broker->mutex);
}

static uint32_t
fake_extend_ms(const struct herald_subscriber *subscriber)
{
	return broker_of(subscriber)->visibility_ms / 3;
}

static size_t
fake_unsettled(const struct herald_subscriber *subscriber)
{
	struct fake_broker *broker = broker_of(subscriber);

	pthread_mutex_lock(&broker->mutex);
	const size_t pending = broker->pending;
	pthread_mutex_unlock(&broker->mutex);
	return pending;
}

static size_t
fake_flush(struct herald_subscriber *subscriber, uint32_t timeout_ms)
{
	struct fake_broker *broker = broker_of(subscriber);

	(void)timeout_ms;
	if (broker->on_flush)
		broker->on_flush(broker->on_flush_state);
	pthread_mutex_lock(&broker->mutex);
	broker->flushes++;
	return_buffer(broker);
	if (!broker->never_confirms && broker->is_open)
		apply_pending(broker);
	const size_t left = broker->pending;
	pthread_mutex_unlock(&broker->mutex);
	return left;
}

static void
fake_close(struct herald_subscriber *subscriber, uint32_t timeout_ms)
{
	struct fake_broker *broker = broker_of(subscriber);

	(void)timeout_ms;
	pthread_mutex_lock(&broker->mutex);
	broker->closes++;
	give_up_all(broker);
	pthread_mutex_unlock(&broker->mutex);
}

static void
fake_wake(struct herald_subscriber *subscriber)
{
	struct fake_broker *broker = broker_of(subscriber);

	pthread_mutex_lock(&broker->mutex);
	broker->wakes++;
	broker->is_woken = true;
	pthread_cond_broadcast(&broker->changed);
	pthread_mutex_unlock(&broker->mutex);
}

static void
fake_destroy(struct herald_subscriber *subscriber)
{
	struct fake_subscriber *fake = (struct fake_subscriber *)subscriber;

	if (fake->out)
		fake_broker_fault(fake->broker, "destroyed before all messages were settled");
	if (fake->broker->is_open)
		fake_broker_fault(fake->broker, "destroyed before it was closed");
	while (fake->out)
		free_received(fake, fake->out);
	free(fake);
}

struct herald_subscriber *
fake_subscriber_create(struct fake_broker *broker)
{
	struct fake_subscriber *subscriber = calloc(1, sizeof(*subscriber));
	const struct herald_subscriber_ops ops = {
		.name = "fake",
		.counts_releases = broker->ops.counts_releases,
		.counts_late = broker->ops.counts_late,
		.renames_retries = broker->ops.renames_retries,
		.open = fake_open,
		.receive = fake_receive,
		.settle = fake_settle,
		.extend = broker->visibility_ms > 0 ? fake_extend : NULL,
		.extend_ms = broker->visibility_ms > 0 ? fake_extend_ms : NULL,
		.unsettled = fake_unsettled,
		.flush = fake_flush,
		.close = fake_close,
		.wake = fake_wake,
		.destroy = fake_destroy,
	};

	if (!subscriber)
		abort();
	broker->ops = ops;
	subscriber->base.ops = &broker->ops;
	subscriber->base.source = "fake orders billing";
	subscriber->broker = broker;
	return &subscriber->base;
}
