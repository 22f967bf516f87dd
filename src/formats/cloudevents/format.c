/*
 * CloudEvents as a format of a service: which events it takes, and what the service gets of them.
 * The codec is in the other files of this folder.
 */
#include <herald/cloudevents.h>

#include <stdio.h>
#include <string.h>

#include <herald/adapter/format.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/media_type.h"
#include "base/options.h"
#include "formats/cloudevents/attributes.h"
#include "formats/cloudevents/batch.h"
#include "formats/cloudevents/dapr.h"
#include "formats/cloudevents/format.h"
#include "service/context.h"
#include "service/service.h"

struct cloudevents {
	struct herald_format format; /* the first member */
	struct herald_cloudevents_options options;
	struct herald_codec *dapr;  /* of Dapr's bulk messages; NULL: they are not taken */
	struct herald_arena *arena; /* for this struct and the options */
};

/* The default format has no struct of its own. */
static const struct cloudevents *
settings_of(const struct herald_format *format)
{
	static const struct cloudevents defaults;

	return format == &herald_format_cloudevents ? &defaults
						    : (const struct cloudevents *)format;
}

/* Telling them apart. */

static enum herald_cloudevent_mode
mode_of(const struct herald_arrival *arrival, struct herald_error *error)
{
	bool has_version = herald_arrival_attribute(arrival, "ce-specversion");

	return herald_cloudevent_detect(arrival->content_type, has_version, error);
}

/* Whether JSON is a bulk message of Dapr's, and not a CloudEvent. */
static bool
is_dapr(const struct herald_format *format, const struct herald_arrival *arrival,
	enum herald_cloudevent_mode mode)
{
	if (mode != HERALD_CLOUDEVENT_NONE || !settings_of(format)->dapr)
		return false;

	const struct herald__media_type type = herald__media_type_of(arrival->content_type);
	return herald__media_type_is(&type, "application/json");
}

/* The herald_format_ops.matches callback. What is not supported is refused by decode(), with the
 * reason. */
static bool
matches(const struct herald_format *format, const struct herald_arrival *arrival)
{
	enum herald_cloudevent_mode mode = mode_of(arrival, NULL);

	return mode != HERALD_CLOUDEVENT_NONE || is_dapr(format, arrival, mode);
}

/* The herald_format_ops.is_of_one_event callback: the attributes of binary mode. */
static bool
is_of_one_event(const struct herald_format *format, const char *name)
{
	(void)format;
	return herald_ascii_same_bytes(name, "ce-", strlen("ce-"));
}

/* The herald_format_ops.is_batch callback. */
static bool
is_batch(const struct herald_format *format, const struct herald_arrival *arrival)
{
	enum herald_cloudevent_mode mode = mode_of(arrival, NULL);

	return mode == HERALD_CLOUDEVENT_BATCH || is_dapr(format, arrival, mode);
}

/* What has come with the event in hand. */
static struct herald_arrival
arrival_of(const struct herald_context *ctx)
{
	return HERALD_ARRIVAL(.attribute = ctx->attribute, .state = ctx->attribute_state,
			      .content_type = ctx->content_type);
}

/* The version. */

/* The digits and dots at the end of a text, after the last `marker`, or NULL. */
static const char *
version_after(const char *text, const char *marker)
{
	const char *found = NULL, *next = text;

	while ((next = strstr(next, marker))) {
		next += strlen(marker);
		found = next;
	}
	if (!found || !herald_ascii_is_digit(*found))
		return NULL;
	return found[strspn(found, "0123456789.")] == '\0' ? found : NULL;
}

/* Returns HERALD_NO_MEMORY or HERALD_LIMIT if the arena gave NULL. */
static enum herald_status
set_version(const struct cloudevents *settings, struct herald_context *ctx,
	    const struct herald_cloudevent *event, struct herald_decoded *out,
	    struct herald_error *error)
{
	const struct herald_cloudevents_options *options = &settings->options;
	const char *found = NULL;

	if (options->version_extension) {
		const struct herald_cloudevent_extension *extension =
			herald_cloudevent_extension_find(event, options->version_extension);
		found = extension && extension->kind != HERALD_CLOUDEVENT_JSON
				? extension->text.data
				: NULL;
	} else if (options->version_dataschema && event->dataschema.data) {
		found = version_after(event->dataschema.data, options->version_dataschema);
	} else if (options->version_suffix) {
		found = version_after(event->type.data, options->version_suffix);
		size_t bytes =
			found ? (size_t)(found - event->type.data) - strlen(options->version_suffix)
			      : 0;
		if (bytes == 0)
			found = NULL;
		else if (!(out->message->event_type =
				   herald_arena_copy(ctx->arena, event->type.data, bytes)))
			return herald__context_arena_status(ctx, error);
	}
	/* "" and not NULL: an extension that is called "version" may mean something else. */
	out->version = found ? found : "";
	return HERALD_OK;
}

