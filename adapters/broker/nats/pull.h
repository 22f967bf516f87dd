/*
 * Requests for messages: how many may still come, and when to ask for more.
 */
#ifndef HERALD_NATS_PULL_H
#define HERALD_NATS_PULL_H

#include "subscriber.h"

/* A message has come; or what the server says of a pull instead, or NULL: it has no responder. */
void herald__nats_pull_message(struct nats_link *link);
void herald__nats_pull_status(struct nats_link *link, natsMsg *msg);

/* Ask for more, so that no more than have room can come. */
void herald__nats_pull_more(struct nats *nats, size_t room, size_t room_bytes, uint64_t now_ms);

#endif
