/*
 * Dapr's bulk messages: the frame around several events, each with the name by which Dapr calls it.
 * The frame is decoded as any struct; its events are decoded by the format, one after the other.
 */
#include "formats/cloudevents/dapr.h"

#include <stdint.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/schema.h>

#include "formats/cloudevents/batch.h"
#include "service/service.h"
#include "json/reader/reader.h"

struct dapr_entry {
	const char *entry_id;
	struct herald_json event;
};

HERALD_SCHEMA(dapr_entry,
	HERALD_FIELD(dapr_entry, entry_id, .key = "entryId", .required = true, .min_bytes = 1),
	HERALD_FIELD(dapr_entry, event, .required = true));

struct dapr_frame {
	const struct dapr_entry *entries;
	size_t entries_count;
};

HERALD_SCHEMA(dapr_frame, HERALD_LIST(dapr_frame, entries, dapr_entry, .required = true));

enum herald_status
herald__dapr_codec_create(struct herald_codec **out, struct herald_error *error)
{
	/* The events have limits of their own. */
	static const struct herald_limits limits = {.max_depth = HERALD__MAX_DEPTH,
						    .max_list_count = SIZE_MAX,
						    .max_key_bytes = SIZE_MAX};

	return herald_codec_create(&dapr_frame_schema, &limits, NULL, out, error);
}

static enum herald_status
visit_entries(const struct dapr_frame *frame, size_t max_members, const char *count_option,
	      herald_member_visitor *visit, void *state, struct herald_error *error)
{
	enum herald_status status = herald__cloudevent_batch_check(
		frame->entries_count, max_members, count_option, error);

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < frame->entries_count; i++) {
		const struct dapr_entry *entry = &frame->entries[i];
		const struct herald_member member = {
			.data = (char *)(uintptr_t)entry->event.data, /* in the frame's bytes */
			.bytes = entry->event.bytes,
			.content_type = "application/cloudevents+json",
			.entry_id = entry->entry_id,
		};

		visit(&member, state);
	}
	return HERALD_OK;
}

enum herald_status
herald__dapr_split(const struct herald_codec *codec, const struct herald_service *service,
		   size_t max_members, const char *count_option, char *data, size_t bytes,
		   herald_member_visitor *visit, void *state, struct herald_error *error)
{
	struct herald_arena *arena = NULL;
	struct dapr_frame frame;
	enum herald_status status =
		herald_arena_create(&service->allocator, service->max_arena_bytes, &arena);

	if (status != HERALD_OK)
		return herald_out_of_memory(error);
	status = herald_codec_decode(codec, data, bytes, arena, &frame, error);
	if (status == HERALD_OK)
		status = visit_entries(&frame, max_members, count_option, visit, state, error);
	herald_arena_destroy(arena);
	return status;
}
