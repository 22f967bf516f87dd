/*
 * Checks and copies what is submitted, so that it can neither fail nor change later. Sends nothing.
 */
#include "producer/pending.h"

#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>
#include <herald/buffer.h>

#include "base/options.h"
#include "base/user_header.h"

#define MAX_TEXT_BYTES 255

static enum herald_status
refuse(struct herald_error *error, enum herald_status status, const char *member, const char *what)
{
	return herald__option_error(error, status, HERALD__OPTION(member), "%s", what);
}

/* A text of a limited length without control characters. Brokers forbid more. */
static enum herald_status
check_text(const char *member, const char *text, struct herald_error *error)
{
	const size_t bytes = strlen(text);

	if (bytes == 0)
		return refuse(error, HERALD_BAD_LENGTH, member, "is empty");
	if (bytes > MAX_TEXT_BYTES)
		return herald__option_error(error, HERALD_BAD_LENGTH, HERALD__OPTION(member),
					    "has more than %d bytes", MAX_TEXT_BYTES);
	for (size_t i = 0; i < bytes;) {
		const size_t length = herald_utf8_sequence_bytes(text + i, bytes - i);

		if (length == 0)
			return refuse(error, HERALD_BAD_VALUE, member, "is not valid UTF-8");
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return refuse(error, HERALD_BAD_VALUE, member, "has a control character");
		i += length;
	}
	return HERALD_OK;
}

static enum herald_status
check_id(const char *id, struct herald_error *error)
{
	if (!id || !*id)
		return HERALD_OK;
	if (strlen(id) >= HERALD__PUBLICATION_ID_BYTES)
		return refuse(error, HERALD_BAD_LENGTH, "id", "has more than 63 bytes");
	for (; *id; id++)
		if (*id <= ' ' || *id > '~' || *id == '%')
			return refuse(error, HERALD_BAD_VALUE, "id",
				      "may hold visible ASCII characters, but not %");
	return HERALD_OK;
}

static enum herald_status
check_body(const struct herald_publication *given, struct herald_error *error)
{
	if (given->body && given->codec)
		return refuse(error, HERALD_BAD_VALUE, "body", "is set, but a codec is too");
	if (!given->body && given->body_bytes > 0)
		return refuse(error, HERALD_BAD_VALUE, "body", "is NULL, but body_bytes is not 0");
	if (given->body && given->body_bytes == 0 && given->body != HERALD_EMPTY_BODY)
		return refuse(error, HERALD_BAD_VALUE, "body",
			      "is set, but body_bytes is 0; HERALD_BODY sets both, and "
			      "HERALD_EMPTY_BODY is an empty body");
	if (!given->codec != !given->value)
		return refuse(error, HERALD_BAD_VALUE, given->codec ? "value" : "codec",
			      given->codec ? "is NULL, but the codec is set"
					   : "is NULL, but the value is set");
	if (!given->body && !given->codec)
		return refuse(error, HERALD_MISSING, "body",
			      "is required, but neither it nor a codec is set");
	return HERALD_OK;
}

static enum herald_status
check_headers(const struct herald_publication *given, struct herald_error *error)
{
	if (!given->headers != (given->headers_count == 0))
		return refuse(error, HERALD_BAD_VALUE, "headers",
			      "and headers_count do not agree; HERALD_HEADERS(array) sets both");
	if (given->headers_count > HERALD__MAX_HEADERS)
		return herald__option_error(error, HERALD_BAD_LENGTH,
					    HERALD__OPTION("headers_count"), "is %zu, more than %d",
					    given->headers_count, HERALD__MAX_HEADERS);
	for (size_t i = 0; i < given->headers_count; i++) {
		const char *problem = herald__user_header_problem(given->headers[i]);

		if (problem)
			return herald__option_error(error, HERALD_BAD_VALUE,
						    HERALD__OPTION_ELEMENT("headers", i), "%s",
						    problem);
	}
	return HERALD_OK;
}

static enum herald_status
check(const struct herald_publication *given, struct herald_error *error)
{
	enum herald_status status;

	if (!given->topic)
		return refuse(error, HERALD_MISSING, "topic", "is required");
	status = check_text("topic", given->topic, error);
	if (status == HERALD_OK && given->key)
		status = check_text("key", given->key, error);
	if (status == HERALD_OK)
		status = check_id(given->id, error);
	if (status == HERALD_OK)
		status = check_body(given, error);
	if (status == HERALD_OK && given->content_type)
		status = check_text("content_type", given->content_type, error);
	if (status == HERALD_OK)
		status = check_headers(given, error);
	return status;
}

