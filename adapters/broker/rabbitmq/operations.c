/*
 * The subscriber's functions: when it connects, reads, sends and waits. Owns the connections, and
 * the messages of an epoch.
 */
#include "operations.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "acks.h"
#include "copies.h"
#include "epoch.h"
#include "message.h"
#include "queues.h"

#define CONSUMER_TAG "herald"
/* The server has no larger number of messages that are not acknowledged. */
#define MAX_PREFETCH UINT16_MAX
/* Until what was given back is given back, if the consumer does not stop. */
#define RELEASE_MS 1000
/* Until a channel on which nothing arrives is renewed. */
#define RENEWAL_MS 5000
/* For each answer, while it consumes. */
#define ANSWER_LIMIT_MS 1000
/* For an orderly end of a connection. */
#define CLOSE_MS 200

static struct rabbitmq *
rabbitmq_of(const struct herald_subscriber *base)
{
	return (struct rabbitmq *)base;
}

/* Opening. */

static enum herald_status
begin_to_publish(struct rabbitmq *rabbitmq, struct herald_error *error)
{
	amqp_confirm_select(rabbitmq->publisher.conn, RABBITMQ_CHANNEL);
	return herald__rabbitmq_reply(amqp_get_rpc_reply(rabbitmq->publisher.conn),
				      "cannot have copies confirmed", error);
}

static enum herald_status
set_prefetch(struct rabbitmq *rabbitmq, struct herald_error *error)
{
	const size_t count = rabbitmq->settings.max_in_flight;

	amqp_basic_qos(rabbitmq->consumer.conn, RABBITMQ_CHANNEL, 0,
		       (uint16_t)(count < MAX_PREFETCH ? count : MAX_PREFETCH), 0);
	return herald__rabbitmq_reply(amqp_get_rpc_reply(rabbitmq->consumer.conn),
				      "cannot set the prefetch count", error);
}

static enum herald_status
begin_to_consume(struct rabbitmq *rabbitmq, struct herald_error *error)
{
	enum herald_status status = set_prefetch(rabbitmq, error);

	if (status != HERALD_OK)
		return status;
	amqp_basic_consume(rabbitmq->consumer.conn, RABBITMQ_CHANNEL,
			   amqp_cstring_bytes(rabbitmq->queue), amqp_cstring_bytes(CONSUMER_TAG), 0,
			   0, 0, amqp_empty_table);
	return herald__rabbitmq_reply(amqp_get_rpc_reply(rabbitmq->consumer.conn), "cannot consume",
				      error);
}

enum herald_status
herald__rabbitmq_open(struct herald_subscriber *base,
		      const struct herald_subscriber_settings *settings, struct herald_error *error)
{
	struct rabbitmq *rabbitmq = rabbitmq_of(base);
	const struct rabbitmq_link_settings *to = &rabbitmq->link_settings;

	rabbitmq->settings = *settings;
	rabbitmq->epoch++;
	enum herald_status status = herald__rabbitmq_link_open(&rabbitmq->consumer, to, error);
	if (status == HERALD_OK)
		status = herald__rabbitmq_link_open(&rabbitmq->publisher, to, error);
	if (status == HERALD_OK)
		status = begin_to_publish(rabbitmq, error);
	if (status == HERALD_OK)
		status = herald__rabbitmq_declare_all(rabbitmq, error);
	if (status == HERALD_OK)
		status = begin_to_consume(rabbitmq, error);
	herald__rabbitmq_opening_done(&rabbitmq->opening);
	rabbitmq->next_renewal_ms = herald__rabbitmq_now_ms() + RENEWAL_MS;
	if (status != HERALD_OK)
		herald__rabbitmq_close(base, 0);
	return status;
}

static int
wait_ms_until(uint64_t until_ms)
{
	const uint64_t now_ms = herald__rabbitmq_now_ms();

	if (until_ms <= now_ms)
		return 0;
	return until_ms - now_ms < 1000 ? (int)(until_ms - now_ms) : 1000;
}

