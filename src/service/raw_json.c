/*
 * Decoding raw JSON during an event: members of type struct herald_json, and what was found in
 * them. Decodes a copy, so that the raw JSON can be read again. After an error, finds the place of
 * the raw JSON in the event: what was decoded may have raw JSON in turn, which is in that copy.
 */
#include <stdint.h>
#include <string.h>

#include <herald/context.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error_path.h"
#include "codec/decode.h"
#include "codec/find_json.h"
#include "codec/plan.h"
#include "service/format.h"
#include "service/payload.h"
#include "service/service.h"

/* A copy that was decoded, and the JSON that it was made of. In the arena. */
struct herald__copied_json {
	const struct herald__copied_json *older;
	const char *copy, *original;
	size_t bytes;
};

static bool
is_within(const char *at, const char *begin, size_t bytes)
{
	uintptr_t first = (uintptr_t)begin, place = (uintptr_t)at;

	return begin && place >= first && place - first < bytes;
}

/* The same place in the JSON that no copy was made of. A copy is newer than what it was made of. */
static const char *
original_of(const struct herald_context *ctx, const char *at)
{
	for (const struct herald__copied_json *one = ctx->copied; one; one = one->older)
		if (is_within(at, one->copy, one->bytes))
			at = one->original + (at - one->copy);
	return at;
}

/* What a payload was decoded from, and its schema: upcasters replace both. */
static bool
trace_payload(const struct herald_context *ctx, const char *at, struct herald__trace *trace)
{
	const struct herald__target target = {.route = ctx->route, .upcast = ctx->upcast};
	const void *payload = ctx->upcast && ctx->arrived ? ctx->arrived : ctx->payload;
	const struct herald_data *data = payload;

	if (!payload)
		return false;
	const struct herald_schema *schema = herald__target_schema(&target);
	if (schema != &herald_data_schema)
		return herald__trace_json(trace, schema, payload, at);

	const struct herald_json json = {data->data, data->bytes};
	return herald__trace_json(trace, &herald_json_schema, &json, at);
}

/* The parts of an event in which there is raw JSON. */
enum part { NOWHERE, IN_PAYLOAD, IN_MESSAGE };

/* Find the part that `at` is in, and prepend the path in it. */
static enum part
trace_part(const struct herald_context *ctx, const char *at, struct herald__trace *trace)
{
	const struct herald_message *message = ctx->message;

	if (trace_payload(ctx, at, trace))
		return IN_PAYLOAD;
	if (!message)
		return NOWHERE;
	/* Its text is overwritten when it is decoded, so there is no further path. */
	if (is_within(at, message->payload.data, message->payload.bytes))
		return IN_PAYLOAD;
	/* Only the envelope has a member "metadata": in a CloudEvent, its entries are members. */
	bool found = herald__is_envelope(ctx)
			     ? herald__trace_json(trace, ctx->service->envelope, message, at)
			     : herald__trace_json_map(trace, &message->metadata, at);
	return found ? IN_MESSAGE : NOWHERE;
}

/* Finish an error in the raw JSON at `at`. */
HERALD__COLD static enum herald_status
finish_error(const struct herald_context *ctx, const char *at, struct herald__trace *trace,
	     struct herald_error *error)
{
	enum part part = trace_part(ctx, at, trace);
	const char *base = part == IN_PAYLOAD ? herald__payload_path(ctx) : "";

	if (trace->error.offset != HERALD_NO_OFFSET && is_within(at, ctx->text, ctx->bytes))
		trace->error.offset += (size_t)(at - ctx->text);
	else if (part != NOWHERE)
		trace->error.offset = HERALD_NO_OFFSET;
	enum herald_status status = herald__trace_finish(trace, base ? base : "", error);
	if (!base && error)
		herald__payload_name(error);
	return status;
}

static enum herald_status
decode_copy(struct herald_context *ctx, const struct herald_codec *codec,
	    const struct herald_json *json, void *value, struct herald_error *error)
{
	size_t bytes = codec->root ? codec->root->element_bytes : sizeof(struct herald_json);
	void *decoded = herald__arena_take(ctx->arena, bytes);
	struct herald__copied_json *copied = herald__arena_take(ctx->arena, sizeof(*copied));
	char *copy = herald_arena_copy(ctx->arena, json->data, json->bytes);
	struct herald__trace trace;

	if (!decoded || !copied || !copy)
		return herald__context_arena_status(ctx, error);
	if (!herald__codec_decode_traced(codec, copy, json->bytes, ctx->arena, decoded, &trace))
		return finish_error(ctx, original_of(ctx, json->data), &trace, error);
	*copied = (struct herald__copied_json){ctx->copied, copy, json->data, json->bytes};
	ctx->copied = copied;
	memcpy(value, decoded, bytes);
	return HERALD_OK;
}

enum herald_status
herald_context_decode(struct herald_context *ctx, const struct herald_schema *schema,
		      const struct herald_json *json, void *value, struct herald_error *error)
{
	struct herald__borrowed_codec borrowed;

	if (!json->data)
		return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
					"expected JSON, found none");
	enum herald_status status = herald__codec_borrow(ctx->service, schema, &borrowed, error);
	if (status != HERALD_OK)
		return status;
	status = decode_copy(ctx, borrowed.codec, json, value, error);
	herald__codec_give_back(&borrowed);
	return status;
}
