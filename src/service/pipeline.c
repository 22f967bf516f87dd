/*
 * The path of an event through a service, in the order that handler.h documents. Every step either
 * continues with the next one or ends the event:
 *
 *	format          content type, attributes -> format: format.c
 *	receive         raw bytes               invoke.c
 *	keep            for `rejected`
 *	identity        options such as type_from   identity.c
 *	message         bytes -> message        one_pass.c, or format.c
 *	route           type, version -> route  route.c
 *	payload         JSON -> struct          one_pass.c (with the message), payload.c
 *	accept          handlers, with a store  invoke.c
 *	check           the id                  accept.c
 *	upcast, before, function, after         invoke.c
 *	rejected        refused events          invoke.c
 *	count, log, watch, span                 statistics.c, event_log.c, event_watch.c,
 *	                                        event_span.c
 *
 * With a store, that is done in two phases:
 *
 *	accept          format, receive, keep, identity, message, route, payload, accept, check;
 *	                then the bytes, as they came, are stored, and the event ends: accept.c.
 *	                rejected, if it was refused before.
 *	run             for a stored event, later: format, keep, identity, message, route, payload;
 *	                begin, which may open a transaction; upcast, before, function, after,
 *	                rejected.
 *
 * A message of a broker, without a store, does both in a run: receive, and the check of the id,
 * too.
 *
 * Creating the service is in service.c.
 */
#include "service/pipeline.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error_path.h"
#include "base/options.h"
#include "base/safe_text.h"
#include "service/accept.h"
#include "service/answer.h"
#include "service/event_log.h"
#include "service/event_span.h"
#include "service/event_watch.h"
#include "service/format.h"
#include "service/invoke.h"
#include "service/one_pass.h"
#include "service/payload.h"
#include "service/service.h"
#include "service/split.h"
#include "service/stored_attributes.h"

/* The message. */

/* A message whose payload will not be decoded. With the envelope, the payload may not even be
 * JSON. */
static enum herald_status
recheck(const struct herald_context *ctx, const struct herald_message *message, const char *data,
	struct herald_error *error)
{
	return herald__is_envelope(ctx)
		       ? herald__one_pass_recheck(ctx, &message->payload, data, error)
		       : HERALD_OK;
}

/* A format may forget the type, and a user's envelope need not require it. */
HERALD__COLD static enum herald_status
refuse_without_type(const struct herald_context *ctx, const struct herald_message *message,
		    const char *data, struct herald_error *error)
{
	bool pointed = ctx->given & 1U << HERALD__IDENTITY_TYPE;
	const char *path = herald__envelope_path(ctx, ctx->service->event_type_path);
	enum herald_status status = recheck(ctx, message, data, error);

	if (status != HERALD_OK)
		return status;
	herald_error_set(error, HERALD_MISSING,
			 pointed ? ctx->offsets[HERALD__IDENTITY_TYPE] : HERALD_NO_OFFSET,
			 "the event type is missing");
	herald__path_set(error, path, strlen(path));
	return HERALD_MISSING;
}

static HERALD__INLINE enum herald_status
decode_message(struct herald_context *ctx, char *data, size_t bytes, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;
	struct herald_message *message = herald__arena_take(ctx->arena, service->envelope->bytes);

	if (!message)
		return herald__context_arena_status(ctx, error);

	enum herald_status status = herald__format_decode(ctx, data, bytes, message, error);
	if (status != HERALD_OK)
		return status;
	if (!message->event_type || *message->event_type == '\0')
		return refuse_without_type(ctx, message, data, error);
	ctx->message = message;
	return HERALD_OK;
}

/* The route, and its payload. */

