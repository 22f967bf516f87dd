/*
 * The reader of dead letters and what it has read, for its parts.
 *
 * Kafka cannot delete a record in the middle of a topic. So a dead letter that is done gets a mark:
 * a record in the topic NAME.dead.done, whose key is "PARTITION:OFFSET:TIME" of the letter, as in
 * marks.h. Done letters at the beginning of a partition are deleted (trim.h), and their marks, too.
 */
#ifndef HERALD_KAFKA_DEAD_STATE_H
#define HERALD_KAFKA_DEAD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/dead_letters.h>
#include <herald/kafka.h>
#include <librdkafka/rdkafka.h>

#include "access.h"
#include "marks.h"
#include "sender.h"

/* A partition of the topic of dead letters. */
struct kafka_dead_partition {
	int64_t low, end; /* the first offset at open(), and the one after the last */
	int64_t next;     /* to be read */
	int64_t kept;     /* the first letter that was read and is not done; -1: none */
	/* The first record that was read: it says whether the topic is still the same one. */
	int64_t first, first_ms; /* -1: none */
};

struct kafka_dead_letters {
	struct herald_dead_letters base;
	struct herald_kafka_dead_letters_options options; /* with defaults; texts are NULL */
	struct herald_arena *texts;
	struct kafka_access access;
	const char *origin, *dead, *done; /* topics */
	char place[280];                  /* for base */
	int wake_fd;                      /* of the sender */

	/* From open() to close(). */
	rd_kafka_t *consumer;
	rd_kafka_queue_t *errors;
	rd_kafka_topic_t *topic; /* of dead letters; NULL: it does not exist */
	struct kafka_dead_partition *partitions;
	int count, at; /* of partitions; the one that is read */
	bool is_reading;
	bool is_whole; /* what there is is read from the beginning on: not one id */
	size_t handed; /* letters that were read and not released */
	struct kafka_marks marks;

	/* From the first replay() or remove() on. */
	struct kafka_sender sender;
	bool is_changing;
	size_t waiting; /* records without a report */
	bool is_lost;   /* `failure` says why */
	struct herald_error failure;
};

/* A copy of a record: a client of librdkafka waits for its records before it ends. */
struct kafka_dead_message {
	struct herald_dead_message base;
	rd_kafka_headers_t *headers;   /* NULL: none */
	struct herald_text key, value; /* data NULL: none */
	int64_t offset, time_ms;
	int32_t partition;
	bool is_done;
	char id[36];  /* "0:17" */
	size_t bytes; /* of this struct and its texts */
};

static inline struct kafka_dead_letters *
kafka_dead_letters_of(struct herald_dead_letters *letters)
{
	return (struct kafka_dead_letters *)letters;
}

static inline struct kafka_dead_message *
kafka_dead_message_of(struct herald_dead_message *message)
{
	return (struct kafka_dead_message *)message;
}

/* When a record was made, or stored; it is the same each time that the record is read. */
static inline int64_t
kafka_record_ms(const rd_kafka_message_t *record)
{
	rd_kafka_timestamp_type_t type;

	const int64_t time_ms = rd_kafka_message_timestamp(record, &type);
	return time_ms > 0 ? time_ms : 0;
}

#endif
