/*
 * Acknowledgements.
 */
#ifndef HERALD_NATS_SETTLE_H
#define HERALD_NATS_SETTLE_H

#include "message.h"

/* Send one end, and ask the server to confirm it, and with it all that were sent before. Of a
 * message that is lost, nothing is sent. */
void herald__nats_settle_one(struct nats *nats, struct nats_message *message, const char *text);
/* Likewise, of a list. Messages that become dead letters are left out. */
void herald__nats_settle_list(struct nats *nats, const struct herald_settlement *settlements,
			      size_t count);
/* The consumer still has it. */
void herald__nats_settle_extend(struct nats *nats, const struct nats_message *message);

/* The ends up to this one are confirmed. 0: the server does not take them any more. */
void herald__nats_settle_answer(struct nats_link *link, uint64_t number);

/* Ends that are not confirmed. */
size_t herald__nats_settle_left(const struct nats *nats);

#endif