/* Calls that wait for an answer: one that does not come ends the connection. */

static bool
can_ask(struct rabbitmq *rabbitmq, uint64_t until_ms)
{
	const int left_ms = wait_ms_until(until_ms);

	if (rabbitmq->has_failed || left_ms == 0 ||
	    !herald__rabbitmq_link_has_space(&rabbitmq->consumer))
		return false;
	herald__rabbitmq_link_limit(&rabbitmq->consumer, (uint32_t)left_ms);
	return true;
}

static void
answered(struct rabbitmq *rabbitmq, enum herald_status status, const struct herald_error *error)
{
	if (status == HERALD_OK)
		return;
	rabbitmq->error = *error;
	herald__rabbitmq_fail(rabbitmq);
}

/* No more deliveries come after the answer. The earlier ones are read next. */
static void
cancel(struct rabbitmq *rabbitmq, uint64_t until_ms)
{
	struct herald_error error;

	if (rabbitmq->is_cancelled || !can_ask(rabbitmq, until_ms))
		return;
	amqp_basic_cancel(rabbitmq->consumer.conn, RABBITMQ_CHANNEL,
			  amqp_cstring_bytes(CONSUMER_TAG));
	enum herald_status status = herald__rabbitmq_reply(
		amqp_get_rpc_reply(rabbitmq->consumer.conn), "cannot stop to consume", &error);
	rabbitmq->is_cancelled = status == HERALD_OK;
	answered(rabbitmq, status, &error);
}

/* The server answers on the channel when it knows all that was sent before. */
static void
prove(struct rabbitmq *rabbitmq, uint64_t until_ms)
{
	struct herald_error error;

	if (rabbitmq->unproved == 0 || !can_ask(rabbitmq, until_ms))
		return;
	enum herald_status status = set_prefetch(rabbitmq, &error);
	if (status == HERALD_OK)
		rabbitmq->unproved = 0;
	answered(rabbitmq, status, &error);
}

static void
resume(struct rabbitmq *rabbitmq)
{
	struct herald_error error;

	if (!rabbitmq->is_cancelled ||
	    !can_ask(rabbitmq, herald__rabbitmq_now_ms() + ANSWER_LIMIT_MS))
		return;
	enum herald_status status = begin_to_consume(rabbitmq, &error);
	rabbitmq->is_cancelled = status != HERALD_OK;
	answered(rabbitmq, status, &error);
}

/* What arrives. */

static void
arrived(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	struct herald_received_list *list = &rabbitmq->arrived;

	herald__rabbitmq_message_complete(message);
	herald__rabbitmq_list_add(rabbitmq, message);
	if (list->last)
		list->last->next = &message->base;
	else
		list->first = &message->base;
	list->last = &message->base;
	list->count++;
	rabbitmq->arriving = NULL;
	rabbitmq->delivery = NULL;
}

static void
out_of_memory(struct rabbitmq *rabbitmq)
{
	(void)herald_out_of_memory(&rabbitmq->error);
	herald__rabbitmq_fail(rabbitmq);
}

static void
take_content(struct rabbitmq *rabbitmq, const amqp_frame_t *frame)
{
	struct rabbitmq_message *message = rabbitmq->arriving;

	if (frame->frame_type == AMQP_FRAME_HEADER && rabbitmq->delivery) {
		message = herald__rabbitmq_message_create(rabbitmq, rabbitmq->delivery, frame);
		if (!message) {
			out_of_memory(rabbitmq);
			return;
		}
		rabbitmq->arriving = message;
		rabbitmq->arrived_bytes = 0;
	} else if (frame->frame_type == AMQP_FRAME_BODY && message) {
		const amqp_bytes_t part = frame->payload.body_fragment;
		const size_t rest = message->base.data.bytes - rabbitmq->arrived_bytes;
		const size_t bytes = part.len < rest ? part.len : rest;

		memcpy((char *)message->base.data.data + rabbitmq->arrived_bytes, part.bytes,
		       bytes);
		rabbitmq->arrived_bytes += bytes;
	}
	if (message && rabbitmq->arrived_bytes == message->base.data.bytes)
		arrived(rabbitmq, message);
}

