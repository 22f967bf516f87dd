/*
 * The topics: they are made if they do not exist.
 */
#ifndef HERALD_KAFKA_TOPICS_H
#define HERALD_KAFKA_TOPICS_H

#include "state.h"

/* Wait for a broker that was there before. */
enum herald_status herald__kafka_topics_await(struct kafka *kafka, struct herald_error *error);
/* Wait for a broker, make the topics that are missing, and subscribe. */
enum herald_status herald__kafka_topics_open(struct kafka *kafka, struct herald_error *error);

#endif
