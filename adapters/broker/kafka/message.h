/*
 * Messages as they arrive.
 */
#ifndef HERALD_KAFKA_MESSAGE_H
#define HERALD_KAFKA_MESSAGE_H

#include "state.h"

/* The header of a copy that says when it is due: milliseconds since 1970. */
#define KAFKA_DUE_HEADER "herald-due"

/* A copy of what librdkafka has; NULL when out of memory. */
struct kafka_message *
herald__kafka_message_create(struct kafka *kafka, const struct kafka_partition *partition,
			     rd_kafka_message_t *from);
/* Not in a list. */
void herald__kafka_message_free(struct kafka *kafka, struct kafka_message *message);
/* The bytes that count as in flight. */
size_t herald__kafka_message_bytes(const struct kafka_message *message);

/* Add an attribute as a header. Attributes of CloudEvents are named ce_..., and not encoded. */
void herald__kafka_header_add(rd_kafka_headers_t *headers, const char *name, const char *value);

/* Headers as attributes: "name\0value\0" for each. Returns the number of bytes.
 *
 * out  NULL: only counts. */
size_t herald__kafka_attributes_write(const rd_kafka_headers_t *headers, char *out);

/* Headers without Herald's own, for a copy. NULL: none. */
rd_kafka_headers_t *herald__kafka_headers_copy(const rd_kafka_headers_t *headers);

/* The bytes of a header's value, as text; data NULL: it is not text. */
struct herald_text herald__kafka_header_text(const void *value, size_t bytes);

#endif
