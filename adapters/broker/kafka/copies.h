/*
 * Copies of messages: for a retry, and as dead letters.
 */
#ifndef HERALD_KAFKA_COPIES_H
#define HERALD_KAFKA_COPIES_H

#include "state.h"

/* Send a copy, as a settlement says. When the brokers have it, the message is finished. */
void herald__kafka_copy_start(struct kafka *kafka, const struct herald_settlement *settlement);
/* Read what has become of copies, and send some again. */
void herald__kafka_copies_turn(struct kafka *kafka, uint64_t now_ms);
/* The producer is gone: drop all. */
void herald__kafka_copies_drop(struct kafka *kafka);

#endif
