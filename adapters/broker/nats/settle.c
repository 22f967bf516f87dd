/*
 * Ends of messages, as the server takes them: +ACK, -NAK, +WPI. It does not free messages.
 *
 * Only the last one of a group is a request that the server answers. It handles what one connection
 * sends for a consumer in order, so the answer is for all before it, too. One answer for each would
 * cost as much as receiving another message.
 */
#include "settle.h"

#include <stdio.h>
#include <string.h>

#include "link.h"

#define DONE "+ACK"
/* A delay of a nanosecond: of many messages that come back with a plain -NAK, nats-server 2.9.10
 * delivers the last one twice, and the first one only when the time for acknowledgements is
 * over. */
#define RELEASE "-NAK {\"delay\":1}"
#define EXTEND "+WPI"

static void
send_end(struct nats *nats, const struct nats_message *message, const char *text, bool asks)
{
	struct nats_link *link = &nats->link;
	char inbox[NATS_INBOX_BYTES + 32];
	natsStatus status;

	if (asks) {
		snprintf(inbox, sizeof(inbox), "%s.c.%llu", link->inbox,
			 (unsigned long long)link->sent + 1);
		status = natsConnection_PublishRequest(link->connection, message->reply, inbox,
						       text, (int)strlen(text));
	} else {
		status = natsConnection_Publish(link->connection, message->reply, text,
						(int)strlen(text));
	}
	/* Also one that could not be sent: the server does not know it. */
	link->sent++;
	if (status != NATS_OK)
		herald__nats_link_lose(link, "an acknowledgement cannot be sent");
}

void
herald__nats_settle_one(struct nats *nats, struct nats_message *message, const char *text)
{
	if (!herald_received_is_lost(&message->base))
		send_end(nats, message, text, true);
}

static bool
is_sent(const struct herald_settlement *settlement)
{
	return settlement->kind != HERALD_SETTLE_DEAD &&
	       !herald_received_is_lost(settlement->message);
}

static void
send_settlement(struct nats *nats, const struct herald_settlement *settlement, bool asks)
{
	const struct nats_message *message = nats_message_of(settlement->message);
	char text[48];

	if (settlement->kind == HERALD_SETTLE_DONE) {
		send_end(nats, message, DONE, asks);
	} else if (settlement->kind == HERALD_SETTLE_RETRY && settlement->delay_ms > 0) {
		snprintf(text, sizeof(text), "-NAK {\"delay\":%llu}",
			 (unsigned long long)settlement->delay_ms * 1000000);
		send_end(nats, message, text, asks);
	} else {
		send_end(nats, message, RELEASE, asks);
	}
}

void
herald__nats_settle_list(struct nats *nats, const struct herald_settlement *settlements,
			 size_t count)
{
	while (count > 0 && !is_sent(&settlements[count - 1]))
		count--;
	for (size_t i = 0; i < count; i++)
		if (is_sent(&settlements[i]))
			send_settlement(nats, &settlements[i], i == count - 1);
}

void
herald__nats_settle_extend(struct nats *nats, const struct nats_message *message)
{
	if (!herald_received_is_lost(&message->base))
		(void)natsConnection_Publish(nats->link.connection, message->reply, EXTEND,
					     (int)strlen(EXTEND));
}

void
herald__nats_settle_answer(struct nats_link *link, uint64_t number)
{
	if (number == 0)
		herald__nats_link_lose(link, "the server does not know the consumer any more");
	if (number > link->confirmed)
		link->confirmed = number;
	link->has_news = true;
}

size_t
herald__nats_settle_left(const struct nats *nats)
{
	const struct nats_link *link = &nats->link;

	return (size_t)(link->sent - link->confirmed) + link->letters_count;
}
