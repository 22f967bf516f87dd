/*
 * The span of an event, for the span hook: its name, times and attributes. Everything is on the
 * stack or belongs to the event.
 */
#include "service/event_span.h"

#include <string.h>

#include "base/arena.h"
#include "base/span.h"
#include "service/event_trace.h"
#include "service/service.h"

/* When the event came to the service. Found late, so that only a span costs another clock. */
static int64_t
find_begin(const struct herald_context *ctx, int64_t now_ns)
{
	return now_ns - (int64_t)(herald__clock_now_ns(ctx->service->clock) - ctx->came_ns);
}

/* "process user_created". Without a route or memory only the verb. */
static const char *
make_name(const struct herald_context *ctx, const char *verb)
{
	const char *type = ctx->route ? ctx->route->declared.event_type : NULL;
	size_t verb_bytes = strlen(verb), type_bytes = type ? strlen(type) : 0;
	char *name = type ? herald__arena_take(ctx->arena, verb_bytes + type_bytes + 2) : NULL;

	if (!name)
		return verb;
	memcpy(name, verb, verb_bytes);
	name[verb_bytes] = ' ';
	memcpy(name + verb_bytes + 1, type, type_bytes + 1);
	return name;
}

/* What is known before the user's code runs. */
static void
fill(struct herald_context *ctx, struct herald__span *filled, struct herald_trace *link)
{
	const struct herald_service *service = ctx->service;
	const struct herald_message *message = ctx->message;
	bool accepts = service->inbox && !ctx->run;
	const char *verb = accepts ? "accept" : "process";

	filled->span = (struct herald_span){
		.trace = herald_context_trace(ctx),
		.name = make_name(ctx, verb),
		.kind = accepts ? HERALD_SPAN_SERVER : HERALD_SPAN_CONSUMER,
		.begin_ns = ctx->span_begin_ns,
		.attributes = filled->attributes,
		.error = "",
	};
	if (herald__trace_link(ctx, link)) {
		filled->span.links = link;
		filled->span.links_count = 1;
	}
	herald__span_add_text(filled, "messaging.system", "herald");
	herald__span_add_text(filled, "messaging.operation.name", verb);
	herald__span_add_text(filled, "messaging.operation.type", accepts ? "receive" : "process");
	if (service->inbox)
		herald__span_add_text(filled, "messaging.destination.name", service->queue);
	herald__span_add_number(filled, "messaging.message.body.size", (int64_t)ctx->bytes);
	if (message) {
		herald__span_add_text(filled, "cloudevents.event_id", herald_context_id(ctx));
		herald__span_add_text(filled, "cloudevents.event_source",
				      herald_context_source(ctx));
		herald__span_add_text(filled, "cloudevents.event_type", message->event_type);
		herald__span_add_text(filled, "herald.event_version", herald_context_version(ctx));
	}
	if (herald_context_attempt(ctx) > 1)
		herald__span_add_number(filled, "herald.attempt", herald_context_attempt(ctx));
}

void
herald__span_start(struct herald_context *ctx)
{
	const struct herald_span_hook *hook = &ctx->service->spans;
	struct herald__span filled;
	struct herald_trace link;

	if (!hook->start)
		return;
	ctx->span_begin_ns = find_begin(ctx, herald__span_now_ns());
	fill(ctx, &filled, &link);
	hook->start(&filled.span, hook->state);
}

void
herald__span_end(struct herald_context *ctx, const struct herald_result *result)
{
	const struct herald_span_hook *hook = &ctx->service->spans;
	const int64_t now_ns = herald__span_now_ns();
	struct herald__span filled;
	struct herald_trace link;

	if (ctx->span_begin_ns == 0)
		ctx->span_begin_ns = find_begin(ctx, now_ns);
	fill(ctx, &filled, &link);
	herald__span_set_end(&filled, now_ns);
	ctx->span_begin_ns = 0;
	herald__span_add_text(&filled, "herald.verdict", herald_verdict_name(result->verdict));
	if (result->verdict != HERALD_DONE) {
		filled.span.is_error = true;
		filled.span.error = result->error.message;
		herald__span_add_text(&filled, "error.type",
				      result->status != HERALD_OK
					      ? herald_status_name(result->status)
					      : herald_verdict_name(result->verdict));
	}
	hook->end(&filled.span, hook->state);
}
