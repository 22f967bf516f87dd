/*
 * Making topics.
 */
#ifndef HERALD_KAFKA_MAKE_H
#define HERALD_KAFKA_MAKE_H

#include <stdbool.h>

#include "access.h"

/* Whether a broker says that there is no such topic. */
bool herald__kafka_is_missing(rd_kafka_resp_err_t code);

/* Make topics; one that exists meanwhile is right, too. Brokers know of them some time later.
 * Brokers that cannot be asked make them when a producer asks for them: HERALD_OK.
 *
 * Errors  HERALD_UNAVAILABLE; HERALD_BAD_OPTION, such as for a missing right. */
enum herald_status
herald__kafka_make(rd_kafka_t *client, rd_kafka_NewTopic_t **topics, size_t count,
		   uint32_t timeout_ms, struct herald_error *error);

#endif
