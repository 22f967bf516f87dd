/*
 * The messages of a connection, in the order of their tags, and its failure.
 */
#ifndef HERALD_RABBITMQ_EPOCH_H
#define HERALD_RABBITMQ_EPOCH_H

#include "state.h"

uint64_t herald__rabbitmq_now_ms(void);
/* The connection is lost: what the consumer has can only come too late. */
void herald__rabbitmq_fail(struct rabbitmq *rabbitmq);
void herald__rabbitmq_fail_with(struct rabbitmq *rabbitmq, int status, const char *what);

void herald__rabbitmq_list_add(struct rabbitmq *rabbitmq, struct rabbitmq_message *message);
void herald__rabbitmq_list_remove(struct rabbitmq *rabbitmq, struct rabbitmq_message *message);

#endif
