/*
 * Messages as they arrive: one block each, with the attributes, the key and the body. They are
 * copied, because librdkafka's message keeps the whole response of the broker in memory, which may
 * have 50 MiB. Owns the block, and the original headers.
 */
#include "message.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/random.h>
#include <herald/adapter/text.h>

#define MAX_DUE_MS INT64_C(1000000000000000)
/* Of an attribute that a producer sends. */
#define MAX_DECODED_BYTES 4096

/* Attributes. They are written twice: to nowhere, for their size, and into the block. */

struct writer {
	char *at; /* NULL: only counts */
	size_t bytes;
	const char *content_type;
};

static void
write_bytes(struct writer *writer, const char *data, size_t bytes)
{
	if (writer->at && bytes > 0)
		memcpy(writer->at + writer->bytes, data, bytes);
	writer->bytes += bytes;
}

/* As CloudEvents wants it in headers. */
static void
write_encoded(struct writer *writer, struct herald_text value)
{
	for (size_t i = 0; i < value.bytes; i++) {
		const unsigned char byte = (unsigned char)value.data[i];
		char escape[4];

		if (byte > 0x20 && byte < 0x7f && byte != '"' && byte != '%') {
			write_bytes(writer, value.data + i, 1);
			continue;
		}
		snprintf(escape, sizeof(escape), "%%%02X", byte);
		write_bytes(writer, escape, 3);
	}
}

static bool
is_event_attribute(const char *name)
{
	return herald_ascii_same_bytes(name, "ce_", strnlen(name, 3) == 3 ? 3 : 0) &&
	       strlen(name) > 3;
}

static void
write_attribute(struct writer *writer, const char *name, struct herald_text value)
{
	const bool is_event = is_event_attribute(name);

	if (is_event) {
		write_bytes(writer, "ce-", 3);
		name += 3;
	}
	write_bytes(writer, name, strlen(name) + 1);
	if (writer->at && !writer->content_type && herald_ascii_same(name, "content-type"))
		writer->content_type = writer->at + writer->bytes;
	if (is_event)
		write_encoded(writer, value);
	else
		write_bytes(writer, value.data, value.bytes);
	write_bytes(writer, "", 1);
}

struct herald_text
herald__kafka_header_text(const void *value, size_t bytes)
{
	if (!value || bytes == 0)
		return (struct herald_text){"", 0};
	return (struct herald_text){memchr(value, '\0', bytes) ? NULL : value, bytes};
}

static void
write_attributes(struct writer *writer, const rd_kafka_headers_t *headers)
{
	const char *name;
	const void *value;
	size_t bytes;

	for (size_t i = 0; headers && rd_kafka_header_get_all(headers, i, &name, &value, &bytes) ==
					      RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++) {
		const struct herald_text text = herald__kafka_header_text(value, bytes);

		if (text.data && *name != '\0')
			write_attribute(writer, name, text);
	}
}

size_t
herald__kafka_attributes_write(const rd_kafka_headers_t *headers, char *out)
{
	struct writer writer = {.at = out};

	write_attributes(&writer, headers);
	return writer.bytes;
}

rd_kafka_headers_t *
herald__kafka_headers_copy(const rd_kafka_headers_t *headers)
{
	rd_kafka_headers_t *copy = rd_kafka_headers_new(16);
	const char *name;
	const void *value;
	size_t bytes;

	for (size_t i = 0; headers && rd_kafka_header_get_all(headers, i, &name, &value, &bytes) ==
					      RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++)
		if (!herald_header_is_own(name) && strcmp(name, KAFKA_DUE_HEADER) != 0)
			(void)rd_kafka_header_add(copy, name, -1, value, (ssize_t)bytes);
	return copy;
}

/* A NUL stays encoded. Returns the number of bytes. */
static size_t
decode(const char *value, char *out)
{
	size_t bytes = 0;

	while (*value != '\0') {
		const int high = *value == '%' ? herald_ascii_hex_value(value[1]) : -1;
		const int low = high >= 0 ? herald_ascii_hex_value(value[2]) : -1;
		const int byte = low >= 0 ? high * 16 + low : 0;

		out[bytes++] = byte > 0 ? (char)byte : *value;
		value += byte > 0 ? 3 : 1;
	}
	return bytes;
}

