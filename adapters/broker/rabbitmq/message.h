/*
 * Messages as they arrive.
 */
#ifndef HERALD_RABBITMQ_MESSAGE_H
#define HERALD_RABBITMQ_MESSAGE_H

#include "state.h"

/* A message whose content is announced; NULL when out of memory. The body is not filled in. */
struct rabbitmq_message *
herald__rabbitmq_message_create(struct rabbitmq *rabbitmq, const amqp_basic_deliver_t *delivery,
				const amqp_frame_t *header);
/* Its body is complete. */
void herald__rabbitmq_message_complete(struct rabbitmq_message *message);
void herald__rabbitmq_message_free(struct rabbitmq *rabbitmq, struct rabbitmq_message *message);
/* Whether a header is not copied: the server's, Herald's, and those that route. */
bool herald__rabbitmq_header_stays(amqp_bytes_t name);

#endif
