/*
 * Opens the connections.
 */
#ifndef HERALD_REDIS_HANDSHAKE_H
#define HERALD_REDIS_HANDSHAKE_H

#include "subscriber.h"

enum herald_status
herald__redis_open(struct redis_subscriber *subscriber, struct herald_error *error);
/* Remove consumers without entries: consumers of dead processes, and the one named
 * `own`, which may be "". */
void herald__redis_clean(struct redis_subscriber *subscriber, const char *own);

#endif
