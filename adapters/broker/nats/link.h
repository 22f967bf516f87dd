/*
 * A connection whose socket is read and written by the consumer's thread.
 */
#ifndef HERALD_NATS_LINK_H
#define HERALD_NATS_LINK_H

#include "subscriber.h"

/* Returns 0, or an errno value. */
int herald__nats_link_init(struct nats_link *link);
void herald__nats_link_finish(struct nats_link *link);

/* Forget the last connection, but not when the problems of letters were logged. */
void herald__nats_link_reset(struct nats_link *link, bool is_secure);
/* Does not wait, also not for what could not be sent yet. */
void herald__nats_link_close(struct nats_link *link);
/* For herald__nats_connect(): libnats is to have no thread for the connection. */
natsStatus herald__nats_link_attach(struct nats_link *link, natsOptions *options);

/* The connection is of no use any more. */
void herald__nats_link_lose(struct nats_link *link, const char *problem);

/* Send what the socket takes. libnats keeps the rest, for herald__nats_link_wait(). */
void herald__nats_link_send(struct nats_link *link);
/* Read some of what has come: libnats' buffer, or a record of TLS. Returns whether more has. */
bool herald__nats_link_read(struct nats_link *link);
/* Wait until there is something to read, herald__nats_link_wake() was called, or until_ms, and
 * meanwhile send. */
void herald__nats_link_wait(struct nats_link *link, uint64_t until_ms);

/* Any thread. */
void herald__nats_link_wake(struct nats_link *link);

#endif
