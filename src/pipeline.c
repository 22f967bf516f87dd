/*
 * The way of an event through a service, in the order that handler.h promises: `receive`, decode,
 * route, decode the payload, upcast, `before`, the function, `after`, `rejected`, count and log. There is no other
 * order, but that a payload is decoded with its message where the type comes before it, and tells the
 * route without what comes after: it is read once then, and an event costs a seventh to a third less. Every
 * step either goes on to the next or ends the event. How the user's code is called is steps.c's, creating
 * the service is service.c's.
 */
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "log.h"
#include "options.h"
#include "service.h"
#include "steps.h"
#include "json/codec.h"
#include "json/text.h"
#include "json/trace.h"

/* Without the texts' other bytes: they are many, and an event that is done has none. */
static void
clear_error(struct herald_error *error)
{
	error->status = HERALD_OK;
	error->offset = HERALD_NO_OFFSET;
	error->path[0] = '\0';
	error->message[0] = '\0';
}

/* Decoding the message. */

/* A handler may have put the sender's bytes into the texts. */
static void
make_printable(struct herald_error *error)
{
	char copy[sizeof(error->message)];
	size_t bytes = strnlen(error->message, sizeof(copy));

	memcpy(copy, error->message, bytes);
	herald__text_line(error->message, sizeof(copy), copy, bytes, bytes == sizeof(copy));
	herald__path_set(error, error->path, strnlen(error->path, sizeof(error->path)));
}

static enum herald_status
run_decoder(struct herald_context *ctx, char *data, size_t bytes, struct herald_message *message,
	    struct herald_error *error)
{
	struct herald_handler *decoder = ctx->service->decoder;

	memset(message, 0, ctx->service->envelope->bytes);
	enum herald_status status = decoder->ops->decode(decoder, ctx, data, bytes, message, error);

	if (status == HERALD_OK) {
		/* What it tried and gave up may have left something. */
		clear_error(error);
		herald__words_clear(&ctx->words);
		return HERALD_OK;
	}
	if ((unsigned)status >= HERALD_STATUS_COUNT)
		status = HERALD_BAD_FORMAT;
	if (error->message[0] == '\0')
		snprintf(error->message, sizeof(error->message), "%s", herald_status_text(status));
	make_printable(error);
	return status;
}

/* A payload that was decoded together with its message, because all that stood before it told its route. */
struct early {
	const struct herald_context *ctx;
	void *payload; /* NULL: there is none, and the target is to be found */
	struct herald__target target;
};

static const struct herald_schema *
payload_schema(const struct herald__target *target)
{
	return target->upcast ? target->upcast->declared.from_schema
			      : target->route->declared.schema;
}

static const struct herald_codec *
payload_codec(const struct herald__target *target)
{
	return target->upcast ? target->upcast->codec : target->route->codec;
}

/* herald__resolver.resolve: `state` is a struct early. */
static const struct herald_codec *
resolve_payload(void *state, const void *envelope, void **out)
{
	struct early *early = state;
	struct herald__target target;
	const struct herald_message *message = envelope;
	const struct herald_service *service = early->ctx->service;
	const char *type = service->pointers[HERALD__IDENTITY_TYPE].text
				   ? early->ctx->identity[HERALD__IDENTITY_TYPE]
				   : message->event_type;

	if (!type || *type == '\0')
		return NULL;
	target = herald__route_table_find(&service->table, type,
					  herald__identity_early_version(early->ctx, message));
	if (!target.route)
		return NULL;
	*out = herald__arena_take(early->ctx->arena, payload_schema(&target)->bytes);
	if (!*out)
		return NULL;
	early->payload = *out;
	early->target = target;
	return payload_codec(&target);
}

/* Whether a payload that nobody decodes is JSON at all; the envelope left that to the decoder. */
static enum herald_status
check_payload(const struct herald_service *service, const struct herald_json *payload,
	      const char *data, struct herald_error *error)
{
	if (service->decoder || !payload->data)
		return HERALD_OK;

	const struct herald__part part = {(size_t)(payload->data - data), 1, service->payload_path};
	return herald__codec_check_part(service->envelope_codec, payload->data, payload->bytes,
					&part, error);
}

/* A decode handler may forget it, and an envelope of the user's need not require it. */
static enum herald_status
refuse_without_type(const struct herald_context *ctx, const struct herald_message *message,
		    const char *data, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;
	bool pointed = service->pointers[HERALD__IDENTITY_TYPE].text;
	enum herald_status status = check_payload(service, &message->payload, data, error);

	if (status != HERALD_OK)
		return status;
	herald_error_set(error, HERALD_MISSING, pointed ? ctx->type_offset : HERALD_NO_OFFSET,
			 "the event has no event type");
	herald__path_set(error, service->event_type_path, strlen(service->event_type_path));
	return HERALD_MISSING;
}

