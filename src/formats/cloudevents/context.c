/*
 * A CloudEvent of the event in hand, whatever format it came in. Only attributes that are valid are
 * taken, because a CloudEvent with others cannot be encoded.
 */
#include <stdint.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>
#include <herald/cloudevents.h>

#include "base/arena.h"
#include "base/error_path.h"
#include "base/utf8.h"
#include "formats/cloudevents/attributes.h"
#include "formats/cloudevents/format.h"
#include "formats/cloudevents/media_type.h"
#include "service/context.h"
#include "service/payload.h"

/* A conversion. */
struct maker {
	struct herald_context *ctx;
	const struct herald_cloudevents_options *options; /* NULL: it was another event */
	struct herald_cloudevent event;
	struct herald_cloudevent_extension *extensions;
	bool lacks_memory;
};

/* A text as the value of an attribute; data NULL if it cannot be one. */
static struct herald_text
value_of(enum herald__event_attribute attribute, const char *text)
{
	const struct herald_text value = {text, text ? strlen(text) : 0};
	struct herald__trace unused;

	if (!text || (value.bytes == 0 && attribute != HERALD__EXTENSION) ||
	    !herald__event_attribute_check(attribute, value, 0, &unused))
		return (struct herald_text){NULL, 0};
	return value;
}

/* Attributes. */

/* The type as it came: the format may have taken the version off. */
static const char *
type_of(struct maker *maker)
{
	const char *type = maker->ctx->message->event_type;
	const char *version = herald_context_version(maker->ctx);
	const char *suffix = maker->options ? maker->options->version_suffix : NULL;

	if (!suffix || *version == '\0')
		return type;
	size_t bytes = strlen(type), suffix_bytes = strlen(suffix), version_bytes = strlen(version);
	char *whole =
		herald_arena_alloc(maker->ctx->arena, bytes + suffix_bytes + version_bytes + 1);
	if (!whole) {
		maker->lacks_memory = true;
		return NULL;
	}
	memcpy(whole, type, bytes);
	memcpy(whole + bytes, suffix, suffix_bytes);
	memcpy(whole + bytes + suffix_bytes, version, version_bytes + 1);
	return whole;
}

static void
set_attributes(struct maker *maker)
{
	const struct herald_context *ctx = maker->ctx;
	const struct herald_time *time = herald_context_time(ctx);
	struct herald_cloudevent *event = &maker->event;

	event->id = value_of(HERALD__ID, herald_context_id(ctx));
	event->source = value_of(HERALD__SOURCE, herald_context_source(ctx));
	event->type = value_of(HERALD__TYPE, type_of(maker));
	event->subject = value_of(HERALD__SUBJECT, herald_context_subject(ctx));
	event->dataschema = value_of(HERALD__DATASCHEMA,
				     herald_json_map_get(&ctx->message->metadata, "dataschema"));
	event->datacontenttype = value_of(HERALD__DATACONTENTTYPE, ctx->payload_data.content_type);
	event->has_time = time;
	if (time)
		event->time = *time;
}

/* Extensions. */

/* A name in lower case, without what is not a letter or a digit. NULL if nothing is left, if an
 * attribute has this name, or if there is no memory. */
static const char *
name_of(struct maker *maker, const char *key)
{
	size_t bytes = strlen(key), count = 0;

	if (!herald__is_event_attribute_name(key, bytes)) {
		char *name = herald_arena_copy(maker->ctx->arena, key, bytes);

		maker->lacks_memory |= !name;
		for (size_t i = 0; name && i < bytes; i++)
			if (herald_ascii_is_letter(key[i]) || herald_ascii_is_digit(key[i]))
				name[count++] = herald_ascii_lower(key[i]);
		if (count == 0)
			return NULL;
		name[count] = '\0';
		key = name;
		bytes = count;
	}
	return herald__event_attribute_find(key, bytes) == HERALD__EXTENSION ? key : NULL;
}

static bool
has_extension(const struct maker *maker, const char *name)
{
	for (size_t i = 0; i < maker->event.extensions_count; i++)
		if (strcmp(maker->extensions[i].name, name) == 0)
			return true;
	return false;
}

/* Read a JSON number that is an integer of 32 bits. */
static bool
read_integer(const char *text, int32_t *out)
{
	bool is_negative = *text == '-';
	uint64_t magnitude;

	if (!herald_ascii_number(text + is_negative, (uint64_t)INT32_MAX + is_negative, &magnitude))
		return false;
	*out = (int32_t)(is_negative ? -(int64_t)magnitude : (int64_t)magnitude);
	return true;
}

