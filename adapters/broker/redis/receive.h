/*
 * Receives entries.
 */
#ifndef HERALD_REDIS_RECEIVE_H
#define HERALD_REDIS_RECEIVE_H

#include "subscriber.h"

/* As in struct herald_subscriber_ops. */
enum herald_status
herald__redis_receive(struct redis_subscriber *subscriber, size_t room, size_t room_bytes,
		      uint32_t timeout_ms, struct herald_received_list *out,
		      struct herald_error *error);
/* Likewise. */
size_t herald__redis_flush(struct redis_subscriber *subscriber, uint32_t timeout_ms);

#endif