static enum herald_status
decode_message(struct herald_context *ctx, char *data, size_t bytes, struct early *early,
	       struct herald_error *error)
{
	const struct herald_service *service = ctx->service;
	const struct herald__resolver resolver = {resolve_payload, early};
	bool pointed = service->pointers[HERALD__IDENTITY_TYPE].text;
	struct herald_message *message = herald__arena_take(ctx->arena, service->envelope->bytes);

	if (!message)
		return herald__context_arena_status(ctx, error);

	enum herald_status status =
		service->decoder
			? run_decoder(ctx, data, bytes, message, error)
			: herald__codec_decode_envelope(service->envelope_codec, data, bytes,
							ctx->arena, message, &resolver, error);
	if (pointed)
		message->event_type = ctx->identity[HERALD__IDENTITY_TYPE];
	if (status != HERALD_OK) {
		/* A payload that is wrong is its route's, though what stands after it was not read. */
		if (early->payload && !message->payload.data) {
			ctx->message = message;
			ctx->route = early->target.route;
			ctx->upcast = early->target.upcast;
		}
		return status;
	}

	if (!message->event_type || *message->event_type == '\0')
		return refuse_without_type(ctx, message, data, error);
	ctx->message = message;
	return HERALD_OK;
}

/* Decoding the payload. */

/* The text of a payload: where it may be written to, and where it stands in the event. */
struct payload_text {
	char *data;
	size_t bytes;
	size_t offset; /* HERALD_NO_OFFSET: not in the event's bytes */
};

static bool
is_null(const struct herald_json *payload)
{
	return !payload->data || (payload->bytes == 4 && memcmp(payload->data, "null", 4) == 0);
}

/*
 * Where a payload is read from. What a decode handler took from elsewhere is copied: it may be
 * constant, and decoding writes to it. Returns false when memory is out.
 */
static bool
locate_payload(struct herald_context *ctx, char *data, size_t bytes, struct payload_text *out)
{
	const struct herald_json *payload = &ctx->message->payload;
	uintptr_t begin = (uintptr_t)data, at = (uintptr_t)payload->data;

	out->bytes = payload->bytes;
	if (at >= begin && at - begin <= bytes && payload->bytes <= bytes - (at - begin)) {
		out->offset = at - begin;
		out->data = data + out->offset;
		return true;
	}
	out->offset = HERALD_NO_OFFSET;
	out->data = herald_arena_copy(ctx->arena, payload->data, payload->bytes);
	return out->data != NULL;
}

/* What a `decode` handler made of the event has no paths in it: the payload's begin at its own root. */
static void
name_payload(struct herald_error *error)
{
	const struct herald_error inner = *error;

	herald_error_set(error, inner.status, inner.offset, "in the payload: %s", inner.message);
	memcpy(error->path, inner.path, sizeof(inner.path));
}

static enum herald_status
decode_payload(struct herald_context *ctx, char *data, size_t bytes,
	       const struct herald__target *target, struct herald_error *error)
{
	const struct herald_schema *schema = payload_schema(target);
	const struct herald_json *raw = &ctx->message->payload;
	char nothing[] = "{}";
	struct payload_text text = {nothing, 2, ctx->service->decoder ? HERALD_NO_OFFSET : 0};
	void *out = herald__arena_take(ctx->arena, schema->bytes);

	if (!out || (raw->data && !locate_payload(ctx, data, bytes, &text)))
		return herald__context_arena_status(ctx, error);
	ctx->payload = out;

	/* A payload that is not there is an empty one, whose required members are missing. */
	if (is_null(raw) && schema == &herald_json_schema && !raw->data) {
		memset(out, 0, schema->bytes);
		return HERALD_OK;
	}
	if (is_null(raw) && schema != &herald_json_schema) {
		text.data = nothing;
		text.bytes = 2;
	}

	bool placed = text.offset != HERALD_NO_OFFSET;
	const struct herald__part part = {placed ? text.offset : 0, placed,
					  ctx->service->payload_path};
	enum herald_status status = herald__codec_decode_part(
		payload_codec(target), text.data, text.bytes, ctx->arena, out, &part, error);
	if (status != HERALD_OK) {
		ctx->payload = NULL;
		if (!placed)
			error->offset = HERALD_NO_OFFSET;
		if (ctx->service->decoder)
			name_payload(error);
	}
	return status;
}

/* The whole way. */