/* A value that is longer than a producer takes is not decoded. */
void
herald__kafka_header_add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
	char decoded[MAX_DECODED_BYTES], renamed[MAX_DECODED_BYTES];
	const bool is_event = strlen(name) > 3 && strlen(name) < sizeof(renamed) &&
			      strlen(value) <= sizeof(decoded) &&
			      herald_ascii_same_bytes(name, "ce-", 3);

	if (!is_event) {
		(void)rd_kafka_header_add(headers, name, -1, value, -1);
		return;
	}
	snprintf(renamed, sizeof(renamed), "ce_%s", name + 3);
	(void)rd_kafka_header_add(headers, renamed, -1, decoded, (ssize_t)decode(value, decoded));
}

/* The key, the body and the time. */

static char *
put(char *at, const void *data, size_t bytes)
{
	if (bytes > 0)
		memcpy(at, data, bytes);
	at[bytes] = '\0';
	return at + bytes + 1;
}

static void
fill(struct kafka_message *message, const rd_kafka_message_t *from, size_t attributes_bytes)
{
	char *const texts = (char *)(message + 1), *key = texts + attributes_bytes;
	struct writer writer = {.at = texts};
	rd_kafka_timestamp_type_t type;

	write_attributes(&writer, message->headers);
	message->base.attributes = (struct herald_text){texts, writer.bytes};
	message->base.content_type = writer.content_type;
	if (from->key)
		message->base.key = (struct herald_text){key, from->key_len};
	char *data = put(key, from->key, from->key ? from->key_len : 0);
	message->base.data = (struct herald_text){data, from->payload ? from->len : 0};
	put(data, from->payload, message->base.data.bytes);
	const int64_t created_ms = rd_kafka_message_timestamp(from, &type);
	message->base.created_ms = created_ms > 0 ? created_ms : 0;
}

static void
read_own_headers(struct kafka_message *message, bool is_retried)
{
	const struct herald_text attributes = message->base.attributes;
	const char *due = herald_attributes_find(attributes, KAFKA_DUE_HEADER);
	uint64_t due_ms;

	message->base.attempts = herald_attributes_attempts(attributes);
	if (is_retried && due && herald_ascii_number(due, MAX_DUE_MS, &due_ms))
		message->due_ms = (int64_t)due_ms;
}

/* A topic that was deleted and made again has the same offsets, but other times. */
static uint64_t
identity_of(const struct kafka_partition *partition, const struct kafka_message *message)
{
	const uint64_t identity = herald_random_bits(partition->salt + (uint64_t)message->offset) ^
				  herald_random_bits((uint64_t)message->base.created_ms);

	return identity ? identity : 1;
}

struct kafka_message *
herald__kafka_message_create(struct kafka *kafka, const struct kafka_partition *partition,
			     rd_kafka_message_t *from)
{
	struct writer writer = {0};
	rd_kafka_headers_t *headers = NULL;

	(void)rd_kafka_message_detach_headers(from, &headers);
	write_attributes(&writer, headers);
	const size_t key_bytes = from->key ? from->key_len : 0;
	const size_t bytes = sizeof(struct kafka_message) + writer.bytes + key_bytes +
			     (from->payload ? from->len : 0) + 2;
	struct kafka_message *message = herald_memory_allocate(&kafka->settings.allocator, bytes);
	if (!message) {
		if (headers)
			rd_kafka_headers_destroy(headers);
		return NULL;
	}
	*message = (struct kafka_message){
		.offset = from->offset,
		.block_bytes = bytes,
		.headers = headers,
	};
	fill(message, from, writer.bytes);
	if (headers)
		read_own_headers(message, partition->queue);
	message->base.identity = identity_of(partition, message);
	return message;
}

void
herald__kafka_message_free(struct kafka *kafka, struct kafka_message *message)
{
	if (message->headers)
		rd_kafka_headers_destroy(message->headers);
	if (message->copy.headers)
		rd_kafka_headers_destroy(message->copy.headers);
	herald_memory_release(&kafka->settings.allocator, message, message->block_bytes);
}

size_t
herald__kafka_message_bytes(const struct kafka_message *message)
{
	return message->base.data.bytes + message->base.attributes.bytes;
}
