/*
 * A delivery as bytes. A record begins with its version, and has parts, each with a letter, the
 * number of its bytes (32 bits, little endian), and the bytes:
 *
 *	1                 the version, or 2 if it has a signer
 *	r ... success\0   the result
 *	e ... ...\0       the error
 *	t ... text/xml\0  the content type
 *	h ... X-A: b\0    a header; up to 64
 *	s ... acme\0      the name of the signer; only in version 2
 *	b ... <done/>     the body, also if it has 0 bytes
 *
 * Texts have their NUL, so that a record can be used where it is. A later version may add letters
 * only under a new number: who does not know a part must not send the rest without it.
 */
#include "store/delivery_record.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "delivery/content.h"

#define VERSION 1
#define VERSION_SIGNED 2
#define PREFIX_BYTES 5 /* of a part: its letter and its length */

/* Limits of the options of a deliverer. */
#define MAX_URL_BYTES 65536
#define MAX_HEADERS_BYTES ((size_t)256 * 1024)

/* Checking. */

/* Any host and port; which ones are allowed is the deliverer's choice. */
static const struct herald__address_rules any_address = {
	.policy = HERALD_ADDRESSES_ANY,
	.allow_cloud_agents = true,
};
static const struct herald_port_range any_port = {1, 65535};
static const struct herald__url_rules any_url = {
	.max_bytes = MAX_URL_BYTES,
	.allow_credentials = true,
	.addresses = &any_address,
	.ports = {&any_port, 1},
	.any_producer = true,
};

static enum herald_status
check_url(const char *url, char *origin, struct herald_error *error)
{
	enum herald_status status = herald__url_check(&any_url, url, origin, error);

	if (status != HERALD_OK && error)
		snprintf(error->path, sizeof(error->path), "url");
	return status;
}

enum herald_status
herald__delivery_check(const struct herald_delivery *delivery, size_t max_body_bytes,
		       const struct herald_allocator *allocator,
		       struct herald__checked_delivery *out, struct herald_error *error)
{
	const struct herald__content_limits limits = {max_body_bytes, MAX_HEADERS_BYTES};
	struct herald_delivery *checked = &out->delivery;

	herald_buffer_init(&out->encoded, allocator, 0);
	enum herald_status status = herald__broker_address(delivery, &out->addressed, error);
	if (status == HERALD_OK)
		status = check_url(out->addressed.delivery.url, out->origin, error);
	if (status == HERALD_OK)
		status = herald__content_read(
			&limits, herald__trace_headers_add(&out->addressed.delivery, &out->traced),
			&out->encoded, checked, error);
	if (status != HERALD_OK)
		return status;
	if (checked->id && *checked->id == '\0')
		checked->id = NULL;
	checked->event_type =
		herald__queued_text(out->event_type, sizeof(out->event_type), delivery->event_type);
	checked->event_id =
		herald__queued_text(out->event_id, sizeof(out->event_id), delivery->event_id);
	checked->result = herald__queued_text(out->result, sizeof(out->result), delivery->result);
	checked->error = herald__queued_text(out->error, sizeof(out->error), delivery->error);
	return HERALD_OK;
}

void
herald__delivery_check_finish(struct herald__checked_delivery *checked)
{
	herald_buffer_finish(&checked->encoded);
}

/* Writing. */

static size_t
text_bytes(const char *text)
{
	return text ? PREFIX_BYTES + strlen(text) + 1 : 0;
}

/* NULL: none. */
static const char *
signer_of(const struct herald_delivery *delivery)
{
	return delivery->signer && *delivery->signer != '\0' ? delivery->signer : NULL;
}

static size_t
record_bytes(const struct herald_delivery *delivery)
{
	size_t bytes = 1 + text_bytes(delivery->result) + text_bytes(delivery->error) +
		       text_bytes(delivery->content_type) + text_bytes(signer_of(delivery));

	for (size_t i = 0; i < delivery->headers_count; i++)
		bytes += text_bytes(delivery->headers[i]);
	return delivery->body ? bytes + PREFIX_BYTES + delivery->body_bytes : bytes;
}

/* The buffer has room for it. */
static void
write_part(struct herald_buffer *out, char letter, const void *data, size_t bytes)
{
	char *to = out->data + out->bytes;

	to[0] = letter;
	for (int i = 0; i < 4; i++)
		to[1 + i] = (char)(bytes >> (8 * i));
	if (bytes > 0)
		memcpy(to + PREFIX_BYTES, data, bytes);
	out->bytes += PREFIX_BYTES + bytes;
}

static void
write_text(struct herald_buffer *out, char letter, const char *text)
{
	if (text)
		write_part(out, letter, text, strlen(text) + 1);
}

