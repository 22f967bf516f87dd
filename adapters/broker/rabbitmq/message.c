/*
 * Messages as they arrive: one block each, with the body, the attributes as text, and the original
 * properties, for copies. Owns the block.
 */
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>
#include <herald/time.h>

/* Attributes. They are written twice: to nowhere, for their size, and into the block. */

struct writer {
	char *at; /* NULL: only counts */
	size_t bytes;
};

static void
write_bytes(struct writer *writer, const char *data, size_t bytes)
{
	if (writer->at)
		memcpy(writer->at + writer->bytes, data, bytes);
	writer->bytes += bytes;
}

static struct herald_text
text_of(amqp_bytes_t bytes)
{
	return (struct herald_text){bytes.bytes, bytes.len};
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
has_nul(struct herald_text text)
{
	return text.bytes > 0 && memchr(text.data, '\0', text.bytes);
}

/* The bytes of a prefix that marks a CloudEvents attribute; 0: it has none. */
static size_t
event_prefix(struct herald_text name)
{
	static const char prefix[] = "cloudEvents";
	const size_t bytes = sizeof(prefix) - 1;

	return name.bytes > bytes + 1 && herald_ascii_same_bytes(name.data, prefix, bytes) &&
			       (name.data[bytes] == ':' || name.data[bytes] == '_')
		       ? bytes + 1
		       : 0;
}

static void
write_attribute(struct writer *writer, struct herald_text name, struct herald_text value)
{
	const size_t prefix = event_prefix(name);

	if (name.bytes == 0 || has_nul(name) || has_nul(value))
		return;
	if (prefix > 0)
		write_bytes(writer, "ce-", 3);
	write_bytes(writer, name.data + prefix, name.bytes - prefix);
	write_bytes(writer, "", 1);
	if (prefix > 0)
		write_encoded(writer, value);
	else
		write_bytes(writer, value.data, value.bytes);
	write_bytes(writer, "", 1);
}

static void
write_property(struct writer *writer, const char *name, bool has_it, amqp_bytes_t value)
{
	if (has_it)
		write_attribute(writer, (struct herald_text){name, strlen(name)}, text_of(value));
}

/* A whole number; false if it is not one. */
static bool
integer_of(const amqp_field_value_t *value, int64_t *out)
{
	switch (value->kind) {
	case AMQP_FIELD_KIND_I8:
		/* NOLINTNEXTLINE(bugprone-signed-char-misuse,cert-str34-c): it is a number. */
		*out = value->value.i8;
		return true;
	case AMQP_FIELD_KIND_U8:
		*out = value->value.u8;
		return true;
	case AMQP_FIELD_KIND_I16:
		*out = value->value.i16;
		return true;
	case AMQP_FIELD_KIND_U16:
		*out = value->value.u16;
		return true;
	case AMQP_FIELD_KIND_I32:
		*out = value->value.i32;
		return true;
	case AMQP_FIELD_KIND_U32:
		*out = value->value.u32;
		return true;
	case AMQP_FIELD_KIND_I64:
		*out = value->value.i64;
		return true;
	default:
		return false;
	}
}

/* A header's value as text, in `room` if it has to be made. False: it is left out. */
static bool
value_text(const amqp_field_value_t *value, char room[64], struct herald_text *out)
{
	int64_t integer;

	if (value->kind == AMQP_FIELD_KIND_UTF8 || value->kind == AMQP_FIELD_KIND_BYTES) {
		*out = text_of(value->value.bytes);
		return true;
	}
	if (integer_of(value, &integer))
		herald_text_write(room, 64, "%lld", (long long)integer);
	else if (value->kind == AMQP_FIELD_KIND_U64)
		herald_text_write(room, 64, "%llu", (unsigned long long)value->value.u64);
	else if (value->kind == AMQP_FIELD_KIND_BOOLEAN)
		herald_text_write(room, 64, "%s", value->value.boolean ? "true" : "false");
	else if (value->kind == AMQP_FIELD_KIND_F32)
		herald_text_write(room, 64, "%.9g", (double)value->value.f32);
	else if (value->kind == AMQP_FIELD_KIND_F64)
		herald_text_write(room, 64, "%.17g", value->value.f64);
	else if (value->kind != AMQP_FIELD_KIND_TIMESTAMP ||
		 herald_time_format(&(struct herald_time){.seconds = (int64_t)value->value.u64},
				    room) == 0)
		return false;
	*out = (struct herald_text){room, strlen(room)};
	return true;
}

static void
write_headers(struct writer *writer, const amqp_basic_properties_t *properties)
{
	if (!(properties->_flags & AMQP_BASIC_HEADERS_FLAG))
		return;
	for (int i = 0; i < properties->headers.num_entries; i++) {
		const amqp_table_entry_t *entry = &properties->headers.entries[i];
		struct herald_text value;
		char room[64];

		if (value_text(&entry->value, room, &value))
			write_attribute(writer, text_of(entry->key), value);
	}
}

/* What the server knows comes first, so that no header can stand for it. */
static void
write_attributes(struct writer *writer, const amqp_basic_deliver_t *delivery,
		 const amqp_basic_properties_t *properties)
{
	const amqp_flags_t flags = properties->_flags;

	write_property(writer, "amqp-exchange", true, delivery->exchange);
	write_property(writer, "amqp-routing-key", true, delivery->routing_key);
	write_property(writer, "amqp-user-id", flags & AMQP_BASIC_USER_ID_FLAG,
		       properties->user_id);
	write_property(writer, "amqp-message-id", flags & AMQP_BASIC_MESSAGE_ID_FLAG,
		       properties->message_id);
	write_property(writer, "amqp-correlation-id", flags & AMQP_BASIC_CORRELATION_ID_FLAG,
		       properties->correlation_id);
	write_property(writer, "amqp-reply-to", flags & AMQP_BASIC_REPLY_TO_FLAG,
		       properties->reply_to);
	write_property(writer, "amqp-type", flags & AMQP_BASIC_TYPE_FLAG, properties->type);
	write_property(writer, "amqp-app-id", flags & AMQP_BASIC_APP_ID_FLAG, properties->app_id);
	write_property(writer, "amqp-content-encoding", flags & AMQP_BASIC_CONTENT_ENCODING_FLAG,
		       properties->content_encoding);
	write_headers(writer, properties);
}

/* Counts. */

static unsigned
header_number(const amqp_basic_properties_t *properties, const char *name)
{
	int64_t number;

	if (!(properties->_flags & AMQP_BASIC_HEADERS_FLAG))
		return 0;
	for (int i = 0; i < properties->headers.num_entries; i++) {
		const amqp_table_entry_t *entry = &properties->headers.entries[i];

		if (entry->key.len == strlen(name) &&
		    memcmp(entry->key.bytes, name, entry->key.len) == 0 &&
		    integer_of(&entry->value, &number) && number > 0)
			return number < 1000000 ? (unsigned)number : 1000000;
	}
	return 0;
}

/* From 4.3 on, x-delivery-count leaves out what was given back. */
static unsigned
count_deliveries(const amqp_basic_deliver_t *delivery, const amqp_basic_properties_t *properties)
{
	const unsigned returned = header_number(properties, "x-delivery-count");
	const unsigned acquired = header_number(properties, "x-acquired-count");
	const unsigned before = returned > acquired ? returned : acquired;

	return before > 0 ? before + 1 : delivery->redelivered ? 2 : 1;
}

static uint64_t
mix(uint64_t hash, const void *data, size_t bytes)
{
	const char *at = data;
	uint64_t word;

	hash ^= bytes;
	for (; bytes >= sizeof(word); at += sizeof(word), bytes -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	word = 0;
	if (bytes > 0)
		memcpy(&word, at, bytes);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 29;
}

/* Whether a header of the server changes from one delivery to the next. */
static bool
counts_deliveries(const char *name)
{
	return strcmp(name, "x-delivery-count") == 0 || strcmp(name, "x-acquired-count") == 0 ||
	       strcmp(name, "x-death") == 0;
}

/* A sum, as a server that adds a header sorts all of them. */
static uint64_t
sum_attributes(struct herald_text attributes)
{
	const char *name = attributes.data, *end = name + attributes.bytes;
	uint64_t sum = 0;

	while (name < end) {
		const size_t name_bytes = strlen(name);
		const char *value = name + name_bytes + 1;
		const size_t value_bytes = strlen(value);

		if (!counts_deliveries(name))
			sum += mix(mix(0, name, name_bytes), value, value_bytes);
		name = value + value_bytes + 1;
	}
	return sum;
}

/* RabbitMQ has no number for a message: it is known by all that stays the same when it is delivered
 * again. A copy counts its own deliveries. */
void
herald__rabbitmq_message_complete(struct rabbitmq_message *message)
{
	struct herald_received *base = &message->base;
	uint64_t hash = sum_attributes(base->attributes);

	hash = mix(hash, &base->attempts, sizeof(base->attempts));
	hash = mix(hash, &base->created_ms, sizeof(base->created_ms));
	base->identity = mix(hash, base->data.data, base->data.bytes);
	base->identity += base->identity == 0;
}

/* Blocks. */

static void
fill_in(struct rabbitmq_message *message, const amqp_basic_deliver_t *delivery,
	const amqp_basic_properties_t *properties)
{
	struct herald_received *base = &message->base;

	base->attempts = herald_attributes_attempts(base->attributes);
	base->deliveries = count_deliveries(delivery, properties);
	if (properties->_flags & AMQP_BASIC_TIMESTAMP_FLAG &&
	    properties->timestamp < INT64_MAX / 1000)
		base->created_ms = (int64_t)properties->timestamp * 1000;
	message->tag = delivery->delivery_tag;
}

struct rabbitmq_message *
herald__rabbitmq_message_create(struct rabbitmq *rabbitmq, const amqp_basic_deliver_t *delivery,
				const amqp_frame_t *header)
{
	const amqp_basic_properties_t *properties = header->payload.properties.decoded;
	const amqp_bytes_t raw = header->payload.properties.raw;
	const struct herald_text type = properties->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG
						? text_of(properties->content_type)
						: (struct herald_text){"", 0};
	const uint64_t body_bytes = header->payload.properties.body_size;
	struct writer counter = {NULL, 0};

	write_attributes(&counter, delivery, properties);
	const size_t rest =
		sizeof(struct rabbitmq_message) + counter.bytes + raw.len + type.bytes + 1;
	if (body_bytes > SIZE_MAX / 2 - rest)
		return NULL;
	const size_t block_bytes = rest + (size_t)body_bytes;
	struct rabbitmq_message *message =
		herald_memory_allocate(&rabbitmq->settings.allocator, block_bytes);
	if (!message)
		return NULL;
	char *data = (char *)(message + 1), *attributes = data + body_bytes;
	char *copy = attributes + counter.bytes, *content_type = copy + raw.len;
	*message = (struct rabbitmq_message){
		.base = {.data = {data, (size_t)body_bytes},
			 .attributes = {attributes, counter.bytes},
			 .content_type = type.bytes > 0 && !has_nul(type) ? content_type : NULL},
		.block_bytes = block_bytes,
		.epoch = rabbitmq->epoch,
		.properties = {raw.len, copy},
	};
	write_attributes(&(struct writer){attributes, 0}, delivery, properties);
	memcpy(copy, raw.bytes, raw.len);
	if (type.bytes > 0)
		memcpy(content_type, type.data, type.bytes);
	content_type[type.bytes] = '\0';
	fill_in(message, delivery, properties);
	rabbitmq->bytes += block_bytes;
	return message;
}

void
herald__rabbitmq_message_free(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	rabbitmq->bytes -= message->block_bytes;
	if (message->state == RABBITMQ_COPY)
		empty_amqp_pool(&message->copy.pool);
	herald_memory_release(&rabbitmq->settings.allocator, message, message->block_bytes);
}

bool
herald__rabbitmq_header_stays(amqp_bytes_t name)
{
	static const char *const left_out[] = {
		"CC",
		"BCC",
		"x-death",
		"x-first-death-",
		"x-last-death-",
		"x-delivery-count",
		"x-acquired-count",
	};
	char text[256];

	if (name.len == 0 || name.len >= sizeof(text))
		return false;
	memcpy(text, name.bytes, name.len);
	text[name.len] = '\0';
	for (size_t i = 0; i < sizeof(left_out) / sizeof(*left_out); i++) {
		const size_t bytes = strlen(left_out[i]);

		if (strcmp(text, left_out[i]) == 0 ||
		    (left_out[i][bytes - 1] == '-' && strncmp(text, left_out[i], bytes) == 0))
			return true;
	}
	return herald_header_is_own(text);
}
