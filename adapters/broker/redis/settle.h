/*
 * Ends of entries.
 */
#ifndef HERALD_REDIS_SETTLE_H
#define HERALD_REDIS_SETTLE_H

#include "subscriber.h"

/* Frees the entry. */
void herald__redis_settle(struct redis_subscriber *subscriber,
			  const struct herald_settlement *settlement);
/* Send all ends, as far as the socket takes them. */
void herald__redis_acknowledge(struct redis_subscriber *subscriber);

#endif
