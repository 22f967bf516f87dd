/*
 * Three subscriptions, because libnats does not say which request has no responder: for
 * messages and the ends of pulls, for confirmations, and for answers to dead letters. The first one
 * can be drained before the acknowledgements are confirmed. This file finds out what has come; what
 * it means is known in pull.c, settle.c and letter.c.
 */
#include "inbox.h"

#include <stdio.h>
#include <string.h>

#include "letter.h"
#include "link.h"
#include "message.h"
#include "pull.h"
#include "settle.h"

/* A thread of libnats drains a subscription. It does not say when it has. */
#define DRAIN_LOOK_MS 2

/* What has come. NULL: a request has no responder. */

static void
inbox_pulled(struct nats *nats, natsMsg *msg)
{
	struct herald_received_list *arrived = &nats->arrived;

	if (!msg || !herald__nats_message_is(msg)) {
		herald__nats_pull_status(&nats->link, msg);
		natsMsg_Destroy(msg);
		return;
	}
	herald__nats_pull_message(&nats->link);
	struct nats_message *message = herald__nats_message_create(nats, msg);
	if (!message) { /* out of memory: it comes again after ack_wait_ms */
		natsMsg_Destroy(msg);
		return;
	}
	if (arrived->last)
		arrived->last->next = &message->base;
	else
		arrived->first = &message->base;
	arrived->last = &message->base;
	arrived->count++;
	arrived->bytes += message->base.data.bytes + message->base.attributes.bytes;
}

/* The subject ends in the number that was sent. */
static uint64_t
number_of(natsMsg *msg)
{
	const char *dot = msg ? strrchr(natsMsg_GetSubject(msg), '.') : NULL;

	return dot ? nats_number(dot + 1) : 0;
}

static void
inbox_confirmed(struct nats *nats, natsMsg *msg)
{
	herald__nats_settle_answer(&nats->link, msg ? number_of(msg) : 0);
	natsMsg_Destroy(msg);
}

static void
inbox_answered(struct nats *nats, natsMsg *msg)
{
	herald__nats_letter_answer(&nats->link, number_of(msg), msg);
	natsMsg_Destroy(msg);
}

static void
take(struct nats *nats, natsSubscription *subscription,
     void (*take_one)(struct nats *nats, natsMsg *msg))
{
	for (;;) {
		natsMsg *msg = NULL;
		const natsStatus status = natsSubscription_NextMsg(&msg, subscription, 0);

		if (status != NATS_OK && status != NATS_NO_RESPONDERS)
			return;
		nats->link.has_heard = true;
		take_one(nats, msg);
	}
}

void
herald__nats_inbox_read(struct nats *nats)
{
	struct nats_link *link = &nats->link;
	bool has_more;

	/* All of it: confirmations come after the messages that a pull has brought. The pulls limit
	 * how much that is. */
	do {
		herald__nats_link_send(link);
		has_more = herald__nats_link_read(link);
		take(nats, link->pulled, inbox_pulled);
		take(nats, link->confirmations, inbox_confirmed);
		take(nats, link->answers, inbox_answered);
	} while (has_more);
	herald__nats_link_send(link);
}

/* Open, close. */

static natsStatus
subscribe(struct nats_link *link, const char *suffix, natsSubscription **out)
{
	char subject[NATS_INBOX_BYTES + 8];

	snprintf(subject, sizeof(subject), "%s.%s", link->inbox, suffix);
	natsStatus status = natsConnection_SubscribeSync(out, link->connection, subject);
	/* Pulls limit what can be pending. */
	if (status == NATS_OK)
		status = natsSubscription_SetPendingLimits(*out, -1, -1);
	return status;
}

natsStatus
herald__nats_inbox_open(struct nats_link *link)
{
	natsInbox *inbox = NULL;
	natsStatus status = natsInbox_Create(&inbox);

	if (status != NATS_OK)
		return status;
	snprintf(link->inbox, sizeof(link->inbox), "%s", inbox);
	natsInbox_Destroy(inbox);
	status = subscribe(link, "p.*", &link->pulled);
	if (status == NATS_OK)
		status = subscribe(link, "c.*", &link->confirmations);
	if (status == NATS_OK)
		status = subscribe(link, "d.*", &link->answers);
	return status;
}

void
herald__nats_inbox_close(struct nats_link *link)
{
	natsSubscription_Destroy(link->pulled);
	natsSubscription_Destroy(link->confirmations);
	natsSubscription_Destroy(link->answers);
	link->pulled = link->confirmations = link->answers = NULL;
}

/* Drain. */

static bool
is_drained(const struct nats_link *link)
{
	return link->is_draining &&
	       natsSubscription_DrainCompletionStatus(link->pulled) != NATS_ILLEGAL_STATE;
}

/* A question about the consumer makes the server forget the pulls, before it handles what is sent
 * after it. If a message comes back while it has a pull whose subscription has ended, nats-server
 * before 2.10.16 delivers the message only when its time for an acknowledgement is over, and
 * another one twice. No subscription gets the answer: while it drains, the one for pulls would take
 * it for the end of a pull. */
static void
forget_pulls(struct nats *nats)
{
	struct nats_link *link = &nats->link;
	char subject[600], reply[NATS_INBOX_BYTES + 8];

	link->pulls_count = link->outstanding = 0;
	snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.INFO.%s.%s", nats->options.stream,
		 nats->options.group);
	snprintf(reply, sizeof(reply), "%s.none", link->inbox);
	(void)natsConnection_PublishRequest(link->connection, subject, reply, NULL, 0);
}

void
herald__nats_inbox_stop(struct nats *nats)
{
	struct nats_link *link = &nats->link;

	if (link->is_draining || link->is_lost)
		return;
	link->is_draining = true;
	if (natsSubscription_Drain(link->pulled) != NATS_OK)
		herald__nats_link_lose(link, "the subscription cannot be drained");
	forget_pulls(nats);
}

uint64_t
herald__nats_inbox_look_ms(const struct nats_link *link, uint64_t now_ms)
{
	return link->is_draining && !is_drained(link) ? now_ms + DRAIN_LOOK_MS : UINT64_MAX;
}

void
herald__nats_inbox_drain(struct nats *nats, uint64_t until_ms)
{
	struct nats_link *link = &nats->link;
	uint64_t now_ms;

	herald__nats_inbox_stop(nats);
	while (!link->is_lost && !is_drained(link) && (now_ms = nats_now_ms()) < until_ms) {
		herald__nats_link_wait(link, nats_earlier(until_ms, now_ms + DRAIN_LOOK_MS));
		herald__nats_inbox_read(nats);
	}
}

natsStatus
herald__nats_inbox_resume(struct nats_link *link)
{
	if (link->is_lost || !is_drained(link))
		return NATS_OK;
	natsSubscription_Destroy(link->pulled);
	link->pulled = NULL;
	link->is_draining = false;
	return subscribe(link, "p.*", &link->pulled);
}
