/*
 * Makes the events that `herald send` sends. Sends nothing.
 */
#include "outgoing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/message.h>
#include <herald/trace.h>

#include "options.h"
#include "text.h"

enum herald_status
outgoing_init(struct outgoing *outgoing, struct herald_error *error)
{
	return herald_codec_create(&herald_message_schema, NULL, NULL, &outgoing->envelope, error);
}

void
outgoing_finish(struct outgoing *outgoing)
{
	herald_codec_destroy(outgoing->envelope);
	outgoing->envelope = NULL;
}

enum herald_status
outgoing_request_init(struct outgoing_request *request, struct herald_error *error)
{
	*request = (struct outgoing_request){0};
	herald_buffer_init(&request->body, NULL, 0);
	if (herald_arena_create(NULL, 0, &request->arena) == HERALD_OK)
		return HERALD_OK;
	return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
}

void
outgoing_request_finish(struct outgoing_request *request)
{
	herald_buffer_finish(&request->body);
	herald_arena_destroy(request->arena);
}

/* NULL if out of memory. */
static const char *
make_id(const struct outgoing *outgoing, uint64_t number, struct herald_arena *arena)
{
	struct herald_trace random;
	char id[512];

	if (outgoing->id && number == 0)
		return outgoing->id;
	if (outgoing->id) {
		int bytes = snprintf(id, sizeof(id), "%.480s-%" PRIu64, outgoing->id, number);

		return herald_arena_copy(arena, id, (size_t)bytes);
	}
	herald_trace_begin(&random);
	return herald_arena_copy(arena, random.trace_id, strlen(random.trace_id));
}

static struct herald_time
time_of(const struct outgoing *outgoing)
{
	return outgoing->has_time ? outgoing->time : herald_time_now();
}

/* Herald's envelope. */

static enum herald_status
make_envelope(const struct outgoing *outgoing, struct outgoing_request *out,
	      struct herald_error *error)
{
	struct herald_json_pair pairs[OUTGOING_MAX_EXTENSIONS + 4];
	const struct {
		const char *key, *text;
	} own[] = {{"id", out->id},
		   {"source", outgoing->source},
		   {"version", outgoing->version},
		   {"subject", outgoing->subject}};
	struct herald_json_map metadata = {.pairs = pairs};

	for (size_t i = 0; i < HERALD_COUNT(own); i++)
		if (own[i].text)
			pairs[metadata.count++] =
				(struct herald_json_pair){.key = own[i].key, .text = own[i].text};
	for (size_t i = 0; i < outgoing->extensions_count; i++)
		pairs[metadata.count++] =
			(struct herald_json_pair){.key = outgoing->extensions[i].name,
						  .text = outgoing->extensions[i].text.data};
	const struct herald_message message = {
		.event_type = outgoing->type,
		.timestamp = time_of(outgoing),
		.payload = {outgoing->data.data, outgoing->data.bytes},
		.metadata = metadata,
	};
	out->content_type = "application/json";
	return herald_codec_encode(outgoing->envelope, &message, &out->body, error);
}

static enum herald_status
append_data(struct herald_text data, struct outgoing_request *out, struct herald_error *error)
{
	if (data.data && herald_buffer_append(&out->body, data.data, data.bytes) != HERALD_OK)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	return HERALD_OK;
}

/* CloudEvents. */

static struct herald_cloudevent
cloudevent_of(const struct outgoing *outgoing, const char *id)
{
	const char *type = outgoing->content_type;
	struct herald_cloudevent event = {
		.id = text_of(id),
		.source = text_of(outgoing->source),
		.type = text_of(outgoing->type),
		.subject = text_of(outgoing->subject),
		.has_time = true,
		.time = time_of(outgoing),
		.extensions = outgoing->extensions,
		.extensions_count = outgoing->extensions_count,
		.data = outgoing->data,
	};

	if (!outgoing->data.data)
		return event;
	event.datacontenttype = text_of(type ? type : "application/json");
	if (!type || herald_cloudevent_is_json_type(type))
		event.data_kind = HERALD_CLOUDEVENT_DATA_JSON;
	else if (strncmp(type, "text/", 5) == 0)
		event.data_kind = HERALD_CLOUDEVENT_DATA_TEXT;
	else
		event.data_kind = HERALD_CLOUDEVENT_DATA_BYTES;
	return event;
}

