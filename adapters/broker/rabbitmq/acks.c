/*
 * The ends of messages, as the server is told them. One
 * acknowledgement is for all messages up to a tag, so what is done behind a message that is not is
 * told later, unless it becomes much or there is nothing else to do.
 */
#include "acks.h"

#include "epoch.h"
#include "message.h"

/* Frames of 21 bytes between two looks at the socket. */
#define MAX_FRAMES 256

static void
finish(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	if (message->state == RABBITMQ_DONE)
		rabbitmq->done--;
	else
		rabbitmq->released--;
	rabbitmq->unproved++;
	herald__rabbitmq_list_remove(rabbitmq, message);
	herald__rabbitmq_message_free(rabbitmq, message);
}

/* Returns false after an error. */
static bool
send(struct rabbitmq *rabbitmq, const struct rabbitmq_message *message, bool multiple)
{
	amqp_connection_state_t conn = rabbitmq->consumer.conn;
	int status = message->state == RABBITMQ_DONE
			     ? amqp_basic_ack(conn, RABBITMQ_CHANNEL, message->tag, multiple)
			     : amqp_basic_nack(conn, RABBITMQ_CHANNEL, message->tag, false, true);

	if (status == AMQP_STATUS_OK)
		return true;
	herald__rabbitmq_fail_with(rabbitmq, status, "cannot acknowledge");
	return false;
}

static void
send_first(struct rabbitmq *rabbitmq)
{
	struct rabbitmq_message *last = NULL, *at = rabbitmq->oldest, *next;

	for (; at && at->state == RABBITMQ_DONE; at = at->newer)
		last = at;
	if (!last || !send(rabbitmq, last, true))
		return;
	for (at = rabbitmq->oldest; last; at = next) {
		next = at->newer;
		if (at == last)
			last = NULL;
		finish(rabbitmq, at);
	}
}

/* What is given back comes again at once while this consumer consumes, and counts as delivered. So
 * it waits until the consumer is cancelled, which a stop does next; or some time, if it does not
 * stop. */
static bool
may_release(const struct rabbitmq *rabbitmq)
{
	return rabbitmq->released > 0 &&
	       (rabbitmq->is_cancelled || rabbitmq->release_ms <= herald__rabbitmq_now_ms());
}

static void
send_others(struct rabbitmq *rabbitmq, bool releases)
{
	struct rabbitmq_message *at = rabbitmq->oldest, *next;

	for (size_t frames = 1; at; at = next) {
		next = at->newer;
		if (at->state != RABBITMQ_DONE && (at->state != RABBITMQ_RELEASED || !releases))
			continue;
		if (frames++ % MAX_FRAMES == 0 &&
		    !herald__rabbitmq_link_has_space(&rabbitmq->consumer))
			return;
		if (!send(rabbitmq, at, false))
			return;
		finish(rabbitmq, at);
	}
}

bool
herald__rabbitmq_acks_due(const struct rabbitmq *rabbitmq)
{
	return !rabbitmq->has_failed && (rabbitmq->done > 0 || may_release(rabbitmq));
}

void
herald__rabbitmq_acks_send(struct rabbitmq *rabbitmq, bool all)
{
	if (!herald__rabbitmq_acks_due(rabbitmq) ||
	    !herald__rabbitmq_link_has_space(&rabbitmq->consumer))
		return;
	const bool releases = may_release(rabbitmq);
	send_first(rabbitmq);
	if (!rabbitmq->has_failed &&
	    (all || releases || rabbitmq->done > rabbitmq->settings.max_in_flight / 2))
		send_others(rabbitmq, releases);
}
