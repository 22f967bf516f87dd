/*
 * Records of a partition, read one after the other without a group.
 */
#ifndef HERALD_KAFKA_RECORDS_H
#define HERALD_KAFKA_RECORDS_H

#include "access.h"

struct kafka_records {
	rd_kafka_t *consumer;
	rd_kafka_queue_t *errors;
	rd_kafka_topic_t *topic; /* it was started */
	int32_t partition;
	uint32_t timeout_ms; /* without a record for longer, the connection counts as lost */
};

/* The settings of a consumer for it. */
#define KAFKA_RECORDS_SETTINGS                                                                     \
	{"enable.partition.eof", "true", 0}, {"auto.offset.reset", "earliest", 0},                 \
		{"fetch.wait.max.ms", NULL, 100}, {"fetch.error.backoff.ms", NULL, 100},           \
	{                                                                                          \
		"queued.max.messages.kbytes", NULL, 16384                                          \
	}

/* The next record, which is behind *next, and before `end`. *next is then behind it.
 *
 * out     NULL: there is none. The caller owns it.
 * Errors  HERALD_UNAVAILABLE: no answer in time, or the topic was deleted. */
enum herald_status
herald__kafka_records_next(const struct kafka_records *records, int64_t *next, int64_t end,
			   rd_kafka_message_t **out, struct herald_error *error);

/* The first offset, and the one after the last. */
enum herald_status herald__kafka_records_range(const struct kafka_records *records, int64_t *low,
					       int64_t *end, struct herald_error *error);

#endif
