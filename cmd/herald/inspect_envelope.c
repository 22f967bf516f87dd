/*
 * Reads Herald's envelope (herald/message.h). Prints nothing.
 */
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/array.h>
#include <herald/message.h>

#include "reading.h"
#include "text.h"

/* Moves the members of the metadata that have a place of their own there. */
static void
fill_metadata(struct inspector *inspector, const struct herald_json_map *metadata,
	      struct inspect_event *out)
{
	struct herald_json_pair *others = herald_arena_alloc(
		inspector->arena, metadata->count * sizeof(struct herald_json_pair));
	struct {
		const char *key;
		struct herald_text *to;
	} places[] = {{"id", &out->id},
		      {"source", &out->source},
		      {"subject", &out->subject},
		      {"version", &out->version}};

	for (size_t i = 0; others && i < metadata->count; i++) {
		const struct herald_json_pair *pair = &metadata->pairs[i];
		bool has_place = false;

		for (size_t k = 0; k < HERALD_COUNT(places); k++)
			if (pair->text && strcmp(places[k].key, pair->key) == 0) {
				*places[k].to = text_of(pair->text);
				has_place = true;
			}
		if (!has_place)
			others[out->extensions_count++] = *pair;
	}
	out->extensions = others;
}

/* How many of the envelope's members an object has, of MEMBERS_COUNT. */
#define MEMBERS_COUNT 4
static size_t
count_envelope_members(const struct herald_json_map *members)
{
	static const char *const names[MEMBERS_COUNT] = {"event_type", "timestamp", "payload",
							 "metadata"};
	size_t count = 0;

	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		count += herald_json_map_find(members, names[i]) != NULL;
	return count;
}

bool
inspect_is_envelope(const struct inspector *inspector, const struct herald_json_map *members)
{
	if (!members)
		return false;
	if (inspector->type_from)
		return count_envelope_members(members) == MEMBERS_COUNT;
	return herald_json_map_find(members, "event_type") ||
	       herald_json_map_find(members, "payload") ||
	       (herald_json_map_find(members, "timestamp") &&
		herald_json_map_find(members, "metadata"));
}

/* An envelope that lacks members could be a webhook. */
static void
add_hint(struct herald_error *error)
{
	const size_t used = strlen(error->message);

	herald_text_write(error->message + used, sizeof(error->message) - used,
			  "; a plain webhook needs --format webhook or --type-from");
}

void
inspect_envelope(const struct reading *reading, const struct herald_json_map *members)
{
	const struct inspect_request *request = reading->request;
	struct inspector *inspector = reading->inspector;
	struct inspect_event event = {.format = "herald", .is_json = true};
	struct herald_message message;
	enum herald_status status =
		herald_codec_decode(inspector->envelope, request->body, request->body_bytes,
				    inspector->arena, &message, &event.error);

	inspect_check(&event, status);
	if (status == HERALD_OK) {
		event.type = text_of(message.event_type);
		event.time = &message.timestamp;
		event.data = (struct herald_text){message.payload.data, message.payload.bytes};
		fill_metadata(inspector, &message.metadata, &event);
	} else if (members && count_envelope_members(members) < MEMBERS_COUNT) {
		add_hint(&event.error);
	}
	reading_visit(reading, &event);
}
