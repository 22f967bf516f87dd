/*
 * Reads the events of a request: finds out their format, and lets the file of that format read
 * them. Prints nothing.
 */
#include "inspect.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/message.h>

#include "reading.h"

#define ARENA_BYTES ((size_t)16 << 20)
/* What is decoded from a body is at most this many times as large, besides ARENA_BYTES. */
#define ARENA_FACTOR 8

enum herald_status
inspector_init(struct inspector *inspector, struct herald_error *error)
{
	enum herald_status status = herald_codec_create(&herald_message_schema, NULL, NULL,
							&inspector->envelope, error);

	if (status == HERALD_OK)
		status = body_codecs_create(inspector, error);
	if (status == HERALD_OK &&
	    herald_arena_create(NULL, ARENA_BYTES + ARENA_FACTOR * inspector->max_bytes,
				&inspector->arena) != HERALD_OK)
		status = herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET,
					  "out of memory");
	if (status != HERALD_OK)
		inspector_finish(inspector);
	return status;
}

void
inspector_finish(struct inspector *inspector)
{
	herald_codec_destroy(inspector->envelope);
	herald_codec_destroy(inspector->wrapper);
	herald_codec_destroy(inspector->json);
	herald_arena_destroy(inspector->arena);
	inspector->envelope = inspector->wrapper = inspector->json = NULL;
	inspector->arena = NULL;
}

const char *
inspect_header(const struct inspect_request *request, const char *name)
{
	for (size_t i = 0; i < request->headers.headers_count; i++)
		if (herald_ascii_same(request->headers.headers[i].name, name))
			return request->headers.headers[i].value;
	return NULL;
}

/* Errors. */

void
reading_visit(const struct reading *reading, const struct inspect_event *event)
{
	reading->visit(event, reading->state);
}

void
inspect_check(struct inspect_event *event, enum herald_status status)
{
	if (status == HERALD_OK)
		return;
	event->status = status == HERALD_BAD_MEDIA_TYPE ? 415
			: status == HERALD_NO_MEMORY    ? 503
							: 400;
}

void
inspect_refuse(struct inspect_event *event, enum herald_status status, const char *text)
{
	herald_error_set(&event->error, status, HERALD_NO_OFFSET, "%s", text);
	inspect_check(event, status);
}

/* The format. */

static void
refuse_format(const struct reading *reading, const char *format, enum herald_status status,
	      const char *text)
{
	struct inspect_event event = {.format = format};

	inspect_refuse(&event, status, text);
	reading_visit(reading, &event);
}

/* What senders of CloudEvents do wrong most often. */
static bool
is_wrong_cloudevent(const struct reading *reading, const struct herald_json_map *members)
{
	const struct inspect_request *request = reading->request;
	struct inspect_event event = {.format = "cloudevents"};

	if (inspect_header(request, "ce-id") || inspect_header(request, "ce-type")) {
		inspect_refuse(&event, HERALD_MISSING, "the header ce-specversion is missing");
		event.mode = "binary";
	} else if (members && herald_json_map_find(members, "specversion")) {
		inspect_refuse(&event, HERALD_BAD_MEDIA_TYPE,
			       "this looks like a CloudEvent, whose Content-Type is "
			       "application/cloudevents+json");
		event.mode = "structured";
	} else {
		return false;
	}
	reading_visit(reading, &event);
	return true;
}

/* A body whose type is JSON, but that is not an object. */
static void
refuse_body(const struct reading *reading)
{
	struct inspect_event event = {.error = reading->body.error};

	inspect_check(&event, reading->body.status);
	reading_visit(reading, &event);
}

/* A request that is not a CloudEvent by its headers. */
static void
inspect_by_content(struct reading *reading)
{
	const struct inspector *inspector = reading->inspector;
	const char *content_type = reading->request->content_type;
	bool has_json_type = !content_type || herald_cloudevent_is_json_type(content_type);
	const struct herald_json_map *members = has_json_type ? reading_members(reading) : NULL;

	if (is_wrong_cloudevent(reading, members))
		return;
	if (inspect_is_envelope(inspector, members))
		inspect_envelope(reading, members);
	else if (members || inspector->takes_untyped || inspect_webhook_type(reading))
		inspect_webhook(reading);
	else if (has_json_type)
		refuse_body(reading);
	else
		refuse_format(reading, NULL, HERALD_BAD_MEDIA_TYPE,
			      "expected a JSON or CloudEvents media type, or the type of a webhook "
			      "in a header");
}

/* A request that is not a CloudEvent, or is to be taken as something else. */
static void
inspect_other(struct reading *reading)
{
	switch (reading->inspector->format) {
	case INSPECT_CLOUDEVENTS:
		refuse_format(reading, "cloudevents", HERALD_BAD_MEDIA_TYPE,
			      "expected a CloudEvents media type, or ce- headers");
		break;
	case INSPECT_HERALD:
		inspect_envelope(reading, NULL);
		break;
	case INSPECT_WEBHOOK:
		inspect_webhook(reading);
		break;
	case INSPECT_ANY:
		inspect_by_content(reading);
		break;
	}
}

/* Compressed bodies are not read. */
static bool
is_encoded(const struct reading *reading)
{
	const struct herald_cloudevent_headers *headers = &reading->request->headers;

	for (size_t i = 0; i < headers->headers_count; i++) {
		const struct herald_cloudevent_header *header = &headers->headers[i];
		char text[128];

		if (!herald_ascii_same(header->name, "Content-Encoding") ||
		    herald_ascii_same(header->value, "identity"))
			continue;
		snprintf(text, sizeof(text), "Content-Encoding %.64s%s is not supported",
			 header->value, strlen(header->value) > 64 ? "..." : "");
		refuse_format(reading, NULL, HERALD_BAD_MEDIA_TYPE, text);
		return true;
	}
	return false;
}

static void
inspect_reading(struct reading *reading)
{
	const struct inspect_request *request = reading->request;
	enum inspect_format format = reading->inspector->format;
	struct inspect_event unsupported = {.format = "cloudevents"};
	enum herald_cloudevent_mode mode = HERALD_CLOUDEVENT_NONE;

	if (format == INSPECT_ANY || format == INSPECT_CLOUDEVENTS)
		mode = herald_cloudevent_detect(request->content_type,
						inspect_header(request, "ce-specversion"),
						&unsupported.error);
	if (mode == HERALD_CLOUDEVENT_UNSUPPORTED) {
		unsupported.status = 415;
		reading_visit(reading, &unsupported);
	} else if (mode == HERALD_CLOUDEVENT_BATCH) {
		inspect_batch(reading);
	} else if (mode != HERALD_CLOUDEVENT_NONE) {
		inspect_cloudevent(reading, mode);
	} else {
		inspect_other(reading);
	}
}

void
inspect(struct inspector *inspector, const struct inspect_request *request, inspect_visitor *visit,
	void *state)
{
	struct reading reading = {
		.inspector = inspector, .request = request, .visit = visit, .state = state};

	if (!is_encoded(&reading))
		inspect_reading(&reading);
	herald_arena_reset(inspector->arena);
}