/* No route takes the event: an error, or HERALD_OK if such events are ignored. */
HERALD__NOT_INLINE static enum herald_status
refuse_unknown(struct herald_context *ctx, enum herald_status status, struct herald_error *error)
{
	const struct herald_message *message = ctx->message;
	const char *version = herald_context_version(ctx);
	const char *version_path = herald__envelope_path(ctx, ctx->service->version_path);
	bool type = status == HERALD_UNKNOWN_TYPE;
	const char *path =
		type ? herald__envelope_path(ctx, ctx->service->event_type_path) : version_path;
	struct herald__shown shown_type, shown_version;

	if (ctx->service->unknown == HERALD_UNKNOWN_IGNORE) {
		ctx->ignored = true;
		return HERALD_OK;
	}
	herald__show_string(&shown_type, message->event_type, strlen(message->event_type));
	herald__show_string(&shown_version, version, strlen(version));
	if (type)
		herald_error_set(error, status, HERALD_NO_OFFSET, "no route for event type %s",
				 shown_type.text);
	else if (*version == '\0')
		herald_error_set(
			error, status, HERALD_NO_OFFSET,
			"no route for event type %s without a version%s%s", shown_type.text,
			*version_path != '\0' ? "; expected a version at " : "", version_path);
	else
		herald_error_set(error, status, HERALD_NO_OFFSET,
				 "no route for version %s of event type %s", shown_version.text,
				 shown_type.text);
	herald__path_set(error, path, strlen(path));
	return status;
}

static HERALD__INLINE enum herald_status
decode_payload(struct herald_context *ctx, char *data, size_t bytes, struct herald_error *error)
{
	struct herald__target target = ctx->early.target;

	if (!ctx->early.payload)
		target = herald__route_table_find(&ctx->service->table, ctx->message->event_type,
						  herald_context_version(ctx));
	if (!target.route) {
		enum herald_status status =
			herald__is_envelope(ctx) ? recheck(ctx, ctx->message, data, error)
						 : herald__payload_check(ctx, data, bytes, error);

		return status != HERALD_OK ? status : refuse_unknown(ctx, target.status, error);
	}
	ctx->route = target.route;
	ctx->upcast = target.upcast;
	ctx->payload = ctx->early.payload;
	return ctx->payload ? HERALD_OK : herald__payload_decode(ctx, data, bytes, &target, error);
}

/* The whole pipeline. */

/* Keep a copy of the bytes for `rejected`, `dead`, the store and herald__payload_text():
 * decoding overwrites them. */
static enum herald_status
keep_bytes(struct herald_context *ctx, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;

	if (ctx->run && !service->has_rejected && !service->has_dead && !service->keeps_always)
		return HERALD_OK;

	const char *copy = herald_arena_copy(ctx->arena, ctx->data, ctx->bytes);

	if (!copy)
		return herald__context_arena_status(ctx, error);
	ctx->data = copy;
	return HERALD_OK;
}

/* Decode the bytes into the message and the payload. */
static HERALD__INLINE enum herald_status
decode_event(struct herald_context *ctx, char *data, size_t bytes, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;
	enum herald_status status = service->keeps_bytes ? keep_bytes(ctx, error) : HERALD_OK;

	if (status == HERALD_OK && service->pointed != 0 && herald__is_envelope(ctx))
		status = herald__identity_find(ctx, data, bytes, error);
	if (status == HERALD_OK)
		status = decode_message(ctx, data, bytes, error);
	if (status == HERALD_OK)
		status = decode_payload(ctx, data, bytes, error);
	return status;
}

/* Tell the store that the user's code runs from here on. If that fails, nothing of it runs. */
static enum herald_status
begin_run(struct herald_context *ctx, bool joins, struct herald_error *error)
{
	struct herald__run *run = ctx->run;
	enum herald_status status = run->begin(run, joins, error);

	ctx->has_begun = true;
	ctx->cannot_begin = status != HERALD_OK;
	return status;
}

/* Everything after decoding and checking. */
static HERALD__INLINE enum herald_status
execute(struct herald_context *ctx, enum herald_verdict *verdict, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	if (ctx->upcast)
		status = herald__invoke_upcast(ctx, ctx->upcast, verdict, error);
	if (status == HERALD_OK && *verdict == HERALD_DONE)
		*verdict = herald__invoke_function(ctx);
	return status;
}

