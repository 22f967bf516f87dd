/*
 * The threads of a consumer: its own, and one for each lane. Each calls one step after the other,
 * and waits in between.
 */
#ifndef HERALD_SRC_CONSUMER_THREADS_H
#define HERALD_SRC_CONSUMER_THREADS_H

#include <herald/status.h>

struct herald_consumer;

/* Start all threads. After an error none of them runs. Errors: HERALD_SYSTEM, HERALD_NO_MEMORY. */
enum herald_status
herald__consumer_threads_start(struct herald_consumer *consumer, struct herald_error *error);

/* After a stop: wait until they have ended, and so the functions that run. */
void herald__consumer_threads_join(struct herald_consumer *consumer);

#endif