/* The metadata. */

static struct herald_json_pair
pair_of(const struct herald_cloudevent_extension *extension)
{
	struct herald_json_pair pair = {.key = extension->name, .text = extension->text.data};

	if (extension->kind != HERALD_CLOUDEVENT_STRING)
		pair.json = (struct herald_json){extension->text.data, extension->text.bytes};
	if (extension->kind == HERALD_CLOUDEVENT_JSON)
		pair.text = NULL;
	return pair;
}

/* Returns false if the arena gave NULL. */
static bool
set_metadata(struct herald_context *ctx, const struct herald_cloudevent *event,
	     struct herald_message *message)
{
	const struct {
		const char *name, *text;
	} known[] = {
		{"id", event->id.data},
		{"source", event->source.data},
		{"subject", event->subject.data},
		{"dataschema", event->dataschema.data},
		{"datacontenttype", event->datacontenttype.data},
	};
	size_t count = 0;
	struct herald_json_pair *pairs = herald__arena_take(
		ctx->arena, (HERALD_COUNT(known) + event->extensions_count) * sizeof(*pairs));

	if (!pairs)
		return false;
	for (size_t i = 0; i < HERALD_COUNT(known); i++)
		if (known[i].text)
			pairs[count++] = (struct herald_json_pair){.key = known[i].name,
								   .text = known[i].text};
	for (size_t i = 0; i < event->extensions_count; i++)
		pairs[count++] = pair_of(&event->extensions[i]);
	message->metadata = (struct herald_json_map){pairs, count};
	return true;
}

/* The payload. */

/*
 * Bytes of a structured event that may be decoded as JSON are copied: decoding writes to them, and
 * if the event's bytes are kept, these are still base64. So errors do not have offsets in the
 * decoded bytes either. Returns NULL if the arena did.
 */
static const char *
bytes_of(struct herald_context *ctx, const struct herald_cloudevent *event)
{
	const struct herald_text *data = &event->data;
	const char *type = event->datacontenttype.data;

	if (event->mode == HERALD_CLOUDEVENT_BINARY ||
	    (type && !herald_cloudevent_is_json_type(type)))
		return data->data;
	return herald_arena_copy(ctx->arena, data->data, data->bytes);
}

/*
 * Whether decoding has checked all bytes of the event. Of `data`, it has only found the end; all
 * else in a document is checked, data_base64 and text as well.
 */
static bool
is_checked(const struct herald_cloudevent *event)
{
	return event->mode == HERALD_CLOUDEVENT_STRUCTURED &&
	       event->data_kind != HERALD_CLOUDEVENT_DATA_JSON;
}

/* Returns false if the arena gave NULL. */
static bool
set_payload(struct herald_context *ctx, const struct herald_cloudevent *event,
	    struct herald_decoded *out)
{
	bool is_bytes = event->data_kind == HERALD_CLOUDEVENT_DATA_BYTES;
	const char *type = event->datacontenttype.data, *data = event->data.data;

	out->data.content_type = type;
	out->payload_path = event->mode == HERALD_CLOUDEVENT_BINARY ? ""
			    : is_bytes                              ? "/data_base64"
								    : "/data";
	if (event->data_kind == HERALD_CLOUDEVENT_NO_DATA)
		return true;
	if (is_bytes && !(data = bytes_of(ctx, event)))
		return false;
	if (event->data_kind == HERALD_CLOUDEVENT_DATA_JSON ||
	    (is_bytes && herald_cloudevent_is_json_type(type))) {
		out->message->payload = (struct herald_json){data, event->data.bytes};
	} else {
		out->data.data = data;
		out->data.bytes = event->data.bytes;
	}
	return true;
}

/* Decoding. */

static enum herald_status
take(const struct cloudevents *settings, struct herald_context *ctx,
     const struct herald_cloudevent *event, struct herald_decoded *out, struct herald_error *error)
{
	out->message->event_type = event->type.data;
	out->message->timestamp = event->time;
	out->lacks_time = !event->has_time;
	out->is_checked = is_checked(event);
	out->id = event->id.data;
	out->source = event->source.data;
	out->subject = event->subject.data ? event->subject.data : "";
	if (!set_metadata(ctx, event, out->message) || !set_payload(ctx, event, out))
		return herald__context_arena_status(ctx, error);
	return set_version(settings, ctx, event, out, error);
}

