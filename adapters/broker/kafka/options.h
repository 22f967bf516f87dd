/*
 * The options, and what is made of them.
 */
#ifndef HERALD_KAFKA_OPTIONS_H
#define HERALD_KAFKA_OPTIONS_H

#include "state.h"

#define KAFKA_MAX_TOPIC_BYTES 249

/* Check them, and set the defaults. */
enum herald_status
herald__kafka_options_read(const struct herald_kafka_subscriber_options *given,
			   struct herald_kafka_subscriber_options *out, struct herald_error *error);
/* Copy the texts of kafka->options into its arena, and name the topics. */
enum herald_status herald__kafka_options_copy(struct kafka *kafka, struct herald_error *error);

/* Whether Kafka allows it. */
bool herald__kafka_is_topic(const char *name);

/* The longest delay of a tier. */
uint64_t herald__kafka_tier_ms(size_t tier);

#endif
