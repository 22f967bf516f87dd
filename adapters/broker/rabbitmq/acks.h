/*
 * Acknowledgements, and giving back.
 */
#ifndef HERALD_RABBITMQ_ACKS_H
#define HERALD_RABBITMQ_ACKS_H

#include "state.h"

/* Acknowledge what is done up to the oldest that is not; with `all`, everything. */
void herald__rabbitmq_acks_send(struct rabbitmq *rabbitmq, bool all);
/* Whether there is something to send now. */
bool herald__rabbitmq_acks_due(const struct rabbitmq *rabbitmq);

#endif