static enum herald_status
make_binary(const struct herald_cloudevent *event, struct outgoing_request *out,
	    struct herald_error *error)
{
	enum herald_status status =
		herald_cloudevent_encode_binary(event, out->arena, &out->headers, error);

	if (status == HERALD_OK)
		status = append_data(event->data, out, error);
	return status;
}

static enum herald_status
make_batch(const struct outgoing *outgoing, uint64_t number, size_t count,
	   struct outgoing_request *out, struct herald_error *error)
{
	struct herald_cloudevent *events =
		herald_arena_alloc(out->arena, count * sizeof(struct herald_cloudevent));
	const struct herald_cloudevent **list =
		herald_arena_alloc(out->arena, count * sizeof(*list));

	for (size_t i = 0; events && list && i < count; i++) {
		const char *id = make_id(outgoing, number + i, out->arena);

		if (!id)
			events = NULL;
		else
			events[i] = cloudevent_of(outgoing, id);
		list[i] = events ? &events[i] : NULL;
	}
	if (!events || !list)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	out->content_type = HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE;
	return herald_cloudevent_encode_batch(list, count, &out->body, error);
}

/* Errors. */

/* The name of an attribute or member in a path such as "ce-type", "/data" or "/0/subject". */
static const char *
name_in_path(const char *path)
{
	if (strncmp(path, "ce-", 3) == 0)
		return path + 3;
	if (strncmp(path, "/metadata/", 10) == 0)
		return path + 10;
	if (*path != '/')
		return "";
	const size_t digits = strspn(path + 1, "0123456789");
	return digits > 0 && path[digits + 1] == '/' ? path + digits + 2 : path + 1;
}

/* Put the option of the tool into the place of what it has set. */
static void
name_option(const struct outgoing *outgoing, struct herald_error *error)
{
	static const struct {
		const char *name, *option;
	} names[] = {{"id", "--id"},
		     {"source", "--source"},
		     {"type", "--type"},
		     {"event_type", "--type"},
		     {"subject", "--subject"},
		     {"version", "--version"},
		     {"time", "--time"},
		     {"timestamp", "--time"},
		     {"datacontenttype", "--content-type"},
		     {"data", "--data"},
		     {"payload", "--data"}};
	const char *name = name_in_path(error->path);

	for (size_t i = 0; i < outgoing->extensions_count; i++)
		if (strcmp(outgoing->extensions[i].name, name) == 0) {
			snprintf(error->path, sizeof(error->path), "--extension %.200s",
				 outgoing->extensions[i].name);
			return;
		}
	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		if (strcmp(names[i].name, name) == 0) {
			/* The message begins with the name alone. */
			snprintf(error->path, sizeof(error->path), "%s", names[i].name);
			options_name_error(&(struct option_name){names[i].name, names[i].option, 0},
					   1, error);
			return;
		}
}

static enum herald_status
make_cloudevent(const struct outgoing *outgoing, struct outgoing_request *out,
		struct herald_error *error)
{
	const struct herald_cloudevent event = cloudevent_of(outgoing, out->id);

	if (outgoing->mode == HERALD_CLOUDEVENT_BINARY)
		return make_binary(&event, out, error);
	out->content_type = HERALD_CLOUDEVENT_CONTENT_TYPE;
	return herald_cloudevent_encode_structured(&event, &out->body, error);
}

enum herald_status
outgoing_make(const struct outgoing *outgoing, uint64_t number, size_t events_count,
	      struct outgoing_request *out, struct herald_error *error)
{
	herald_arena_reset(out->arena);
	out->body.bytes = 0;
	out->headers = (struct herald_cloudevent_headers){0};
	out->content_type = NULL;
	out->id = make_id(outgoing, number, out->arena);
	if (!out->id)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	if (outgoing->is_webhook) {
		out->content_type =
			outgoing->content_type ? outgoing->content_type : "application/json";
		return append_data(outgoing->data, out, error);
	}
	enum herald_status status = outgoing->mode == HERALD_CLOUDEVENT_NONE
					    ? make_envelope(outgoing, out, error)
				    : outgoing->mode == HERALD_CLOUDEVENT_BATCH
					    ? make_batch(outgoing, number, events_count, out, error)
					    : make_cloudevent(outgoing, out, error);
	if (status != HERALD_OK)
		name_option(outgoing, error);
	return status;
}
