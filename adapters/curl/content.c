/*
 * The content of a delivery is checked and copied when it is submitted, so that nothing of it can fail or
 * change later. What is Herald's own in a request is request.c's.
 */
#include "content.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "headers.h"
#include "queue.h"

#define MAX_CONTENT_TYPE_BYTES 255

static const char type_of_value[] = "application/json";
static const char type_of_bytes[] = "application/octet-stream"; /* the longer one */

/* The path is the member of struct herald_delivery. */
HERALD_PRINTF(4, 5)
static enum herald_status
refuse(struct herald_error *error, enum herald_status status, const char *member,
       const char *format, ...)
{
	char message[sizeof(error->message)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	herald_error_set(error, status, HERALD_NO_OFFSET, "%s %s", member, message);
	if (error)
		snprintf(error->path, sizeof(error->path), "%s", member);
	return status;
}

/* It goes into a header as it is, and receivers compare it. */
static enum herald_status
check_id(const struct herald_delivery *delivery, struct herald_error *error)
{
	const char *id = delivery->id ? delivery->id : "";

	if (strlen(id) >= HERALD__DELIVERY_ID_BYTES)
		return refuse(error, HERALD_BAD_LENGTH, "id", "has more than %d bytes",
			      HERALD__DELIVERY_ID_BYTES - 1);
	for (; *id; id++)
		if (*id <= ' ' || *id > '~' || *id == '%')
			return refuse(error, HERALD_BAD_VALUE, "id",
				      "may hold visible ASCII characters, but not %%");
	return HERALD_OK;
}

static enum herald_status
check_content_type(const struct herald_delivery *delivery, struct herald_error *error)
{
	const char *type = delivery->content_type;
	char header[MAX_CONTENT_TYPE_BYTES + 4];

	if (!type)
		return HERALD_OK;
	if (!delivery->body && !delivery->codec)
		return refuse(error, HERALD_BAD_VALUE, "content_type",
			      "is set, but there is no body");
	if (strlen(type) > MAX_CONTENT_TYPE_BYTES)
		return refuse(error, HERALD_BAD_LENGTH, "content_type", "has more than %d bytes",
			      MAX_CONTENT_TYPE_BYTES);
	snprintf(header, sizeof(header), "X: %s", type);
	const char *problem = herald__header_problem(header);
	return problem ? refuse(error, HERALD_BAD_VALUE, "content_type", "%s", problem) : HERALD_OK;
}

static enum herald_status
check_headers(const struct herald_deliverer_options *options,
	      const struct herald_delivery *delivery, struct herald_error *error)
{
	size_t bytes = 0;
	char member[32];

	if (!delivery->headers != (delivery->headers_count == 0))
		return refuse(error, HERALD_BAD_VALUE, "headers",
			      "is %s, but headers_count is %zu; HERALD_HEADERS(array) sets both",
			      delivery->headers ? "set" : "NULL", delivery->headers_count);
	if (delivery->headers_count > HERALD__MAX_HEADERS)
		return refuse(error, HERALD_BAD_LENGTH, "headers_count", "is %zu, more than %d",
			      delivery->headers_count, HERALD__MAX_HEADERS);
	for (size_t i = 0; i < delivery->headers_count; i++) {
		const char *problem = herald__header_problem(delivery->headers[i]);

		if (problem) {
			snprintf(member, sizeof(member), "headers[%zu]", i);
			return refuse(error, HERALD_BAD_VALUE, member, "%s", problem);
		}
		bytes += strlen(delivery->headers[i]);
	}
	if (bytes > options->max_headers_bytes)
		return refuse(error, HERALD_BAD_LENGTH, "headers",
			      "have %zu bytes in all, more than %zu", bytes,
			      options->max_headers_bytes);
	return HERALD_OK;
}

static enum herald_status
check_body(const struct herald_deliverer_options *options, const struct herald_delivery *delivery,
	   struct herald_error *error)
{
	if (delivery->body && delivery->codec)
		return refuse(error, HERALD_BAD_VALUE, "body", "is set, but a codec is too");
	if (!delivery->body && delivery->body_bytes > 0)
		return refuse(error, HERALD_BAD_VALUE, "body", "is NULL, but body_bytes is %zu",
			      delivery->body_bytes);
	if (!delivery->codec != !delivery->value)
		return refuse(error, HERALD_BAD_VALUE, delivery->codec ? "value" : "codec",
			      "is NULL, but the %s is set", delivery->codec ? "codec" : "value");
	if (delivery->body_bytes > options->max_body_bytes)
		return refuse(error, HERALD_BAD_LENGTH, "body", "has %zu bytes, more than %zu",
			      delivery->body_bytes, options->max_body_bytes);
	return HERALD_OK;
}

static enum herald_status
encode(const struct herald_deliverer_options *options, struct herald_buffer *encoded,
       struct herald_delivery *out, struct herald_error *error)
{
	encoded->max_bytes = options->max_body_bytes;
	enum herald_status status = herald_codec_encode(out->codec, out->value, encoded, error);
	if (status == HERALD_TOO_LARGE)
		return refuse(error, HERALD_BAD_LENGTH, "value", "has more than %zu bytes as JSON",
			      options->max_body_bytes);
	if (status != HERALD_OK)
		return status;
	out->body = encoded->data;
	out->body_bytes = encoded->bytes;
	out->codec = NULL;
	out->value = NULL;
	return HERALD_OK;
}

enum herald_status
herald__content_read(const struct herald_deliverer_options *options,
		     const struct herald_delivery *delivery, struct herald_buffer *encoded,
		     struct herald_delivery *out, struct herald_error *error)
{
	bool has_value = delivery->codec != NULL;
	enum herald_status status = check_id(delivery, error);

	if (status == HERALD_OK)
		status = check_body(options, delivery, error);
	if (status == HERALD_OK)
		status = check_content_type(delivery, error);
	if (status == HERALD_OK)
		status = check_headers(options, delivery, error);
	if (status != HERALD_OK)
		return status;
	*out = *delivery;
	if (has_value)
		status = encode(options, encoded, out, error);
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
