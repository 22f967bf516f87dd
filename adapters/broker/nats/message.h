/*
 * A message that the consumer has.
 */
#ifndef HERALD_NATS_MESSAGE_H
#define HERALD_NATS_MESSAGE_H

#include "subscriber.h"

struct nats_message {
	struct herald_received base;
	struct nats_message *newer, *older; /* of struct nats, while the connection lasts */
	natsMsg *msg;
	const char *reply; /* the subject of acknowledgements; in msg */
	uint64_t sequence; /* in the stream */
	uint64_t time_ns;  /* when the stream stored it */
	char *attributes;
};

static inline struct nats_message *
nats_message_of(struct herald_received *received)
{
	return (struct nats_message *)received;
}

/* Whether it came from a stream, by its reply subject. */
bool herald__nats_message_is(natsMsg *msg);

/* Take over what has arrived. Returns NULL if out of memory; then msg stays the caller's. */
struct nats_message *herald__nats_message_create(struct nats *nats, natsMsg *msg);
void herald__nats_message_destroy(struct nats *nats, struct nats_message *message);

/* The connection has ended: all messages are lost. */
void herald__nats_messages_lose(struct nats *nats);
/* Free the memory of messages. */
void herald__nats_messages_finish(struct nats *nats);

#endif
