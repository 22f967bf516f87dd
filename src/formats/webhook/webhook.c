/*
 * Webhooks without an envelope as a format of a service: which events it takes, where their parts
 * are, and ids that are made. HTML forms are in form.c.
 */
#include <herald/webhook.h>

#include <stdio.h>
#include <string.h>

#include <herald/adapter/format.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/error_path.h"
#include "base/media_type.h"
#include "base/options.h"
#include "base/safe_text.h"
#include "base/siphash.h"
#include "base/time.h"
#include "codec/decode.h"
#include "formats/webhook/form.h"
#include "service/context.h"
#include "service/service.h"
#include "json/reader/pointer.h"

#define FORM_TYPE "application/x-www-form-urlencoded"
#define HASH_TEXT_BYTES 33

/* A copy of struct herald_webhook_place. */
struct place {
	const char *attribute;
	const char *constant;
	struct herald__pointer pointers[2]; /* followed in this order */
};

enum part { TYPE, ID, SOURCE, SUBJECT, VERSION, TIME, PARTS_COUNT };

static const char *const part_names[PARTS_COUNT] = {"type",    "id",      "source",
						    "subject", "version", "time"};

struct webhook {
	struct herald_format format;  /* the first member */
	struct herald_format_ops ops; /* of its own, because of the name */
	struct herald_arena *arena;   /* for this struct and the options */
	struct place places[PARTS_COUNT];
	const char *(*find_type)(struct herald_context *ctx, const char *data, size_t bytes,
				 void *state);
	void *state;
	bool hashes_id;
	struct herald__pointer payload; /* text NULL: the whole body */
	const char *payload_path;
	const char *form_field; /* NULL: no forms */
	bool has_pointers;
};

/* Telling them apart. */

static bool
is_form(const struct webhook *webhook, const char *content_type)
{
	const struct herald__media_type type = herald__media_type_of(content_type);

	return webhook->form_field && herald__media_type_is(&type, FORM_TYPE);
}

/* The herald_format_ops.matches callback. */
static bool
matches(const struct herald_format *format, const struct herald_arrival *arrival)
{
	const struct webhook *webhook = (const struct webhook *)format;
	const struct herald__media_type type = herald__media_type_of(arrival->content_type);
	const char *attribute = webhook->places[TYPE].attribute;

	if (arrival->content_type && !herald__media_type_is_listed(&type, NULL) &&
	    !is_form(webhook, arrival->content_type))
		return false;
	return !attribute || herald_arrival_attribute(arrival, attribute);
}

/* Finding the parts. */

/* The body of an event, and how to say that the arena gave NULL. */
struct body {
	const struct webhook *webhook;
	struct herald_context *ctx;
	char *data;
	size_t bytes;
	bool is_field; /* decoded from a form, so offsets in it are not in the event */
};

static enum herald_status
follow(const struct body *body, const struct herald__pointer *pointer, const char **out,
       struct herald_error *error)
{
	struct herald__pointed pointed;
	struct herald_arena *arena = body->ctx->arena;

	herald__pointer_find(pointer, body->data, body->bytes, &pointed);
	if (herald__pointed_text(&pointed.json, arena, out) != HERALD_OK)
		return herald__context_arena_status(body->ctx, error);
	return HERALD_OK;
}

/* *out is NULL if there is none. */
static enum herald_status
find_part(const struct body *body, enum part part, const char **out, struct herald_error *error)
{
	const struct place *place = &body->webhook->places[part];
	enum herald_status status = HERALD_OK;

	*out = place->constant;
	if (place->attribute)
		*out = herald_context_attribute(body->ctx, place->attribute);
	for (size_t i = 0; i < 2 && !*out && place->pointers[i].text && status == HERALD_OK; i++)
		status = follow(body, &place->pointers[i], out, error);
	return status;
}

static enum herald_status
refuse_part(const struct body *body, enum part part, enum herald_status status, const char *what,
	    struct herald_error *error)
{
	const struct place *place = &body->webhook->places[part];