/* Attributes of an event whose source cannot visit them: those that have names. */
static void
visit_known(herald_cloudevent_header_visitor *visit, void *visit_state, void *state)
{
	static const char *const names[] = {"ce-specversion", "ce-id",   "ce-source",
					    "ce-type",        "ce-time", "ce-subject",
					    "ce-dataschema"};
	const struct herald_context *ctx = state;

	for (size_t i = 0; i < HERALD_COUNT(names); i++) {
		const char *value = herald_context_attribute(ctx, names[i]);

		if (value && !visit(names[i], value, visit_state))
			return;
	}
}

static enum herald_status
decode_binary(const struct herald_cloudevent_options *options, struct herald_context *ctx,
	      char *data, size_t bytes, struct herald_cloudevent *out, struct herald_error *error)
{
	bool can_visit = ctx->attributes_visit;

	return herald_cloudevent_decode_binary(can_visit ? ctx->attributes_visit : visit_known,
					       can_visit ? ctx->attribute_state : ctx,
					       ctx->content_type, data, bytes, options, ctx->arena,
					       out, error);
}

/* Whether no limit is set. */
static bool
are_default(const struct herald_limits *limits)
{
	return limits->max_depth == 0 && limits->max_list_count == 0 &&
	       limits->max_key_bytes == 0 && limits->max_string_bytes == 0 &&
	       !limits->replace_lone_surrogates;
}

/* The herald_format_ops.decode callback. */
static enum herald_status
decode(const struct herald_format *format, struct herald_context *ctx, char *data, size_t bytes,
       struct herald_decoded *out, struct herald_error *error)
{
	const struct cloudevents *settings = settings_of(format);
	const struct herald_arrival arrival = arrival_of(ctx);
	const enum herald_cloudevent_mode mode = mode_of(&arrival, error);
	struct herald_cloudevent_options options = settings->options.decode;
	struct herald_cloudevent event;
	enum herald_status status = HERALD_BAD_FORMAT;

	if (are_default(&options.limits))
		options.limits = ctx->service->limits;
	options.data_unchecked = true; /* payload.c checks it */
	switch (mode) {
	case HERALD_CLOUDEVENT_BINARY:
		status = decode_binary(&options, ctx, data, bytes, &event, error);
		break;
	case HERALD_CLOUDEVENT_STRUCTURED:
		status = herald_cloudevent_decode_structured(data, bytes, &options, ctx->arena,
							     &event, error);
		break;
	case HERALD_CLOUDEVENT_BATCH:
		return herald_error_set(error, HERALD_BAD_MEDIA_TYPE, HERALD_NO_OFFSET,
					"batches are not accepted here");
	case HERALD_CLOUDEVENT_UNSUPPORTED:
		return HERALD_BAD_MEDIA_TYPE;
	case HERALD_CLOUDEVENT_NONE:
		if (is_dapr(format, &arrival, mode))
			return herald_error_set(error, HERALD_BAD_MEDIA_TYPE, HERALD_NO_OFFSET,
						"Dapr's bulk messages are not accepted here");
		return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
					"not a CloudEvent: ce-specversion is missing");
	}
	return status == HERALD_OK ? take(settings, ctx, &event, out, error) : status;
}

/* The herald_format_ops.split callback. */
static enum herald_status
split(const struct herald_format *format, struct herald_context *ctx, size_t max_members,
      char *data, size_t bytes, herald_member_visitor *visit, void *state,
      struct herald_error *error)
{
	const struct cloudevents *settings = settings_of(format);
	const struct herald_arrival arrival = arrival_of(ctx);
	struct herald_cloudevent_options options = settings->options.decode;
	size_t most = options.max_members_count;
	const char *count_option = "max_members_count";
	struct herald_cloudevent_batch batch;

	if (are_default(&options.limits))
		options.limits = ctx->service->limits;
	if (most == 0 || most > max_members) {
		most = max_members;
		count_option = "max_batch_events";
	}
	if (is_dapr(format, &arrival, mode_of(&arrival, NULL)))
		return herald__dapr_split(settings->dapr, ctx->service, most, count_option, data,
					  bytes, visit, state, error);