/* No route takes the event: an error, or HERALD_OK where the policy is to ignore it. */
static enum herald_status
refuse_unknown(struct herald_context *ctx, enum herald_status status, struct herald_error *error)
{
	const struct herald_message *message = ctx->message;
	const char *version = herald_context_version(ctx);
	const char *version_path = ctx->service->version_path;
	bool type = status == HERALD_UNKNOWN_TYPE;
	const char *path = type ? ctx->service->event_type_path : version_path;
	struct herald__shown shown_type, shown_version;

	if (ctx->service->unknown == HERALD_UNKNOWN_IGNORE) {
		ctx->ignored = true;
		return HERALD_OK;
	}
	herald__show_string(&shown_type, message->event_type, strlen(message->event_type));
	herald__show_string(&shown_version, version, strlen(version));
	if (type)
		herald_error_set(error, status, HERALD_NO_OFFSET, "no route takes event type %s",
				 shown_type.text);
	else if (*version == '\0')
		herald_error_set(error, status, HERALD_NO_OFFSET,
				 "no route takes event type %s without a version%s%s",
				 shown_type.text, *version_path != '\0' ? "; expected one at " : "",
				 version_path);
	else
		herald_error_set(error, status, HERALD_NO_OFFSET,
				 "no route takes version %s of event type %s", shown_version.text,
				 shown_type.text);
	herald__path_set(error, path, strlen(path));
	return status;
}

/* Keep the bytes for `rejected`: decoding destroys them. */
static enum herald_status
keep_bytes(struct herald_context *ctx, struct herald_error *error)
{
	const char *copy = herald_arena_copy(ctx->arena, ctx->data, ctx->bytes);

	if (!copy)
		return herald__context_arena_status(ctx, error);
	ctx->data = copy;
	return HERALD_OK;
}

/* Returns HERALD_OK when the verdict counts. */
static enum herald_status
run(struct herald_context *ctx, char *data, size_t bytes, enum herald_verdict *verdict,
    struct herald_error *error)
{
	const struct herald_service *service = ctx->service;

	ctx->data = data;
	ctx->bytes = bytes;
	if (bytes > service->max_event_bytes)
		return herald_error_set(error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
					"the event is larger than %zu bytes",
					service->max_event_bytes);

	if (service->receives) {
		*verdict = herald__step_receive(ctx, data, bytes);
		if (*verdict != HERALD_DONE)
			return HERALD_OK;
	}

	struct early early = {.ctx = ctx};
	enum herald_status status = service->keeps_bytes ? keep_bytes(ctx, error) : HERALD_OK;
	if (status == HERALD_OK && service->has_pointers)
		status = herald__identity_find(ctx, data, bytes, error);
	if (status == HERALD_OK)
		status = decode_message(ctx, data, bytes, &early, error);
	if (status != HERALD_OK)
		return status;

	if (!early.payload)
		early.target = herald__route_table_find(&service->table, ctx->message->event_type,
							herald_context_version(ctx));
	if (!early.target.route) {
		status = check_payload(service, &ctx->message->payload, data, error);
		return status != HERALD_OK ? status
					   : refuse_unknown(ctx, early.target.status, error);
	}
	ctx->route = early.target.route;
	ctx->upcast = early.target.upcast;
	ctx->payload = early.payload;

	if (!early.payload)
		status = decode_payload(ctx, data, bytes, &early.target, error);
	if (status == HERALD_OK && early.target.upcast)
		status = herald__step_upcast(ctx, early.target.upcast, verdict, error);
	if (status == HERALD_OK && *verdict == HERALD_DONE)
		*verdict = herald__step_function(ctx);
	return status;
}

/* `ctx` is NULL when there was no memory for one. */
static void
settle_event(const struct herald_context *ctx, enum herald_status status,
	     enum herald_verdict verdict, struct herald_result *out)
{
	if (status != HERALD_OK) {
		out->verdict = herald_status_may_retry(status) ? HERALD_RETRY : HERALD_FAIL;
		out->status = status;
		out->error.status = status;
		return;
	}
	out->verdict = verdict;
	if (verdict == HERALD_DONE)
		return;
	memcpy(out->error.message, ctx->words.reason, sizeof(ctx->words.reason));
	if (verdict == HERALD_FAIL)
		out->http_status = ctx->words.http_status;
	if (verdict == HERALD_RETRY)
		out->retry_after_ms = ctx->words.retry_after_ms;
}

/* The record of an event. */

/* Where an event is counted: once, by the version that it came in. */
static struct herald__counters *
counters_of(struct herald_service *service, const struct herald_context *ctx)
{
	if (!ctx || !ctx->route)
		return &service->counters;
	return ctx->upcast ? &ctx->upcast->counters : &ctx->route->counters;
}

static enum herald_log_level
level_of(const struct herald_result *result)
{
	if (result->verdict == HERALD_DONE)
		return HERALD_LOG_DEBUG;
	return result->status != HERALD_OK
		       ? HERALD_LOG_WARNING
		       : herald__log_level_of(result->verdict, result->http_status);
}