/* An event that is a dead letter before its function runs. */
static enum herald_status
bury(struct herald_context *ctx, enum herald_verdict *verdict, struct herald_error *error)
{
	const enum herald_status status = begin_run(ctx, false, error);

	*verdict = status == HERALD_OK ? herald_fail(ctx, "%s", ctx->run->death) : HERALD_RETRY;
	return status;
}

/* Whether the event becomes a dead letter: see settle_event(). */
static bool
is_dead(enum herald_status status, enum herald_verdict verdict)
{
	return status == HERALD_OK ? verdict == HERALD_FAIL
				   : verdict != HERALD_RETRY && !herald_status_may_retry(status);
}

/* End the event's part of a transaction. If that fails, the outcome is another one, of which the
 * handlers are told as `dead`: their `after` has been called. Takes the status and the verdict so
 * far, and returns what is the outcome in fact. */
static enum herald_status
end_part(struct herald_context *ctx, enum herald_status status, enum herald_verdict *verdict)
{
	struct herald__run *run = ctx->run;
	struct herald_error error;
	const enum herald_status ended =
		run->end(run, status == HERALD_OK && *verdict == HERALD_DONE, &error);
	const bool is_ended_by_user = ended == HERALD_BAD_VALUE;

	if (ended == HERALD_OK || (is_ended_by_user && is_dead(status, *verdict)))
		return status;
	run->published.bytes = 0;
	run->is_exhausted = false;
	ctx->where = "store";
	ctx->who = NULL;
	herald__details_clear(&ctx->details);
	*verdict = is_ended_by_user ? herald_fail(ctx, "%s", error.message)
				    : herald_retry(ctx, "%s", error.message);
	return HERALD_OK;
}

/* Whether this is the first that the service sees of an event. */
static bool
has_arrived(const struct herald_context *ctx)
{
	return !ctx->run || ctx->run->arrived.data;
}

/* The second phase of a stored event. */
static enum herald_status
execute_stored(struct herald_context *ctx, enum herald_verdict *verdict, struct herald_error *error)
{
	if (ctx->run->death)
		return bury(ctx, verdict, error);

	bool joins = ctx->route->declared.transaction == HERALD_TRANSACTION_JOIN;
	enum herald_status status = HERALD_OK;

	if (has_arrived(ctx) && (status = herald__accept_check(ctx, error)) != HERALD_OK)
		return status;
	status = begin_run(ctx, joins, error);

	if (status != HERALD_OK) {
		*verdict = HERALD_RETRY;
		return status;
	}
	status = execute(ctx, verdict, error);
	/* Of an upcaster; the others have been settled. */
	if (status == HERALD_OK && *verdict == HERALD_RETRY && ctx->run->is_last_attempt) {
		ctx->run->is_exhausted = true;
		*verdict = HERALD_FAIL;
	}
	if (ctx->run->session)
		status = end_part(ctx, status, verdict);
	return status;
}

/* Not inlined, so that services without a store or a span hook do not pay for it. */
HERALD__NOT_INLINE static enum herald_status
check_and_execute(struct herald_context *ctx, enum herald_verdict *verdict,
		  struct herald_error *error)
{
	if (ctx->service->has_spans)
		herald__span_start(ctx);
	if (ctx->run)
		return execute_stored(ctx, verdict, error);
	if (ctx->service->inbox)
		*verdict = herald__invoke_accept(ctx);
	if (*verdict != HERALD_DONE)
		return HERALD_OK;
	enum herald_status status = herald__accept_check(ctx, error);
	if (status != HERALD_OK || ctx->acceptance)
		return status;
	return execute(ctx, verdict, error);
}

/* What comes before decoding. If it returns HERALD_OK, the verdict says whether to go on. */
static HERALD__INLINE enum herald_status
receive(struct herald_context *ctx, char *data, size_t bytes, enum herald_verdict *verdict,
	struct herald_error *error)
{
	const struct herald_service *service = ctx->service;

