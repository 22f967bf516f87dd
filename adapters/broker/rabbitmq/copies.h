/*
 * Copies of messages for retries and of dead letters.
 */
#ifndef HERALD_RABBITMQ_COPIES_H
#define HERALD_RABBITMQ_COPIES_H

#include "state.h"

/* Returns false when out of memory. */
bool herald__rabbitmq_copy_begin(struct rabbitmq *rabbitmq, struct rabbitmq_message *message,
				 const struct herald_settlement *settlement);
/* Send copies, as far as the socket takes them, and read confirmations. */
void herald__rabbitmq_copies_turn(struct rabbitmq *rabbitmq);
/* Forget them; their messages are freed by the caller. */
void herald__rabbitmq_copies_drop(struct rabbitmq *rabbitmq);
/* When a copy may be sent that waits; UINT64_MAX: none does. */
uint64_t herald__rabbitmq_copies_due_ms(const struct rabbitmq *rabbitmq);

#endif