static const char *
message_of(const struct herald_context *ctx, const struct herald_result *result)
{
	if (ctx && ctx->ignored)
		return "event ignored";
	if (result->verdict == HERALD_DONE)
		return "event done";
	if (result->verdict == HERALD_RETRY)
		return "event to be retried";
	return result->status == HERALD_OK ? "event failed" : "event rejected";
}

static void
log_event(const struct herald_service *service, const struct herald_context *ctx,
	  const struct herald_result *result, uint64_t nanoseconds)
{
	const struct herald_error *error = &result->error;
	struct herald_log_field fields[HERALD__EVENT_FIELDS + 9];
	enum herald_log_level level = level_of(result);

	if (!herald__log_takes(&service->log, level))
		return;

	size_t count = ctx ? herald__context_fields(ctx, fields) : 0;
	fields[count++] =
		(struct herald_log_field){"verdict", herald_verdict_name(result->verdict), 0};
	if (result->status != HERALD_OK)
		fields[count++] =
			(struct herald_log_field){"status", herald_status_name(result->status), 0};
	if (result->http_status != 0)
		fields[count++] =
			(struct herald_log_field){"http_status", NULL, result->http_status};
	if (error->path[0] != '\0')
		fields[count++] = (struct herald_log_field){"path", error->path, 0};
	if (error->offset != HERALD_NO_OFFSET)
		fields[count++] = (struct herald_log_field){"offset", NULL, (int64_t)error->offset};
	if (error->message[0] != '\0')
		fields[count++] = (struct herald_log_field){"reason", error->message, 0};
	if (ctx && ctx->who)
		fields[count++] = (struct herald_log_field){ctx->where, ctx->who, 0};
	if (ctx && ctx->attempts > 1)
		fields[count++] = (struct herald_log_field){"attempts", NULL, ctx->attempts};
	fields[count++] =
		(struct herald_log_field){"duration_us", NULL, (int64_t)(nanoseconds / 1000)};
	herald__log(&service->log, level, message_of(ctx, result), fields, count);
}

/* What `arrival` says, as far as it goes, whatever version of the struct it is. */
static struct herald_arrival
read_arrival(const struct herald_arrival *arrival)
{
	struct herald_arrival read = {0};

	if (arrival->struct_size >= sizeof(read))
		return *arrival;
	memcpy(&read, arrival, arrival->struct_size);
	return read;
}

/* Tell the context how the event came. */
static void
set_arrival(struct herald_context *ctx, const struct herald_arrival *arrival, uint64_t now_ns)
{
	ctx->attribute = NULL;
	ctx->came_ns = now_ns;
	if (!arrival)
		return;

	const struct herald_arrival read = read_arrival(arrival);
	uint64_t waited_ns = read.waited_ms * HERALD__MS_NS;
	ctx->attribute = read.attribute;
	ctx->attribute_state = read.state;
	ctx->came_ns = now_ns > waited_ns ? now_ns - waited_ns : 0;
}

void
herald__service_handle_in(struct herald_service *service, struct herald_context *ctx, char *data,
			  size_t bytes, const struct herald_arrival *arrival,
			  struct herald_result *out)
{
	uint64_t begin = herald__clock_now_ns(service->clock);
	char none[1];
	enum herald_verdict verdict = HERALD_DONE;

	if (ctx)
		set_arrival(ctx, arrival, begin);
	out->status = HERALD_OK;
	out->http_status = 0;
	out->retry_after_ms = 0;
	clear_error(&out->error);
	enum herald_status status =
		ctx ? run(ctx, data ? data : none, data ? bytes : 0, &verdict, &out->error)
		    : herald__out_of_memory(&out->error);
	settle_event(ctx, status, verdict, out);
	if (service->keeps_bytes && ctx && ctx->attempts == 0 && out->verdict != HERALD_DONE)
		herald__step_rejected(ctx, out);

	uint64_t nanoseconds = herald__clock_now_ns(service->clock) - begin;
	herald__counters_add(counters_of(service, ctx), out, ctx && ctx->ignored, nanoseconds);
	log_event(service, ctx, out, nanoseconds);
	if (ctx)
		herald__context_reset(ctx);
}

void
herald_service_handle_with(struct herald_service *service, char *data, size_t bytes,
			   const struct herald_arrival *arrival, struct herald_result *out)
{
	struct herald_context *ctx = herald__context_take(service);

	herald__service_handle_in(service, ctx, data, bytes, arrival, out);
	if (ctx)
		herald__context_give(ctx);
}

void
herald_service_handle(struct herald_service *service, char *data, size_t bytes,
		      struct herald_result *out)
{
	herald_service_handle_with(service, data, bytes, NULL, out);
}
