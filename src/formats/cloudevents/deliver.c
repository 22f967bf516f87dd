/*
 * CloudEvents as the content of deliveries: body, content type and headers. The delivery engine
 * knows nothing of CloudEvents, and this file nothing of how deliveries are sent.
 */
#include <string.h>

#include <herald/cloudevent.h>
#include <herald/delivery.h>

static enum herald_status
out_of_memory(struct herald_error *error)
{
	return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
}

static enum herald_status
set_json(const struct herald_cloudevent *event, bool is_batch, struct herald_arena *arena,
	 struct herald_delivery *out, struct herald_error *error)
{
	struct herald_buffer json;

	herald_buffer_init(&json, NULL, 0);
	enum herald_status status =
		is_batch ? herald_cloudevent_encode_batch(&event, 1, &json, error)
			 : herald_cloudevent_encode_structured(event, &json, error);
	if (status == HERALD_OK) {
		out->body = herald_arena_copy(arena, json.data, json.bytes);
		out->body_bytes = json.bytes;
		out->content_type = is_batch ? HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE
					     : HERALD_CLOUDEVENT_CONTENT_TYPE;
		if (!out->body)
			status = out_of_memory(error);
	}
	herald_buffer_finish(&json);
	return status;
}

/* "ce-id: 1"; NULL if out of memory. */
static const char *
header_line(const struct herald_cloudevent_header *header, struct herald_arena *arena)
{
	size_t name_bytes = strlen(header->name), value_bytes = strlen(header->value);
	char *line = herald_arena_alloc(arena, name_bytes + value_bytes + 3);

	if (!line)
		return NULL;
	memcpy(line, header->name, name_bytes);
	memcpy(line + name_bytes, ": ", 2);
	memcpy(line + name_bytes + 2, header->value, value_bytes + 1);
	return line;
}

/* Append them to the delivery's own; it has the content type in a member. */
static enum herald_status
set_headers(const struct herald_cloudevent_headers *headers, struct herald_arena *arena,
	    struct herald_delivery *out, struct herald_error *error)
{
	size_t own = out->headers_count, all = own + headers->headers_count, count = own;
	const char **lines = herald_arena_alloc(arena, all * sizeof(*lines));

	if (!lines)
		return out_of_memory(error);
	for (size_t i = 0; i < own; i++)
		lines[i] = out->headers[i];
	for (size_t i = 0; i < headers->headers_count; i++) {
		const struct herald_cloudevent_header *header = &headers->headers[i];

		if (strcmp(header->name, "content-type") == 0) {
			out->content_type = header->value;
			continue;
		}
		lines[count] = header_line(header, arena);
		if (!lines[count++])
			return out_of_memory(error);
	}
	out->headers = lines;
	out->headers_count = count;
	return HERALD_OK;
}

static enum herald_status
set_binary(const struct herald_cloudevent *event, struct herald_arena *arena,
	   struct herald_delivery *out, struct herald_error *error)
{
	struct herald_cloudevent_headers headers;
	enum herald_status status = herald_cloudevent_encode_binary(event, arena, &headers, error);

	if (status == HERALD_OK)
		status = set_headers(&headers, arena, out, error);
	if (status != HERALD_OK)
		return status;
	bool has_body = event->data_kind != HERALD_CLOUDEVENT_NO_DATA && event->data.bytes > 0;
	out->body = has_body ? event->data.data : HERALD_EMPTY_BODY;
	out->body_bytes = has_body ? event->data.bytes : 0;
	return HERALD_OK;
}

enum herald_status
herald_cloudevent_deliver(const struct herald_cloudevent *event, enum herald_cloudevent_mode mode,
			  struct herald_arena *arena, struct herald_delivery *delivery,
			  struct herald_error *error)
{
	struct herald_delivery out = *delivery;
	enum herald_status status = HERALD_OK;

	switch (mode) {
	case HERALD_CLOUDEVENT_STRUCTURED:
	case HERALD_CLOUDEVENT_BATCH:
		status = set_json(event, mode == HERALD_CLOUDEVENT_BATCH, arena, &out, error);
		break;
	case HERALD_CLOUDEVENT_BINARY:
		status = set_binary(event, arena, &out, error);
		break;
	default:
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"expected the mode structured, binary or batch, found %d",
					(int)mode);
	}
	if (status == HERALD_OK)
		*delivery = out;
	return status;
}