static void
cancelled(struct rabbitmq *rabbitmq)
{
	const struct herald_log_field field = {"queue", rabbitmq->queue, 0};

	herald_log_write(&rabbitmq->settings.log, HERALD_LOG_ERROR,
			 "the queue was deleted, with its messages; it is made again", &field, 1);
	herald_error_set(&rabbitmq->error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
			 "the server ended the consumer, as if the queue \"%s\" was deleted",
			 rabbitmq->queue);
	herald__rabbitmq_fail(rabbitmq);
}

static void
take_frame(struct rabbitmq *rabbitmq, const amqp_frame_t *frame)
{
	const amqp_method_t *method = &frame->payload.method;

	if (frame->frame_type != AMQP_FRAME_METHOD) {
		take_content(rabbitmq, frame);
		return;
	}
	switch (method->id) {
	case AMQP_BASIC_DELIVER_METHOD:
		rabbitmq->delivery = method->decoded;
		rabbitmq->next_renewal_ms = herald__rabbitmq_now_ms() + RENEWAL_MS;
		break;
	case AMQP_BASIC_CANCEL_METHOD:
		cancelled(rabbitmq);
		break;
	case AMQP_CHANNEL_CLOSE_METHOD:
	case AMQP_CONNECTION_CLOSE_METHOD:
		(void)herald__rabbitmq_closed(method, "the connection is closed", &rabbitmq->error);
		herald__rabbitmq_fail(rabbitmq);
		break;
	default:
		break;
	}
}

/* While nothing is read, librabbitmq sends no heartbeats. */
static void
beat(struct rabbitmq *rabbitmq)
{
	const amqp_frame_t heartbeat = {.frame_type = AMQP_FRAME_HEARTBEAT};
	const uint64_t now_ms = herald__rabbitmq_now_ms();
	int seconds = amqp_get_heartbeat(rabbitmq->consumer.conn);

	if (seconds <= 0 || rabbitmq->next_beat_ms > now_ms ||
	    !herald__rabbitmq_link_has_space(&rabbitmq->consumer))
		return;
	rabbitmq->next_beat_ms = now_ms + (uint64_t)seconds * 500;
	int status = amqp_send_frame(rabbitmq->consumer.conn, &heartbeat);
	if (status != AMQP_STATUS_OK)
		herald__rabbitmq_fail_with(rabbitmq, status, "cannot send a heartbeat");
}

/* Read all messages that have come, unless they take too much memory. Then TCP makes the server
 * wait. */
static void
read_all(struct rabbitmq *rabbitmq)
{
	amqp_frame_t frame;

	while (!rabbitmq->has_failed) {
		if (!rabbitmq->arriving &&
		    rabbitmq->bytes >= rabbitmq->settings.max_in_flight_bytes) {
			beat(rabbitmq);
			return;
		}
		int status = herald__rabbitmq_link_next(&rabbitmq->consumer, &frame);
		if (status == AMQP_STATUS_TIMEOUT)
			return;
		if (status != AMQP_STATUS_OK) {
			herald__rabbitmq_fail_with(rabbitmq, status, "the connection is lost");
			return;
		}
		take_frame(rabbitmq, &frame);
		/* A delivery is needed until its content has come. */
		if (!rabbitmq->delivery || rabbitmq->arriving)
			herald__rabbitmq_link_release(&rabbitmq->consumer);
	}
}

static bool
is_idle(const struct rabbitmq *rabbitmq)
{
	return !rabbitmq->has_failed && !rabbitmq->oldest && !rabbitmq->delivery;
}

static enum herald_status
open_channel_again(struct rabbitmq *rabbitmq, struct herald_error *error)
{
	amqp_connection_state_t conn = rabbitmq->consumer.conn;
	enum herald_status status = herald__rabbitmq_reply(
		amqp_channel_close(conn, RABBITMQ_CHANNEL, AMQP_REPLY_SUCCESS),
		"cannot renew the channel", error);

	amqp_maybe_release_buffers(conn);
	if (status != HERALD_OK)
		return status;
	amqp_channel_open(conn, RABBITMQ_CHANNEL);
	return herald__rabbitmq_reply(amqp_get_rpc_reply(conn), "cannot open a channel", error);
}