/* The JSON text of an object or array with a NUL after it, for a string. */
static const char *
copy_json(struct maker *maker, const struct herald_json *json)
{
	const char *copy = herald_arena_copy(maker->ctx->arena, json->data, json->bytes);

	maker->lacks_memory |= !copy;
	return copy;
}

/* Returns false if the value cannot be an extension's. */
static bool
set_value(struct maker *maker, const struct herald_json_pair *pair,
	  struct herald_cloudevent_extension *out)
{
	const struct herald_json *json = &pair->json;
	char first = json->data ? *json->data : '"';

	if (first == 'n') /* null */
		return false;
	if (maker->options && !pair->text) {
		out->kind = HERALD_CLOUDEVENT_JSON; /* it came so */
		out->text = (struct herald_text){json->data, json->bytes};
		return true;
	}
	out->text = value_of(HERALD__EXTENSION, pair->text ? pair->text : copy_json(maker, json));
	if (!out->text.data)
		return false;
	out->boolean = first == 't';
	if (first == 't' || first == 'f')
		out->kind = HERALD_CLOUDEVENT_BOOLEAN;
	else if (first != '"' && pair->text && read_integer(pair->text, &out->integer))
		out->kind = HERALD_CLOUDEVENT_INTEGER;
	return true;
}

static enum herald_status
refuse_extensions(struct herald_error *error)
{
	static const char path[] = "/extensions";

	herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
			 "expected at most %d extensions, found more", HERALD__MAX_EXTENSIONS);
	herald__path_set(error, path, sizeof(path) - 1);
	return HERALD_LIMIT;
}

/* Stops at the limit, with which the search for a name stays short. */
static enum herald_status
set_extensions(struct maker *maker, struct herald_error *error)
{
	const struct herald_json_map *metadata = &maker->ctx->message->metadata;
	size_t most =
		metadata->count < HERALD__MAX_EXTENSIONS ? metadata->count : HERALD__MAX_EXTENSIONS;

	if (metadata->count == 0)
		return HERALD_OK;
	maker->extensions =
		herald_arena_alloc(maker->ctx->arena, most * sizeof(*maker->extensions));
	maker->lacks_memory |= !maker->extensions;
	for (size_t i = 0; i < metadata->count && !maker->lacks_memory; i++) {
		const struct herald_json_pair *pair = &metadata->pairs[i];
		struct herald_cloudevent_extension extension = {.name = name_of(maker, pair->key)};

		if (!extension.name || has_extension(maker, extension.name) ||
		    !set_value(maker, pair, &extension))
			continue;
		if (maker->event.extensions_count == HERALD__MAX_EXTENSIONS)
			return refuse_extensions(error);
		maker->extensions[maker->event.extensions_count++] = extension;
	}
	if (maker->event.extensions_count > 0)
		maker->event.extensions = maker->extensions;
	return HERALD_OK;
}

/* Data. */

/* Whether bytes of a media type are sent as text. */
static bool
is_text(const struct herald_text *type, const struct herald_text *data)
{
	return type->data && type->bytes >= 5 && herald_ascii_same_bytes(type->data, "text/", 5) &&
	       !herald__media_type_is_json(type->data, type->bytes) &&
	       herald__is_utf8(data->data, data->bytes);
}

static enum herald_status
set_data(struct maker *maker, struct herald_error *error)
{
	struct herald_cloudevent *event = &maker->event;
	bool is_json;

	if (!herald__payload_text(maker->ctx, &event->data, &is_json))
		return herald_option_refuse(
			error, "keeps_bytes",
			"must be set for the service, because the payload was decoded");
	if (!event->data.data)
		event->data_kind = HERALD_CLOUDEVENT_NO_DATA;
	else if (is_json)
		event->data_kind = HERALD_CLOUDEVENT_DATA_JSON;
	else if (is_text(&event->datacontenttype, &event->data))
		event->data_kind = HERALD_CLOUDEVENT_DATA_TEXT;
	else
		event->data_kind = HERALD_CLOUDEVENT_DATA_BYTES;
	return HERALD_OK;
}

enum herald_status
herald_context_cloudevent(struct herald_context *ctx, struct herald_cloudevent *out,
			  struct herald_error *error)
{
	struct maker maker = {.ctx = ctx, .options = herald__cloudevents_options_of(ctx->format)};

	if (!ctx->message)
		return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
					"the event has not been decoded");
	set_attributes(&maker);
	enum herald_status status = set_extensions(&maker, error);
	if (maker.lacks_memory)
		return herald__context_arena_status(ctx, error);
	if (status == HERALD_OK)
		status = set_data(&maker, error);
	if (status == HERALD_OK)
		*out = maker.event;
	return status;
}
