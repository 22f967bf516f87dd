/*
 * Which partitions are this process's.
 */
#ifndef HERALD_KAFKA_ASSIGNMENT_H
#define HERALD_KAFKA_ASSIGNMENT_H

#include "state.h"

/* A rebalance begins: all partitions are to go, or some come. */
void herald__kafka_assignment_change(struct kafka *kafka, rd_kafka_event_t *event);
/* Partitions that are to go do so when nothing of them runs, and that is committed. */
void herald__kafka_assignment_turn(struct kafka *kafka, uint64_t now_ms);
/* The connection is lost: what was received comes again, when it is back. False: out of memory. */
bool herald__kafka_assignment_suspend(struct kafka *kafka);
bool herald__kafka_assignment_resume(struct kafka *kafka, struct herald_error *error);
/* All partitions are another process's, or will be. */
void herald__kafka_assignment_lose(struct kafka *kafka);

#endif