/* When a queue is deleted and made again at once, the server (seen with 3.10.8) says nothing, and
 * drops what it delivers from the new one, until the channel ends. So the channel begins anew while
 * there is nothing. It is cancelled first: what comes in between is not sent back, which would be
 * one more delivery. */
static void
renew_channel(struct rabbitmq *rabbitmq)
{
	const uint64_t now_ms = herald__rabbitmq_now_ms();
	struct herald_error error;

	if (!is_idle(rabbitmq) || rabbitmq->is_cancelled || rabbitmq->next_renewal_ms > now_ms)
		return;
	cancel(rabbitmq, now_ms + ANSWER_LIMIT_MS);
	if (!rabbitmq->is_cancelled)
		return;
	rabbitmq->next_renewal_ms = now_ms + RENEWAL_MS;
	read_all(rabbitmq);
	if (is_idle(rabbitmq) && !amqp_frames_enqueued(rabbitmq->consumer.conn) &&
	    can_ask(rabbitmq, now_ms + (uint64_t)2 * ANSWER_LIMIT_MS))
		answered(rabbitmq, open_channel_again(rabbitmq, &error), &error);
	resume(rabbitmq);
}

/* Receiving. */

static void
hand_out(struct rabbitmq *rabbitmq, size_t room, size_t room_bytes,
	 struct herald_received_list *out)
{
	struct herald_received_list *list = &rabbitmq->arrived;

	while (list->first && out->count < room) {
		struct herald_received *received = list->first;
		const size_t bytes = received->data.bytes + received->attributes.bytes;

		/* A message that is larger than all room is handed out alone. */
		if (out->bytes + bytes > room_bytes && (out->count > 0 || rabbitmq->held > 0))
			return;
		list->first = received->next;
		if (!list->first)
			list->last = NULL;
		list->count--;
		received->next = NULL;
		if (out->last)
			out->last->next = received;
		else
			out->first = received;
		out->last = received;
		out->count++;
		out->bytes += bytes;
		rabbitmq->held++;
	}
}

/* Whether the socket must take something before more can be sent. */
static bool
wants_space(const struct rabbitmq *rabbitmq)
{
	const struct rabbitmq_message *first = rabbitmq->waiting.first;

	return first &&
	       (first->copy.has_begun ||
		(!rabbitmq->is_blocked && first->copy.not_before_ms <= herald__rabbitmq_now_ms()));
}

/* Wait for either connection, and for wake() if `wake_fd` is not -1. Returns whether it came. */
static bool
wait_for_something(struct rabbitmq *rabbitmq, int wake_fd, uint64_t until_ms)
{
	const bool reads = rabbitmq->bytes < rabbitmq->settings.max_in_flight_bytes;
	struct pollfd fds[] = {
		{.fd = wake_fd, .events = POLLIN},
		{.fd = rabbitmq->consumer.fd,
		 .events = (short)((reads ? POLLIN : 0) |
				   (herald__rabbitmq_acks_due(rabbitmq) ? POLLOUT : 0))},
		{.fd = rabbitmq->publisher.fd,
		 .events = (short)(POLLIN | (wants_space(rabbitmq) ? POLLOUT : 0))},
	};
	const uint64_t due_ms = herald__rabbitmq_copies_due_ms(rabbitmq);
	uint64_t count;

	if (due_ms > herald__rabbitmq_now_ms() && due_ms < until_ms)
		until_ms = due_ms;
	if (poll(fds, 3, wait_ms_until(until_ms)) <= 0)
		return false;
	if (fds[2].revents)
		rabbitmq->next_look_ms = 0;
	return (fds[0].revents & POLLIN) && read(wake_fd, &count, sizeof(count)) > 0;
}

