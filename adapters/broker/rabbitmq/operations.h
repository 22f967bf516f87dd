/*
 * The functions of struct herald_subscriber_ops, except for destroy().
 */
#ifndef HERALD_RABBITMQ_OPERATIONS_H
#define HERALD_RABBITMQ_OPERATIONS_H

#include "state.h"

enum herald_status herald__rabbitmq_open(struct herald_subscriber *base,
					 const struct herald_subscriber_settings *settings,
					 struct herald_error *error);
enum herald_status
herald__rabbitmq_receive(struct herald_subscriber *base, size_t room, size_t room_bytes,
			 uint32_t timeout_ms, struct herald_received_list *out,
			 struct herald_error *error);
void herald__rabbitmq_settle(struct herald_subscriber *base,
			     const struct herald_settlement *settlements, size_t count);
size_t herald__rabbitmq_unsettled(const struct herald_subscriber *base);
size_t herald__rabbitmq_flush(struct herald_subscriber *base, uint32_t timeout_ms);
void herald__rabbitmq_close(struct herald_subscriber *base, uint32_t timeout_ms);
void herald__rabbitmq_wake(struct herald_subscriber *base);

#endif
