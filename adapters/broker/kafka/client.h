/*
 * The clients of librdkafka: a consumer and a producer.
 */
#ifndef HERALD_KAFKA_CLIENT_H
#define HERALD_KAFKA_CLIENT_H

#include "state.h"

/* Create both, and their queues. On failure what there is stays, for destroy(). */
enum herald_status herald__kafka_client_create(struct kafka *kafka, struct herald_error *error);
/* Leave the group, unless the connection is lost, and destroy both. If the broker does not answer,
 * it takes up to timeout_ms of the options and some seconds, also if close() has less time. */
void herald__kafka_client_destroy(struct kafka *kafka);

/* The connection counts as lost: receive() reports it. */
void herald__kafka_client_fail(struct kafka *kafka, const char *what, const char *why);
/* An error that a client has reported. */
void herald__kafka_client_report(struct kafka *kafka, rd_kafka_resp_err_t code, const char *why);

#endif
