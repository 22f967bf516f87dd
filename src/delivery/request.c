/*
 * Headers and body of an attempt. Values come from events: whatever they contain, a header remains
 * a single header of limited length. The transport sends them.
 */
#include "delivery/request.h"

#include <stdio.h>
#include <string.h>

#include "base/user_header.h"

struct herald__request_body {
	const char *delivery_id;
	uint32_t attempt;
	const char *event_type;
	const char *event_id;
	const char *result;
	const char *error;
};

HERALD_SCHEMA_DEFINE_WITH(herald__request_body,
	(.doc = "What a callback says, with the method POST."),
	HERALD_FIELD(herald__request_body, delivery_id),
	HERALD_FIELD(herald__request_body, attempt),
	HERALD_FIELD(herald__request_body, event_type),
	HERALD_FIELD(herald__request_body, event_id),
	HERALD_FIELD(herald__request_body, result),
	HERALD_FIELD(herald__request_body, error));

void
herald__request_init(struct herald__request *request, const struct herald_allocator *allocator)
{
	herald_buffer_init(&request->headers, allocator, 0);
	herald_buffer_init(&request->body, allocator, 0);
	herald_buffer_init(&request->signatures.texts, allocator, 0);
}

void
herald__request_finish(struct herald__request *request)
{
	herald_buffer_finish(&request->headers);
	herald_buffer_finish(&request->body);
	herald_buffer_finish(&request->signatures.texts);
}

static void
append(struct herald__request *request, const char *data, size_t bytes)
{
	memcpy(request->own_headers + request->own_bytes, data, bytes);
	request->own_bytes += bytes;
}

/* `name` includes the colon and a blank. */
static void
append_header(struct herald__request *request, const char *name, const char *value)
{
	if (!value)
		return;
	if (request->own_bytes > 0)
		append(request, "\r\n", 2);
	append(request, name, strlen(name));
	char *begin = request->own_headers + request->own_bytes;
	request->own_bytes += (size_t)(herald__header_escape(begin, value) - begin);
}

/* One text with all of them, because a transport need not check these names one by one. */
static void
write_own_headers(struct herald__request *request, const struct herald__queued *item)
{
	const struct herald_delivery *delivery = &item->record.delivery;
	char attempt[16];

	request->own_bytes = 0;
	snprintf(attempt, sizeof(attempt), "%u", item->record.attempts);
	append_header(request, "Herald-Delivery-Id: ", item->id);
	append_header(request, "Herald-Attempt: ", attempt);
	append_header(request, "Herald-Event-Type: ", delivery->event_type);
	append_header(request, "Herald-Event-Id: ", delivery->event_id);
	append_header(request, "Herald-Result: ", delivery->result);
	append_header(request, "Herald-Error: ", delivery->error);
	append(request, "", 1);
}

#define LISTS_COUNT 4

/* Merge lists: headers replace headers of the same name in later ones. */
static enum herald_status
merge_headers(struct herald__request *request, const struct herald__header_list lists[LISTS_COUNT],
	      struct herald_attempt *out)
{
	struct herald__header_list merged = {0};
	size_t count = 0;

	for (size_t i = 0; i < LISTS_COUNT; i++)
		count += lists[i].count;
	/* One list is used where it is, except for the first ones, which change. */
	for (size_t i = 2; i < LISTS_COUNT; i++)
		if (lists[i].count == count) {
			out->headers = lists[i].headers;
			out->headers_count = count;
			return HERALD_OK;
		}
	request->headers.bytes = 0;
	if (herald_buffer_reserve(&request->headers, count * sizeof(char *)) != HERALD_OK)
		return HERALD_NO_MEMORY;

	const char **room = (const char **)(void *)request->headers.data;
	merged.headers = room;
	for (size_t i = 0; i < LISTS_COUNT; i++)
		merged.count = herald__headers_merge(&merged, &lists[i], room);
	out->headers = merged.headers;
	out->headers_count = merged.count;
	return HERALD_OK;
}

static enum herald_status
encode_body(struct herald__request *request, const struct herald__queued *item,
	    const struct herald_codec *codec)
{
	const struct herald__request_body body = {
		.delivery_id = item->id,
		.attempt = item->record.attempts,
		.event_type = item->record.delivery.event_type,
		.event_id = item->record.delivery.event_id,
		.result = item->record.delivery.result,
		.error = item->record.delivery.error,
	};

	request->body.bytes = 0;
	return herald_codec_encode(codec, &body, &request->body, NULL);
}

static enum herald_status
write_body(struct herald__request *request, const struct herald__queued *item,
	   const struct herald_codec *codec, struct herald_attempt *out)
{
	const struct herald_delivery *delivery = &item->record.delivery;

	out->content_type = delivery->content_type;
	out->body = delivery->body;
	out->body_bytes = delivery->body_bytes;
	if (!delivery->body && codec) {
		enum herald_status status = encode_body(request, item, codec);

		if (status != HERALD_OK)
			return status;
		out->content_type = "application/json";
		out->body = request->body.data;
		out->body_bytes = request->body.bytes;
	}
	out->method = out->body ? HERALD_DELIVERY_POST : HERALD_DELIVERY_GET;
	return HERALD_OK;
}

/* Sign what was written so far. */
static enum herald_status
sign(struct herald__request *request, const struct herald__queued *item,
     const struct herald__request_settings *settings, const struct herald_attempt *written,
     struct herald_error *error)
{
	const struct herald_signer_request given = {
		.delivery = &item->record.delivery,
		.attempt = item->record.attempts,
		.time_ms = settings->time_ms,
		.content_type = written->content_type,
		.body = written->body,
		.body_bytes = written->body_bytes,
	};

	request->signatures.count = 0;
	return settings->signer
		       ? herald__signed_write(settings->signer, &given, &request->signatures, error)
		       : HERALD_OK;
}

enum herald_status
herald__request_write(struct herald__request *request, const struct herald__queued *item,
		      const struct herald__request_settings *settings, struct herald_attempt *out,
		      struct herald_error *error)
{
	const struct herald_delivery *delivery = &item->record.delivery;
	enum herald_status status = write_body(request, item, settings->codec, out);

	if (status == HERALD_OK)
		status = sign(request, item, settings, out, error);
	if (status != HERALD_OK)
		return status;
	const char *traceparent[] = {request->traceparent};
	const struct herald__header_list lists[LISTS_COUNT] = {
		{request->signatures.headers, request->signatures.count},
		{traceparent, request->traceparent[0] != '\0' ? 1 : 0},
		{delivery->headers, delivery->headers_count},
		*settings->more,
	};
	status = merge_headers(request, lists, out);
	if (status != HERALD_OK)
		return status;
	write_own_headers(request, item);
	out->own_headers = request->own_headers;
	return HERALD_OK;
}
