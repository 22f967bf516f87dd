/*
 * The queues of a consumer: which there are, and with which arguments.
 */
#ifndef HERALD_RABBITMQ_QUEUES_H
#define HERALD_RABBITMQ_QUEUES_H

#include "state.h"

/* Declare all queues. Errors as herald_subscriber_ops.open. */
enum herald_status
herald__rabbitmq_declare_all(struct rabbitmq *rabbitmq, struct herald_error *error);
/* Declare the queue of a copy again without waiting; an error closes the channel. */
int herald__rabbitmq_declare_again(struct rabbitmq *rabbitmq, const struct rabbitmq_copy *copy);
/* The queue for a delay, which is the next longer one. */
int herald__rabbitmq_tier_of(uint64_t delay_ms);
void herald__rabbitmq_tier_name(const struct rabbitmq *rabbitmq, int tier,
				char out[RABBITMQ_NAME_BYTES]);

#endif
