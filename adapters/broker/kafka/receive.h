/*
 * Receiving messages.
 */
#ifndef HERALD_KAFKA_RECEIVE_H
#define HERALD_KAFKA_RECEIVE_H

#include "state.h"

/* As in struct herald_subscriber_ops. */
enum herald_status
herald__kafka_receive(struct herald_subscriber *subscriber, size_t room, size_t room_bytes,
		      uint32_t timeout_ms, struct herald_received_list *out,
		      struct herald_error *error);
size_t herald__kafka_flush(struct herald_subscriber *subscriber, uint32_t timeout_ms);
/* Settlements that the brokers have not confirmed. */
size_t herald__kafka_unsettled(const struct herald_subscriber *subscriber);

#endif
