/*
 * Reads CloudEvents in their three modes. Prints nothing.
 */
#include "reading.h"

/* Of a batch, and of an event in it; the library's limits are for services. */
#define MAX_MEMBERS 10000
#define MAX_EXTENSIONS 1024

static const struct herald_cloudevent_options cloudevent_options = {
	.max_members_count = MAX_MEMBERS,
	.max_extensions_count = MAX_EXTENSIONS,
};

static void
fill_cloudevent(struct inspector *inspector, const struct herald_cloudevent *from,
		struct inspect_event *out)
{
	struct herald_json_pair *pairs = herald_arena_alloc(
		inspector->arena, from->extensions_count * sizeof(struct herald_json_pair));

	if (!pairs) {
		inspect_refuse(out, HERALD_NO_MEMORY, "out of memory");
		return;
	}
	for (size_t i = 0; i < from->extensions_count; i++) {
		const struct herald_cloudevent_extension *extension = &from->extensions[i];

		pairs[i] = (struct herald_json_pair){.key = extension->name,
						     .text = extension->text.data};
		if (extension->kind != HERALD_CLOUDEVENT_STRING)
			pairs[i].json =
				(struct herald_json){extension->text.data, extension->text.bytes};
	}
	out->extensions = pairs;
	out->extensions_count = from->extensions_count;
	out->id = from->id;
	out->source = from->source;
	out->type = from->type;
	out->subject = from->subject;
	out->dataschema = from->dataschema;
	out->datacontenttype = from->datacontenttype;
	out->time = from->has_time ? &from->time : NULL;
	out->is_json = from->data_kind == HERALD_CLOUDEVENT_DATA_JSON;
	if (from->data_kind != HERALD_CLOUDEVENT_NO_DATA)
		out->data = from->data;
}

static void
visit_cloudevent(const struct reading *reading, enum herald_status status,
		 const struct herald_cloudevent *from, struct inspect_event *event)
{
	if (status == HERALD_OK)
		fill_cloudevent(reading->inspector, from, event);
	inspect_check(event, status);
	reading_visit(reading, event);
}

void
inspect_batch(const struct reading *reading)
{
	const struct inspect_request *request = reading->request;
	struct herald_cloudevent_batch batch;
	struct inspect_event frame = {.format = "cloudevents", .mode = "batch"};
	enum herald_status status = herald_cloudevent_batch_begin(
		&batch, request->body, request->body_bytes, &cloudevent_options, &frame.error);

	if (status != HERALD_OK) {
		inspect_check(&frame, status);
		reading_visit(reading, &frame);
		return;
	}
	while (herald_cloudevent_batch_next(&batch)) {
		struct inspect_event event = {.format = "cloudevents", .mode = "batch"};
		struct herald_cloudevent from;

		status = herald_cloudevent_batch_decode(&batch, reading->inspector->arena, &from,
							&event.error);
		visit_cloudevent(reading, status, &from, &event);
	}
}

void
inspect_cloudevent(const struct reading *reading, enum herald_cloudevent_mode mode)
{
	const struct inspect_request *request = reading->request;
	struct herald_arena *arena = reading->inspector->arena;
	bool is_binary = mode == HERALD_CLOUDEVENT_BINARY;
	struct inspect_event event = {.format = "cloudevents",
				      .mode = is_binary ? "binary" : "structured"};
	struct herald_cloudevent_headers headers = request->headers;
	struct herald_cloudevent from;
	enum herald_status status;

	if (is_binary)
		status = herald_cloudevent_decode_binary(
			herald_cloudevent_headers_visit_array, &headers, request->content_type,
			request->body, request->body_bytes, &cloudevent_options, arena, &from,
			&event.error);
	else
		status = herald_cloudevent_decode_structured(request->body, request->body_bytes,
							     &cloudevent_options, arena, &from,
							     &event.error);
	visit_cloudevent(reading, status, &from, &event);
}
