/*
 * Commits of offsets.
 */
#ifndef HERALD_KAFKA_COMMIT_H
#define HERALD_KAFKA_COMMIT_H

#include "state.h"

/* Read the answers, and commit if it is time. */
void herald__kafka_commit_turn(struct kafka *kafka, uint64_t now_ms);
/* When that is to be called, at the latest. */
uint64_t herald__kafka_commit_next_ms(const struct kafka *kafka, uint64_t now_ms);
/* Commit everything at once, and wait for the answers. False: that failed. */
bool herald__kafka_commit_all(struct kafka *kafka, uint64_t until_ms);

#endif