enum herald_status
herald__delivery_record_write(const struct herald_delivery *delivery, struct herald_buffer *out)
{
	size_t bytes = record_bytes(delivery);

	/* The length of the body is written in 32 bits. */
	if (bytes > UINT32_MAX)
		return HERALD_TOO_LARGE;

	enum herald_status status = herald_buffer_reserve(out, bytes);
	if (status != HERALD_OK)
		return status;
	out->data[out->bytes++] = signer_of(delivery) ? VERSION_SIGNED : VERSION;
	write_text(out, 'r', delivery->result);
	write_text(out, 'e', delivery->error);
	write_text(out, 't', delivery->content_type);
	write_text(out, 's', signer_of(delivery));
	for (size_t i = 0; i < delivery->headers_count; i++)
		write_text(out, 'h', delivery->headers[i]);
	if (delivery->body)
		write_part(out, 'b', delivery->body, delivery->body_bytes);
	return HERALD_OK;
}

/* Reading. */

struct part {
	char letter;
	const char *data;
	size_t bytes;
};

static enum herald_status
broken(struct herald_error *error, size_t offset, const char *what)
{
	return herald_error_set(error, HERALD_BAD_FORMAT, offset,
				"the stored delivery is broken: %s at byte %zu", what, offset);
}

/* Read the part at *at, and move *at behind it. */
static enum herald_status
read_part(struct herald_text record, size_t *at, struct part *out, struct herald_error *error)
{
	const unsigned char *prefix = (const unsigned char *)record.data + *at;
	uint32_t bytes = 0;

	if (record.bytes - *at < PREFIX_BYTES)
		return broken(error, *at, "it ends within a part");
	for (int i = 0; i < 4; i++)
		bytes |= (uint32_t)prefix[1 + i] << (8 * i);
	if (bytes > record.bytes - *at - PREFIX_BYTES)
		return broken(error, *at + 1, "a length is larger than the rest");
	*out = (struct part){record.data[*at], record.data + *at + PREFIX_BYTES, bytes};
	*at += PREFIX_BYTES + bytes;
	return HERALD_OK;
}

/* A text ends in its only NUL. */
static bool
is_text(const struct part *part)
{
	return part->bytes > 0 &&
	       memchr(part->data, '\0', part->bytes) == part->data + part->bytes - 1;
}

static bool
add_header(struct herald_delivery *delivery, const char **headers, const char *header)
{
	if (delivery->headers_count == HERALD__MAX_HEADERS)
		return false;
	headers[delivery->headers_count++] = header;
	delivery->headers = headers;
	return true;
}

/* The text with this letter, to be set; NULL: there is none. */
static const char **
text_of(struct herald_delivery *delivery, char letter)
{
	switch (letter) {
	case 'r':
		return &delivery->result;
	case 'e':
		return &delivery->error;
	case 't':
		return &delivery->content_type;
	case 's':
		return &delivery->signer;
	default:
		return NULL;
	}
}

/* Returns what is wrong, or NULL. */
static const char *
take_part(const struct part *part, const char **headers, struct herald_delivery *out)
{
	const char **text = text_of(out, part->letter);

	if (part->letter == 'b') {
		if (out->body)
			return "a second body";
		out->body = part->bytes > 0 ? part->data : HERALD_EMPTY_BODY;
		out->body_bytes = part->bytes;
		return NULL;
	}
	if (!text && part->letter != 'h')
		return "an unknown part";
	if (!is_text(part))
		return "a text without a NUL at its end, or with one before";
	if (!text)
		return add_header(out, headers, part->data) ? NULL : "too many headers";
	if (*text)
		return "a second text of its kind";
	if (part->letter == 's' && part->bytes == 1)
		return "an empty name of a signer";
	*text = part->data;
	return NULL;
}

enum herald_status
herald__delivery_record_read(struct herald_text record, const char *headers[HERALD__MAX_HEADERS],
			     struct herald_delivery *out, struct herald_error *error)
{
	struct herald_delivery delivery = {0};
	size_t at = 1;

	if (record.bytes == 0)
		return broken(error, 0, "it is empty");
	if (record.data[0] != VERSION && record.data[0] != VERSION_SIGNED)
		return broken(error, 0, "its version is not known");
	while (at < record.bytes) {
		size_t begin = at;
		struct part part = {0};
		enum herald_status status = read_part(record, &at, &part, error);

		if (status != HERALD_OK)
			return status;

		const char *problem = part.letter == 's' && record.data[0] == VERSION
					      ? "an unknown part"
					      : take_part(&part, headers, &delivery);
		if (problem)
			return broken(error, begin, problem);
	}
	*out = delivery;
	return HERALD_OK;
}
