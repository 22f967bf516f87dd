/*
 * Producers of librdkafka, with confirmations. Brokers refuse a whole batch because of one message,
 * or because all together are too large: the messages of such a batch are sent again, each alone.
 */
#ifndef HERALD_KAFKA_SENDER_H
#define HERALD_KAFKA_SENDER_H

#include <stdbool.h>

#include "access.h"

struct kafka_sender {
	const struct kafka_access *access;
	int wake_fd;
	size_t max_messages;
	/* Many messages in a batch, and one; the second is created when it is needed. NULL: there
	 * is none. */
	rd_kafka_t *clients[2];
	rd_kafka_queue_t *reports[2];
	rd_kafka_topic_t *topics[2]; /* the last one; NULL: none */
};

struct kafka_parcel {
	const char *topic;
	struct herald_text key, data; /* `data` stays where it is until the report */
	rd_kafka_headers_t *headers;
	const int32_t *partition; /* NULL: by the key */
	void *owner;
};

/* The outcome of a parcel, whose owner is report->_private.
 *
 * code  report->err; or RD_KAFKA_RESP_ERR__FAIL: its batch was refused, and there were no resources
 *       to send it alone. */
typedef void
kafka_report_hook(void *state, const rd_kafka_message_t *report, rd_kafka_resp_err_t code);
/* A failure that is not a parcel's. */
typedef void kafka_failure_hook(void *state, rd_kafka_resp_err_t code, const char *why);

/* wake_fd       an eventfd that is written to when something is reported.
 * max_messages  0: librdkafka's default. */
enum herald_status
herald__kafka_sender_create(struct kafka_sender *sender, const struct kafka_access *access,
			    int wake_fd, size_t max_messages, struct herald_error *error);
/* Parcels that have no report do not get one. Nothing if it was not created. */
void herald__kafka_sender_destroy(struct kafka_sender *sender);

/* On success the headers belong to it. */
rd_kafka_resp_err_t
herald__kafka_sender_send(struct kafka_sender *sender, const struct kafka_parcel *parcel);
/* Call the hooks for all that was reported. */
void herald__kafka_sender_turn(struct kafka_sender *sender, kafka_report_hook *on_report,
			       kafka_failure_hook *on_failure, void *state);
/* What is not confirmed fails. */
void herald__kafka_sender_purge(struct kafka_sender *sender);

#endif
