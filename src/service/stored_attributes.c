/*
 * The attributes of an event, written to a text when it is stored, and read from it when it runs.
 * Which names are listed is in attribute_names.c, the reading of the text in base/attribute_text.c.
 */
#include "service/stored_attributes.h"

#include <string.h>

#include "base/arena.h"
#include "base/attribute_text.h"
#include "service/event_trace.h"
#include "service/inbox.h"
#include "service/service.h"

/* Writing. The visits are made twice: for the size, and for the text. */
struct writer {
	struct herald_context *ctx;
	char *at; /* NULL: only the size is wanted */
	size_t bytes;
};

static void
write_text(struct writer *writer, const char *text)
{
	size_t bytes = strlen(text) + 1;

	if (writer->at) {
		memcpy(writer->at, text, bytes);
		writer->at += bytes;
	}
	writer->bytes += bytes;
}

static void
write_attribute(struct writer *writer, const char *name, const char *value)
{
	write_text(writer, name);
	write_text(writer, value);
}

/* The herald_attribute_visitor. */
static bool
write_listed(const char *name, const char *value, void *state)
{
	struct writer *writer = state;

	if (writer->ctx->service->tracing && herald__trace_is_header(name))
		return true;
	if (herald__attribute_names_have(&writer->ctx->service->attributes, name))
		write_attribute(writer, name, value);
	return true;
}

/* A source that cannot visit its attributes is asked for those whose whole name is known. */
static void
write_own(struct writer *writer)
{
	const struct herald_context *ctx = writer->ctx;
	const struct herald__attribute_names *names = &ctx->service->attributes;

	if (ctx->attributes_visit) {
		ctx->attributes_visit(write_listed, writer, ctx->attribute_state);
		return;
	}
	for (size_t i = 0; ctx->attribute && i < names->count; i++) {
		const struct herald__attribute_name *name = &names->all[i];
		const char *value =
			name->is_prefix ? NULL : ctx->attribute(name->text, ctx->attribute_state);

		if (value)
			write_listed(name->text, value, writer);
	}
}

/* The runs of a stored event are below the span that accepts it, as behind any queue. So its trace
 * headers are stored as that span would send them. */
static void
write_trace(struct writer *writer)
{
	const struct herald_trace *trace = herald_context_trace(writer->ctx);
	char parent[HERALD_TRACEPARENT_SIZE];

	if (!trace)
		return;
	herald_traceparent_write(trace, parent);
	write_attribute(writer, herald__trace_attributes[0], parent);
	if (*trace->state != '\0')
		write_attribute(writer, herald__trace_attributes[1], trace->state);
}

static void
write_all(struct writer *writer)
{
	write_own(writer);
	write_trace(writer);
}

enum herald_status
herald__attributes_store(struct herald_context *ctx, struct herald_text *out,
			 struct herald_error *error)
{
	struct writer writer = {.ctx = ctx};

	*out = (struct herald_text){"", 0};
	if (ctx->service->attributes.count > 0)
		write_all(&writer);
	if (writer.bytes == 0)
		return HERALD_OK;

	char *text = herald__arena_take(ctx->arena, writer.bytes);
	if (!text)
		return herald__context_arena_status(ctx, error);
	*out = (struct herald_text){text, writer.bytes};
	writer.at = text;
	write_all(&writer);
	return HERALD_OK;
}

/* Reading. */

/* The herald_arrival.attribute callback. */
static const char *
find_stored(const char *name, void *state)
{
	return herald__attributes_find(((const struct herald__run *)state)->attributes, name);
}

/* The herald_arrival.attributes_visit callback. */
static void
visit_stored(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	herald__attributes_visit(((const struct herald__run *)state)->attributes, visit,
				 visit_state);
}

void
herald__attributes_restore(struct herald_context *ctx, struct herald__run *run)
{
	ctx->attribute = find_stored;
	ctx->attributes_visit = visit_stored;
	ctx->attribute_state = run;
}