	ctx->data = ctx->text = data;
	ctx->bytes = bytes;
	enum herald_status status =
		service->selects_format ? herald__format_select(ctx, error) : HERALD_OK;
	if (status == HERALD_OK && service->receives && !ctx->is_member && has_arrived(ctx))
		*verdict = herald__invoke_receive(ctx, data, bytes);
	return status;
}

HERALD__COLD static enum herald_status
refuse_size(struct herald_context *ctx, char *data, size_t bytes, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;

	ctx->data = ctx->text = data;
	ctx->bytes = bytes;
	/* The sender gets what its format says. */
	enum herald_status status =
		service->selects_format ? herald__format_select(ctx, error) : HERALD_OK;
	if (status != HERALD_OK)
		return status;
	return herald_error_set(error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
				"the event is larger than %zu bytes", service->max_event_bytes);
}

/* Returns HERALD_OK if the verdict is the outcome, or if ctx->acceptance is set. */
static HERALD__INLINE enum herald_status
run(struct herald_context *ctx, char *data, size_t bytes, enum herald_verdict *verdict,
    struct herald_error *error)
{
	const struct herald_service *service = ctx->service;

	if (bytes > service->max_event_bytes)
		return refuse_size(ctx, data, bytes, error);
	enum herald_status status = receive(ctx, data, bytes, verdict, error);
	if (status != HERALD_OK || *verdict != HERALD_DONE)
		return status;
	status = decode_event(ctx, data, bytes, error);
	if (status != HERALD_OK || !ctx->route)
		return status;
	return service->has_checks || ctx->run ? check_and_execute(ctx, verdict, error)
					       : execute(ctx, verdict, error);
}

/* `ctx` is NULL if there was no memory for one. A status is final, unless the verdict or the status
 * says that it may be tried again. */
static HERALD__INLINE void
settle_event(const struct herald_context *ctx, enum herald_status status,
	     enum herald_verdict verdict, struct herald_result *out)
{
	if (status != HERALD_OK || !ctx) {
		out->verdict = verdict == HERALD_RETRY || herald_status_may_retry(status)
				       ? HERALD_RETRY
				       : HERALD_FAIL;
		out->status = status;
		out->error.status = status;
		return;
	}
	out->verdict = verdict;
	if (verdict == HERALD_DONE) {
		if (ctx->answer)
			out->http_status = ctx->answer->status;
		return;
	}
	memcpy(out->error.message, ctx->details.reason, sizeof(ctx->details.reason));
	if (verdict == HERALD_FAIL)
		out->http_status = ctx->details.http_status;
	if (verdict == HERALD_FAIL && ctx->details.is_unauthorized)
		out->status = out->error.status = HERALD_UNAUTHORIZED;
	if (verdict == HERALD_RETRY)
		out->retry_after_ms = ctx->details.retry_after_ms;
}

/* The counters for an event, which is counted once, by the version that it arrived in. */
static struct herald__counters *
counters_of(struct herald_service *service, const struct herald_context *ctx)
{
	if (!ctx || !ctx->route)
		return &service->counters;
	return ctx->upcast ? &ctx->upcast->counters : &ctx->route->counters;
}

struct herald_arrival
herald__arrival_read(const struct herald_arrival *arrival)
{
	struct herald_arrival read = {0};

	if (arrival->struct_size >= sizeof(read))
		return *arrival;
	memcpy(&read, arrival, arrival->struct_size);
	return read;
}

/* Set what the context knows of the event's arrival. */
static HERALD__INLINE void
set_arrival(struct herald_context *ctx, const struct herald_arrival *arrival, uint64_t now_ns)
{
	if (!arrival) {
		ctx->attribute = NULL;
		ctx->attributes_visit = NULL;
		ctx->content_type = NULL;
		ctx->delay_ms = 0;
		ctx->came_ns = now_ns;
		return;
	}

	const struct herald_arrival read = herald__arrival_read(arrival);
	uint64_t waited_ns = read.waited_ms * HERALD__MS_NS;
	ctx->attribute = read.attribute;
	ctx->attributes_visit = read.attributes_visit;
	ctx->attribute_state = read.state;
	ctx->content_type = read.content_type;
	ctx->delay_ms = read.delay_ms;
	ctx->came_ns = now_ns > waited_ns ? now_ns - waited_ns : 0;
}

