/*
 * The subscriptions of a connection.
 */
#ifndef HERALD_NATS_INBOX_H
#define HERALD_NATS_INBOX_H

#include "subscriber.h"

/* Subscribe to what the server sends to this connection alone. */
natsStatus herald__nats_inbox_open(struct nats_link *link);
/* Free the subscriptions. The connection is closed. */
void herald__nats_inbox_close(struct nats_link *link);

/* Send, and read all that has come. Messages are added to nats->arrived. */
void herald__nats_inbox_read(struct nats *nats);

/* Tell the server to send no more messages. What is sent after it reaches the server later. */
void herald__nats_inbox_stop(struct nats *nats);
/* The same, and wait until all that it has sent have arrived, but not after until_ms. */
void herald__nats_inbox_drain(struct nats *nats, uint64_t until_ms);
/* When a drain that is under way must be looked at again. UINT64_MAX: none is. */
uint64_t herald__nats_inbox_look_ms(const struct nats_link *link, uint64_t now_ms);
/* If it was stopped, and has sent all: it may send messages again. */
natsStatus herald__nats_inbox_resume(struct nats_link *link);

#endif