	if (place->attribute)
		return herald_error_set(error, status, HERALD_NO_OFFSET, "%s in the attribute %s",
					what, place->attribute);
	herald_error_set(error, status, HERALD_NO_OFFSET, "%s", what);
	if (place->pointers[0].text) {
		const char *path =
			herald__path_of_pointer(place->pointers[0].text, body->ctx->arena);

		herald__path_set(error, path ? path : "", path ? strlen(path) : 0);
	}
	return status;
}

/* Read RFC 3339, or whole seconds since 1970, up to the year 9999. */
static bool
read_time(const char *text, struct herald_time *out)
{
	int64_t seconds = 0;

	if (herald_time_parse(text, strlen(text), out, NULL) == HERALD_OK)
		return true;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (!herald_ascii_is_digit(*text))
			return false;
		seconds = seconds * 10 + (*text - '0');
		if (seconds > HERALD__LAST_SECOND)
			return false;
	}
	*out = (struct herald_time){.seconds = seconds};
	return true;
}

static enum herald_status
set_time(const struct body *body, struct herald_decoded *out, struct herald_error *error)
{
	const char *text;
	struct herald__shown shown;
	char what[128];
	enum herald_status status = find_part(body, TIME, &text, error);

	if (status != HERALD_OK)
		return status;
	out->lacks_time = !text;
	if (!text || read_time(text, &out->message->timestamp))
		return HERALD_OK;
	herald__show_string(&shown, text, strlen(text));
	snprintf(what, sizeof(what), "expected a time, found %s", shown.text);
	return refuse_part(body, TIME, HERALD_BAD_TIME, what, error);
}

static enum herald_status
set_type(const struct body *body, struct herald_decoded *out, struct herald_error *error)
{
	const struct webhook *webhook = body->webhook;
	enum herald_status status = HERALD_OK;

	if (webhook->find_type)
		out->message->event_type =
			webhook->find_type(body->ctx, body->data, body->bytes, webhook->state);
	else
		status = find_part(body, TYPE, &out->message->event_type, error);
	if (status == HERALD_OK && (!out->message->event_type || *out->message->event_type == '\0'))
		return refuse_part(body, TYPE, HERALD_MISSING, "the event type is missing", error);
	return status;
}

/* An id that is the same for the same bytes. The key is fixed, because other processes have to make
 * the same id. Returns NULL if the arena gave NULL. */
