/*
 * Encoding of events as JSON: structured mode and batches. Events are checked in event_check.c.
 */
#include <string.h>

#include <herald/base64.h>
#include <herald/cloudevent.h>

#include "base/simd.h"
#include "formats/cloudevents/event_check.h"
#include "json/writer/escape.h"
#include "json/writer/number_write.h"

/* Once an append has failed, the others do nothing. */
struct writer {
	struct herald_buffer *out;
	enum herald_status status;
};

static void
put(struct writer *writer, const char *text, size_t bytes)
{
	if (writer->status == HERALD_OK && bytes > 0)
		writer->status = herald_buffer_append(writer->out, text, bytes);
}

static void
put_text(struct writer *writer, const char *text)
{
	put(writer, text, strlen(text));
}

/* A string in quotes. The text must be UTF-8. */
static void
put_string(struct writer *writer, struct herald_text text)
{
	const char *at = text.bytes > 0 ? text.data : "", *end = at + text.bytes;

	put(writer, "\"", 1);
	while (at < end) {
		const char *special = herald__find_special(at, end);
		char escape[8];

		put(writer, at, (size_t)(special - at));
		if (special == end)
			break;
		put(writer, escape, herald__write_escape(*special, escape));
		at = special + 1;
	}
	put(writer, "\"", 1);
}

/* The name is one that needs no escapes. */
static void
put_name(struct writer *writer, const char *name)
{
	put(writer, ",\"", 2);
	put_text(writer, name);
	put(writer, "\":", 2);
}

static void
put_attribute(struct writer *writer, const char *name, struct herald_text value)
{
	if (!value.data)
		return;
	put_name(writer, name);
	put_string(writer, value);
}

static void
put_extension(struct writer *writer, const struct herald_cloudevent_extension *extension)
{
	char number[HERALD__NUMBER_BYTES];

	put_name(writer, extension->name);
	switch (extension->kind) {
	case HERALD_CLOUDEVENT_INTEGER:
		put(writer, number,
		    (size_t)(herald__write_integer(extension->integer, number) - number));
		break;
	case HERALD_CLOUDEVENT_BOOLEAN:
		put_text(writer, extension->boolean ? "true" : "false");
		break;
	case HERALD_CLOUDEVENT_JSON:
		put(writer, extension->text.data, extension->text.bytes);
		break;
	default:
		put_string(writer, extension->text);
		break;
	}
}

static void
put_base64(struct writer *writer, struct herald_text data)
{
	size_t bytes = herald_base64_bytes(data.bytes);

	put(writer, "\"", 1);
	if (writer->status == HERALD_OK &&
	    (writer->status = herald_buffer_reserve(writer->out, bytes)) == HERALD_OK) {
		herald_base64_encode(data.data, data.bytes, writer->out->data + writer->out->bytes);
		writer->out->bytes += bytes;
	}
	put(writer, "\"", 1);
}

static void
put_data(struct writer *writer, const struct herald_cloudevent *event)
{
	switch (event->data_kind) {
	case HERALD_CLOUDEVENT_DATA_JSON:
		put_name(writer, "data");
		put(writer, event->data.data, event->data.bytes);
		break;
	case HERALD_CLOUDEVENT_DATA_TEXT:
		put_name(writer, "data");
		put_string(writer, event->data);
		break;
	case HERALD_CLOUDEVENT_DATA_BYTES:
		put_name(writer, "data_base64");
		put_base64(writer, event->data);
		break;
	default:
		break;
	}
}

static void
put_event(struct writer *writer, const struct herald_cloudevent *event,
	  const struct herald__time_text *time)
{
	put_text(writer, "{\"specversion\":\"1.0\"");
	put_attribute(writer, "id", event->id);
	put_attribute(writer, "source", event->source);
	put_attribute(writer, "type", event->type);
	if (time->bytes > 0)
		put_attribute(writer, "time", (struct herald_text){time->text, time->bytes});
	put_attribute(writer, "subject", event->subject);
	put_attribute(writer, "dataschema", event->dataschema);
	put_attribute(writer, "datacontenttype", event->datacontenttype);
	for (size_t i = 0; i < event->extensions_count; i++)
		put_extension(writer, &event->extensions[i]);
	put_data(writer, event);
	put(writer, "}", 1);
}

/* Returns false after recording an error, whose path begins at the event. */
static bool
encode(struct writer *writer, const struct herald_cloudevent *event, struct herald__trace *trace)
{
	struct herald__time_text time;
	struct herald__wrong wrong;

	if (!herald__event_check(event, &time, trace, &wrong)) {
		herald__trace_key(trace, wrong.name, strlen(wrong.name));
		return false;
	}
	put_event(writer, event, &time);
	if (writer->status == HERALD_OK)
		return true;
	return herald__trace_fail(trace, HERALD_NO_OFFSET, writer->status, "%s",
				  writer->status == HERALD_TOO_LARGE
					  ? "the JSON is larger than the buffer may grow"
					  : "out of memory");
}

enum herald_status
herald_cloudevent_encode_structured(const struct herald_cloudevent *event,
				    struct herald_buffer *out, struct herald_error *error)
{
	struct writer writer = {out, HERALD_OK};
	struct herald__trace trace;
	size_t bytes = out->bytes;

	if (encode(&writer, event, &trace))
		return HERALD_OK;
	out->bytes = bytes;
	return herald__trace_finish(&trace, "", error);
}

enum herald_status
herald_cloudevent_encode_batch(const struct herald_cloudevent *const *events, size_t count,
			       struct herald_buffer *out, struct herald_error *error)
{
	struct writer writer = {out, HERALD_OK};
	struct herald__trace trace;
	size_t bytes = out->bytes, i = 0;
	bool encoded = true;

	put(&writer, "[", 1);
	for (; i < count && encoded; i++) {
		if (i > 0)
			put(&writer, ",", 1);
		encoded = encode(&writer, events[i], &trace);
	}
	put(&writer, "]", 1);
	if (encoded && writer.status == HERALD_OK)
		return HERALD_OK;
	if (encoded) {
		herald__trace_fail(&trace, HERALD_NO_OFFSET, writer.status, "%s",
				   writer.status == HERALD_TOO_LARGE
					   ? "the JSON is larger than the buffer may grow"
					   : "out of memory");
	} else {
		herald__trace_index(&trace, i - 1);
	}
	out->bytes = bytes;
	return herald__trace_finish(&trace, "", error);
}
