/*
 * Encoding of events in binary mode: attributes as headers, in an arena.
 */
#include <string.h>

#include <herald/cloudevent.h>

#include "base/arena.h"
#include "formats/cloudevents/event_check.h"
#include "formats/cloudevents/percent.h"
#include "json/writer/number_write.h"

/* Once the arena has given NULL, the functions do nothing. */
struct writer {
	struct herald_arena *arena;
	struct herald_cloudevent_header *headers;
	size_t count;
	bool out_of_memory;
};

/* specversion, id, source, type, time, subject, dataschema, and content-type. */
#define OTHER_HEADERS 8

static void
put(struct writer *writer, const char *name, const char *value)
{
	if (name && value)
		writer->headers[writer->count++] = (struct herald_cloudevent_header){name, value};
	else
		writer->out_of_memory = true;
}

/* The value is encoded into the arena, also if it is unchanged: it may have no NUL. */
static void
put_encoded(struct writer *writer, const char *name, struct herald_text value)
{
	char *copy;

	if (!value.data)
		return;
	copy = herald_arena_alloc(writer->arena, herald__percent_bytes(value) + 1);
	if (copy)
		*herald__percent_encode(value, copy) = '\0';
	put(writer, name, copy);
}

static const char *
extension_name(struct writer *writer, const char *name)
{
	size_t bytes = strlen(name);
	char *copy = herald_arena_alloc(writer->arena, bytes + 4);

	if (!copy)
		return NULL;
	memcpy(copy, "ce-", 3);
	memcpy(copy + 3, name, bytes + 1);
	return copy;
}

static void
put_extension(struct writer *writer, const struct herald_cloudevent_extension *extension)
{
	const char *name = extension_name(writer, extension->name);
	char number[HERALD__NUMBER_BYTES];
	struct herald_text value = extension->text;

	if (extension->kind == HERALD_CLOUDEVENT_INTEGER)
		value = (struct herald_text){
			number,
			(size_t)(herald__write_integer(extension->integer, number) - number)};
	else if (extension->kind == HERALD_CLOUDEVENT_BOOLEAN)
		value = extension->boolean ? (struct herald_text){"true", 4}
					   : (struct herald_text){"false", 5};
	put_encoded(writer, name, value);
}

static void
put_content_type(struct writer *writer, const struct herald_cloudevent *event)
{
	struct herald_text type = event->datacontenttype;

	if (type.data)
		put(writer, "content-type",
		    herald_arena_copy(writer->arena, type.data, type.bytes));
	else if (event->data_kind == HERALD_CLOUDEVENT_DATA_JSON)
		put(writer, "content-type", "application/json");
}

static void
put_event(struct writer *writer, const struct herald_cloudevent *event,
	  const struct herald__time_text *time)
{
	put(writer, "ce-specversion", "1.0");
	put_encoded(writer, "ce-id", event->id);
	put_encoded(writer, "ce-source", event->source);
	put_encoded(writer, "ce-type", event->type);
	if (time->bytes > 0)
		put(writer, "ce-time", herald_arena_copy(writer->arena, time->text, time->bytes));
	put_encoded(writer, "ce-subject", event->subject);
	put_encoded(writer, "ce-dataschema", event->dataschema);
	for (size_t i = 0; i < event->extensions_count; i++)
		put_extension(writer, &event->extensions[i]);
	put_content_type(writer, event);
}

/* What only binary mode cannot send. */
static bool
check_for_headers(const struct herald_cloudevent *event, struct herald__trace *trace,
		  struct herald__wrong *wrong)
{
	const struct herald_text *type = &event->datacontenttype;

	wrong->attribute = HERALD__DATACONTENTTYPE;
	for (size_t i = 0; i < type->bytes; i++)
		if ((unsigned char)type->data[i] >= 0x80)
			return herald__trace_fail(trace, HERALD_NO_OFFSET, HERALD_BAD_VALUE,
						  "expected ASCII, found byte 0x%02X",
						  (unsigned char)type->data[i]);
	wrong->attribute = HERALD__DATA;
	if (event->data_kind == HERALD_CLOUDEVENT_DATA_BYTES && event->data.bytes > 0 &&
	    herald__event_has_json_type(event))
		return herald__event_check_json(event->data, trace);
	return true;
}

/* The path of an error: the name of a header, or "" for the body. */
static enum herald_status
fail(struct herald__trace *trace, const struct herald__wrong *wrong, struct herald_error *error)
{
	char path[sizeof(error->path)] = "ce-";

	if (wrong->attribute == HERALD__DATA)
		return herald__trace_finish(trace, "", error);
	if (wrong->attribute == HERALD__DATACONTENTTYPE)
		return herald__trace_finish(trace, "content-type", error);
	strncat(path, wrong->name, sizeof(path) - sizeof("ce-"));
	return herald__trace_finish(trace, path, error);
}

enum herald_status
herald_cloudevent_encode_binary(const struct herald_cloudevent *event, struct herald_arena *arena,
				struct herald_cloudevent_headers *out, struct herald_error *error)
{
	struct writer writer = {.arena = arena};
	struct herald__time_text time;
	struct herald__trace trace;
	struct herald__wrong wrong;

	if (!herald__event_check(event, &time, &trace, &wrong) ||
	    !check_for_headers(event, &trace, &wrong))
		return fail(&trace, &wrong, error);
	writer.headers = herald_arena_alloc(arena, (event->extensions_count + OTHER_HEADERS) *
							   sizeof(*writer.headers));
	if (writer.headers)
		put_event(&writer, event, &time);
	if (!writer.headers || writer.out_of_memory)
		return herald_error_set(
			error, herald__arena_over_limit(arena) ? HERALD_LIMIT : HERALD_NO_MEMORY,
			HERALD_NO_OFFSET, "%s",
			herald__arena_over_limit(arena) ? "the headers exceed the memory limit"
							: "out of memory");
	*out = (struct herald_cloudevent_headers){writer.headers, writer.count};
	return HERALD_OK;
}
