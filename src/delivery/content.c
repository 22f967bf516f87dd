/*
 * Checks and copies the content of a delivery when it is submitted, so that it can neither fail nor
 * change later. The parts of an attempt that Herald adds are in request.c.
 */
#include "delivery/content.h"

#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "delivery/headers.h"
#include "delivery/item.h"
#include "delivery/trace_headers.h"

const char herald_empty_body = '\0';

static const char type_of_value[] = "application/json";
static const char type_of_bytes[] = "application/octet-stream"; /* the longer default */

/* A name that receivers or deliverers compare; the id is sent in a header without escaping. */
static enum herald_status
check_name(const char *member, const char *name, size_t size, struct herald_error *error)
{
	if (!name)
		return HERALD_OK;
	if (strlen(name) >= size)
		return herald__option_error(error, HERALD_BAD_LENGTH, HERALD__OPTION(member),
					    "has more than %zu bytes", size - 1);
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '%')
			return herald__option_error(
				error, HERALD_BAD_VALUE, HERALD__OPTION(member),
				"may hold visible ASCII characters, but not %%");
	return HERALD_OK;
}

static enum herald_status
check_content_type(const struct herald_delivery *delivery, struct herald_error *error)
{
	const char *type = delivery->content_type;
	char header[HERALD__MAX_CONTENT_TYPE_BYTES + 4];

	if (!type)
		return HERALD_OK;
	if (!delivery->body && !delivery->codec)
		return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("content_type"),
					    "is set, but the body is not");
	if (strlen(type) > HERALD__MAX_CONTENT_TYPE_BYTES)
		return herald__option_error(
			error, HERALD_BAD_LENGTH, HERALD__OPTION("content_type"),
			"has more than %d bytes", HERALD__MAX_CONTENT_TYPE_BYTES);
	snprintf(header, sizeof(header), "X: %s", type);
	const char *problem = herald__header_problem(header);
	if (!problem)
		return HERALD_OK;
	return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("content_type"), "%s",
				    problem);
}

static enum herald_status
check_headers(const struct herald__content_limits *limits, const struct herald_delivery *delivery,
	      struct herald_error *error)
{
	size_t bytes = 0, trace_bytes = 0;

	if (!delivery->headers != (delivery->headers_count == 0))
		return herald__option_error(
			error, HERALD_BAD_VALUE, HERALD__OPTION("headers"),
			"is %s, but headers_count is %zu; HERALD_HEADERS(array) sets both",
			delivery->headers ? "set" : "NULL", delivery->headers_count);
	if (delivery->headers_count > HERALD__MAX_HEADERS)
		return herald__option_error(error, HERALD_BAD_LENGTH,
					    HERALD__OPTION("headers_count"), "is %zu, more than %d",
					    delivery->headers_count, HERALD__MAX_HEADERS);
	for (size_t i = 0; i < delivery->headers_count; i++) {
		const char *problem = herald__header_problem(delivery->headers[i]);

		if (problem)
			return herald__option_error(error, HERALD_BAD_VALUE,
						    HERALD__OPTION_ELEMENT("headers", i), "%s",
						    problem);
		*(herald__is_trace_header(delivery->headers[i]) ? &trace_bytes : &bytes) +=
			strlen(delivery->headers[i]);
	}
	/* There is room for the trace that Herald adds. Longer headers were passed by the
	 * caller. */
	if (trace_bytes > HERALD_DELIVERY_TRACE_BYTES)
		bytes += trace_bytes - HERALD_DELIVERY_TRACE_BYTES;
	if (bytes > limits->max_headers_bytes)
		return herald__option_error(error, HERALD_BAD_LENGTH, HERALD__OPTION("headers"),
					    "have %zu bytes in total, more than %zu", bytes,
					    limits->max_headers_bytes);
	return HERALD_OK;
}