/* Without room, the consumer is full or it stops. It stops if it gives messages back, or has less
 * than may come. */
static bool
is_stopping(const struct rabbitmq *rabbitmq, size_t room, size_t room_bytes)
{
	if (room > 0)
		return false;
	return rabbitmq->released > 0 ||
	       (room_bytes > 0 && rabbitmq->held + herald__rabbitmq_unsettled(&rabbitmq->base) <
					  rabbitmq->settings.max_in_flight);
}

/* If the consumer stops, the server is to send no more, before anything is acknowledged. */
static void
follow_room(struct rabbitmq *rabbitmq, size_t room, size_t room_bytes)
{
	if (room > 0)
		resume(rabbitmq);
	else if (is_stopping(rabbitmq, room, room_bytes))
		cancel(rabbitmq, herald__rabbitmq_now_ms() + ANSWER_LIMIT_MS);
}

/* A consumer that stops gets all that has come: it gives it back, and notes that it has not run. */
static void
pass_on(struct rabbitmq *rabbitmq, size_t room, size_t room_bytes, struct herald_received_list *out)
{
	if (room == 0 && rabbitmq->is_cancelled)
		hand_out(rabbitmq, SIZE_MAX, SIZE_MAX, out);
	else
		hand_out(rabbitmq, room, room_bytes, out);
}

static void
turn(struct rabbitmq *rabbitmq, size_t room, size_t room_bytes, struct herald_received_list *out)
{
	herald__rabbitmq_copies_turn(rabbitmq);
	herald__rabbitmq_acks_send(rabbitmq, false);
	read_all(rabbitmq);
	if (rabbitmq->has_failed)
		return;
	pass_on(rabbitmq, room, room_bytes, out);
	if (out->count > 0)
		return;
	herald__rabbitmq_acks_send(rabbitmq, true);
	renew_channel(rabbitmq);
	if (!rabbitmq->has_failed)
		pass_on(rabbitmq, room, room_bytes, out);
}

enum herald_status
herald__rabbitmq_receive(struct herald_subscriber *base, size_t room, size_t room_bytes,
			 uint32_t timeout_ms, struct herald_received_list *out,
			 struct herald_error *error)
{
	struct rabbitmq *rabbitmq = rabbitmq_of(base);
	const uint64_t until_ms = herald__rabbitmq_now_ms() + timeout_ms;
	bool is_over = timeout_ms == 0;

	follow_room(rabbitmq, room, room_bytes);
	while (!rabbitmq->has_failed) {
		const size_t unsettled = herald__rabbitmq_unsettled(base);

		turn(rabbitmq, room, room_bytes, out);
		if (out->count > 0)
			return HERALD_OK;
		if (rabbitmq->has_failed)
			break;
		/* What is acknowledged makes room. */
		is_over |= room == 0 && herald__rabbitmq_unsettled(base) < unsettled;
		if (is_over)
			return HERALD_OK;
		is_over = wait_for_something(rabbitmq, rabbitmq->wake_fd, until_ms) ||
			  herald__rabbitmq_now_ms() >= until_ms;
	}
	if (error)
		*error = rabbitmq->error;
	return HERALD_UNAVAILABLE;
}

/* Settling. */

/* Sends nothing: for each acknowledgement the server delivers another message, which is not wanted
 * during a stop. receive() and flush() know whether there is one. */
void
herald__rabbitmq_settle(struct herald_subscriber *base, const struct herald_settlement *settlements,
			size_t count)
{
	struct rabbitmq *rabbitmq = rabbitmq_of(base);

	for (size_t i = 0; i < count; i++) {
		const struct herald_settlement *settlement = &settlements[i];
		struct rabbitmq_message *message = herald__rabbitmq_message(settlement->message);

		rabbitmq->held -= rabbitmq->held > 0;
		if (message->epoch != rabbitmq->epoch || !rabbitmq->consumer.conn) {
			herald__rabbitmq_message_free(rabbitmq, message);
			continue;
		}
		if (settlement->kind == HERALD_SETTLE_DONE) {
			message->state = RABBITMQ_DONE;
			rabbitmq->done++;
		} else if (settlement->kind == HERALD_SETTLE_RELEASE ||
			   !herald__rabbitmq_copy_begin(rabbitmq, message, settlement)) {
			/* Without memory for a copy, the server delivers it again. */
			message->state = RABBITMQ_RELEASED;
			rabbitmq->release_ms = herald__rabbitmq_now_ms() + RELEASE_MS;
			rabbitmq->released++;
		}
	}
}