static void
clear_result(struct herald_result *out)
{
	out->status = HERALD_OK;
	out->acceptance = HERALD_ACCEPTANCE_NONE;
	out->http_status = 0;
	out->retry_after_ms = 0;
	herald__error_clear(&out->error);
}

/* Tell the hooks how the event ended. */
static HERALD__INLINE void
report(struct herald_service *service, struct herald_context *ctx, const struct herald_result *out,
       uint64_t nanoseconds, uint64_t end_ns)
{
	herald__event_log(service, ctx, out, nanoseconds);
	if (herald__event_has_watch(service))
		herald__event_watch(service, ctx, out, nanoseconds, end_ns);
	if (service->has_spans && ctx)
		herald__span_end(ctx, out);
}

/* Returns the time when the event ended. */
static HERALD__INLINE uint64_t
count_and_report(struct herald_service *service, struct herald_context *ctx,
		 const struct herald_result *out, uint64_t begin_ns)
{
	uint64_t end_ns = herald__clock_now_ns(service->clock);
	uint64_t nanoseconds = end_ns - begin_ns;

	herald__counters_add(counters_of(service, ctx), &service->duration_bounds, out,
			     ctx && ctx->ignored, nanoseconds);
	report(service, ctx, out, nanoseconds, end_ns);
	return end_ns;
}

/* The function did not run. A stored event that cannot begin is put off: its handlers are told when
 * it comes again. */
HERALD__NOT_INLINE static void
reject(struct herald_context *ctx, struct herald_result *out)
{
	struct herald_error error;

	if (ctx->run && !ctx->has_begun) {
		const enum herald_status status = begin_run(ctx, false, &error);

		if (status != HERALD_OK) {
			clear_result(out);
			out->error = error;
			settle_event(ctx, status, HERALD_RETRY, out);
		}
	}
	if (!ctx->run || !ctx->cannot_begin)
		herald__invoke_rejected(ctx, out);
}

/* The envelope of an event that could not be decoded, without its payload. */
static void
decode_envelope(struct herald_context *ctx)
{
	struct herald_error unused;
	/* The bytes are not needed any more; they are a copy, or not decoded yet. */
	char *data = (char *)ctx->data;
	size_t bytes = ctx->bytes;

	ctx->payload_is_wrong = true;
	if (bytes > ctx->service->max_event_bytes)
		return;
	if (ctx->run->arrived.data && !ctx->service->keeps_bytes) {
		bytes = ctx->run->arrived.bytes;
		data = herald_arena_copy(ctx->arena, ctx->run->arrived.data, bytes);
	}
	if (data)
		(void)decode_message(ctx, data, bytes, &unused);
}

/* A stored event is a dead letter: tell the handlers whose `after` was not told. */
static void
tell_dead(struct herald_context *ctx, const struct herald_result *out)
{
	if (!ctx->service->has_dead)
		return;
	/* After an error in the payload, the message has only what was read before it. */
	if (out->status != HERALD_OK)
		decode_envelope(ctx);
	if (ctx->attempts == 0)
		ctx->payload = NULL;
	herald__invoke_dead(ctx, out);
}

/* Returns false if the event is to be stored: then ctx->acceptance is set, and *out is not. The
 * event begins at *now_ns, which is set to its end. */
static HERALD__INLINE bool
handle(struct herald_service *service, struct herald_context *ctx, char *data, size_t bytes,
       uint64_t *now_ns, struct herald_result *out)
{
	char none[1];
	enum herald_verdict verdict = HERALD_DONE;

	clear_result(out);
	enum herald_status status =
		ctx ? run(ctx, data ? data : none, data ? bytes : 0, &verdict, &out->error)
		    : herald_out_of_memory(&out->error);
	if (service->inbox && ctx && ctx->acceptance) {
		ctx->acceptance->begin_ns = *now_ns;
		return false;
	}
	settle_event(ctx, status, verdict, out);
	if (service->keeps_bytes && ctx && ctx->attempts == 0 && out->verdict != HERALD_DONE)
		reject(ctx, out);
	*now_ns = count_and_report(service, ctx, out, *now_ns);
	return true;
}

