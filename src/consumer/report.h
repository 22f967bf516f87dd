/*
 * What a consumer logs and counts.
 */
#ifndef HERALD_SRC_CONSUMER_REPORT_H
#define HERALD_SRC_CONSUMER_REPORT_H

#include <herald/status.h>

#include "consumer/held.h"

struct herald_consumer;

/* A message has ended; it may be lost. */
void herald__consumer_report_end(struct herald_consumer *consumer, const struct herald__held *held);

/* A message has come. */
void
herald__consumer_report_received(struct herald_consumer *consumer, const struct herald__held *held);

/* `error` NULL: connected. */
void herald__consumer_report_connection(struct herald_consumer *consumer,
					const struct herald_error *error);

/* The consumer has stopped; of `left` messages the broker does not know the end. */
void herald__consumer_report_stopped(struct herald_consumer *consumer, size_t left);

/* The notes are locked by a process that hangs. */
void herald__consumer_report_stuck(struct herald_consumer *consumer);

#endif
