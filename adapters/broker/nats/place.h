/*
 * What is there on the server: streams and the durable consumer.
 */
#ifndef HERALD_NATS_PLACE_H
#define HERALD_NATS_PLACE_H

#include "subscriber.h"

/* Make what is missing, and check what is there. Errors: HERALD_UNAVAILABLE, HERALD_BAD_OPTION,
 * HERALD_NO_MEMORY. */
enum herald_status herald__nats_place_prepare(struct nats *nats, struct herald_error *error);

#endif