/* Batches. */

static enum herald_status
split_batch(struct herald_context *ctx, char *data, size_t bytes,
	    const struct herald__batch_visit *visit, struct herald_error *error)
{
	const struct herald__split *lines = visit->lines;

	if (!lines)
		return herald__format_split(ctx, data, bytes, visit, error);
	/* All or none. */
	size_t count = herald__lines_count(data, bytes);
	if (count > lines->max_events)
		return herald_error_set(error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
					"expected at most %zu events (%s), found %zu",
					lines->max_events, lines->max_option, count);
	return herald__lines_split(data, bytes, lines, error);
}

static enum herald_status
open_batch(struct herald_context *ctx, char *data, size_t bytes,
	   const struct herald__batch_visit *visit, enum herald_verdict *verdict,
	   struct herald_error *error)
{
	enum herald_status status = receive(ctx, data, bytes, verdict, error);

	if (status != HERALD_OK || *verdict != HERALD_DONE)
		return status;
	/* Lines are counted before a byte of them changes, and cannot be refused later. */
	if (ctx->service->has_rejected && !visit->lines)
		status = keep_bytes(ctx, error);
	if (status == HERALD_LIMIT)
		return herald_error_set(error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
					"the batch needs more than %zu bytes of memory: send fewer "
					"events at once",
					ctx->service->max_arena_bytes);
	if (status != HERALD_OK)
		return status;
	return split_batch(ctx, data, bytes, visit, error);
}

bool
herald__service_batch_in(struct herald_service *service, struct herald_context *ctx, char *data,
			 size_t bytes, const struct herald_arrival *arrival,
			 const struct herald__batch_visit *visit, struct herald_result *out)
{
	uint64_t begin_ns = herald__clock_now_ns(service->clock);
	enum herald_verdict verdict = HERALD_DONE;
	char none[1];

	if (ctx)
		set_arrival(ctx, arrival, begin_ns);
	clear_result(out);
	enum herald_status status = ctx ? open_batch(ctx, data ? data : none, data ? bytes : 0,
						     visit, &verdict, &out->error)
					: herald_out_of_memory(&out->error);
	if (status == HERALD_OK && verdict == HERALD_DONE)
		return true;
	settle_event(ctx, status, verdict, out);
	if (service->keeps_bytes && ctx)
		reject(ctx, out);
	(void)count_and_report(service, ctx, out, begin_ns);
	return false;
}

/* Single events. */

/* Not inlined: with a store, the calls do not matter. */
HERALD__NOT_INLINE static bool
handle_durable(struct herald_service *service, struct herald_context *ctx, char *data, size_t bytes,
	       uint64_t begin_ns, struct herald_result *out)
{
	return handle(service, ctx, data, bytes, &begin_ns, out);
}

bool
herald__service_begin_in(struct herald_service *service, struct herald_context *ctx, char *data,
			 size_t bytes, const struct herald_arrival *arrival,
			 void (*done)(void *state), void *state, struct herald_result *out)
{
	uint64_t begin_ns = herald__clock_now_ns(service->clock);

	if (ctx)
		set_arrival(ctx, arrival, begin_ns);
	if (handle_durable(service, ctx, data, bytes, begin_ns, out))
		return true;
	herald__accept_begin(ctx, done, state);
	return false;
}

void
herald__service_end_in(struct herald_service *service, struct herald_context *ctx,
		       struct herald_result *out)
{
	const struct herald__inbox_event *event = &ctx->acceptance->event;
	enum herald_status status = event->status;
	/* A full store has room later. */
	enum herald_verdict verdict = status == HERALD_LIMIT ? HERALD_RETRY : HERALD_DONE;