/* The name and the value of a header that was checked. */
static void
split(const char *header, struct herald_text *name, struct herald_text *value)
{
	const size_t bytes = herald_http_token_bytes(header);

	*name = (struct herald_text){header, bytes};
	*value = herald_http_trimmed(header + bytes + 1, strlen(header + bytes + 1));
}

static size_t
headers_bytes(const struct herald_publication *given)
{
	size_t bytes = 0;

	for (size_t i = 0; i < given->headers_count; i++) {
		struct herald_text name, value;

		split(given->headers[i], &name, &value);
		bytes += name.bytes + value.bytes + 2;
	}
	return bytes;
}

/* Copy a text, and add a NUL. */
static char *
put(char **end, const void *data, size_t bytes)
{
	char *copy = *end;

	if (bytes > 0)
		memcpy(copy, data, bytes);
	copy[bytes] = '\0';
	*end += bytes + 1;
	return copy;
}

static const char *
put_string(char **end, const char *text)
{
	return text ? put(end, text, strlen(text)) : NULL;
}

static void
put_headers(char **end, const struct herald_publication *given)
{
	for (size_t i = 0; i < given->headers_count; i++) {
		struct herald_text name, value;

		split(given->headers[i], &name, &value);
		put(end, name.data, name.bytes);
		put(end, value.data, value.bytes);
	}
}

static const char *
content_type_of(const struct herald_publication *given)
{
	if (given->content_type)
		return given->content_type;
	return given->codec ? "application/json" : "application/octet-stream";
}

static void
fill(struct herald__pending *pending, const struct herald_publication *given,
     struct herald_text attributes, struct herald_text data)
{
	char *end = pending->texts;
	struct herald_outgoing *out = &pending->base;

	out->topic = put_string(&end, given->topic);
	if (given->key)
		out->key = (struct herald_text){put_string(&end, given->key), strlen(given->key)};
	out->content_type = put_string(&end, content_type_of(given));
	out->data = (struct herald_text){put(&end, data.data, data.bytes), data.bytes};
	out->attributes.data = end;
	if (attributes.bytes > 0)
		end = mempcpy(end, attributes.data, attributes.bytes);
	put_headers(&end, given);
	out->attributes.bytes = (size_t)(end - out->attributes.data);
	if (given->id)
		memcpy(pending->id, given->id, strlen(given->id));
	out->id = pending->id;
}

static enum herald_status
copy(const struct herald_allocator *allocator, const struct herald_publication *given,
     struct herald_text attributes, struct herald_text data, size_t max_bytes,
     struct herald__pending **out, struct herald_error *error)
{
	const size_t counted = data.bytes + (given->key ? strlen(given->key) : 0) +
			       attributes.bytes + headers_bytes(given);
	/* Four texts have a NUL. */
	const size_t bytes =
		sizeof(**out) + counted + strlen(given->topic) + strlen(content_type_of(given)) + 4;

	if (counted > max_bytes)
		return herald_error_set(error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
					"body, headers and key have %zu bytes, more than "
					"max_pending_bytes, %zu",
					counted, max_bytes);
	*out = herald_memory_allocate_zeroed(allocator, 1, bytes);
	if (!*out)
		return herald_out_of_memory(error);
	(*out)->block_bytes = bytes;
	(*out)->bytes = counted;
	fill(*out, given, attributes, data);
	return HERALD_OK;
}

enum herald_status
herald__pending_create(const struct herald_allocator *allocator,
		       const struct herald_publication *publication, struct herald_text attributes,
		       size_t max_bytes, struct herald__pending **out, struct herald_error *error)
{
	struct herald_text data = {publication->body, publication->body_bytes};
	struct herald_buffer encoded;
	enum herald_status status = check(publication, error);

	if (status != HERALD_OK)
		return status;
	herald_buffer_init(&encoded, allocator, publication->codec ? max_bytes : 0);
	if (publication->codec) {
		status = herald_codec_encode(publication->codec, publication->value, &encoded,
					     error);
		data = (struct herald_text){encoded.data, encoded.bytes};
	}
	if (status == HERALD_OK)
		status = copy(allocator, publication, attributes, data, max_bytes, out, error);
	herald_buffer_finish(&encoded);
	return status;
}

void
herald__pending_destroy(const struct herald_allocator *allocator, struct herald__pending *pending)
{
	herald_memory_release(allocator, pending, pending->block_bytes);
}
