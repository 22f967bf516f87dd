/*
 * The work of a producer's thread.
 */
#ifndef HERALD_SRC_PRODUCER_TURN_H
#define HERALD_SRC_PRODUCER_TURN_H

#include <stdint.h>

#include <herald/status.h>

struct herald_producer;

/* One step of the thread. Returns how long to wait for `wanted`; 0: not at all. */
uint64_t herald__producer_turn(struct herald_producer *producer);

/* The thread ends: close the connection, and let everything fail that is left. */
void herald__producer_end(struct herald_producer *producer);

/* Connect for the first time. Errors: as for the publisher's open(). `error` may be NULL. */
enum herald_status
herald__producer_connect(struct herald_producer *producer, struct herald_error *error);

#endif