	clear_result(out);
	if (status != HERALD_OK) {
		out->error = event->error;
		settle_event(ctx, status, verdict, out);
		(void)count_and_report(service, ctx, out, ctx->acceptance->begin_ns);
		return;
	}
	out->verdict = HERALD_DONE;
	out->acceptance =
		event->is_duplicate ? HERALD_ACCEPTANCE_DUPLICATE : HERALD_ACCEPTANCE_ACCEPTED;
	out->http_status = 202;
	uint64_t end_ns = herald__clock_now_ns(service->clock);
	uint64_t nanoseconds = end_ns - ctx->acceptance->begin_ns;
	herald__counters_add_accepted(counters_of(service, ctx), &service->duration_bounds,
				      out->acceptance, nanoseconds);
	report(service, ctx, out, nanoseconds, end_ns);
}

void
herald__service_refuse_in(struct herald_service *service, struct herald_result *out)
{
	settle_event(NULL, out->error.status, HERALD_DONE, out);
	(void)count_and_report(service, NULL, out, herald__clock_now_ns(service->clock));
}

void
herald__service_handle_in(struct herald_service *service, struct herald_context *ctx, char *data,
			  size_t bytes, const struct herald_arrival *arrival,
			  struct herald_result *out)
{
	uint64_t now_ns = herald__clock_now_ns(service->clock);

	if (ctx)
		set_arrival(ctx, arrival, now_ns);
	if (handle(service, ctx, data, bytes, &now_ns, out))
		return;
	herald__accept_and_wait(ctx);
	herald__service_end_in(service, ctx, out);
}

void
herald__service_handle_next(struct herald_service *service, struct herald_context *ctx, char *data,
			    size_t bytes, const struct herald_arrival *arrival, uint64_t *now_ns,
			    struct herald_result *out)
{
	set_arrival(ctx, arrival, *now_ns);
	/* There is no store. */
	(void)handle(service, ctx, data, bytes, now_ns, out);
}

void
herald__service_run_in(struct herald_service *service, struct herald_context *ctx,
		       struct herald__run *run, char *data, size_t bytes, struct herald_result *out)
{
	uint64_t begin_ns = herald__clock_now_ns(service->clock);

	if (ctx) {
		set_arrival(ctx, NULL, begin_ns);
		herald__attributes_restore(ctx, run);
		ctx->content_type = *run->content_type != '\0' ? run->content_type : NULL;
		ctx->run = run;
		ctx->has_begun = ctx->cannot_begin = false;
		ctx->told_count = 0;
	}
	(void)handle_durable(service, ctx, data, bytes, begin_ns, out);
	if (ctx && out->verdict == HERALD_FAIL)
		tell_dead(ctx, out);
	if (ctx && ctx->route)
		run->holds_key = ctx->route->declared.when_dead == HERALD_WHEN_DEAD_HOLD;
	/* What an event that runs again has published, it publishes again. */
	if (out->verdict == HERALD_RETRY)
		run->published.bytes = 0;
}

/* Pass the answer to the caller, if it asks for it. */
static void
give_answer(const struct herald_context *ctx, const struct herald_arrival *arrival,
	    enum herald_verdict verdict)
{
	const struct herald_arrival read = herald__arrival_read(arrival);
	const struct herald_answer answer = herald__answer_of(ctx, verdict);

	if (read.answer && !herald__answer_is_empty(&answer))
		read.answer(&answer, read.state);
}

void
herald_service_handle_with(struct herald_service *service, char *data, size_t bytes,
			   const struct herald_arrival *arrival, struct herald_result *out)
{
	struct herald_context *ctx = herald__context_take(service);

	herald__service_handle_in(service, ctx, data, bytes, arrival, out);
	if (!ctx)
		return;
	if (arrival && ctx->answer)
		give_answer(ctx, arrival, out->verdict);
	herald__context_reset(ctx);
	herald__context_give(ctx);
}

void
herald_service_handle(struct herald_service *service, char *data, size_t bytes,
		      struct herald_result *out)
{
	herald_service_handle_with(service, data, bytes, NULL, out);
}