static enum herald_status
check_body(const struct herald__content_limits *limits, const struct herald_delivery *delivery,
	   struct herald_error *error)
{
	if (delivery->body && delivery->codec)
		return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("body"),
					    "is set, but a codec is too");
	if (!delivery->body && delivery->body_bytes > 0)
		return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("body"),
					    "is NULL, but body_bytes is %zu", delivery->body_bytes);
	if (delivery->body && delivery->body_bytes == 0 && delivery->body != HERALD_EMPTY_BODY)
		return herald__option_error(error, HERALD_BAD_VALUE, HERALD__OPTION("body"),
					    "is set, but body_bytes is 0; HERALD_BODY sets both, "
					    "and HERALD_EMPTY_BODY is an empty body");
	if (!delivery->codec != !delivery->value)
		return herald__option_error(error, HERALD_BAD_VALUE,
					    HERALD__OPTION(delivery->codec ? "value" : "codec"),
					    "is NULL, but the %s is set",
					    delivery->codec ? "codec" : "value");
	if (delivery->body_bytes > limits->max_body_bytes)
		return herald__option_error(error, HERALD_BAD_LENGTH, HERALD__OPTION("body"),
					    "has %zu bytes, more than %zu", delivery->body_bytes,
					    limits->max_body_bytes);
	return HERALD_OK;
}

static enum herald_status
encode(const struct herald__content_limits *limits, struct herald_buffer *encoded,
       struct herald_delivery *out, struct herald_error *error)
{
	encoded->max_bytes = limits->max_body_bytes;
	enum herald_status status = herald_codec_encode(out->codec, out->value, encoded, error);
	if (status == HERALD_TOO_LARGE)
		return herald__option_error(error, HERALD_BAD_LENGTH, HERALD__OPTION("value"),
					    "has more than %zu bytes as JSON",
					    limits->max_body_bytes);
	if (status != HERALD_OK)
		return status;
	out->body = encoded->data;
	out->body_bytes = encoded->bytes;
	out->codec = NULL;
	out->value = NULL;
	return HERALD_OK;
}

enum herald_status
herald__content_read(const struct herald__content_limits *limits,
		     const struct herald_delivery *delivery, struct herald_buffer *encoded,
		     struct herald_delivery *out, struct herald_error *error)
{
	bool has_value = delivery->codec;
	enum herald_status status =
		check_name("id", delivery->id, HERALD__DELIVERY_ID_BYTES, error);

	if (status == HERALD_OK)
		status = check_name("signer", delivery->signer, HERALD__SIGNER_BYTES, error);
	if (status == HERALD_OK)
		status = check_body(limits, delivery, error);
	if (status == HERALD_OK)
		status = check_content_type(delivery, error);
	if (status == HERALD_OK)
		status = check_headers(limits, delivery, error);
	if (status != HERALD_OK)
		return status;
	*out = *delivery;
	if (has_value)
		status = encode(limits, encoded, out, error);
	if (out->body && !out->content_type)
		out->content_type = has_value ? type_of_value : type_of_bytes;
	return status;
}

size_t
herald__content_bytes(const struct herald_delivery *delivery)
{
	size_t bytes = delivery->headers_count * sizeof(char *) + delivery->body_bytes;

	for (size_t i = 0; i < delivery->headers_count; i++)
		bytes += strlen(delivery->headers[i]) + 1;
	return delivery->content_type ? bytes + strlen(delivery->content_type) + 1 : bytes;
}

size_t
herald__content_room(size_t bytes)
{
	return bytes == 0
		       ? 0
		       : bytes + HERALD__MAX_HEADERS * (sizeof(char *) + 1) + sizeof(type_of_bytes);
}

static char *
copy(char *to, const void *from, size_t bytes)
{
	if (bytes > 0)
		memcpy(to, from, bytes);
	return to + bytes;
}

void
herald__content_copy(const struct herald_delivery *delivery, void *room,
		     struct herald_delivery *out)
{
	const char **headers = room;
	char *end = (char *)(headers + delivery->headers_count);

	out->headers = delivery->headers_count > 0 ? headers : NULL;
	out->headers_count = delivery->headers_count;
	for (size_t i = 0; i < delivery->headers_count; i++) {
		headers[i] = end;
		end = copy(end, delivery->headers[i], strlen(delivery->headers[i]) + 1);
	}
	if (delivery->content_type) {
		out->content_type = end;
		end = copy(end, delivery->content_type, strlen(delivery->content_type) + 1);
	}
	if (delivery->body) {
		out->body = end;
		out->body_bytes = delivery->body_bytes;
		copy(end, delivery->body, delivery->body_bytes);
	}
}
