/*
 * Structured mode: a document that is one event. The event itself is decoded in json_event.c.
 */
#include <herald/cloudevent.h>

#include "base/arena.h"
#include "formats/cloudevents/attributes.h"
#include "formats/cloudevents/json_event.h"
#include "json/reader/scan.h"
#include "json/reader/string_scan.h"

static char *
decode_document(struct herald__reader *reader, const struct herald_cloudevent_options *options,
		struct herald_cloudevent *out)
{
	char *at = herald__document_begin(reader, "{}");

	return at && (at = herald__decode_json_event(reader, at, options, out))
		       ? herald__document_end(reader, at)
		       : NULL;
}

enum herald_status
herald_cloudevent_decode_structured(char *data, size_t bytes,
				    const struct herald_cloudevent_options *options,
				    struct herald_arena *arena, struct herald_cloudevent *out,
				    struct herald_error *error)
{
	struct herald_cloudevent_options set;
	struct herald_cloudevent event;
	struct herald__reader reader;
	enum herald_status status;
	char nothing;

	if ((status = herald__cloudevent_options(options, &set, error)) != HERALD_OK)
		return status;
	/* If there are no bytes, the pointer may be NULL, and arithmetic on it is undefined. */
	herald__reader_begin(&reader, bytes > 0 ? data : &nothing, bytes, &set.limits);
	reader.arena = arena;
	if (!decode_document(&reader, &set, &event))
		return herald__trace_finish(&reader.trace, "", error);
	event.mode = HERALD_CLOUDEVENT_STRUCTURED;
	*out = event;
	return HERALD_OK;
}
