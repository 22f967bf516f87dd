/*
 * Whether a broker answers.
 */
#ifndef HERALD_KAFKA_REACH_H
#define HERALD_KAFKA_REACH_H

#include <herald/adapter/publisher.h>

#include "access.h"

/* What a broker says of one topic; with NULL, of none. */
rd_kafka_resp_err_t herald__kafka_look(rd_kafka_t *client, const char *topic, uint32_t timeout_ms);

/* Likewise, and how many partitions it has; at least one, if there is no error. */
rd_kafka_resp_err_t
herald__kafka_look_at(rd_kafka_t *client, const char *topic, uint32_t timeout_ms, int *partitions);

/* Wait for a broker until a time of kafka_now_ms().
 *
 * errors  the client's queue in which its errors are.
 * ends    if it stops, open() ends; NULL: nothing stops.
 * Errors  HERALD_UNAVAILABLE; HERALD_BAD_OPTION, such as for a wrong password. */
enum herald_status
herald__kafka_reach(rd_kafka_t *client, rd_kafka_queue_t *errors, uint64_t until_ms,
		    const struct herald_publisher *ends, struct herald_error *error);

#endif
