/*
 * Decodes a payload on its own, after its message: if the event's route was not known before its
 * payload, if the payload is not JSON, or if the format is not the envelope. The other way is in
 * one_pass.c.
 */
#include "service/payload.h"

#include <string.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error_path.h"
#include "base/safe_text.h"
#include "codec/decode.h"
#include "codec/kind.h"
#include "service/format.h"
#include "service/service.h"

/* The text of a payload: a copy that may be written to, and its place in the event. */
struct payload_text {
	char *data;
	size_t bytes;
	size_t offset; /* HERALD_NO_OFFSET: not in the event's bytes */
};

/*
 * The payload as JSON: the message's, or bytes of an unknown media type, which are tried as JSON.
 * Their data is NULL if there is none.
 */
static struct herald_json
json_of(const struct herald_context *ctx)
{
	const struct herald_data *data = &ctx->payload_data;

	if (data->data && !data->content_type)
		return (struct herald_json){data->data, data->bytes};
	return ctx->message->payload;
}

const char *
herald__payload_path(const struct herald_context *ctx)
{
	return herald__is_envelope(ctx) ? ctx->service->payload_path : ctx->payload_path;
}

static bool
is_null(const struct herald_json *payload)
{
	return !payload->data || (payload->bytes == 4 && memcmp(payload->data, "null", 4) == 0);
}

/*
 * Find where to read a payload from. If the format took it from elsewhere, it is copied, because it
 * may be constant and decoding writes to it. Returns false when out of memory.
 */
static bool
locate_payload(struct herald_context *ctx, const struct herald_json *payload, char *data,
	       size_t bytes, struct payload_text *out)
{
	uintptr_t begin = (uintptr_t)data, at = (uintptr_t)payload->data;

	out->bytes = payload->bytes;
	if (at >= begin && at - begin <= bytes && payload->bytes <= bytes - (at - begin)) {
		out->offset = at - begin;
		out->data = data + out->offset;
		return true;
	}
	out->offset = HERALD_NO_OFFSET;
	out->data = herald_arena_copy(ctx->arena, payload->data, payload->bytes);
	return out->data;
}

/* The payload has no path in a format, so the paths of its errors start at its own root. */
void
herald__payload_name(struct herald_error *error)
{
	const struct herald_error inner = *error;

	herald_error_set(error, inner.status, inner.offset, "in the payload: %s", inner.message);
	memcpy(error->path, inner.path, sizeof(inner.path));
}

/* The place of an event in which a member is missing. */
static size_t
begin_of_object(const char *data, size_t bytes)
{
	const char *begin = memchr(data, '{', bytes);

	return begin ? (size_t)(begin - data) : 0;
}

/* Report that the payload itself is missing, not only the first of its required members. */
HERALD__COLD static void
refuse_nothing(const struct herald_context *ctx, const struct herald_json *payload,
	       struct herald_error *error)
{
	const char *path = herald__payload_path(ctx);

	herald_error_set(error, HERALD_MISSING, error->offset, "the payload is %s",
			 payload->data ? "null" : "missing");
	herald__path_set(error, path ? path : "", path ? strlen(path) : 0);
}

/* The payload is text or bytes, and the route takes JSON. */
HERALD__COLD static enum herald_status
refuse_data(const struct herald_context *ctx, struct herald_error *error)
{
	const char *type = ctx->payload_data.content_type, *path = herald__payload_path(ctx);
	struct herald__shown shown;

	herald__show_string(&shown, type, strlen(type));
	herald_error_set(error, HERALD_BAD_FORMAT, HERALD_NO_OFFSET,
			 "the payload has the media type %s, but the function takes JSON",
			 shown.text);
	herald__path_set(error, path ? path : "", path ? strlen(path) : 0);
	return HERALD_BAD_FORMAT;
}

/* The objects and arrays around a payload: one for each segment of its path. */
static size_t
depth_of(const char *path)
{
	size_t depth = 0;

	for (; (path = strchr(path, '/')); path++)
		depth++;
	return depth;
}

static struct herald__part
part_of(const struct herald_context *ctx, const struct payload_text *text)
{
	const char *path = herald__payload_path(ctx);

	if (text->offset == HERALD_NO_OFFSET)
		return (struct herald__part){0, 0, path ? path : ""};
	if (!path)
		return (struct herald__part){text->offset, 1, ""};
	return (struct herald__part){text->offset, depth_of(path), path};
}

/* What an error in the JSON of a payload needs besides its message. */
static void
place_error(const struct herald_context *ctx, const struct payload_text *text,
	    struct herald_error *error)
{
	if (text->offset == HERALD_NO_OFFSET)
		error->offset = HERALD_NO_OFFSET;
	if (!herald__payload_path(ctx))
		herald__payload_name(error);
}

/* Check that the message's payload is JSON, and find it. */
static enum herald_status
check_json(struct herald_context *ctx, char *data, size_t bytes, struct payload_text *text,
	   struct herald_error *error)
{
	if (!locate_payload(ctx, &ctx->message->payload, data, bytes, text))
		return herald__context_arena_status(ctx, error);