	/* The error tells how many there are. */
	options.max_members_count = SIZE_MAX;
	enum herald_status status =
		herald_cloudevent_batch_begin(&batch, data, bytes, &options, error);
	if (status == HERALD_OK)
		status = herald__cloudevent_batch_check(batch.members_count, most, count_option,
							error);
	if (status != HERALD_OK)
		return status;
	while (herald_cloudevent_batch_next(&batch)) {
		const struct herald_member member = {
			.data = batch.member,
			.bytes = batch.member_bytes,
			.content_type = "application/cloudevents+json",
		};

		visit(&member, state);
	}
	return HERALD_OK;
}

/* Creating and destroying. */

/* The herald_format_ops.destroy callback. */
static void
destroy(const struct herald_format *format)
{
	const struct cloudevents *settings = settings_of(format);

	if (format == &herald_format_cloudevents)
		return;
	herald_codec_destroy(settings->dapr);
	herald_arena_destroy(settings->arena);
}

static const struct herald_format_ops ops = {
	.struct_size = sizeof(ops),
	.name = "cloudevents",
	.answers = HERALD_ANSWERS_EMPTY,
	.matches = matches,
	.decode = decode,
	.is_batch = is_batch,
	.split = split,
	.destroy = destroy,
	.is_of_one_event = is_of_one_event,
	.reads_all = true,
};

static const char *const attributes[] = {"ce-*", NULL};
static const char *const media_types[] = {"application/cloudevents+json",
					  "application/cloudevents-batch+json", NULL};
static const char *const dapr_media_types[] = {"application/cloudevents+json",
					       "application/cloudevents-batch+json",
					       "application/json", NULL};

const struct herald_format herald_format_cloudevents = {&ops, attributes, media_types};

const struct herald_cloudevents_options *
herald__cloudevents_options_of(const struct herald_format *format)
{
	return format->ops == &ops ? &settings_of(format)->options : NULL;
}

static enum herald_status
check_decode(const struct herald_cloudevent_options *options, struct herald_error *error)
{
	struct herald_cloudevent_options unused;
	struct herald_error inner;
	char option[sizeof(inner.path) + 8];

	if (herald__cloudevent_options(options, &unused, &inner) == HERALD_OK)
		return HERALD_OK;
	snprintf(option, sizeof(option), "decode.%s", inner.path);
	return herald_option_refuse(error, option, "%s", inner.message);
}

static enum herald_status
check_options(const struct herald_cloudevents_options *options, struct herald_error *error)
{
	const struct {
		const char *name, *value;
	} ways[] = {
		{"version_extension", options->version_extension},
		{"version_suffix", options->version_suffix},
		{"version_dataschema", options->version_dataschema},
	};
	const char *first = NULL;

	for (size_t i = 0; i < HERALD_COUNT(ways); i++) {
		if (!ways[i].value)
			continue;
		if (*ways[i].value == '\0')
			return herald_option_refuse(error, ways[i].name, "must not be empty");
		if (first)
			return herald_option_refuse(error, ways[i].name,
						    "cannot be combined with %s", first);
		first = ways[i].name;
	}
	return check_decode(&options->decode, error);
}

/* Copy the options. Returns false when out of memory. */
static bool
copy_options(struct cloudevents *format, const struct herald_cloudevents_options *options)
{
	struct herald_cloudevents_options *copy = &format->options;

	*copy = *options;
	return herald__arena_string(format->arena, options->version_extension,
				    &copy->version_extension) &&
	       herald__arena_string(format->arena, options->version_suffix,
				    &copy->version_suffix) &&
	       herald__arena_string(format->arena, options->version_dataschema,
				    &copy->version_dataschema);
}

enum herald_status
herald_cloudevents_create(const struct herald_cloudevents_options *options,
			  const struct herald_format **out, struct herald_error *error)
{
	struct herald_cloudevents_options read;
	struct herald_arena *arena;
	enum herald_status status = herald_options_read(options, &read, sizeof(read),
							"HERALD_CLOUDEVENTS_OPTIONS", error);

	if (status == HERALD_OK)
		status = check_options(&read, error);
	if (status != HERALD_OK)
		return status;
	if (herald_arena_create(NULL, 0, &arena) != HERALD_OK)
		return herald_out_of_memory(error);
	struct cloudevents *format = herald__arena_array(arena, 1, sizeof(*format));
	if (!format)
		goto failed;
	format->format = herald_format_cloudevents;
	format->arena = arena;
	if (!copy_options(format, &read))
		goto failed;
	if (read.dapr_bulk) {
		format->format.media_types = dapr_media_types;
		if (herald__dapr_codec_create(&format->dapr, error) != HERALD_OK)
			goto failed;
	}
	*out = &format->format;
	return HERALD_OK;

failed:
	herald_arena_destroy(arena);
	return herald_out_of_memory(error);
}