static const char *
hash_id(const struct body *body, const char *type)
{
	static const unsigned char key[HERALD__SIPHASH_KEY_BYTES] = "herald webhook i";
	struct herald__siphash hash;
	unsigned char bytes[16];
	char *text = herald__arena_take(body->ctx->arena, HASH_TEXT_BYTES);

	if (!text)
		return NULL;
	herald__siphash_init(&hash, key, HERALD__SIPHASH_128);
	herald__siphash_add(&hash, type, strlen(type) + 1);
	herald__siphash_add(&hash, body->data, body->bytes);
	herald__siphash_128(&hash, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

static enum herald_status
set_identity(const struct body *body, struct herald_decoded *out, struct herald_error *error)
{
	const struct {
		enum part part;
		const char **text;
	} all[] = {
		{ID, &out->id},
		{SOURCE, &out->source},
		{SUBJECT, &out->subject},
		{VERSION, &out->version},
	};
	struct herald_json_pair *pairs =
		herald__arena_take(body->ctx->arena, HERALD_COUNT(all) * sizeof(*pairs));
	size_t count = 0;

	if (!pairs)
		return herald__context_arena_status(body->ctx, error);
	for (size_t i = 0; i < HERALD_COUNT(all); i++) {
		enum herald_status status = find_part(body, all[i].part, all[i].text, error);

		if (status != HERALD_OK)
			return status;
		if (all[i].part == ID && body->webhook->hashes_id &&
		    (!out->id || *out->id == '\0') &&
		    !(out->id = hash_id(body, out->message->event_type)))
			return herald__context_arena_status(body->ctx, error);
		if (*all[i].text)
			pairs[count++] = (struct herald_json_pair){.key = part_names[all[i].part],
								   .text = *all[i].text};
	}
	out->message->metadata = (struct herald_json_map){pairs, count};
	return HERALD_OK;
}

static void
set_payload(const struct body *body, struct herald_decoded *out)
{
	const struct webhook *webhook = body->webhook;
	struct herald__pointed pointed;

	out->payload_path = webhook->payload_path;
	out->is_checked = webhook->has_pointers && !body->is_field;
	out->message->payload = (struct herald_json){body->data, body->bytes};
	if (!webhook->payload.text)
		return;
	herald__pointer_find(&webhook->payload, body->data, body->bytes, &pointed);
	out->message->payload = pointed.json;
}

/* Pointers find what they can in text that is not JSON. */
static enum herald_status
check_body(const struct body *body, struct herald_error *error)
{
	if (!body->webhook->has_pointers)
		return HERALD_OK;
	enum herald_status status = herald__codec_check_part(
		body->ctx->service->envelope_codec, body->data, body->bytes, &herald__whole, error);

	if (status != HERALD_OK && body->is_field)
		error->offset = HERALD_NO_OFFSET;
	return status;
}

/* The herald_format_ops.decode callback. */
static enum herald_status
decode(const struct herald_format *format, struct herald_context *ctx, char *data, size_t bytes,
       struct herald_decoded *out, struct herald_error *error)
{
	struct body body = {(const struct webhook *)format, ctx, data, bytes, false};
	enum herald_status status = HERALD_OK;

	body.is_field = is_form(body.webhook, ctx->content_type);
	if (body.is_field)
		status = herald__form_field(data, bytes, body.webhook->form_field, ctx, &body.data,
					    &body.bytes, error);
	if (status == HERALD_OK)
		status = check_body(&body, error);
	if (status == HERALD_OK)
		status = set_type(&body, out, error);
	if (status == HERALD_OK)
		status = set_identity(&body, out, error);
	if (status == HERALD_OK)
		status = set_time(&body, out, error);
	if (status == HERALD_OK)
		set_payload(&body, out);
	return status;
}

/* Options. */

static enum herald_status
copy_pointer(struct webhook *webhook, const char *option, const char *text,
	     struct herald__pointer *out, struct herald_error *error)
{
	const char *problem;

	if (!text)
		return HERALD_OK;
	webhook->has_pointers = true;
	enum herald_status status = herald__pointer_parse(text, webhook->arena, out, &problem);
	if (status == HERALD_BAD_VALUE)
		return herald_option_refuse(error, option, "%s", problem);
	return status == HERALD_OK ? HERALD_OK : herald_out_of_memory(error);
}

static enum herald_status
copy_place(struct webhook *webhook, enum part part, const struct herald_webhook_place *place,
	   struct herald_error *error)
{
	struct place *copy = &webhook->places[part];
	const char *option = part_names[part];
	int count = !!place->attribute + !!place->pointer + !!place->constant;

	if (count > 1)
		return herald_option_refuse(
			error, option, "only one of attribute, pointer and constant can be set");
	if (place->otherwise && !place->pointer)
		return herald_option_refuse(error, option, "otherwise is set, but not pointer");
	if (place->attribute && (*place->attribute == '\0' || strchr(place->attribute, '*')))
		return herald_option_refuse(error, option,
					    "expected the name of an attribute, such as "
					    "\"X-GitHub-Event\"");
	if (!herald__arena_string(webhook->arena, place->attribute, &copy->attribute) ||
	    !herald__arena_string(webhook->arena, place->constant, &copy->constant))
		return herald_out_of_memory(error);
	enum herald_status status =
		copy_pointer(webhook, option, place->pointer, &copy->pointers[0], error);
	return status == HERALD_OK
		       ? copy_pointer(webhook, option, place->otherwise, &copy->pointers[1], error)
		       : status;
}

static enum herald_status
copy_places(struct webhook *webhook, const struct herald_webhook_options *options,
	    struct herald_error *error)
{
	const struct herald_webhook_place *const places[PARTS_COUNT] = {
		[TYPE] = &options->type,       [ID] = &options->id,
		[SOURCE] = &options->source,   [SUBJECT] = &options->subject,
		[VERSION] = &options->version, [TIME] = &options->time,
	};
	bool has_type = options->type.attribute || options->type.pointer || options->type.constant;
	enum herald_status status = HERALD_OK;

	if (has_type == !!options->find_type)
		return herald_option_refuse(error, "type",
					    has_type ? "cannot be combined with find_type"
						     : "must be set, or find_type");
	for (int part = 0; part < PARTS_COUNT && status == HERALD_OK; part++)
		status = copy_place(webhook, (enum part)part, places[part], error);
	if (status != HERALD_OK)
		return status;
	return copy_pointer(webhook, "payload_from", options->payload_from, &webhook->payload,
			    error);
}

/* The attributes of all places, then NULL. Returns NULL when out of memory. */
static const char *const *
list_attributes(const struct webhook *webhook)
{
	const char **names = herald__arena_array(webhook->arena, PARTS_COUNT + 1, sizeof(*names));
	size_t count = 0;

	for (int part = 0; names && part < PARTS_COUNT; part++)
		if (webhook->places[part].attribute)
			names[count++] = webhook->places[part].attribute;
	return names;
}

static void
destroy(const struct herald_format *format)
{
	herald_arena_destroy(((const struct webhook *)format)->arena);
}

static enum herald_status
fill(struct webhook *webhook, const struct herald_webhook_options *options,
     struct herald_error *error)
{
	static const char *const json_types[] = {"application/json", NULL};
	static const char *const form_types[] = {"application/json", FORM_TYPE, NULL};
	const char *name = options->name ? options->name : "webhook";
	enum herald_status status = copy_places(webhook, options, error);

	if (status != HERALD_OK)
		return status;
	webhook->find_type = options->find_type;
	webhook->state = options->state;
	webhook->hashes_id = options->hashes_id;
	webhook->payload_path =
		webhook->payload.text
			? herald__path_of_pointer(webhook->payload.text, webhook->arena)
			: "";
	webhook->format.ops = &webhook->ops;
	webhook->format.attributes = list_attributes(webhook);
	webhook->format.media_types = options->form_field ? form_types : json_types;
	webhook->ops = (struct herald_format_ops){
		.struct_size = sizeof(webhook->ops),
		.answers = HERALD_ANSWERS_EMPTY,
		.matches = matches,
		.decode = decode,
		.destroy = destroy,
		/* Of a form, one field is read. */
		.reads_all = !options->form_field,
	};
	return webhook->payload_path && webhook->format.attributes &&
			       herald__arena_string(webhook->arena, name, &webhook->ops.name) &&
			       herald__arena_string(webhook->arena, options->form_field,
						    &webhook->form_field)
		       ? HERALD_OK
		       : herald_out_of_memory(error);
}

enum herald_status
herald_webhook_create(const struct herald_webhook_options *options,
		      const struct herald_format **out, struct herald_error *error)
{
	struct herald_webhook_options read;
	struct herald_arena *arena;
	enum herald_status status =
		herald_options_read(options, &read, sizeof(read), "HERALD_WEBHOOK_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	if (herald_arena_create(NULL, 0, &arena) != HERALD_OK)
		return herald_out_of_memory(error);
	struct webhook *webhook = herald__arena_array(arena, 1, sizeof(*webhook));
	if (webhook) {
		webhook->arena = arena;
		status = fill(webhook, &read, error);
	} else {
		status = herald_out_of_memory(error);
	}
	if (status == HERALD_OK)
		*out = &webhook->format;
	else
		herald_arena_destroy(arena);
	return status;
}
