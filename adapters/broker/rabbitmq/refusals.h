/*
 * Which messages made the server close the channel.
 */
#ifndef HERALD_RABBITMQ_REFUSALS_H
#define HERALD_RABBITMQ_REFUSALS_H

#include <amqp.h>

#include <herald/adapter/publisher.h>

/*
 * Set the status and the reason of messages that the server would refuse each time: sent again,
 * they would close each channel.
 *
 * method   channel.close or connection.close.
 * sent     on this channel, by number from 1, and not confirmed.
 * waiting  to be sent; the first one may have begun.
 */
void herald__rabbitmq_refusals_find(const amqp_method_t *method, struct herald_outgoing *sent,
				    struct herald_outgoing *waiting);

#endif