	const struct herald__part part = part_of(ctx, text);
	enum herald_status status = herald__codec_check_part(ctx->service->envelope_codec,
							     text->data, text->bytes, &part, error);
	if (status != HERALD_OK)
		place_error(ctx, text, error);
	return status;
}

enum herald_status
herald__payload_check(struct herald_context *ctx, char *data, size_t bytes,
		      struct herald_error *error)
{
	struct payload_text text;

	return ctx->message->payload.data ? check_json(ctx, data, bytes, &text, error) : HERALD_OK;
}

/* The payload of a function that takes any media type. JSON is checked, but not decoded. */
static enum herald_status
take_data(struct herald_context *ctx, char *data, size_t bytes, struct herald_data *out,
	  struct herald_error *error)
{
	struct payload_text text;

	*out = ctx->payload_data;
	if (out->data || !ctx->message->payload.data)
		return HERALD_OK;
	enum herald_status status = check_json(ctx, data, bytes, &text, error);
	if (status != HERALD_OK)
		return status;
	if (!out->content_type)
		out->content_type = "application/json";
	out->data = text.data;
	out->bytes = text.bytes;
	return HERALD_OK;
}

/*
 * A missing payload counts as an empty one, or as null if the schema is transparent; if a member is
 * required, it is refused. Raw JSON in the payload refers to the text. Returns false when out of
 * memory.
 */
static bool
take_nothing(struct herald_context *ctx, const struct herald_schema *schema,
	     struct payload_text *out)
{
	const char *nothing = schema->transparent ? "null" : "{}";

	out->bytes = strlen(nothing);
	out->data = herald_arena_copy(ctx->arena, nothing, out->bytes);
	return out->data;
}

/* The payload of a function that takes a struct, or any JSON. */
static enum herald_status
take_json(struct herald_context *ctx, char *data, size_t bytes, const struct herald__target *target,
	  void *out, struct herald_error *error)
{
	const struct herald_schema *schema = herald__target_schema(target);
	const struct herald_json json = json_of(ctx);
	bool is_nothing = is_null(&json) && schema != &herald_json_schema;
	struct payload_text text = {.offset = HERALD_NO_OFFSET};

	if (!json.data && ctx->payload_data.data)
		return refuse_data(ctx, error);
	if (json.data && !locate_payload(ctx, &json, data, bytes, &text))
		return herald__context_arena_status(ctx, error);

	if (!json.data && schema == &herald_json_schema) {
		memset(out, 0, schema->bytes);
		return HERALD_OK;
	}
	if (!json.data && herald__is_envelope(ctx))
		text.offset = begin_of_object(data, bytes);
	if (is_nothing && !take_nothing(ctx, schema, &text))
		return herald__context_arena_status(ctx, error);

	const struct herald__part part = part_of(ctx, &text);
	enum herald_status status = herald__codec_decode_part(
		herald__target_codec(target), text.data, text.bytes, ctx->arena, out, &part, error);
	if (status == HERALD_OK)
		return HERALD_OK;
	if (status == HERALD_MISSING && is_nothing) {
		if (text.offset == HERALD_NO_OFFSET)
			error->offset = HERALD_NO_OFFSET;
		refuse_nothing(ctx, &json, error);
	} else {
		place_error(ctx, &text, error);
	}
	return status;
}

enum herald_status
herald__payload_decode(struct herald_context *ctx, char *data, size_t bytes,
		       const struct herald__target *target, struct herald_error *error)
{
	const struct herald_schema *schema = herald__target_schema(target);
	void *out = herald__arena_take(ctx->arena, schema->bytes);

	if (!out)
		return herald__context_arena_status(ctx, error);
	ctx->payload = out;

	enum herald_status status = schema == &herald_data_schema
					    ? take_data(ctx, data, bytes, out, error)
					    : take_json(ctx, data, bytes, target, out, error);
	if (status != HERALD_OK)
		ctx->payload = NULL;
	return status;
}

/* Whether decoding has left the payload's bytes as they were. */
static bool
is_unchanged(const struct herald_context *ctx)
{
	const struct herald__target target = {.route = ctx->route, .upcast = ctx->upcast};

	if (!ctx->route)
		return true;
	const struct herald_schema *schema = herald__target_schema(&target);
	return schema == &herald_json_schema || schema == &herald_data_schema;
}

bool
herald__payload_text(const struct herald_context *ctx, struct herald_text *out, bool *is_json)
{
	const struct herald_data *data = &ctx->payload_data;
	const struct herald_json *json = &ctx->message->payload;
	const struct herald_text text = data->data ? (struct herald_text){data->data, data->bytes}
						   : (struct herald_text){json->data, json->bytes};

	if (text.data && !is_unchanged(ctx) && ctx->data == ctx->text)
		return false;
	*out = text;
	*is_json = !data->data && json->data;
	if (!text.data || is_unchanged(ctx))
		return true;

	/* What is not in the event's bytes was copied before it was decoded. */
	uintptr_t begin = (uintptr_t)ctx->text, at = (uintptr_t)text.data;
	if (at >= begin && at - begin <= ctx->bytes)
		out->data = ctx->data + (at - begin);
	return true;
}
