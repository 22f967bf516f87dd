/*
 * The resources api/service, the name and the parts of the process and its pipeline, and
 * api/pipeline, the pipeline alone. What changes is in state.c.
 */
#include "admin/service.h"

#include <stddef.h>
#include <string.h>

#include <herald/version.h>

#include "admin/call.h"
#include "admin/query.h"
#include "admin/schema.h"
#include "service/describe.h"
#include "service/lookup.h"

static void
put_parts(struct herald__admin_call *call)
{
	const struct herald_admin_options *options = &call->admin->options;
	const struct {
		const char *name;
		bool is_there;
	} parts[] = {
		{"service", options->service},
		{"server", call->server},
		{"pool", options->pool},
		{"store", options->store},
		{"deliverer", options->deliverer},
		{"consumers", options->consumers_count > 0},
		{"producers", options->producers_count > 0},
	};

	herald__indented_key(&call->json, "parts");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i < HERALD_COUNT(parts); i++)
		if (parts[i].is_there)
			herald__indented_text(&call->json, parts[i].name);
	herald__indented_end(&call->json, ']');
}

/* Write a member with the description of the service: as JSON, or as a text. */
static void
put_description(struct herald__admin_call *call, enum herald_describe_format format,
		const char *event_type, const char *key)
{
	struct herald_buffer text;

	herald_buffer_init(&text, &call->admin->allocator, 0);
	enum herald_status status =
		herald__service_describe(call->admin->options.service, format, event_type, &text);
	if (status == HERALD_OK)
		status = herald_buffer_append(&text, "", 1);
	if (status != HERALD_OK) {
		call->json.status = status;
	} else {
		herald__indented_key(&call->json, key);
		if (format == HERALD_DESCRIBE_JSON)
			herald__indented_word(&call->json, text.data);
		else
			herald__indented_text(&call->json, text.data);
	}
	herald_buffer_finish(&text);
}

void
herald__admin_service(struct herald__admin_call *call)
{
	const struct herald_admin_options *options = &call->admin->options;

	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "name", options->name);
	herald__admin_put_text(call, "version", HERALD_VERSION);
	herald__admin_put_time(call, "began", call->admin->began_ms);
	herald__admin_put_bool(call, "read_only", options->is_read_only);
	herald__admin_put(call, "max_action_count", options->max_action_count);
	put_parts(call);
	if (options->service)
		put_description(call, HERALD_DESCRIBE_JSON, NULL, "pipeline");
	herald__indented_end(&call->json, '}');
}

/* The pipeline alone. */

struct query {
	const char *type;   /* NULL: all */
	const char *format; /* NULL: json */
};

static const struct herald__admin_argument arguments[] = {
	{"type", offsetof(struct query, type), false, 0},
	{"format", offsetof(struct query, format), false, 0},
};

/* Returns false after answering. */
static bool
read_query(struct herald__admin_call *call, struct query *out)
{
	if (!herald__admin_query_read(call, arguments, HERALD_COUNT(arguments), out))
		return false;
	if (!out->format || strcmp(out->format, "json") == 0 || strcmp(out->format, "text") == 0)
		return true;
	herald__admin_refuse(call, 400, "format: expected json or text, not \"%s\"", out->format);
	return false;
}

void
herald__admin_pipeline(struct herald__admin_call *call)
{
	const struct herald_service *service = herald__admin_service_of(call);
	struct query query = {.type = NULL};

	if (!service || !read_query(call, &query))
		return;
	const bool is_text = query.format && strcmp(query.format, "text") == 0;
	const char *type = query.type ? herald__lookup_type(service, query.type) : NULL;
	if (query.type && !type) {
		herald__admin_refuse_type(call, query.type, NULL);
		return;
	}
	herald__indented_begin(&call->json, '{');
	put_description(call, is_text ? HERALD_DESCRIBE_TEXT : HERALD_DESCRIBE_JSON, type,
			is_text ? "text" : "pipeline");
	herald__indented_end(&call->json, '}');
}
