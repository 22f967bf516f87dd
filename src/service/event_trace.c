/*
 * Which trace an event belongs to. It is found when it is first asked for, so that an event
 * whose trace is not needed costs nothing. How headers are read is in base/trace.c.
 */
#include "service/event_trace.h"

#include <string.h>

#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/trace.h"
#include "service/service.h"

static const char parent_header[] = "traceparent";
static const char state_header[] = "tracestate";

/* CloudEvents' extension attributes, in binary mode. */
static const char parent_extension[] = "ce-traceparent";
static const char state_extension[] = "ce-tracestate";

const char *const herald__trace_attributes[] = {
	parent_header, state_header, parent_extension, state_extension, NULL,
};

bool
herald__trace_is_header(const char *name)
{
	return herald_ascii_same(name, parent_header) || herald_ascii_same(name, state_header);
}

/* The headers of an event: how many there are, and the last traceparent. */
struct found {
	const char *parent;
	unsigned parents;
	size_t state_bytes; /* of all tracestates, with their NULs */
	struct herald__tracestate state;
};

static bool
note_header(const char *name, const char *value, void *state)
{
	struct found *found = state;

	if (herald_ascii_same(name, parent_header)) {
		found->parent = value;
		found->parents++;
	} else if (herald_ascii_same(name, state_header)) {
		found->state_bytes += strlen(value) + 1;
	}
	return true;
}

static bool
add_state(const char *name, const char *value, void *state)
{
	struct found *found = state;

	if (herald_ascii_same(name, state_header))
		herald__tracestate_add(&found->state, value);
	return true;
}

/* A source that cannot visit its attributes has one value of each. */
static void
visit_headers(const struct herald_context *ctx, herald_attribute_visitor *visit, void *state)
{
	const char *value;

	if (ctx->attributes_visit) {
		ctx->attributes_visit(visit, state, ctx->attribute_state);
		return;
	}
	for (size_t i = 0; ctx->attribute && i < 2; i++) {
		const char *name = herald__trace_attributes[i];

		if ((value = ctx->attribute(name, ctx->attribute_state)))
			visit(name, value, state);
	}
}

/* "" if it is not valid, or there is no memory for it. */
static const char *
join_states(const struct herald_context *ctx, struct found *found)
{
	if (found->state_bytes == 0 ||
	    !(found->state.out = herald__arena_take(ctx->arena, found->state_bytes)))
		return "";
	found->state.out[0] = '\0';
	visit_headers(ctx, add_state, found);
	return found->state.out;
}

/* The sender's span, from the headers: exactly one traceparent. */
static bool
read_headers(const struct herald_context *ctx, struct herald_trace *out)
{
	struct found found = {0};

	visit_headers(ctx, note_header, &found);
	if (found.parents != 1 ||
	    !herald_traceparent_parse(found.parent, strlen(found.parent), out))
		return false;
	out->state = join_states(ctx, &found);
	return true;
}

/* A member of the metadata, or the header of binary mode. */
static const char *
find_extension(const struct herald_context *ctx, const char *member, const char *attribute)
{
	const char *text = herald_json_map_get(&ctx->message->metadata, member);

	if (text || !ctx->attribute)
		return text;
	return ctx->attribute(attribute, ctx->attribute_state);
}

/* The span in which the event was created. */
static bool
read_extension(const struct herald_context *ctx, struct herald_trace *out)
{
	const char *parent, *state;
	struct found found = {0};

	if (!ctx->message || !(parent = find_extension(ctx, parent_header, parent_extension)) ||
	    !herald_traceparent_parse(parent, strlen(parent), out))
		return false;
	state = find_extension(ctx, state_header, state_extension);
	if (!state || !(found.state.out = herald__arena_take(ctx->arena, strlen(state) + 1)))
		return true;
	herald__tracestate_add(&found.state, state);
	out->state = found.state.out;
	return true;
}

/* Whether a new trace is recorded: consistent with other programs that use the same share, because
 * the random part of its id decides (Trace Context level 2, section 3.2.2.3). */
static bool
is_sampled(const struct herald_service *service, const char *trace_id)
{
	uint64_t random = 0;

	if (!service->has_spans)
		return false;
	for (size_t i = 32 - 14; i < 32; i++)
		random = random << 4 | (uint64_t)(trace_id[i] <= '9' ? trace_id[i] - '0'
								     : trace_id[i] - 'a' + 10);
	return random >= (UINT64_C(1) << 56) - (UINT64_C(1) << 56) / service->sample_one_in;
}

/* Not inlined: an event does this once. */
HERALD__NOT_INLINE static void
decide(struct herald_context *ctx)
{
	struct herald_service *service = ctx->service;
	struct herald_trace parent;

	if (read_headers(ctx, &parent) || read_extension(ctx, &parent)) {
		herald__trace_descend(&service->trace_source, &parent, &ctx->trace);
	} else {
		herald__trace_begin(&service->trace_source, &ctx->trace);
		if (is_sampled(service, ctx->trace.trace_id))
			ctx->trace.flags |= HERALD_TRACE_SAMPLED;
	}
	ctx->has_trace = true;
}

const struct herald_trace *
herald_context_trace(struct herald_context *ctx)
{
	if (!ctx->service->tracing)
		return NULL;
	if (!ctx->has_trace)
		decide(ctx);
	return &ctx->trace;
}

bool
herald__trace_link(struct herald_context *ctx, struct herald_trace *out)
{
	const struct herald_trace *trace = herald_context_trace(ctx);

	return trace && read_extension(ctx, out) &&
	       (strcmp(out->trace_id, trace->trace_id) != 0 ||
		strcmp(out->span_id, trace->parent_id) != 0);
}