size_t
herald__rabbitmq_unsettled(const struct herald_subscriber *base)
{
	const struct rabbitmq *rabbitmq = rabbitmq_of(base);

	return rabbitmq->done + rabbitmq->released + rabbitmq->copies;
}

/* Ending. */

/* Messages that were not handed out go back. */
static void
release_arrived(struct rabbitmq *rabbitmq)
{
	struct herald_received *received = rabbitmq->arrived.first;

	for (; received; received = received->next) {
		herald__rabbitmq_message(received)->state = RABBITMQ_RELEASED;
		rabbitmq->released++;
	}
	rabbitmq->arrived = (struct herald_received_list){NULL, NULL, 0, 0};
}

size_t
herald__rabbitmq_flush(struct herald_subscriber *base, uint32_t timeout_ms)
{
	struct rabbitmq *rabbitmq = rabbitmq_of(base);
	const uint64_t until_ms = herald__rabbitmq_now_ms() + timeout_ms;

	if (!rabbitmq->consumer.conn)
		return 0;
	cancel(rabbitmq, until_ms);
	for (;;) {
		if (!rabbitmq->has_failed)
			herald__rabbitmq_copies_turn(rabbitmq);
		read_all(rabbitmq);
		release_arrived(rabbitmq);
		herald__rabbitmq_acks_send(rabbitmq, true);
		prove(rabbitmq, until_ms);
		if (rabbitmq->has_failed || herald__rabbitmq_unsettled(base) == 0 ||
		    herald__rabbitmq_now_ms() >= until_ms)
			break;
		wait_for_something(rabbitmq, -1, until_ms);
	}
	return herald__rabbitmq_unsettled(base) + rabbitmq->unproved;
}

void
herald__rabbitmq_close(struct herald_subscriber *base, uint32_t timeout_ms)
{
	struct rabbitmq *rabbitmq = rabbitmq_of(base);
	uint32_t limit_ms = timeout_ms < CLOSE_MS ? timeout_ms : CLOSE_MS;
	struct rabbitmq_message *at, *next;

	if (rabbitmq->has_failed)
		limit_ms = 0;
	herald__rabbitmq_link_close(&rabbitmq->consumer, limit_ms / 2);
	herald__rabbitmq_link_close(&rabbitmq->publisher, rabbitmq->is_blocked ? 0 : limit_ms / 2);
	herald__rabbitmq_fail(rabbitmq);
	release_arrived(rabbitmq);
	for (at = rabbitmq->oldest; at; at = next) {
		next = at->newer;
		herald__rabbitmq_list_remove(rabbitmq, at);
		if (at->state != RABBITMQ_HELD)
			herald__rabbitmq_message_free(rabbitmq, at);
	}
	if (rabbitmq->arriving)
		herald__rabbitmq_message_free(rabbitmq, rabbitmq->arriving);
	herald__rabbitmq_copies_drop(rabbitmq);
	rabbitmq->arriving = NULL;
	rabbitmq->delivery = NULL;
	rabbitmq->done = rabbitmq->released = rabbitmq->unproved = 0;
	rabbitmq->next_beat_ms = rabbitmq->next_look_ms = 0;
	rabbitmq->has_failed = rabbitmq->is_cancelled = false;
}

void
herald__rabbitmq_wake(struct herald_subscriber *base)
{
	const uint64_t one = 1;

	(void)!write(rabbitmq_of(base)->wake_fd, &one, sizeof(one));
	herald__rabbitmq_opening_end(&rabbitmq_of(base)->opening);
}
