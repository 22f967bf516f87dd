/*
 * One-pass decoding: the payload is decoded in the middle of its envelope. Owns the four parts of
 * it: resolver, deferred payload, re-check, blame. docs/internals/one-pass-decoding.md explains
 * them with an example.
 *
 *	{"event_type":"user_created", "payload":{...}, "metadata":{...}, "timestamp":"..."}
 *	 `------- known by now ----'           |
 *	                                       v
 *	            resolver: do type and version tell the route by now?
 *	                yes |                              | no
 *	                    v                              v
 *	    decoded into the route's            deferred: only its brackets are
 *	    struct: each byte is                matched, its text is kept
 *	    read once                                      |
 *	                            +----------------------+---------------------+
 *	                            v                      v                     v
 *	                   a route takes the      no route takes it:    the event is wrong
 *	                   event: payload.c       re-check that the     after it: blame the
 *	                   decodes the text       text is JSON          text if it is not JSON
 *
 * So an event's bytes are read once where the sender writes the payload after what tells its route.
 * Where not, the same events are refused, with the same error.
 */
#include "service/one_pass.h"

#include <string.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "codec/decode.h"
#include "codec/decode_object.h"
#include "codec/plan.h"
#include "service/service.h"
#include "json/reader/scan.h"
#include "json/reader/skip.h"

/* The state of decoding an envelope. */
struct one_pass {
	struct herald__deferral deferral; /* the first member */
	struct herald_context *ctx;
	const char *deferred; /* a payload of which only the brackets were matched; NULL: none */
	size_t deferred_bytes;
};

/*
 * The resolver: find the target of an event of which only the beginning has been read. Returns the
 * codec of the payload and sets ctx->early; NULL if type and version do not determine the target
 * yet.
 */
static const struct herald_codec *
resolve(struct herald_context *ctx, const struct herald_message *message)
{
	const struct herald_service *service = ctx->service;
	const char *type = service->pointers[HERALD__IDENTITY_TYPE].text
				   ? ctx->identity[HERALD__IDENTITY_TYPE]
				   : message->event_type;

	if (!type || *type == '\0' || ctx->payload_is_wrong)
		return NULL;

	struct herald__target target = herald__route_table_find(
		&service->table, type, herald__identity_early_version(ctx, message));
	const struct herald_codec *codec = target.route ? herald__target_codec(&target) : NULL;
	if (!codec)
		return NULL;
	ctx->early.payload = herald__arena_take(ctx->arena, herald__target_schema(&target)->bytes);
	if (!ctx->early.payload)
		return NULL;
	ctx->early.target = target;
	return codec;
}

/* The herald__deferral.decode callback. */
static char *
decode_payload(struct herald__deferral *deferral, struct herald__reader *reader, char *at,
	       const void *envelope)
{
	struct one_pass *pass = (struct one_pass *)deferral;
	const struct herald_codec *codec = *at == '{' ? resolve(pass->ctx, envelope) : NULL;
	char *after;

	if (codec && codec->root)
		return herald__decode_object(
			reader, at, codec->root,
			memset(pass->ctx->early.payload, 0, codec->root->element_bytes));
	if (codec) {
		after = herald__skip_unwanted(reader, at);
		if (after)
			*(struct herald_json *)pass->ctx->early.payload =
				(struct herald_json){at, (size_t)(after - at)};
		return after;
	}

	after = herald__skip_brackets(at, reader->end);
	if (!after)
		return herald__skip_value(reader, at);
	pass->deferred = at;
	pass->deferred_bytes = (size_t)(after - at);
	return after;
}

static enum herald_status
check_text(const struct herald_context *ctx, const char *text, size_t bytes, const char *data,
	   struct herald_error *error)
{
	const struct herald_service *service = ctx->service;
	const struct herald__part part = {(size_t)(text - data), 1, service->payload_path};

	return herald__codec_check_part(service->envelope_codec, text, bytes, &part, error);
}

/*
 * Blame: there is an error after a deferred payload. If the payload is not JSON, that is the first
 * error of the event.
 */
HERALD__COLD static enum herald_status
blame(const struct one_pass *pass, enum herald_status status, const char *data,
      struct herald_error *error)
{
	struct herald_error first;
	enum herald_status deferred =
		check_text(pass->ctx, pass->deferred, pass->deferred_bytes, data, &first);

	if (deferred == HERALD_OK)
		return status;
	*error = first;
	return deferred;
}

enum herald_status
herald__one_pass_decode(struct herald_context *ctx, char *data, size_t bytes,
			struct herald_message *message, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;
	struct one_pass pass = {
		.deferral = {offsetof(struct herald_message, payload), decode_payload},
		.ctx = ctx,
	};
	enum herald_status status = herald__codec_decode_deferring(
		service->envelope_codec, data, bytes, ctx->arena, message, &pass.deferral, error);

	if (status != HERALD_OK && pass.deferred)
		status = blame(&pass, status, data, error);
	if (service->pointers[HERALD__IDENTITY_TYPE].text)
		message->event_type = ctx->identity[HERALD__IDENTITY_TYPE];
	/* An error in the payload belongs to its route, although the rest of the event was not
	 * read. */
	if (status != HERALD_OK && ctx->early.payload && !message->payload.data) {
		ctx->message = message;
		ctx->route = ctx->early.target.route;
		ctx->upcast = ctx->early.target.upcast;
	}
	return status;
}

enum herald_status
herald__one_pass_recheck(const struct herald_context *ctx, const struct herald_json *payload,
			 const char *data, struct herald_error *error)
{
	return payload->data ? check_text(ctx, payload->data, payload->bytes, data, error)
			     : HERALD_OK;
}
