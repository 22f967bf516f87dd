/*
 * Dead letters on their way.
 */
#ifndef HERALD_NATS_LETTER_H
#define HERALD_NATS_LETTER_H

#include "message.h"

/* Publish a dead letter. Takes over the message of the settlement. */
void herald__nats_letter_add(struct nats *nats, const struct herald_settlement *settlement);

/* What a stream has answered; NULL: a letter has no responder. */
void herald__nats_letter_answer(struct nats_link *link, uint64_t number, natsMsg *msg);

/* Acknowledge the messages whose letters are stored, and publish letters again that are due. */
void herald__nats_letter_turn(struct nats *nats, uint64_t now_ms);

/* The connection has ended. */
void herald__nats_letter_drop_all(struct nats *nats);

#endif
