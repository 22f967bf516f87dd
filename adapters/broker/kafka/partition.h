/*
 * A partition: its messages that are not finished, and what is committed for it.
 */
#ifndef HERALD_KAFKA_PARTITION_H
#define HERALD_KAFKA_PARTITION_H

#include "state.h"

/* A partition that has just been assigned; NULL when out of memory. `committed` has its offset and
 * metadata, as the brokers know them. */
struct kafka_partition *
herald__kafka_partition_create(struct kafka *kafka, const rd_kafka_topic_partition_t *committed);
/* Its messages are lost. It is in no list. */
void herald__kafka_partition_destroy(struct kafka *kafka, struct kafka_partition *partition);
/* Its messages are lost, but it stays: they are to be received again. */
bool herald__kafka_partition_rewind(struct kafka *kafka, struct kafka_partition *partition);
/* NULL: it is not assigned. */
struct kafka_partition *
herald__kafka_partition_find(const struct kafka *kafka, const char *topic, int32_t number);

/* A message comes from librdkafka. NULL: it is finished already, or `*has_memory` is false: then it
 * may be tried again. If its offset is before one that was taken, the brokers have lost messages:
 * all that is known of the partition is forgotten. */
struct kafka_message *
herald__kafka_partition_take(struct kafka *kafka, struct kafka_partition *partition,
			     rd_kafka_message_t *from, bool *has_memory);

/* The consumer gets the message. */
void herald__kafka_partition_hand(struct kafka *kafka, struct kafka_message *message);
/* The subscriber keeps it: it was given back, or it is not due. */
void herald__kafka_partition_keep(struct kafka *kafka, struct kafka_message *message);
/* The subscriber keeps a message whose copy cannot be stored, until its retry is due. It counts as
 * another message, and is in flight meanwhile. */
void herald__kafka_partition_retry(struct kafka *kafka, struct kafka_message *message,
				   unsigned attempts, int64_t due_ms);
/* Such retries that are due are not in flight any more. */
void herald__kafka_partition_end_waits(struct kafka *kafka, const struct kafka_partition *partition,
				       int64_t wall_ms);
/* The first message that is kept, and that is due; NULL: there is none. */
struct kafka_message *
herald__kafka_partition_first_due(const struct kafka_partition *partition, int64_t wall_ms);
/* It is not kept any more. */
void herald__kafka_partition_take_kept(struct kafka_partition *partition);
/* The message is finished; frees it. */
void herald__kafka_partition_finish(struct kafka *kafka, struct kafka_message *message);

/* Add to a list what is to be committed. False: out of memory. */
bool herald__kafka_partition_commit(struct kafka *kafka, struct kafka_partition *partition,
				    rd_kafka_topic_partition_list_t *list);

#endif
